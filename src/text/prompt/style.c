/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/style.h"

#include <string.h>

#include "core/memory.h"
#include "text/prompt/fold.h"
#include "text/prompt/weights.h"

static pld_status cut_chunks(const pld_tokenizer *tokenizer, const pld_prompt_text *text,
                             const pld_prompt_frame *frame, pld_prompt_chunks *chunks, pld_error *error) {
    const pld_tokenizer_facts *facts = pld_tokenizer_get_facts(tokenizer);
    if (facts->start_id < 0 || facts->end_id < 0 || facts->pad_id < 0) {
        *chunks = (pld_prompt_chunks){0};
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "tokenizer: expected one with a start, an end and a padding token, as CLIP's; found '%s' without",
            pld_tokenizer_kind_name(tokenizer));
    }
    if (text->literal) {
        return pld_prompt_chunks_literal(tokenizer, text->text, text->length, frame->positions, chunks,
                                         error);
    }
    pld_prompt_parts parts = {0};
    PLD_TRY(pld_prompt_parse(text->text, text->length, &parts, error));
    pld_status status = pld_prompt_chunks_build(tokenizer, &parts, frame->positions, chunks, error);
    pld_prompt_parts_free(&parts);
    return status;
}

static pld_status cut_literal(const pld_tokenizer *tokenizer, const pld_prompt_text *text,
                              const pld_prompt_frame *frame, pld_prompt_chunks *chunks, pld_error *error) {
    pld_prompt_text own = *text;
    own.literal = true;
    return cut_chunks(tokenizer, &own, frame, chunks, error);
}

/** Ids of the framed text without what the tokenizer puts around them. */
static pld_status encode_framed(const pld_tokenizer *tokenizer, const pld_prompt_text *text,
                                const pld_prompt_frame *frame, pld_token_list *ids, pld_error *error) {
    char *folded = NULL;
    size_t length = text->length;
    if (frame->folded) {
        PLD_TRY(pld_prompt_fold(text->text, text->length, &folded, &length, error));
    }
    const char *own = text->unframed ? NULL : frame->before;
    const char *before = text->instruction ? text->instruction : own;
    pld_status status = pld_tokenizer_encode_framed(tokenizer, before, folded ? folded : text->text, length,
                                                    text->unframed ? NULL : frame->after, ids, error);
    pld_free(folded);
    return status;
}

/** Tokens that every text has. */
static size_t tokens_around(const pld_tokenizer_facts *facts) {
    return (size_t)(facts->before_id >= 0) + (size_t)(facts->after_id >= 0);
}

/** The one chunk of a whole text from `content` of its ids, those that do not fit listed as dropped. */
static pld_status make_whole(const pld_tokenizer_facts *facts, const pld_token_list *ids, size_t positions,
                             pld_prompt_chunks *chunks, pld_error *error) {
    const size_t around = tokens_around(facts);
    const size_t content = ids->count + around > positions ? positions - around : ids->count;
    const size_t used = content + around;
    *chunks = (pld_prompt_chunks){.positions = used, .chunks = pld_allocate(1, sizeof *chunks->chunks)};
    if (!chunks->chunks) {
        return pld_fail_memory(error, sizeof *chunks->chunks, "prompt");
    }
    pld_prompt_chunk *chunk = chunks->chunks;
    chunks->count = chunks->capacity = 1;
    *chunk = (pld_prompt_chunk){.ids = pld_allocate(used, sizeof *chunk->ids),
                                .weights = pld_allocate(used, sizeof *chunk->weights),
                                .content = content,
                                .used = used};
    if (!chunk->ids || !chunk->weights) {
        return pld_fail_memory(error, used * sizeof *chunk->ids, "prompt");
    }
    size_t place = 0;
    if (facts->before_id >= 0) {
        chunk->ids[place++] = facts->before_id;
    }
    for (size_t i = 0; i < content; i++) {
        chunk->ids[place++] = ids->ids[i];
    }
    if (facts->after_id >= 0) {
        chunk->ids[place++] = facts->after_id;
    }
    for (size_t i = 0; i < used; i++) {
        chunk->weights[i] = 1;
    }
    for (size_t i = content; i < ids->count; i++) {
        if (!pld_token_list_append(&chunks->dropped, ids->ids[i])) {
            return pld_fail_memory(error, ids->count * sizeof *ids->ids, "tokens that the prompt leaves out");
        }
    }
    return PLD_OK;
}

/** How many tokens of an instruction are encoded for those behind them alone: all but the first and the last, counted with
 * what the tokenizer puts around it, as diffusers counts them. */
