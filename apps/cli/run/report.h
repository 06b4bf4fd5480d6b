/* SPDX-License-Identifier: Apache-2.0 */
/** Figures of a run: as lines for a person, as JSON for --report. */
#ifndef PLADIS_CLI_RUN_REPORT_H
#define PLADIS_CLI_RUN_REPORT_H

#include <jansson.h>

#include "pictures/picture.h"
#include "request/generate_options.h"

/** What the run was, apart from its pictures. */
typedef struct run_facts {
    const char *model;      /**< path */
    const char *model_name; /**< its base name */
    const char *family, *isa;
    int threads;
    double open_seconds; /**< to open the model */
    size_t files;        /**< pictures written */
} run_facts;

/** Every parameter in force for one picture. */
json_t *report_parameters(const picture *drawn);

/** The JSON of --report. */
json_t *report_make(const generate_request *request, const run_facts *facts, const picture_list *pictures);

/** The summary on standard error. */
void report_print(const generate_request *request, const run_facts *facts, const picture_list *pictures);

#endif
