/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pictures/resample.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"

enum { LOBES = 3, PRECISION = 22 /* bits of a weight below the point */ };

/** For each place of the output: the first place of the input that counts, how many do, and their weights. */
typedef struct filter {
    int *first, *count;
    int32_t *weights; /* [out, most] */
    int most;
} filter;

static double sinc(double x) {
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(x * pi) / (x * pi);
}

static double lanczos(double x) {
    return x >= -LOBES && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

static void filter_free(filter *f) {
    pld_free(f->first);
    pld_free(f->count);
    pld_free(f->weights);
}

static void fill_place(filter *f, int place, int in, double scale, double *weights) {
    const double widening = scale > 1 ? scale : 1;
    const double centre = (place + 0.5) * scale;
    const double reach = LOBES * widening;
    double sum = 0;
    int first = (int)(centre - reach + 0.5);
    int end = (int)(centre + reach + 0.5);
    first = first < 0 ? 0 : first;
    end = end > in ? in : end;
    f->first[place] = first;
    f->count[place] = end - first;
    for (int i = 0; i < end - first; i++) {
        weights[i] = lanczos((i + first - centre + 0.5) / widening);
        sum += weights[i];
    }
    for (int i = 0; i < end - first; i++) {
        const double weight = (sum != 0 ? weights[i] / sum : weights[i]) * (1 << PRECISION);
        f->weights[place * f->most + i] = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
}

static pld_status filter_make(filter *f, int in, int out, pld_error *error) {
    const double scale = (double)in / out;
    f->most = (int)ceil(LOBES * (scale > 1 ? scale : 1)) * 2 + 1;
    f->first = pld_allocate((size_t)out, sizeof *f->first);
    f->count = pld_allocate((size_t)out, sizeof *f->count);
    f->weights = pld_allocate((size_t)out, (size_t)f->most * sizeof *f->weights);
    double *weights = pld_allocate((size_t)f->most, sizeof *weights);
    const bool there = f->first && f->count && f->weights && weights;
    for (int i = 0; there && i < out; i++) {
        fill_place(f, i, in, scale, weights);
    }
    pld_free(weights);
    return there ? PLD_OK
                 : pld_fail_memory(error, (size_t)out * (size_t)f->most * sizeof *f->weights,
                                   "another size of a picture");
}

/** One place of one channel: weights times values `stride` apart. */
static uint8_t sum_place(const filter *f, int place, const uint8_t *in, size_t stride) {
    const int32_t *weights = f->weights + (size_t)place * (size_t)f->most;
    const uint8_t *at = in + (size_t)f->first[place] * stride;
    int64_t sum = (int64_t)1 << (PRECISION - 1);
    for (int i = 0; i < f->count[place]; i++) {
        sum += (int64_t)weights[i] * at[(size_t)i * stride];
    }
    const int64_t value = sum >> PRECISION;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/** in [height, in_width, channels] → out [height, out_width, channels]. */
static pld_status across(const uint8_t *in, int in_width, int height, int channels, uint8_t *out,
                         int out_width, pld_error *error) {
    filter f = {0};
    const pld_status status = filter_make(&f, in_width, out_width, error);
    for (int y = 0; status == PLD_OK && y < height; y++) {
        const uint8_t *row = in + (size_t)y * (size_t)in_width * (size_t)channels;
        for (int x = 0; x < out_width; x++) {
            for (int c = 0; c < channels; c++) {
                *out++ = sum_place(&f, x, row + c, (size_t)channels);
            }
        }
    }
    filter_free(&f);
    return status;
}

/** in [in_height, row] → out [out_height, row], `row` numbers each. */
static pld_status down(const uint8_t *in, int in_height, size_t row, uint8_t *out, int out_height,
                       pld_error *error) {
    filter f = {0};
    const pld_status status = filter_make(&f, in_height, out_height, error);
    for (int y = 0; status == PLD_OK && y < out_height; y++) {
        for (size_t x = 0; x < row; x++) {
            *out++ = sum_place(&f, y, in + x, row);
        }
    }
    filter_free(&f);
    return status;
}

pld_status pld_resample_lanczos(const uint8_t *in, int in_width, int in_height, int channels, uint8_t *out,
                                int out_width, int out_height, pld_error *error) {
    const size_t row = (size_t)out_width * (size_t)channels;
    if (in_width == out_width && in_height == out_height) {
        memcpy(out, in, row * (size_t)out_height);
        return PLD_OK;
    }
    if (in_height == out_height) {
        return across(in, in_width, in_height, channels, out, out_width, error);
    }
    if (in_width == out_width) {
        return down(in, in_height, row, out, out_height, error);
    }
    uint8_t *between = pld_allocate((size_t)in_height, row);
    pld_status status = between
                            ? across(in, in_width, in_height, channels, between, out_width, error)
                            : pld_fail_memory(error, (size_t)in_height * row, "another size of a picture");
    if (status == PLD_OK) {
        status = down(between, in_height, row, out, out_height, error);
    }
    pld_free(between);
    return status;
}
