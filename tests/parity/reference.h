/* SPDX-License-Identifier: Apache-2.0 */
/** Reading reference cases and comparing with them. */
#ifndef PLD_TESTS_REFERENCE_H
#define PLD_TESTS_REFERENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backends/executor.h"
#include "io/json/read.h"
#include "io/tensors/safetensors.h"
#include "kernels/kernels.h"
#include "reference_cases.h"

/** Kernels of the instruction set that $PLADIS_TEST_ISA names ("scalar"), or the best of this CPU. Exits with
 * 77, which meson counts as skipped, when this CPU has no such set. */
const pld_kernels *reference_kernels(void);

/** A CPU with these kernels and all threads, which the tests share. */
pld_device *reference_device(void);

/** The paths to take for linear layers and convolutions: PLADIS_TEST_CONV, PLADIS_TEST_LOW_MEMORY. */
const char *reference_conv(void);
bool reference_low_memory(void);
pld_product_settings reference_settings(void);
/** PLADIS_TEST_DTYPE is bf16: products of U-Net and autoencoder have bfloat16 operands. */
bool reference_bf16(void);
/** It is bf16, or it is split: products that are not in bfloat16 have split operands. */
bool reference_split(void);

/** A case folder: case.json and tensors.safetensors. */
typedef struct reference_case {
    char name[64];
    json_t *info;
    pld_safetensors *tensors;
} reference_case;

/** False when there is no such case. */
bool reference_open(const char *name, reference_case *c);
void reference_close(reference_case *c);

/** A tensor as new float32 memory (free with pld_free); fails the test when it is missing. */
float *reference_values(const reference_case *c, const char *name, size_t *count);
const pld_stored_tensor *reference_tensor(const reference_case *c, const char *name);

/** ‖a − b‖ / ‖b‖ in double. */
double relative_error(const float *a, const float *b, size_t count);

/** Fail with a message unless error <= tolerance; prints a row of the table of errors either way. */
void check_error(const char *what, const char *tensor, double error, double tolerance);

/** Fail the test with the message when status is not PLD_OK. */
void check_status(pld_status status, const pld_error *error);

#endif
