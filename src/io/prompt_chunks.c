/* SPDX-License-Identifier: Apache-2.0 */
#include "io/prompt_chunks.h"

#include "core/memory.h"

enum { MARGIN = 2 }; /* start and end token */

/** Refuse a length that holds no content. */
static pld_status check_positions(size_t positions, pld_error *error) {
    if (positions > MARGIN && positions <= INT32_MAX) {
        return PLD_OK;
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT,
                    "text encoder: expected at least %d positions (start, content, end), found %zu",
                    MARGIN + 1, positions);
}

/** Append a chunk without content: start, end, padding. */
static pld_status add_chunk(const pld_clip_tokenizer *tokenizer, pld_prompt_chunks *chunks,
                            pld_error *error) {
    void *grown = chunks->chunks;
    size_t positions = chunks->positions;
    pld_prompt_chunk chunk = {.ids = pld_allocate(positions, sizeof *chunk.ids),
                              .weights = pld_allocate(positions, sizeof *chunk.weights)};
    if (!chunk.ids || !chunk.weights ||
        !pld_grow(&grown, &chunks->capacity, chunks->count + 1, sizeof *chunks->chunks)) {
        pld_free(chunk.ids);
        pld_free(chunk.weights);
        return pld_fail_memory(error, positions * (sizeof *chunk.ids + sizeof *chunk.weights),
                               "chunk of the prompt");
    }
    for (size_t i = 0; i < positions; i++) {
        chunk.ids[i] = pld_clip_pad_id(tokenizer);
        chunk.weights[i] = 1.0F;
    }
    chunk.ids[0] = pld_clip_start_id(tokenizer);
    chunk.ids[1] = pld_clip_end_id(tokenizer);
    chunks->chunks = grown;
    chunks->chunks[chunks->count++] = chunk;
    return PLD_OK;
}

/** Put a token into the last chunk, or into a new one when that is full. */
static pld_status add_token(const pld_clip_tokenizer *tokenizer, pld_prompt_chunks *chunks, int32_t id,
                            float weight, pld_error *error) {
    if (chunks->chunks[chunks->count - 1].content + MARGIN == chunks->positions) {
        PLD_TRY(add_chunk(tokenizer, chunks, error));
    }
    pld_prompt_chunk *chunk = &chunks->chunks[chunks->count - 1];
    size_t place = ++chunk->content;
    chunk->ids[place] = id;
    chunk->weights[place] = weight;
    chunk->ids[place + 1] = pld_clip_end_id(tokenizer);
    chunks->weighted = chunks->weighted || weight != 1.0F;
    return PLD_OK;
}

/** Append the tokens of one part; `scratch` is emptied first. */
static pld_status add_part(const pld_clip_tokenizer *tokenizer, pld_prompt_chunks *chunks,
                           const pld_prompt_part *part, pld_token_list *scratch, pld_error *error) {
    scratch->count = 0;
    PLD_TRY(pld_clip_encode(tokenizer, part->text, part->length, scratch, error));
    for (size_t i = 0; i < scratch->count; i++) {
        PLD_TRY(add_token(tokenizer, chunks, scratch->ids[i], (float)part->weight, error));
    }
    return PLD_OK;
}

/** An empty first chunk in an empty struct. */
static pld_status begin(const pld_clip_tokenizer *tokenizer, size_t positions, pld_prompt_chunks *chunks,
                        pld_error *error) {
    *chunks = (pld_prompt_chunks){.positions = positions};
    PLD_TRY(check_positions(positions, error));
    return add_chunk(tokenizer, chunks, error);
}

pld_status pld_prompt_chunks_build(const pld_clip_tokenizer *tokenizer, const pld_prompt_parts *parts,
                                   size_t positions, pld_prompt_chunks *chunks, pld_error *error) {
    pld_token_list scratch = {0};
    pld_status status = begin(tokenizer, positions, chunks, error);
    for (size_t i = 0; i < parts->count && status == PLD_OK; i++) {
        status = parts->parts[i].is_break ? add_chunk(tokenizer, chunks, error)
                                          : add_part(tokenizer, chunks, &parts->parts[i], &scratch, error);
    }
    pld_token_list_free(&scratch);
    if (status != PLD_OK) {
        pld_prompt_chunks_free(chunks);
    }
    return status;
}

pld_status pld_prompt_chunks_literal(const pld_clip_tokenizer *tokenizer, const char *text, size_t length,
                                     size_t positions, pld_prompt_chunks *chunks, pld_error *error) {
    pld_token_list ids = {0};
    pld_status status = begin(tokenizer, positions, chunks, error);
    if (status == PLD_OK) {
        status = pld_clip_encode(tokenizer, text, length, &ids, error);
    }
    for (size_t i = 0; i < ids.count && status == PLD_OK; i++) {
        if (i + MARGIN < positions) {
            status = add_token(tokenizer, chunks, ids.ids[i], 1.0F, error);
        } else if (!pld_token_list_append(&chunks->dropped, ids.ids[i])) {
            status = pld_fail_memory(error, ids.count * sizeof *ids.ids, "tokens that the prompt leaves out");
        }
    }
    pld_token_list_free(&ids);
    if (status != PLD_OK) {
        pld_prompt_chunks_free(chunks);
    }
    return status;
}

void pld_prompt_chunks_free(pld_prompt_chunks *chunks) {
    for (size_t i = 0; i < chunks->count; i++) {
        pld_free(chunks->chunks[i].ids);
        pld_free(chunks->chunks[i].weights);
    }
    pld_free(chunks->chunks);
    pld_token_list_free(&chunks->dropped);
    *chunks = (pld_prompt_chunks){0};
}
