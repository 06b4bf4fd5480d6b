/* SPDX-License-Identifier: Apache-2.0 */
/** The stage "text": from prompts to what the denoiser is told in every step. */
#include <math.h>
#include <string.h>

#include "kernels/latents.h"
#include "pipeline/generate/generation.h"
#include "pipeline/model/weight_check.h"
#include "pipeline/prompts/check.h"

/** Fail, naming a weight that is not finite if one of the parts with this role has it. */
static pld_status refuse_values(const pld_generation *g, const char *what, size_t call, pld_part_role role) {
    const pld_model *base = g->model->base ? g->model->base : g->model;
    const char *path = g->model->source.path;
    pld_weight weight;
    for (int i = 0; i < base->part_count; i++) {
        const pld_component *part = &base->parts[i];
        const pld_weight_files *files =
            part->class->role == role && pld_is_there(part) && !base->source.random
                ? pld_parameters_files(part->parameters)
                : NULL;
        path = files ? pld_weight_files_path(files, 0) : path;
        if (files && pld_find_weight_not_finite(files, &base->engine->device->weights, &weight)) {
            return pld_fail(g->error, PLD_ERROR_NUMERIC,
                            "%s (call %zu of the network): the values are not finite, because in %s tensor "
                            "'%s' of the %s contains NaN or infinity; download or convert the file again",
                            what, call, pld_tensor_file_path(weight.file), weight.tensor->name,
                            part->row->name);
        }
    }
    return pld_fail(g->error, PLD_ERROR_NUMERIC,
                    "%s (call %zu of the network): the values are not finite, although the weights of %s "
                    "are; the settings%s are too extreme",
                    what, call, path, g->model->lora_count ? " or the LoRAs" : "");
}

pld_status pld_generation_check_finite(const pld_generation *g, const float *values, size_t count,
                                       const char *what, size_t call, pld_part_role role) {
    return pld_first_not_finite(values, count) == count ? PLD_OK : refuse_values(g, what, call, role);
}

static pld_status dump_embeds(pld_generation *g, pld_branch branch, const pld_prompt_states *states) {
    const pld_denoiser_facts *denoiser = &g->model->denoiser_facts;
    const bool negative = branch != PLD_BRANCH_CONDITIONAL;
    const int64_t shape[] = {1, states->tokens, denoiser->state_width};
    const int64_t pooled_shape[] = {1, denoiser->pooled_width};
    PLD_TRY(pld_dump_add(&g->dump, negative ? "negative_prompt_embeds" : "prompt_embeds", states->states, 3,
                         shape, g->error));
    return denoiser->pooled_width
               ? pld_dump_add(&g->dump, negative ? "negative_pooled_prompt_embeds" : "pooled_prompt_embeds",
                              states->pooled, 2, pooled_shape, g->error)
               : PLD_OK;
}

/** The states of a branch's prompt by the text encoders. */
static pld_status encode_prompt(pld_generation *g, pld_branch branch, pld_prompt_states *states) {
    const char *prompt = branch == PLD_BRANCH_CONDITIONAL ? g->options->prompt : g->options->negative_prompt;
    if (prompt) {
        const pld_prompt_text text = {
            .text = prompt, .length = strlen(prompt), .literal = g->options->literal_prompt};
        PLD_TRY(pld_model_review_prompt(g->model, &text, branch != PLD_BRANCH_CONDITIONAL, g->error));
    }
    const char *instruction = branch == PLD_BRANCH_CONDITIONAL ? g->instruction : NULL;
    return pld_encode_prompt(g->session, prompt, instruction, g->options, states, g->error);
}

/** The states of a branch's prompt, from the file that was given or by the text encoders. */
static pld_status encode_branch(pld_generation *g, pld_branch branch, pld_prompt_states *states) {
    const pld_denoiser_facts *denoiser = &g->model->denoiser_facts;
    bool found = false;
    if (g->options->prompt_embeds) {
        PLD_TRY(pld_prompt_embeds_read(g->model, g->options->prompt_embeds, branch != PLD_BRANCH_CONDITIONAL,
                                       states, &found, g->error));
    }
    if (!found) {
        PLD_TRY(encode_prompt(g, branch, states));
    }
    PLD_TRY(dump_embeds(g, branch, states));
    PLD_TRY(pld_generation_check_finite(g, states->states, (size_t)(states->tokens * denoiser->state_width),
                                        "text", 0, PLD_ROLE_TEXT_ENCODER));
    return pld_generation_check_finite(g, states->pooled, (size_t)denoiser->pooled_width, "text", 0,
                                       PLD_ROLE_TEXT_ENCODER);
}

/** What the denoiser may be told of the picture. */
static pld_picture_facts picture_facts(const pld_generation *g) {
    const pld_generate_options *o = g->options;
    return (pld_picture_facts){.width = g->width,
                               .height = g->height,
                               .original_width = o->original_width ? o->original_width : g->width,
                               .original_height = o->original_height ? o->original_height : g->height,
                               .crop_left = o->crop_left,
                               .crop_top = o->crop_top,
                               .target_width = o->target_width ? o->target_width : g->width,
                               .target_height = o->target_height ? o->target_height : g->height,
                               .distilled_guidance = g->distilled_guidance};
}

/** All prompts first, then their keys and values: so the text encoders' weights are done with before the
 * denoiser's are wanted. */
static pld_status encode_branches(pld_generation *g, pld_prompt_states *states) {
    const pld_branch_set texts = pld_guidance_chain_texts(&g->guidance);
    const pld_picture_facts picture = picture_facts(g);
    for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
        if (texts & PLD_BRANCH_BIT(branch)) {
            PLD_TRY(encode_branch(g, (pld_branch)branch, &states[branch]));
        }
    }
    if (g->options->release_text_encoders) {
        const size_t bytes = pld_session_release_text_encoders(g->session);
        pld_log_message(&g->model->engine->log, PLD_LOG_DETAIL,
                        "text encoders: %.2f GiB of their weights were freed", (double)bytes / 1073741824.0);
    }
    for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
        if (texts & PLD_BRANCH_BIT(branch)) {
            PLD_TRY(pld_session_set_context(g->session, (pld_branch)branch, &states[branch], &picture,
                                            g->options->cancel, g->error));
        }
    }
    return PLD_OK;
}

pld_status pld_generation_encode_text(pld_generation *g) {
    pld_prompt_states states[PLD_BRANCH_COUNT] = {0};
    pld_status status = encode_branches(g, states);
    for (int i = 0; i < PLD_BRANCH_COUNT; i++) {
        pld_prompt_states_free(&states[i]);
    }
    return status;
}
