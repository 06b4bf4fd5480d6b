/* SPDX-License-Identifier: Apache-2.0 */
/** The command line of `pladis generate`. */
#ifndef PLADIS_CLI_REQUEST_GENERATE_OPTIONS_H
#define PLADIS_CLI_REQUEST_GENERATE_OPTIONS_H

#include "commands.h"
#include "request/lora_choice.h"

enum { GENERATE_MOST_ROWS = 256 };

/** What the person asked for. All values stand in `values`; fields repeat those that the program itself looks at.
 * NaN, 0 and NULL mean "the model's own" as in pld_generate_options. */
typedef struct generate_request {
    pld_options *values;
    const char *model, *config, *unet, *vae, *text_encoder, *text_encoder_2, *text_encoder_3,
        *tokenizer; /**< files that make up the model */
    const char *prompt, *negative_prompt, *prompt_file, *output;
    bool literal_prompt, sheet, no_metadata, no_pladis, dump_steps, quiet, verbose;
    int64_t columns, zoom, clip_skip, width, height, steps, seed, batch_count;
    double cfg_scale, cfg_rescale;
    const char *sampling_method, *spacing;
    size_t timestep_count, guidance_count;
    double pladis_scale, pladis_alpha, pladis_start, pladis_end;
    lora_choices loras;
    const char *lora_dir;
    const char *pladis_blocks, *init_img, *mask, *init_noise, *prompt_embeds, *dump, *attention_stats,
        *report, *profile;
    const char *attention_maps, *attention_maps_output, *attention_maps_blocks;
    double attention_maps_start, attention_maps_end;
    const char *preview; /**< NULL: no; "" or "auto": as the terminal can; "kitty", "sixel", "blocks" */
    const char *preview_file;
    const char *from; /**< PNG whose metadata stands before all other options, or NULL */
    int64_t from_picture;
    struct recalled_picture *recalled; /**< what `from` said; strings point into it */
    bool recorded[GENERATE_MOST_ROWS]; /**< rows whose values `from` said and nobody gave (given.h) */
    bool together;                     /**< all pictures go into one, whatever its form; set by the command */
    const char *compare; /**< NULL: no; "": without and with PLADIS; else an option and its values */
} generate_request;

/** Parse and check. OPTIONS_RUN: `request` can be run; a random seed has been drawn. */
options_result generate_options_parse(int argc, char **argv, generate_request *request);

/** After parsing: check, draw a random seed, set how much is said. False after an error line. */
bool generate_options_settle(generate_request *request);

/** Rules between options. False after an error line. */
bool generate_options_check(const generate_request *request);

/** Read a command line whose `target` begins with a generate_request and whose command has generate's options:
 * defaults, then what --from says, then the options. */
options_result generate_options_read(const option_set *options, int argc, char **argv, void *target);

/** Before any option is given; free with generate_options_free in any case. False after an error line. */
bool generate_options_defaults(generate_request *request);
void generate_options_free(generate_request *request);

/** A request with values of its own, freed with generate_options_free_copy. Its fields' texts belong to
 * `request`, which outlives it. False after an error line. */
bool generate_options_copy(const generate_request *request, generate_request *copy);
void generate_options_free_copy(generate_request *copy);

/** The row of an option of `generate` by its name, for commands that set several values of one. NULL: there is
 * none, or this version refuses it. */
const option *generate_options_row(const char *name);

/** Set an option of `generate`: what is given now takes the place of what is recorded. False after an error
 * line. */
bool generate_options_store(void *request, const option *row, const char *value);

/** The same beside all that is recorded. */
bool generate_options_put(generate_request *request, const option *row, const char *value);

/** What the library is asked for: the request with this prompt, seed and λ. No dump, statistics, progress or cancel
 * yet. */
void generate_options_fill(const generate_request *request, const char *prompt, int64_t seed,
                           double pladis_scale, pld_generate_options *options);

#endif
