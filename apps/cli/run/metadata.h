/* SPDX-License-Identifier: Apache-2.0 */
/** What is written into a PNG about how it was made. */
#ifndef PLADIS_CLI_RUN_METADATA_H
#define PLADIS_CLI_RUN_METADATA_H

#include "run/report.h"

/** The text entries "parameters" (as A1111 writes it) and "pladis" (JSON), for pld_image_write_png. */
typedef struct metadata {
    char *parameters, *json;
    const char *pairs[5];
} metadata;

/** Describe `count` pictures that share one PNG; the last one gives "parameters". False after an error line.
 */
bool metadata_make(const run_facts *facts, const picture *pictures, size_t count, metadata *result);

void metadata_free(metadata *result);

#endif
