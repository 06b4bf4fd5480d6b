/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/prompts/check.h"

#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "pipeline/model/model.h"
#include "text/prompt/review.h"

enum { MAX_CHUNKS = 256 };

/** What the text encoders must agree on. The first one says how many states there are. */
static pld_status check_chunks(const pld_prompt_chunks *chunks, int index, int64_t *tokens,
                               pld_error *error) {
    const int64_t own = (int64_t)(chunks->count * (chunks->positions - chunks->unseen));
    if (chunks->count > MAX_CHUNKS) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "prompt: %zu chunks of %zu tokens are too many, expected at most %d; shorten the prompt",
            chunks->count, chunks->positions - 2, (int)MAX_CHUNKS);
    }
    *tokens = index == 0 ? own : *tokens;
    return own == *tokens
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "prompt: the tokenizers of this model cut it into %lld and %lld positions; use a "
                          "shorter prompt or --literal-prompt",
                          (long long)*tokens, (long long)own);
}

pld_status pld_prompt_cut_for(const pld_model *model, int index, const pld_prompt_text *text, int64_t *tokens,
                              pld_prompt_chunks *chunks, pld_error *error) {
    const pld_component *encoder = pld_text_encoder_of(model, index);
    pld_prompt_frame frame = pld_prompt_frame_of(model, index, text->most_tokens);
    if (text->empty != PLD_EMPTY_UNSET) {
        frame.empty = text->empty;
    }
    const pld_text_use *use = &model->family->texts[index];
    const pld_prompt_text own = pld_prompt_text_for(model, index, text);
    if (!pld_is_there(encoder)) {
        *chunks = (pld_prompt_chunks){.positions = frame.positions};
        return PLD_OK;
    }
    PLD_TRY(use->style->cut(encoder->tokenizer, &own, &frame, chunks, error));
    pld_status status = use->pooled_only || use->behind ? PLD_OK : check_chunks(chunks, index, tokens, error);
    if (status != PLD_OK) {
        pld_prompt_chunks_free(chunks);
    }
    return status;
}

pld_status pld_prompt_cut_for_conditioner(const pld_model *model, const pld_prompt_text *text,
                                          pld_prompt_chunks *chunks, pld_error *error) {
    const pld_component *conditioner = pld_conditioner_of(model);
    const pld_prompt_frame frame = pld_conditioner_frame_of(model, text->most_tokens);
    PLD_TRY(model->family->conditioner->style->cut(conditioner->tokenizer, text, &frame, chunks, error));
    if (chunks->positions > 0) {
        return PLD_OK;
    }
    pld_prompt_chunks_free(chunks);
    return pld_fail(
        error, PLD_ERROR_FORMAT,
        "prompt: %s makes no token of it, but the %s needs one; expected a tokenizer that puts an "
        "end token behind every text",
        conditioner->row->tokenizer, conditioner->class->title);
}

pld_status pld_model_review_prompt(const pld_model *model, const pld_prompt_text *text, bool negative,
                                   pld_error *error) {
    if (model->family->text_count == 0) { /* nobody reads it */
        return PLD_OK;
    }
    /* a LoRA may have taught the model further words */
    const pld_review_request request = {text->text,
                                        text->length,
                                        text->literal,
                                        negative,
                                        model->lora_count == 0 ? model->known_words : NULL,
                                        !model->family->texts[0].style->weighs};
    return pld_review_prompt(&request, &model->engine->log, model->reviewed, error);
}

/** Whether every text encoder can have it. */
static pld_status check_cuts(const pld_model *model, const pld_prompt_text *text, pld_error *error) {
    int64_t tokens = 0;
    for (int i = 0; i < model->family->text_count; i++) {
        pld_prompt_chunks chunks = {0};
        PLD_TRY(pld_prompt_cut_for(model, i, text, &tokens, &chunks, error));
        pld_prompt_chunks_free(&chunks);
    }
    if (pld_conditioner_of(model)) {
        pld_prompt_chunks chunks = {0};
        PLD_TRY(pld_prompt_cut_for_conditioner(model, text, &chunks, error));
        pld_prompt_chunks_free(&chunks);
    }
    return PLD_OK;
}

pld_status pld_model_check_prompt(const pld_model *model, const char *text, bool literal, bool negative,
                                  pld_error *error) {
    const pld_prompt_text prompt = {.text = text, .length = strlen(text), .literal = literal};
    pld_error detail = {0};
    const pld_status status = check_cuts(model, &prompt, &detail);
    if (status != PLD_OK) { /* the detail begins with "prompt:" */
        return pld_fail(error, status, "%s%s", negative ? "negative " : "", detail.message);
    }
    return pld_model_review_prompt(model, &prompt, negative, error);
}

pld_status pld_prompt_review(const char *text, size_t length, bool negative,
                             void (*log)(void *user, pld_log_level level, const char *message), void *user,
                             pld_error *error) {
    const pld_review_request request = {.text = text, .length = length, .negative = negative};
    const pld_log to = {log, user, PLD_LOG_DETAIL};
    return pld_review_prompt(&request, &to, NULL, error);
}

pld_status pld_utf8_repair(const char *text, size_t length, char **repaired, size_t *repaired_length,
                           pld_error *error) {
    size_t clean_length = 0;
    *repaired = pld_utf8_clean(text, length, &clean_length);
    if (!*repaired) {
        return pld_fail_memory(error, length, "text");
    }
    if (repaired_length) {
        *repaired_length = clean_length;
    }
    return PLD_OK;
}

void pld_string_free(char **text) {
    pld_free(*text);
    *text = NULL;
}
