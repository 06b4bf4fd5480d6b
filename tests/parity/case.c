/* SPDX-License-Identifier: Apache-2.0 */
#include "case.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

void case_open_tensors(const char *path, const char *name, parity_case *c) {
    pld_error error = {0};
    *c = (parity_case){.root = reference_tree()};
    snprintf(c->name, sizeof c->name, "%s", name);
    check_status(pld_tensor_file_open(path, &c->tensors, &error), &error);
}

void case_open_table(const char *folder, const char *cases, const char *tensors, parity_case *c) {
    pld_error error = {0};
    case_open_tensors(reference_path(PLADIS_TEST_DATA, "%s/%s", folder, tensors), folder, c);
    check_status(pld_json_load(reference_path(PLADIS_TEST_DATA, "%s/%s", folder, cases), 0, &c->info, &error),
                 &error);
}

bool case_open(const reference_found *found, parity_case *c) {
    pld_error error = {0};
    const char *path = reference_path(found->root, "cases/%s/tensors.safetensors", found->name);
    *c = (parity_case){.root = found->root};
    snprintf(c->name, sizeof c->name, "%s", found->name);
    if (pld_tensor_file_open(path, &c->tensors, &error) != PLD_OK) {
        reference_pass_over(found->root, found->name, error.message);
        return false;
    }
    c->info = json_deep_copy(found->info);
    assert_non_null(c->info);
    return true;
}

void case_close(parity_case *c) {
    json_decref(c->info);
    pld_tensor_file_close(&c->tensors);
    *c = (parity_case){0};
}

const char *case_model_path(const parity_case *c, const char *file) {
    return reference_path(c->root, "models/%s%s%s", json_text(c->info, "model"), *file ? "/" : "", file);
}

bool case_has(const parity_case *c, const char *tensor) {
    return pld_tensor_file_find(c->tensors, tensor) != NULL;
}

bool case_has_all(const parity_case *c, const char *const *tensors) {
    for (; *tensors; tensors++) {
        if (!case_has(c, *tensors)) {
            char why[128];
            snprintf(why, sizeof why, "it has no tensor %s", *tensors);
            reference_pass_over(c->root, c->name, why);
            return false;
        }
    }
    return true;
}

const pld_stored_tensor *case_tensor(const parity_case *c, const char *name) {
    const pld_stored_tensor *tensor = pld_tensor_file_find(c->tensors, name);
    if (!tensor) {
        fail_msg("%s has no tensor %s", c->name, name);
    }
    return tensor;
}

float *case_values(const parity_case *c, const char *name, size_t *count) {
    pld_error error = {0};
    const pld_stored_tensor *tensor = case_tensor(c, name);
    const size_t elements = tensor->bytes / pld_dtype_size(tensor->dtype);
    float *values = pld_allocate(elements, sizeof *values);
    void *stored = pld_allocate(tensor->bytes, 1);
    assert_true(values && stored);
    check_status(pld_tensor_file_read(c->tensors, tensor, 0, tensor->bytes, stored, &error), &error);
    for (size_t i = 0; i < elements; i++) {
        switch (tensor->dtype) {
        case PLD_DTYPE_F32:
            values[i] = ((const float *)stored)[i];
            break;
        case PLD_DTYPE_F64:
            values[i] = (float)((const double *)stored)[i];
            break;
        case PLD_DTYPE_I64:
            values[i] = (float)((const int64_t *)stored)[i];
            break;
        case PLD_DTYPE_U8:
            values[i] = (float)((const uint8_t *)stored)[i];
            break;
        default:
            fail_msg("%s: tensor %s has a type that the tests do not read", c->name, name);
        }
    }
    pld_free(stored);
    if (count) {
        *count = elements;
    }
    return values;
}

double case_error(const parity_case *found, const char *name, const parity_case *expected,
                  const char *wanted) {
    size_t count = 0, other = 0;
    float *a = case_values(found, name, &other), *b = case_values(expected, wanted, &count);
    assert_int_equal(count, other);
    const double error = relative_error(a, b, count);
    pld_free(a);
    pld_free(b);
    return error;
}

double case_worst_error(const parity_case *found, const parity_case *expected, const char *before,
                        const char *prefix) {
    char begin[256];
    double error = -1;
    const int length = snprintf(begin, sizeof begin, "%s%s", before, prefix);
    for (size_t i = 0; i < pld_tensor_file_count(expected->tensors); i++) {
        const char *name = pld_tensor_file_at(expected->tensors, i)->name;
        if (strncmp(name, begin, (size_t)length) == 0) {
            error = fmax(error, case_error(found, name + strlen(before), expected, name));
        }
    }
    return error;
}

double json_field(const json_t *object, const char *key, double otherwise) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

const char *json_text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}
