/* SPDX-License-Identifier: Apache-2.0 */
/** What the tests of sampling share: stored tensors and their comparison. */
#ifndef PLD_TESTS_SAMPLING_DATA_H
#define PLD_TESTS_SAMPLING_DATA_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "io/tensors/tensor_file.h"

/** A stored tensor as doubles; the caller frees `values` with pld_free. Absent: count 0, values NULL. */
typedef struct stored_values {
    double *values;
    size_t count;
} stored_values;

/** Stop the test with the library's message when a call failed. */
static inline void require_ok(pld_status status, const pld_error *error) {
    if (status != PLD_OK) {
        fail_msg("%s: %s", pld_status_text(status), error->message);
    }
}

/** The tensor "PREFIX.NAME" (or "NAME" when prefix is ""), of type F32 or F64. */
static inline stored_values load_values(const pld_tensor_file *file, const char *prefix, const char *name) {
    char full[256];
    pld_error error = {0};
    snprintf(full, sizeof full, "%s%s%s", prefix, *prefix ? "." : "", name);
    const pld_stored_tensor *tensor = pld_tensor_file_find(file, full);
    if (!tensor) {
        return (stored_values){0};
    }
    assert_true(tensor->dtype == PLD_DTYPE_F32 || tensor->dtype == PLD_DTYPE_F64);
    size_t count = tensor->bytes / pld_dtype_size(tensor->dtype);
    void *raw = malloc(tensor->bytes);
    double *values = pld_allocate(count, sizeof(double));
    assert_true(raw && values);
    require_ok(pld_tensor_file_read(file, tensor, 0, tensor->bytes, raw, &error), &error);
    for (size_t i = 0; i < count; i++) {
        values[i] = tensor->dtype == PLD_DTYPE_F64 ? ((double *)raw)[i] : (double)((float *)raw)[i];
    }
    free(raw);
    return (stored_values){values, count};
}

/** ‖a − b‖ / ‖b‖; infinite when a is not finite. */
static inline double relative_error(const float *a, const double *b, size_t count) {
    double difference = 0;
    double norm = 0;
    for (size_t i = 0; i < count; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += b[i] * b[i];
    }
    return isfinite(difference) ? sqrt(difference / (norm > 0 ? norm : 1)) : INFINITY;
}

#endif
