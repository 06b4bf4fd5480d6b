/* SPDX-License-Identifier: Apache-2.0 */
/** The command line of `pladis evaluate`. */
#ifndef PLADIS_CLI_EVALUATE_REQUEST_H
#define PLADIS_CLI_EVALUATE_REQUEST_H

#include "evaluate/grids.h"

typedef struct evaluate_request {
    generate_request base;
    const char *prompts, *split, *folder, *select;
    bool keep_pictures;
    int64_t each, seeds, jobs;
    int64_t resamples;                            /**< taken and not used: scripts may still give it */
    size_t grid_text_count;                       /**< values of --grid */
    evaluate_grid direct;                         /**< options that were given several values themselves */
    evaluate_grid grids[EVALUATE_MOST_GRIDS + 1]; /**< what is evaluated */
    size_t grid_count;
    json_t *typed; /**< values as typed of options that only their own code understands */
} evaluate_request;

/** Parse and check. Free with evaluate_request_free in any case. */
options_result evaluate_request_parse(int argc, char **argv, evaluate_request *request);
void evaluate_request_free(evaluate_request *request);

#endif
