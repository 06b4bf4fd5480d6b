/* SPDX-License-Identifier: Apache-2.0 */
/** What --profile prints. */
#ifndef PLADIS_CLI_MEASURE_PROFILE_TABLE_H
#define PLADIS_CLI_MEASURE_PROFILE_TABLE_H

#include <pladis/pladis.h>

/** Time by kind of operator and by layer, on standard error; the share of cross-attention in the evaluations
 * of the denoiser. Gives the exit code. */
int profile_table_print(const pld_profile *profile);

/** Write the trace to `path`. Gives the exit code. */
int profile_table_save(const pld_profile *profile, const char *path);

#endif
