/* SPDX-License-Identifier: Apache-2.0 */
/** From a prompt to the states that the U-Net attends to. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/prompt_chunks.h"
#include "pipeline/internal.h"

/** Parse and tokenize; `literal` takes the text as it stands. */
static pld_status chunk_prompt(const pld_text_encoder *encoder, const char *prompt, bool literal,
                               pld_prompt_chunks *chunks, pld_error *error) {
    const size_t positions = (size_t)encoder->config.positions;
    if (literal) {
        return pld_prompt_chunks_literal(encoder->tokenizer, prompt, strlen(prompt), positions, chunks,
                                         error);
    }
    pld_prompt_parts parts = {0};
    PLD_TRY(pld_prompt_parse(prompt, strlen(prompt), &parts, error));
    pld_status status = pld_prompt_chunks_build(encoder->tokenizer, &parts, positions, chunks, error);
    pld_prompt_parts_free(&parts);
    return status;
}

static pld_status need_text(pld_session *session, int index, int64_t skip, const volatile int *cancel,
                            pld_error *error) {
    pld_model *model = session->model;
    const pld_text_encoder *encoder = &model->text_encoders[index];
    if (session->text[index].ready && session->text[index].skip == skip) {
        return PLD_OK;
    }
    session->text[index].ready = false;
    pld_plan_free(&session->text[index].plan);
    pld_plan_init(&session->text[index].plan, model->parameters[encoder->part]);
    PLD_TRY(pld_clip_text_build(&session->text[index].plan, &encoder->config, 1, skip,
                                &session->text[index].values, error));
    pld_run run = pld_session_run(session, &session->text[index].plan, cancel);
    PLD_TRY(pld_prepare_within_memory(&run, "the text encoder", error));
    session->text[index].skip = skip;
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

/** Encode every chunk and join them along the tokens. */
static pld_status encode_chunks(pld_session *session, int index, const pld_prompt_chunks *chunks,
                                const volatile int *cancel, pld_prompt_states *states, pld_error *error) {
    const size_t width = (size_t)session->model->text_encoders[index].config.width;
    const size_t chunk_floats = chunks->positions * width;
    states->tokens = (int64_t)(chunks->count * chunks->positions);
    states->states = pld_allocate(chunks->count, chunk_floats * sizeof *states->states);
    if (!states->states) {
        return pld_fail_memory(error, chunks->count * chunk_floats * sizeof *states->states, "text states");
    }
    for (size_t i = 0; i < chunks->count; i++) {
        pld_run run = pld_session_run(session, &session->text[index].plan, cancel);
        run.ids = chunks->chunks[i].ids;
        PLD_TRY(pld_plan_run(&run, error));
        float *out = states->states + i * chunk_floats;
        memcpy(out, pld_plan_data(&session->text[index].plan, session->text[index].values.last_hidden_state),
               chunk_floats * sizeof *out);
        apply_weights(chunks->chunks[i].weights, chunks->positions, width, out);
    }
    return PLD_OK;
}

/** Nothing is dropped silently: name the first pieces that a literal prompt lost. */
static void warn_dropped(const pld_model *model, const pld_text_encoder *encoder,
                         const pld_prompt_chunks *chunks) {
    if (chunks->dropped.count == 0) {
        return;
    }
    char pieces[256] = "";
    for (size_t i = 0, used = 0; i < chunks->dropped.count; i++) {
        const char *piece = pld_clip_piece(encoder->tokenizer, chunks->dropped.ids[i]);
        if (!piece || used + strlen(piece) + 2 > sizeof pieces) {
            break;
        }
        used += (size_t)snprintf(pieces + used, sizeof pieces - used, "%s ", piece);
    }
    pld_log_message(&model->engine->log, PLD_LOG_WARNING,
                    "literal prompt: %zu tokens do not fit and are dropped: %s", chunks->dropped.count,
                    pieces);
}

enum { MAX_CHUNKS = 256 };

pld_status pld_encode_prompt(pld_session *session, const char *prompt, const pld_generate_options *options,
                             pld_prompt_states *states, pld_error *error) {
    *states = (pld_prompt_states){0};
    pld_prompt_chunks chunks = {0};
    const int index = 0;
    const pld_text_encoder *encoder = &session->model->text_encoders[index];
    PLD_TRY(need_text(session, index, options->clip_skip - 1, options->cancel, error));
    PLD_TRY(chunk_prompt(encoder, prompt, options->literal_prompt, &chunks, error));
    pld_status status = PLD_OK;
    if (chunks.count > MAX_CHUNKS) {
        status = pld_fail(error, PLD_ERROR_ARGUMENT, "prompt: %zu chunks of %zu tokens, at most %d are taken",
                          chunks.count, chunks.positions - 2, MAX_CHUNKS);
    } else {
        warn_dropped(session->model, encoder, &chunks);
        status = encode_chunks(session, index, &chunks, options->cancel, states, error);
    }
    pld_prompt_chunks_free(&chunks);
    if (status != PLD_OK) {
        pld_free(states->states);
        *states = (pld_prompt_states){0};
    }
    return status;
}
