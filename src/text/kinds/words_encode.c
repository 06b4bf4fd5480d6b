/* SPDX-License-Identifier: Apache-2.0 */
/* From a text to words, the same way for every kind but CLIP's. */
#include "core/utf8.h"
#include "text/tokenizer_parts.h"

/** One call. */
typedef struct encoding {
    const pld_tokenizer *tokenizer;
    pld_token_list *ids;
    pld_encoding_space space;
    pld_text_buffer normal, spare;
    const char *begin; /* of the whole text */
    bool first;        /* the stretch at hand begins there */
} encoding;

static pld_status encode_word(void *context, const char *word, size_t length, bool first, pld_error *error) {
    encoding *state = context;
    (void)first;
    return state->tokenizer->kind->encode_word(&state->tokenizer->parts, &state->space, word, length,
                                               state->ids, error);
}

static pld_status append_token(encoding *state, int32_t id, pld_error *error) {
    return pld_token_list_append(state->ids, id)
               ? PLD_OK
               : pld_fail_memory(error, state->ids->count * sizeof *state->ids->ids, "ids of the prompt");
}

/** A stretch of normal text, or an added token in it. */
static pld_status encode_normal(void *context, const char *text, size_t length, int32_t id,
                                pld_error *error) {
    encoding *state = context;
    if (id >= 0) {
        return append_token(state, id, error);
    }
    const bool first = state->first && text == state->normal.data;
    return pld_splitter_visit(&state->tokenizer->parts.splitter, text, length, first, encode_word, state,
                              error);
}

/** A stretch of text as it is written, or an added token in it. */
static pld_status encode_raw(void *context, const char *text, size_t length, int32_t id, pld_error *error) {
    encoding *state = context;
    const pld_tokenizer_parts *parts = &state->tokenizer->parts;
    if (id >= 0) {
        return append_token(state, id, error);
    }
    PLD_TRY(pld_normaliser_apply(&parts->normaliser, text, length, &state->normal, &state->spare, error));
    state->first = text == state->begin;
    return pld_added_tokens_visit(&parts->added, true, state->normal.data, state->normal.used, encode_normal,
                                  state, error);
}

pld_status pld_words_encode(const pld_tokenizer *tokenizer, const char *text, size_t length,
                            pld_token_list *ids, pld_error *error) {
    size_t clean_length = 0;
    char *clean = pld_utf8_clean(text, length, &clean_length);
    if (!clean) {
        return pld_fail_memory(error, length, "the prompt");
    }
    encoding state = {.tokenizer = tokenizer, .ids = ids, .begin = clean};
    const pld_status status = pld_added_tokens_visit(&tokenizer->parts.added, false, clean, clean_length,
                                                     encode_raw, &state, error);
    pld_word_space_free(&state.space.merges);
    pld_free(state.space.nodes);
    pld_text_buffer_free(&state.space.word);
    pld_text_buffer_free(&state.normal);
    pld_text_buffer_free(&state.spare);
    pld_free(clean);
    return status;
}
