/* SPDX-License-Identifier: Apache-2.0 */
/** What is written into a PNG about how it was made. */
#ifndef PLADIS_CLI_RUN_METADATA_H
#define PLADIS_CLI_RUN_METADATA_H

#include "run/report.h"

/** The texts of a PNG that shows `count` pictures, of which the last gives "parameters": pairs key, value, …, NULL, freed with
 *  pld_text_free. NULL after an error line. */
char **metadata_make(const run_facts *facts, const picture *pictures, size_t count);

#endif
