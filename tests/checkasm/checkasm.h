/* SPDX-License-Identifier: Apache-2.0 */
/** Every kernel on every instruction set of this machine: against a double-precision oracle, the scalar
 * version and stored reference values. PLD_KERNEL_LIST makes the list of checks, so a kernel without one does
 * not link. */
#ifndef PLD_TESTS_CHECKASM_H
#define PLD_TESTS_CHECKASM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/kernels.h"

#define PLD_CHECK_DECLARE(type, name, arguments) void check_##name(const pld_kernels *kernels);
PLD_KERNEL_LIST(PLD_CHECK_DECLARE)
#undef PLD_CHECK_DECLARE

/* Checks of the functions that are built on the kernels. */
void check_group_norm(const pld_kernels *kernels);
void check_attention_properties(const pld_kernels *kernels);
void check_attention_arguments(const pld_kernels *kernels);
void check_attention_strides(const pld_kernels *kernels);
void check_attention_logits(const pld_kernels *kernels);
void check_attention_order(const pld_kernels *kernels);
void check_attention_zero_keys(const pld_kernels *kernels);
void check_joint_attention(const pld_kernels *kernels);
void check_attention_threads(const pld_kernels *kernels);
void check_row_properties(const pld_kernels *kernels);
void check_row_edges(const pld_kernels *kernels);
void check_matrix(const pld_kernels *kernels);
void check_int8_layers(const pld_kernels *kernels);
void check_grouped(const pld_kernels *kernels);
void check_patches(const pld_kernels *kernels);
void check_winograd(const pld_kernels *kernels);
void check_convolution(const pld_kernels *kernels);

/** Memory whose end touches a page that cannot be read, with known bytes in front: reading or writing past
 * the end crashes, writing before the start is found by check_release. Freed by check_release, every one at
 * once. Elements of 4 bytes are 4-byte aligned and no more for most counts. Filled with a pattern of NaNs. */
void *check_bytes(size_t bytes);
float *check_floats(size_t count);
void check_release(void);

/** Uniform in [low, high), from a fixed seed; the sequence restarts for each test. */
double check_random(double low, double high);
void check_seed(uint64_t seed);
void check_fill(float *x, size_t count, double low, double high);

/** Fail unless |found − expected| <= absolute + relative·|expected| for all; NaN equals NaN. */
void check_near(const char *what, const float *found, const double *expected, size_t count, double absolute,
                double relative);
void check_same(const char *what, const void *found, const void *expected, size_t bytes);

/** The kernels that serve as specification. */
const pld_kernels *check_scalar(void);

/** The folder of the stored reference values. */
const char *check_data_folder(void);

#endif
