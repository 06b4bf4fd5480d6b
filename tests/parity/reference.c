/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"

const pld_kernels *reference_kernels(void) {
    enum { SKIPPED = 77 };
    const char *name = getenv("PLADIS_TEST_ISA");
    if (!name || !*name) {
        return pld_kernels_get(PLD_ISA_BEST);
    }
    pld_isa isa = pld_isa_from_name(name);
    if (isa == PLD_ISA_COUNT || !pld_isa_supported(isa)) {
        printf("SKIPPED: this CPU has no %s, its kernels did not run\n", name);
        exit(SKIPPED);
    }
    return pld_kernels_get(isa);
}

pld_device *reference_device(void) {
    static pld_device *device; /* lives as long as the test */
    const pld_device_options options = {pld_available_threads(), pld_isa_name(reference_kernels()->isa)};
    if (!device) {
        assert_int_equal(pld_backend_cpu.open(&options, &device, NULL), PLD_OK);
    }
    return device;
}

const char *reference_conv(void) {
    const char *name = getenv("PLADIS_TEST_CONV");
    return name && *name ? name : "auto";
}

bool reference_low_memory(void) {
    const char *set = getenv("PLADIS_TEST_LOW_MEMORY");
    return set && *set;
}

pld_product_settings reference_settings(void) {
    const char *conv = reference_conv();
    return (pld_product_settings){.conv = strcmp(conv, "direct") == 0     ? PLD_CONV_DIRECT
                                          : strcmp(conv, "winograd") == 0 ? PLD_CONV_WINOGRAD
                                                                          : PLD_CONV_AUTO,
                                  .low_memory = reference_low_memory(),
                                  .split = reference_split()};
}

static bool is_dtype(const char *name) {
    const char *dtype = getenv("PLADIS_TEST_DTYPE");
    return dtype && strcmp(dtype, name) == 0;
}

bool reference_bf16(void) {
    return is_dtype("bf16");
}

bool reference_split(void) {
    return reference_bf16() || is_dtype("split");
}

bool reference_open(const char *name, reference_case *c) {
    pld_error error = {0};
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", name);
    const char *info = reference_path("cases/%s/case.json", name);
    FILE *there = fopen(info, "r");
    if (!there) {
        return false;
    }
    fclose(there);
    check_status(pld_json_load(info, 0, &c->info, &error), &error);
    check_status(
        pld_safetensors_open(reference_path("cases/%s/tensors.safetensors", name), &c->tensors, &error),
        &error);
    return true;
}

void reference_close(reference_case *c) {
    json_decref(c->info);
    pld_safetensors_close(&c->tensors);
}

const pld_stored_tensor *reference_tensor(const reference_case *c, const char *name) {
    const pld_stored_tensor *tensor = pld_safetensors_find(c->tensors, name);
    if (!tensor) {
        fail_msg("%s has no tensor %s", c->name, name);
    }
    return tensor;
}

float *reference_values(const reference_case *c, const char *name, size_t *count) {
    pld_error error = {0};
    const pld_stored_tensor *tensor = reference_tensor(c, name);
    size_t elements = tensor->bytes / pld_dtype_size(tensor->dtype);
    float *values = pld_allocate(elements, sizeof *values);
    void *stored = pld_allocate(tensor->bytes, 1);
    check_status(pld_safetensors_read(c->tensors, tensor, 0, tensor->bytes, stored, &error), &error);
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

double relative_error(const float *a, const float *b, size_t count) {
    double difference = 0;
    double norm = 0;
    for (size_t i = 0; i < count; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    return norm > 0 ? sqrt(difference / norm) : sqrt(difference);
}

void check_error(const char *what, const char *tensor, double error, double tolerance) {
    printf("error %-28s %-40s %.2e of %.0e\n", what, tensor, error, tolerance);
    if (!(error <= tolerance)) {
        fail_msg("%s: %s: relative error %.3e, allowed %.1e", what, tensor, error, tolerance);
    }
}

void check_status(pld_status status, const pld_error *error) {
    if (status != PLD_OK) {
        fail_msg("%s: %s", pld_status_text(status), error->message);
    }
}
