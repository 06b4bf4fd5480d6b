/* SPDX-License-Identifier: Apache-2.0 */
/** A denoiser of any class with everything that one evaluation of a case needs. */
#ifndef PLD_TESTS_DENOISER_H
#define PLD_TESTS_DENOISER_H

#include "network.h"
#include "nn/attention_variant.h"

enum { MOST_ROWS = 2 };

/** The case's inputs are sample [B, C, h, w], or hidden_states [B, C, 1, h, w] of one frame, timestep [B] and
 * encoder_hidden_states [B, T, width], all of whose tokens count unless there is an encoder_attention_mask [B, T]. States of
 * zeros at the end are not computed, but counted. And text_embeds [B, pooled], time_ids [B, 6], resolution [B, 2] where the
 * network is told of them. */
typedef struct denoiser_fixture {
    const parity_case *c;
    network network;
    pld_denoiser_facts facts;
    pld_plan plan, conditions[MOST_ROWS];
    pld_context contexts[MOST_ROWS];
    const pld_context *rows[MOST_ROWS];
    pld_denoiser_values io;
    double timesteps[MOST_ROWS];
    pld_variant_table table;
    pld_run run; /* of both rows, the first being the unconditional branch */
    void (*tap)(void *user, const char *name, const pld_value *value,
                const float *data); /* of conditions; NULL */
    void *tap_user;
    double tolerance, inside; /* of the output and of maps inside, on this run's path */
} denoiser_fixture;

/** Open the denoiser of a case's model. False: network_open says so, or inputs are missing. */
bool denoiser_open(denoiser_fixture *f, const parity_case *c, const parity_row *row);
void denoiser_close(denoiser_fixture *f);

/** Where the text of a row stands in a case. */
typedef struct stored_text {
    const char *states,
        *mask; /**< tensors [rows, T, width] or [T, width], [rows, T]; the mask may be missing or NULL */
    int row;
    int64_t most; /**< tokens; 0: all */
} stored_text;

/** Prepare an open network for latents of the shape of a tensor [.., C, h, w] and these texts [rows], without inputs. */
void denoiser_prepare_for(denoiser_fixture *f, const char *latents, const stored_text *texts, int rows);

/** The same with the inputs of `rows` rows of the case from row `first` on. */
void denoiser_prepare_rows(denoiser_fixture *f, const stored_text *texts, int rows, int first);

/** The same for a network that is open, which stays so; all of `f` but `c`, `network` and the tolerances is 0. */
void denoiser_prepare(denoiser_fixture *f);
void denoiser_drop(denoiser_fixture *f);

/** PLADIS as a JSON object says: lambda, alpha, blocks; NULL: none. Clears every other variant. */
void denoiser_set_pladis(denoiser_fixture *f, const json_t *setting);

/** Evaluate, and compare the output with tensor `output`, which the report calls `what`. */
void denoiser_compare(denoiser_fixture *f, const char *output, const char *what, double tolerance);

#endif
