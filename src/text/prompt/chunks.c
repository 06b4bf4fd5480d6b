/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/chunks.h"

#include "core/memory.h"

enum {
    MARGIN = 2,    /* start and end token */
    BACKTRACK = 20 /* tokens behind the last comma that move on with it: A1111's comma_padding_backtrack */
};

static const size_t no_comma = SIZE_MAX;

/** The chunks while they are filled. */
typedef struct chunk_filler {
    const pld_tokenizer *tokenizer;
    const pld_tokenizer_facts *facts; /* of it */
    pld_prompt_chunks *chunks;
    int32_t comma;     /* id, or −1 */
    size_t last_comma; /* place among the content of the last chunk, from 0 */
    pld_error *error;
} chunk_filler;

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
static pld_status add_chunk(chunk_filler *filler) {
    pld_prompt_chunks *chunks = filler->chunks;
    void *grown = chunks->chunks;
    size_t positions = chunks->positions;
    pld_prompt_chunk chunk = {.ids = pld_allocate(positions, sizeof *chunk.ids),
                              .weights = pld_allocate(positions, sizeof *chunk.weights)};
    if (!chunk.ids || !chunk.weights ||
        !pld_grow(&grown, &chunks->capacity, chunks->count + 1, sizeof *chunks->chunks)) {
        pld_free(chunk.ids);
        pld_free(chunk.weights);
        return pld_fail_memory(filler->error, positions * (sizeof *chunk.ids + sizeof *chunk.weights),
                               "chunk of the prompt");
    }
    for (size_t i = 0; i < positions; i++) {
        chunk.ids[i] = filler->facts->pad_id;
        chunk.weights[i] = 1.0F;
    }
    chunk.used = MARGIN;
    chunk.ids[0] = filler->facts->start_id;
    chunk.ids[1] = filler->facts->end_id;
    chunks->chunks = grown;
    chunks->chunks[chunks->count++] = chunk;
    filler->last_comma = no_comma;
    return PLD_OK;
}

static pld_prompt_chunk *last_chunk(const chunk_filler *filler) {
    return &filler->chunks->chunks[filler->chunks->count - 1];
}

static bool is_full(const chunk_filler *filler) {
    return last_chunk(filler)->content + MARGIN == filler->chunks->positions;
}

/** Put a token at the end of a chunk that has room. */
static void put_token(const chunk_filler *filler, pld_prompt_chunk *chunk, int32_t id, float weight) {
    size_t place = ++chunk->content;
    chunk->used = chunk->content + MARGIN;
    chunk->ids[place] = id;
    chunk->weights[place] = weight;
    chunk->ids[place + 1] = filler->facts->end_id;
}

/** Begin a chunk with what stands behind the last comma of the full one. */
static pld_status move_behind_comma(chunk_filler *filler) {
    const size_t kept = filler->last_comma + 1;
    PLD_TRY(add_chunk(filler));
    pld_prompt_chunk *next = last_chunk(filler);
    pld_prompt_chunk *full = next - 1;
    for (size_t place = kept + 1; place <= full->content; place++) {
        put_token(filler, next, full->ids[place], full->weights[place]);
    }
    for (size_t place = kept + 1; place < filler->chunks->positions; place++) {
        full->ids[place] = filler->facts->pad_id;
        full->weights[place] = 1.0F;
    }
    full->ids[kept + 1] = filler->facts->end_id;
    full->content = kept;
    full->used = kept + MARGIN;
    return PLD_OK;
}

/** Put a token into the last chunk, or into a new one when that is full. */
static pld_status add_token(chunk_filler *filler, int32_t id, float weight) {
    const size_t content = last_chunk(filler)->content;
    if (id == filler->comma) {
        filler->last_comma = content;
    } else if (is_full(filler) && filler->last_comma != no_comma &&
               content - filler->last_comma <= BACKTRACK) {
        PLD_TRY(move_behind_comma(filler));
    }
    if (is_full(filler)) {
        PLD_TRY(add_chunk(filler));
    }
    put_token(filler, last_chunk(filler), id, weight);
    filler->chunks->weighted = filler->chunks->weighted || weight != 1.0F;
    return PLD_OK;
}

/** Append the tokens of one part; `scratch` is emptied first. */
static pld_status add_part(chunk_filler *filler, const pld_prompt_part *part, pld_token_list *scratch) {
    scratch->count = 0;
    PLD_TRY(pld_tokenizer_encode(filler->tokenizer, part->text, part->length, scratch, filler->error));
    for (size_t i = 0; i < scratch->count; i++) {
        PLD_TRY(add_token(filler, scratch->ids[i], (float)part->weight));
    }
    return PLD_OK;
}

/** An empty first chunk in an empty struct. */
static pld_status begin(chunk_filler *filler, size_t positions) {
    *filler->chunks = (pld_prompt_chunks){.positions = positions};
    PLD_TRY(check_positions(positions, filler->error));
    return add_chunk(filler);
}

/** A break at the end asks for a chunk that nothing came to. */
static void drop_unused_chunk(pld_prompt_chunks *chunks) {
    pld_prompt_chunk *last = &chunks->chunks[chunks->count - 1];
    if (chunks->count > 1 && last->content == 0) {
        pld_free(last->ids);
        pld_free(last->weights);
        chunks->count--;
    }
}

pld_status pld_prompt_chunks_build(const pld_tokenizer *tokenizer, const pld_prompt_parts *parts,
                                   size_t positions, pld_prompt_chunks *chunks, pld_error *error) {
    pld_token_list scratch = {0};
    chunk_filler filler = {.tokenizer = tokenizer,
                           .facts = pld_tokenizer_get_facts(tokenizer),
                           .chunks = chunks,
                           .comma = pld_tokenizer_id(tokenizer, ",</w>"),
                           .error = error};
    pld_status status = begin(&filler, positions);
    for (size_t i = 0; i < parts->count && status == PLD_OK; i++) {
        const pld_prompt_part *part = &parts->parts[i];
        status = part->is_break ? add_chunk(&filler) : add_part(&filler, part, &scratch);
    }
    pld_token_list_free(&scratch);
    if (status != PLD_OK) {
        pld_prompt_chunks_free(chunks);
        return status;
    }
    drop_unused_chunk(chunks);
    return PLD_OK;
}

pld_status pld_prompt_chunks_literal(const pld_tokenizer *tokenizer, const char *text, size_t length,
                                     size_t positions, pld_prompt_chunks *chunks, pld_error *error) {
    pld_token_list ids = {0};
    chunk_filler filler = {.tokenizer = tokenizer,
                           .facts = pld_tokenizer_get_facts(tokenizer),
                           .chunks = chunks,
                           .comma = -1,
                           .error = error};
    pld_status status = begin(&filler, positions);
    if (status == PLD_OK) {
        status = pld_tokenizer_encode(tokenizer, text, length, &ids, error);
    }
    for (size_t i = 0; i < ids.count && status == PLD_OK; i++) {
        if (i + MARGIN < positions) {
            status = add_token(&filler, ids.ids[i], 1.0F);
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
