/* SPDX-License-Identifier: Apache-2.0 */
/** What came with a request, as the library takes it. */
#ifndef PLADIS_SERVER_DRAW_INPUTS_H
#define PLADIS_SERVER_DRAW_INPUTS_H

#include "jobs/job.h"

typedef struct job_inputs {
    pld_image init_image, mask;
    int init_noise_file, prompt_embeds_file; /**< files without a name in a file system; -1: none */
    char init_noise_path[32], prompt_embeds_path[32];
} job_inputs;

/** Unpack them, and enter them into `options`. Free with job_inputs_free in any case. */
pld_status job_inputs_make(const job_request *request, job_inputs *inputs, pld_generate_options *options,
                           pld_error *error);
void job_inputs_free(job_inputs *inputs);

#endif
