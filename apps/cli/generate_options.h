/* SPDX-License-Identifier: Apache-2.0 */
/** The command line of `pladis generate`. */
#ifndef PLADIS_CLI_GENERATE_OPTIONS_H
#define PLADIS_CLI_GENERATE_OPTIONS_H

#include "options.h"

enum { MOST_TIMESTEPS = 1000 };

/** What the person asked for. NaN, 0 and NULL mean "the model's own" as in pld_generate_options. */
typedef struct generate_request {
    const char *model, *prompt, *negative_prompt, *prompt_file, *output;
    bool literal_prompt, compare, sheet, no_metadata, no_pladis, dump_steps, quiet, verbose;
    int64_t columns, zoom, clip_skip, width, height, steps, seed, batch_count, threads;
    double cfg_scale, cfg_rescale, eta;
    const char *sampling_method, *scheduler, *spacing, *prediction, *isa;
    double timesteps[MOST_TIMESTEPS];
    size_t timestep_count;
    double pladis_scale, pladis_alpha, pladis_start, pladis_end;
    const char *pladis_blocks, *init_noise, *dump, *report;
} generate_request;

/** Parse and check. OPTIONS_RUN: `request` can be run; a random seed has been drawn. */
options_result generate_options_parse(int argc, char **argv, generate_request *request);

#endif