static pld_status count_unseen(const pld_tokenizer *tokenizer, const char *instruction, size_t *unseen,
                               pld_error *error) {
    pld_token_list ids = {0};
    const pld_status status = pld_tokenizer_encode(tokenizer, instruction, strlen(instruction), &ids, error);
    const size_t count = ids.count + tokens_around(pld_tokenizer_get_facts(tokenizer));
    *unseen = count > 2 ? count - 2 : 0;
    pld_token_list_free(&ids);
    return status;
}

/** What a frame says of a text without tokens. */
static pld_status fill_empty(const pld_tokenizer_facts *facts, const pld_prompt_frame *frame,
                             pld_token_list *ids, pld_error *error) {
    if (frame->empty == PLD_EMPTY_UNSET) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "tokenizer: expected one that marks the end of a text, found one that makes no token "
                        "of an empty text; use the files that came with the text encoder");
    }
    if (frame->empty == PLD_EMPTY_NOTHING) {
        return PLD_OK;
    }
    if (facts->pad_id < 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "tokenizer: it has no padding token, which stands for an empty prompt; "
                        "use --empty-prompt nothing");
    }
    return pld_token_list_append(ids, facts->pad_id) ? PLD_OK
                                                     : pld_fail_memory(error, sizeof facts->pad_id, "prompt");
}

static pld_status cut_whole(const pld_tokenizer *tokenizer, const pld_prompt_text *text,
                            const pld_prompt_frame *frame, pld_prompt_chunks *chunks, pld_error *error) {
    const pld_tokenizer_facts *facts = pld_tokenizer_get_facts(tokenizer);
    pld_token_list ids = {0};
    *chunks = (pld_prompt_chunks){0};
    if (frame->positions < tokens_around(facts) || frame->positions > INT32_MAX) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "text encoder: expected at least %zu tokens for a text, found %zu",
                        tokens_around(facts), frame->positions);
    }
    size_t unseen = 0;
    pld_status status = encode_framed(tokenizer, text, frame, &ids, error);
    if (status == PLD_OK && ids.count + tokens_around(facts) == 0) {
        status = fill_empty(facts, frame, &ids, error);
    }
    if (status == PLD_OK && text->instruction) {
        status = count_unseen(tokenizer, text->instruction, &unseen, error);
    }
    if (status == PLD_OK) {
        status = make_whole(facts, &ids, frame->positions + unseen, chunks, error);
    }
    if (status == PLD_OK) { /* an instruction's last tokens may have become one with the prompt's first */
        chunks->unseen = unseen == 0 || unseen < chunks->positions ? unseen : chunks->positions - 1;
    }
    pld_token_list_free(&ids);
    if (status != PLD_OK) {
        pld_prompt_chunks_free(chunks);
    }
    return status;
}

/** Lengthen the one chunk of a text with padding, which is not content. */
static pld_status fill_up(const pld_tokenizer_facts *facts, size_t positions, pld_prompt_chunks *chunks,
                          pld_error *error) {
    pld_prompt_chunk *chunk = &chunks->chunks[0];
    int32_t *ids = pld_allocate(positions, sizeof *ids);
    float *weights = pld_allocate(positions, sizeof *weights);
    if (!ids || !weights) {
        pld_free(ids);
        pld_free(weights);
        return pld_fail_memory(error, positions * sizeof *ids, "prompt");
    }
    for (size_t i = 0; i < positions; i++) {
        ids[i] = i < chunk->used ? chunk->ids[i] : facts->pad_id;
        weights[i] = 1;
    }
    pld_free(chunk->ids);
    pld_free(chunk->weights);
    chunk->ids = ids;
    chunk->weights = weights;
    chunks->positions = positions;
    return PLD_OK;
}

static pld_status cut_filled(const pld_tokenizer *tokenizer, const pld_prompt_text *text,
                             const pld_prompt_frame *frame, pld_prompt_chunks *chunks, pld_error *error) {
    const pld_tokenizer_facts *facts = pld_tokenizer_get_facts(tokenizer);
    *chunks = (pld_prompt_chunks){0};
    if (facts->pad_id < 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "tokenizer: expected one with a padding token, as T5's; found '%s' without",
                        pld_tokenizer_kind_name(tokenizer));
    }
    PLD_TRY(cut_whole(tokenizer, text, frame, chunks, error));
    const pld_status status = fill_up(facts, frame->positions + chunks->unseen, chunks, error);
    if (status != PLD_OK) {
        pld_prompt_chunks_free(chunks);
    }
    return status;
}

const pld_prompt_style pld_prompt_style_chunks = {"chunks", true, cut_chunks};
const pld_prompt_style pld_prompt_style_literal = {"literal", false, cut_literal};
const pld_prompt_style pld_prompt_style_whole = {"whole", false, cut_whole};
const pld_prompt_style pld_prompt_style_filled = {"filled", false, cut_filled};
