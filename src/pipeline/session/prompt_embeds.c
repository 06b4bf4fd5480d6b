/* SPDX-License-Identifier: Apache-2.0 */
/** States of prompts that were encoded elsewhere, from a file with the tensors that a dump has. */
#include <string.h>

#include "core/memory.h"
#include "io/tensors/weight_files.h"
#include "nn/weight_values.h"
#include "pipeline/session/session.h"

enum { MOST_TOKENS = 1 << 14 };

/** Names of one prompt's tensors. */
typedef struct embeds_names {
    const char *states, *pooled;
} embeds_names;

static const embeds_names names_of[2] = {{"prompt_embeds", "pooled_prompt_embeds"},
                                         {"negative_prompt_embeds", "negative_pooled_prompt_embeds"}};

/** Whether a tensor is one matrix of rows so wide: [rows, width] or [1, rows, width]. */
static bool is_matrix(const pld_stored_tensor *tensor, int64_t width, int64_t most_rows) {
    const int rank = tensor->rank;
    return pld_dtype_is_float(tensor->dtype) && (rank == 2 || (rank == 3 && tensor->shape[0] == 1)) &&
           tensor->shape[rank - 1] == width && tensor->shape[rank - 2] >= 1 &&
           tensor->shape[rank - 2] <= most_rows;
}

static pld_status refuse(const pld_weight_files *files, const char *name, const pld_stored_tensor *found,
                         const char *rows, int64_t width, pld_error *error) {
    char shape[96] = "nothing";
    if (found) {
        pld_shape_text(found->shape, found->rank, shape, sizeof shape);
    }
    return pld_fail(
        error, PLD_ERROR_FORMAT,
        "%s: expected a tensor '%s' [1, %s, %lld] of floating-point numbers, as --dump writes it with the "
        "text encoder of this model, found %s",
        pld_weight_files_path(files, 0), name, rows, (long long)width, shape);
}

/** A matrix of the file into new memory. */
static pld_status read_matrix(const pld_model *model, const pld_weight_files *files, const char *name,
                              int64_t width, int64_t most_rows, float **values, int64_t *rows,
                              pld_error *error) {
    pld_weight weight;
    const bool found = pld_weight_files_find(files, name, &weight);
    if (!found || !is_matrix(weight.tensor, width, most_rows)) {
        return refuse(files, name, found ? weight.tensor : NULL, most_rows == 1 ? "1" : "tokens", width,
                      error);
    }
    *rows = weight.tensor->shape[weight.tensor->rank - 2];
    return pld_weight_all_values(&model->engine->device->weights, &weight, values, error);
}

static pld_status read_states(const pld_model *model, const pld_weight_files *files,
                              const embeds_names *names, pld_prompt_states *states, pld_error *error) {
    const pld_denoiser_facts *facts = &model->denoiser_facts;
    int64_t one = 0;
    PLD_TRY(read_matrix(model, files, names->states, facts->state_width, MOST_TOKENS, &states->states,
                        &states->tokens, error));
    if (facts->pooled_width) {
        PLD_TRY(
            read_matrix(model, files, names->pooled, facts->pooled_width, 1, &states->pooled, &one, error));
    }
    const int64_t least = pld_conditioner_of(model) ? model->conditioner_facts.least_tokens : 0;
    states->zeros = states->tokens < least ? least - states->tokens : 0;
    return PLD_OK;
}

pld_status pld_prompt_embeds_read(const pld_model *model, const char *path, bool negative,
                                  pld_prompt_states *states, bool *found, pld_error *error) {
    const embeds_names *names = &names_of[negative];
    pld_weight_files *files = NULL;
    pld_weight weight;
    *states = (pld_prompt_states){0};
    PLD_TRY(pld_weight_files_open_file(path, &files, error));
    *found = pld_weight_files_find(files, names->states, &weight) || !negative || !model->family->text_count;
    const pld_status status = *found ? read_states(model, files, names, states, error) : PLD_OK;
    if (status != PLD_OK) {
        pld_prompt_states_free(states);
    }
    pld_weight_files_close(&files);
    return status;
}
