/* SPDX-License-Identifier: Apache-2.0 */
/** Which code a run of these tests takes, by the environment: a row of meson.build each.
 *
 *      PLADIS_TEST_ISA          an instruction set; without it the best of this CPU
 *      PLADIS_TEST_CONV         direct, winograd: that path wherever it can be taken
 *      PLADIS_TEST_LOW_MEMORY   anything: one network in memory at a time
 *      PLADIS_TEST_DTYPE        bf16: products of denoiser and autoencoder have bfloat16 operands, others split ones;
 *                               int8: products of the denoiser are those of 8-bit integers;
 *                               split: operands are the sums of two bfloat16 numbers where that is done at all
 */
#ifndef PLD_TESTS_FORCED_PATH_H
#define PLD_TESTS_FORCED_PATH_H

#include "backends/executor.h"
#include "kernels/kernels.h"
#include "pladis/pladis.h"

/** Kernels of the instruction set. Exits with 77, which meson counts as skipped, when this CPU has no such set. */
const pld_kernels *forced_kernels(void);

/** The settings of products, in float32 or with split operands. */
pld_product_settings forced_settings(void);

/** Whether products of the denoiser and the autoencoder have bfloat16 operands. */
bool forced_bf16(void);

/** Whether those of the denoiser have 8-bit integers. */
bool forced_int8(void);

/** A CPU with these kernels and all threads; one a program, closed by forced_path_close. */
pld_device *forced_device(void);

/** A run of `plan` on that path, of a text encoder or a network that never runs in bfloat16. */
pld_run forced_run(pld_plan *plan);

/** An engine on that path; one a program, likewise. */
pld_engine *forced_engine(void);
void forced_path_close(void);

#endif
