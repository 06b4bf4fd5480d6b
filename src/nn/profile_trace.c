/* SPDX-License-Identifier: Apache-2.0 */
/** A profile as JSON in the trace-event format: complete events ("ph": "X") in microseconds on one row, where
 * the viewer nests what lies inside each other. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "io/files/atomic_file.h"
#include "nn/profile.h"

/** `text` as the inside of a JSON string; layer names are plain, anything else becomes "?". */
static const char *plain(const char *text, char *out, size_t size) {
    size_t used = 0;
    for (; *text && used + 1 < size; text++, used++) {
        const bool safe = *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\';
        out[used] = '?';
        if (safe) {
            out[used] = *text;
        }
    }
    out[used] = 0;
    return out;
}

/** A text that grows. */
typedef struct trace_text {
    char *bytes;
    size_t size, capacity;
} trace_text;

static pld_status write_text(trace_text *to, const char *text, pld_error *error) {
    const size_t length = strlen(text);
    size_t wanted = 0;
    if (!pld_add(to->size, length, &wanted) || !pld_grow((void **)&to->bytes, &to->capacity, wanted, 1)) {
        return pld_fail_memory(error, length, "trace");
    }
    memcpy(to->bytes + to->size, text, length);
    to->size = wanted;
    return PLD_OK;
}

static pld_status write_span(trace_text *to, const pld_profile_span *span, bool last, pld_error *error) {
    static const char *const categories[] = {"stage", "network", "prepare", "operator"};
    char line[640], name[PLD_PROFILE_NAME], shape[PLD_PROFILE_NAME], implementation[PLD_PROFILE_WORD];
    double rate = span->operations > 0 && span->seconds > 0 ? span->operations / span->seconds / 1e9 : 0;
    pld_print_text(
        line, sizeof line,
        "{\"name\":\"%s\",\"cat\":\"%s\",\"ph\":\"X\",\"ts\":%.3f,\"dur\":%.3f,\"pid\":1,\"tid\":1,"
        "\"args\":{\"network\":\"%s\",\"kind\":\"%s\",\"shape\":\"%s\",\"implementation\":\"%s\","
        "\"gflops\":%.2f}}%s\n",
        plain(span->name, name, sizeof name), categories[span->level], 1e6 * span->begin, 1e6 * span->seconds,
        span->network, span->kind, plain(span->shape, shape, sizeof shape),
        plain(span->implementation, implementation, sizeof implementation), rate, last ? "" : ",");
    return write_text(to, line, error);
}

static pld_status write_all(trace_text *to, const pld_profile *profile, pld_error *error) {
    const size_t count = pld_profile_span_count(profile);
    PLD_TRY(write_text(to,
                       "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
                       "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"pladis\"}}",
                       error));
    PLD_TRY(write_text(to, count ? ",\n" : "\n", error));
    for (size_t i = 0; i < count; i++) {
        PLD_TRY(write_span(to, pld_profile_span_at(profile, i), i + 1 == count, error));
    }
    return write_text(to, "]}\n", error);
}

pld_status pld_profile_encode_trace(const pld_profile *profile, uint8_t **bytes, size_t *size,
                                    pld_error *error) {
    trace_text text = {0};
    if (pld_profile_lost(profile) > 0) {
        return pld_fail(error, PLD_ERROR_MEMORY,
                        "trace: out of memory, so %zu spans are missing; expected all of them",
                        pld_profile_lost(profile));
    }
    pld_status status = write_all(&text, profile, error);
    if (status != PLD_OK) {
        pld_free(text.bytes);
        text = (trace_text){0};
    }
    *bytes = (uint8_t *)text.bytes;
    *size = text.size;
    return status;
}

pld_status pld_profile_write_trace(const pld_profile *profile, const char *path, pld_error *error) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    PLD_TRY(pld_profile_encode_trace(profile, &bytes, &size, error));
    pld_status status = pld_atomic_file_save(path, bytes, size, NULL, error);
    pld_free(bytes);
    return status;
}
