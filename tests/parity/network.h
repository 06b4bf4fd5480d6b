/* SPDX-License-Identifier: Apache-2.0 */
/** Networks of any class on their own, without a pipeline around them. */
#ifndef PLD_TESTS_NETWORK_H
#define PLD_TESTS_NETWORK_H

#include "case.h"
#include "families.h"
#include "forced_path.h"
#include "models/autoencoder.h"
#include "models/conditioner.h"
#include "models/denoiser.h"
#include "models/text_encoder.h"

/** A part of a model. */
typedef struct network {
    const pld_part_class *class;
    void *config;
    pld_parameters *parameters;
} network;

/** Open a part of a case's model by its class: from the file that the case names, else from the model's folder. False, with
 * a line, where a case of another folder is of a class that this program does not have. */
bool network_open(const parity_case *c, const char *part, network *n);
void network_close(network *n);

/** The value `v` with what it holds against a tensor [B, T, C], [B, C, H, W] or, of one frame, [B, C, 1, H, W] of the case. */
double network_error(const parity_case *c, const char *tensor, const pld_value *v, const float *data);

/** The same of a plan's value after a run, reported as what `of` says. */
void check_value(const parity_case *c, const char *tensor, const pld_plan *plan, pld_value_id value,
                 const char *of, double tolerance);

/** The first `count` tokens of `row` of a tensor [rows, tokens, width], or [tokens, width] of one; the caller frees them. */
float *case_rows(const parity_case *c, const char *tensor, int64_t row, int64_t count);

/** Tokens of row `row` of a tensor [rows, tokens] that are not 0: those that a mask leaves. */
int64_t case_live_tokens(const parity_case *c, const char *mask, int64_t row);

/** Compares what passes by at the taps with the case's tensors of the same names. */
typedef struct watcher {
    const parity_case *c;
    double tolerance; /* of maps inside the network */
    double output;    /* of the output, where that is a tap */
    int compared;
} watcher;

/** For pld_run.tap, with a watcher. */
void watch(void *user, const char *name, const pld_value *value, const float *data);

/** Run a text encoder on ids [batch, tokens]; `w` (may be NULL) compares its taps. The plan stays for reading. */
void text_encoder_run(const network *n, const pld_text_request *request, const int32_t *ids, watcher *w,
                      pld_plan *plan, pld_text_values *values);

/** Run a text encoder on the same with weights that are read where they are used: its states are the bytes of `states`. */
void text_encoder_check_streamed(const network *n, const pld_text_request *request, const int32_t *ids,
                                 const float *states);

#endif
