/* SPDX-License-Identifier: Apache-2.0 */
/** From a prompt to the states that the denoiser attends to. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "pipeline/prompts/check.h"
#include "pipeline/session/session.h"

/** Make the plan of text encoder `index` ready for texts of so many tokens, of which `live` are keys (0: all). */
static pld_status need_text(pld_session *session, int index, int64_t tokens, int64_t live, int clip_skip,
                            const volatile int *cancel, pld_error *error) {
    const pld_component *encoder = pld_text_encoder_of(session->model, index);
    const pld_text_use *use = &session->model->family->texts[index];
    const pld_text_request request = {.batch = 1,
                                      .tokens = tokens,
                                      .skip = use->skip + (use->clip_skip ? clip_skip - 1 : 0),
                                      .final_norm = use->final_norm,
                                      .pooled = use->pooled,
                                      .states_after = use->state_count ? use->states_after : NULL,
                                      .state_count = use->state_count,
                                      .live = live,
                                      .plain_pooled = use->plain_pooled};
    if (session->text[index].ready && session->text[index].skip == request.skip &&
        session->text[index].tokens == tokens && session->text[index].live == live) {
        return PLD_OK;
    }
    session->text[index].ready = false;
    pld_plan *plan = &session->text[index].plan;
    pld_plan_free(plan);
    pld_plan_init(plan, encoder->parameters);
    PLD_TRY(encoder->class->text_encoder->build(plan, encoder->config, &request, &session->text[index].values,
                                                error));
    plan->name = encoder->row->name;
    pld_run run = pld_session_run(session, plan, cancel);
    PLD_TRY(pld_prepare_within_memory(session, &run, "the text encoder", error));
    session->text[index].skip = request.skip;
    session->text[index].tokens = tokens;
    session->text[index].live = live;
    session->text[index].ready = true;
    return PLD_OK;
}

static double mean_of(const float *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += x[i];
    }
    return sum / (double)count;
}

/** A1111's original rule: each token's state times its weight, then the chunk scaled by old mean / new mean.
 */
static void apply_weights(const float *weights, size_t positions, size_t width, float *states) {
    bool weighted = false;
    for (size_t i = 0; i < positions; i++) {
        weighted = weighted || weights[i] != 1;
    }
    if (!weighted) {
        return;
    }
    const double before = mean_of(states, positions * width);
    for (size_t i = 0; i < positions; i++) {
        for (size_t j = 0; j < width; j++) {
            states[i * width + j] *= weights[i];
        }
    }
    const double after = mean_of(states, positions * width);
    const float factor = after != 0 ? (float)(before / after) : 1;
    for (size_t i = 0; i < positions * width; i++) {
        states[i] *= factor;
    }
}

/** Run text encoder `index` on one chunk → `rows` [positions, width], weighted. `pooled`: NULL, or where the pooled
 * embedding goes. */
static pld_status encode_chunk(pld_session *session, int index, const pld_prompt_chunk *chunk,
                               size_t positions, const volatile int *cancel, float *rows, float *pooled,
                               pld_error *error) {
    pld_plan *plan = &session->text[index].plan;
    const pld_text_values *values = &session->text[index].values;
    pld_run run = pld_session_run(session, plan, cancel);
    run.ids = chunk->ids;
    PLD_TRY(pld_plan_run(&run, error));
    if (pooled && values->pooled != PLD_NO_VALUE) {
        PLD_TRY(pld_plan_read(plan, values->pooled, 0, PLD_TOKEN_MAJOR, pooled, error));
    }
    PLD_TRY(pld_plan_read(plan, values->states, 0, PLD_TOKEN_MAJOR, rows, error));
    apply_weights(chunk->weights, positions, (size_t)plan->values[values->states].channels, rows);
    return PLD_OK;
}

/** Where the share of one text encoder goes. */
typedef struct text_place {
    int64_t token, column; /* of the states */
    int64_t pooled;        /* column of the pooled embedding */
} text_place;

/** Encode every chunk with one text encoder and join them along the tokens, without those that are not used. The pooled
 * embedding is the first chunk's. */
