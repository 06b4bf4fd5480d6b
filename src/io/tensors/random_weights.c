/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/random_weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

/** Bytes of a bf16 tensor; 0 when they cannot be counted. */
static size_t bytes_of(int rank, const int64_t *shape) {
    size_t bytes = sizeof(uint16_t);
    bool fits = rank <= PLD_MAX_RANK;
    for (int i = 0; fits && i < rank; i++) {
        fits = shape[i] > 0 && pld_multiply(bytes, (size_t)shape[i], &bytes);
    }
    return fits ? bytes : 0;
}

pld_status pld_random_weights_add(pld_random_weights *weights, const char *name, int rank,
                                  const int64_t *shape, pld_error *error) {
    enum { MOST = 512 }; /* of one entry */
    char key[MOST / 2], entry[MOST];
    const size_t bytes = bytes_of(rank, shape);
    const int key_length = snprintf(key, sizeof key, "\"%s\":{", name);
    if (key_length < 0 || (size_t)key_length >= sizeof key || bytes == 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "random weights: tensor '%.200s' is too large", name);
    }
    if (weights->header && strstr(weights->header, key)) {
        return PLD_OK;
    }
    int used =
        snprintf(entry, sizeof entry, "%c%s\"dtype\":\"BF16\",\"shape\":[", weights->header ? ',' : '{', key);
    for (int i = 0; i < rank; i++) {
        used += snprintf(entry + used, sizeof entry - (size_t)used, "%s%" PRId64, i ? "," : "", shape[i]);
    }
    used += snprintf(entry + used, sizeof entry - (size_t)used,
                     "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", weights->bytes, weights->bytes + bytes);
    /* two bytes more for the last brace and the zero */
    if (!pld_grow((void **)&weights->header, &weights->capacity, weights->used + (size_t)used + 2, 1)) {
        return pld_fail_memory(error, weights->used + (size_t)used, "random weights");
    }
    memcpy(weights->header + weights->used, entry, (size_t)used + 1);
    weights->used += (size_t)used;
    weights->bytes += bytes;
    return PLD_OK;
}

void pld_random_weights_free(pld_random_weights *weights) {
    pld_free(weights->header);
    *weights = (pld_random_weights){0};
}

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/** FNV-1a. */
static uint64_t hash(const char *text) {
    uint64_t value = 14695981039346656037U;
    for (; *text; text++) {
        value = (value ^ (unsigned char)*text) * 1099511628211U;
    }
    return value;
}

/** The finisher of splitmix64: well mixed bits of a counter. */
static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static float deviation(const pld_stored_tensor *tensor) {
    if (ends_with(tensor->name, "embedding.weight")) {
        return 1; /* a table of rows, which no sum runs over */
    }
    double fan_in = 1;
    for (int i = 1; i < tensor->rank; i++) {
        fan_in *= (double)tensor->shape[i];
    }
    return (float)((ends_with(tensor->name, "to_q.weight") ? 2.2 : 1) / sqrt(fan_in));
}

static uint16_t to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(bits >> 16);
}

void pld_random_weights_read(const pld_stored_tensor *tensor, size_t first_byte, size_t bytes,
                             void *destination) {
    const size_t first = first_byte / sizeof(uint16_t), count = bytes / sizeof(uint16_t);
    unsigned char *out = destination;
    const bool constant = tensor->rank < 2;
    const float value = ends_with(tensor->name, "bias") ? 0 : 1;
    const uint64_t seed = hash(tensor->name);
    /* uniform in ±√3·deviation: 24 bits, centred */
    const float step = constant ? 0 : 2 * 1.7320508F * deviation(tensor) / 16777216.0F;
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)(mix(seed + (first + i + 1) * 0x9e3779b97f4a7c15U) >> 40);
        const uint16_t half = to_bf16(constant ? value : ((float)bits - 8388607.5F) * step);
        memcpy(out + i * sizeof half, &half, sizeof half);
    }
}