static pld_status encode_chunks(pld_session *session, int index, const pld_prompt_chunks *chunks,
                                const volatile int *cancel, text_place place, pld_prompt_states *states,
                                pld_error *error) {
    const int64_t step = pld_text_width_of(session->model);
    const size_t width = (size_t)pld_text_states_width(session->model, index);
    float *rows = pld_allocate(chunks->positions, width * sizeof *rows);
    pld_status status =
        rows ? PLD_OK : pld_fail_memory(error, chunks->positions * width * sizeof *rows, "text states");
    const bool kept = !session->model->family->texts[index].pooled_only;
    float *out = states->states + place.token * step + place.column;
    for (size_t i = 0; status == PLD_OK && i < chunks->count; i++) {
        status = encode_chunk(session, index, &chunks->chunks[i], chunks->positions, cancel, rows,
                              i == 0 ? states->pooled + place.pooled : NULL, error);
        for (size_t j = 0; kept && status == PLD_OK && j < chunks->positions; j++) {
            if (j == 0 || j > chunks->unseen) {
                memcpy(out, rows + j * width, width * sizeof *out);
                out += step;
            }
        }
    }
    pld_free(rows);
    return status;
}

/** Nothing is dropped silently: name the first pieces that a literal prompt lost. */
static void warn_dropped(const pld_model *model, int index, const pld_prompt_chunks *chunks) {
    const pld_component *encoder = pld_text_encoder_of(model, index);
    if (chunks->dropped.count == 0) {
        return;
    }
    char pieces[256] = "";
    for (size_t i = 0, used = 0; i < chunks->dropped.count; i++) {
        const char *piece = pld_tokenizer_piece(encoder->tokenizer, chunks->dropped.ids[i]);
        if (!piece || used + strlen(piece) + 2 > sizeof pieces) {
            break;
        }
        used += (size_t)snprintf(pieces + used, sizeof pieces - used, "%s ", piece);
    }
    pld_log_message(&model->engine->log, PLD_LOG_WARNING,
                    "prompt: %zu tokens do not fit%s%s and are dropped: %s", chunks->dropped.count,
                    model->family->text_count > 2 ? " the " : "",
                    model->family->text_count > 2 ? encoder->row->what : "", pieces);
}

pld_status pld_prompt_states_allocate(const pld_model *model, int64_t tokens, int64_t width,
                                      pld_prompt_states *states, pld_error *error) {
    states->tokens = tokens;
    states->states = pld_allocate((size_t)tokens, (size_t)width * sizeof *states->states);
    states->pooled = pld_allocate((size_t)model->denoiser_facts.pooled_width, sizeof *states->pooled);
    return states->states && states->pooled
               ? PLD_OK
               : pld_fail_memory(error, (size_t)(tokens * width) * sizeof *states->states, "text states");
}

void pld_prompt_states_free(pld_prompt_states *states) {
    pld_free(states->states);
    pld_free(states->pooled);
    *states = (pld_prompt_states){0};
}

/** A prompt as every text encoder of a family reads it. */
typedef struct cut_prompt {
    pld_prompt_chunks of[PLD_MAX_TEXT_ENCODERS];
    int64_t first, behind; /* tokens of the states beside each other, and of those behind them */
} cut_prompt;

static void cut_prompt_free(cut_prompt *cut) {
    for (int i = 0; i < PLD_MAX_TEXT_ENCODERS; i++) {
        pld_prompt_chunks_free(&cut->of[i]);
    }
}

static pld_status cut_for_all(const pld_model *model, const pld_prompt_text *text, cut_prompt *cut,
                              pld_error *error) {
    const pld_text_use *uses = model->family->texts;
    for (int i = 0; i < model->family->text_count; i++) {
        PLD_TRY(pld_prompt_cut_for(model, i, text, &cut->first, &cut->of[i], error));
        if (i == 0 || uses[i].behind) {
            warn_dropped(model, i, &cut->of[i]);
        }
        cut->behind += uses[i].behind ? (int64_t)cut->of[i].positions : 0;
    }
    return PLD_OK;
}

/** Run every text encoder that is there, each into its place; the states of those that are not stay zeros. */
static pld_status encode_cut(pld_session *session, const cut_prompt *cut, const pld_generate_options *options,
                             pld_prompt_states *states, pld_error *error) {
    const pld_model *model = session->model;
    text_place place = {0};
    for (int i = 0; i < model->family->text_count; i++) {
        const pld_text_use *use = &model->family->texts[i];
        const pld_component *encoder = pld_text_encoder_of(model, i);
        const int64_t tokens = (int64_t)cut->of[i].positions;
        const text_place own = use->behind ? (text_place){cut->first, 0, place.pooled} : place;
        if (pld_is_there(encoder) && tokens > 0) { /* a conditioner can do without tokens */
            const int64_t live = use->padding_unseen ? (int64_t)cut->of[i].chunks[0].used : 0;
            PLD_TRY(need_text(session, i, tokens, live, options->clip_skip, options->cancel, error));
            PLD_TRY(encode_chunks(session, i, &cut->of[i], options->cancel, own, states, error));
        }
        place.column += use->behind || use->pooled_only ? 0 : pld_text_states_width(model, i);
        place.pooled += use->pooled ? encoder->text.projection : 0;
    }
    return PLD_OK;
}

static pld_status encode_with_all(pld_session *session, const pld_prompt_text *text,
                                  const pld_generate_options *options, pld_prompt_states *states,
                                  pld_error *error) {
    const pld_model *model = session->model;
    cut_prompt cut = {0};
    pld_status status = cut_for_all(model, text, &cut, error);
    if (status == PLD_OK) {
        status = pld_prompt_states_allocate(model, cut.first + cut.behind, pld_text_width_of(model), states,
                                            error);
    }
    if (status == PLD_OK) {
        status = encode_cut(session, &cut, options, states, error);
    }
    cut_prompt_free(&cut);
    return status;
}

/** The text encoders' states, or what the conditioner makes of them. */
static pld_status encode(pld_session *session, const pld_prompt_text *text,
                         const pld_generate_options *options, pld_prompt_states *states, pld_error *error) {
    if (!pld_conditioner_of(session->model)) {
        return encode_with_all(session, text, options, states, error);
    }
    pld_prompt_states source = {0};
    pld_status status = encode_with_all(session, text, options, &source, error);
    if (status == PLD_OK) {
        status = pld_session_condition(session, text, &source, options->cancel, states, error);
    }
    pld_prompt_states_free(&source);
    return status;
}

/** What the text encoder is given of a text without tokens. */
static pld_empty_text empty_text_of(const pld_generate_options *options) {
    const char *rule = options->empty_prompt;
    return !rule ? PLD_EMPTY_UNSET : strcmp(rule, "token") == 0 ? PLD_EMPTY_TOKEN : PLD_EMPTY_NOTHING;
}

pld_status pld_encode_prompt(pld_session *session, const char *prompt, const char *instruction,
                             const pld_generate_options *options, pld_prompt_states *states,
                             pld_error *error) {
    const pld_model *model = session->model;
    const pld_text_widths widths = {(size_t)model->denoiser_facts.state_width,
                                    (size_t)model->denoiser_facts.pooled_width};
    const pld_text_manner manner = {.literal = options->literal_prompt,
                                    .empty = empty_text_of(options),
                                    .clip_skip = options->clip_skip,
                                    .max_tokens = options->max_tokens,
                                    .instruction = instruction};
    bool found = false;
    *states = (pld_prompt_states){0};
    if (!prompt && model->zero_negative) {
        return pld_prompt_states_allocate(model, pld_text_encoder_of(model, 0)->text.positions,
                                          model->denoiser_facts.state_width, states, error);
    }
    prompt = prompt ? prompt : "";
    PLD_TRY(pld_recent_texts_find(&session->recent_texts, prompt, manner, widths, states, &found, error));
    if (found) {
        return PLD_OK;
    }
    const pld_prompt_text text = {.text = prompt,
                                  .length = strlen(prompt),
                                  .literal = options->literal_prompt,
                                  .most_tokens = (size_t)options->max_tokens,
                                  .instruction = instruction,
                                  .empty = manner.empty};
    pld_status status = encode(session, &text, options, states, error);
    if (status == PLD_OK) {
        pld_recent_texts_keep(&session->recent_texts, prompt, manner, widths, states);
    } else {
        pld_prompt_states_free(states);
    }
    return status;
}
