/* SPDX-License-Identifier: Apache-2.0 */
/** Tokens for people and tools: what a prompt becomes before the text encoder sees it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "io/prompt_chunks.h"
#include "pipeline/internal.h"

/** The public view and what it points into; `tokens` is first, so that one pointer is both. */
typedef struct token_report {
    pld_tokens tokens;
    pld_prompt_chunks chunks;
    pld_token_chunk *views;
    char ***pieces; /* [chunks][ids], each owned */
    char **dropped;
} token_report;

static void free_pieces(char **pieces, size_t count) {
    for (size_t i = 0; pieces && i < count; i++) {
        pld_free(pieces[i]);
    }
    pld_free(pieces);
}

void pld_tokens_destroy(pld_tokens **tokens) {
    token_report *r = (token_report *)*tokens;
    if (!r) {
        return;
    }
    for (size_t i = 0; r->pieces && i < r->chunks.count; i++) {
        free_pieces(r->pieces[i], r->chunks.chunks[i].content + 2);
    }
    pld_free(r->pieces);
    free_pieces(r->dropped, r->chunks.dropped.count);
    pld_free(r->views);
    pld_prompt_chunks_free(&r->chunks);
    pld_free(r);
    *tokens = NULL;
}

static char **copy_pieces(const pld_clip_tokenizer *tokenizer, const int32_t *ids, size_t count) {
    char **pieces = pld_allocate(count, sizeof *pieces);
    for (size_t i = 0; pieces && i < count; i++) {
        const char *piece = pld_clip_piece(tokenizer, ids[i]);
        pieces[i] = pld_copy_string(piece ? piece : "");
        if (!pieces[i]) {
            free_pieces(pieces, i);
            return NULL;
        }
    }
    return pieces;
}

static bool fill_views(token_report *r, const pld_clip_tokenizer *tokenizer) {
    const size_t count = r->chunks.count;
    r->views = pld_allocate(count, sizeof *r->views);
    r->pieces = pld_allocate(count, sizeof *r->pieces);
    r->dropped = copy_pieces(tokenizer, r->chunks.dropped.ids, r->chunks.dropped.count);
    for (size_t i = 0; r->views && r->pieces && i < count; i++) {
        const pld_prompt_chunk *chunk = &r->chunks.chunks[i];
        const size_t tokens = chunk->content + 2;
        r->pieces[i] = copy_pieces(tokenizer, chunk->ids, tokens);
        if (!r->pieces[i]) {
            return false;
        }
        r->views[i] =
            (pld_token_chunk){tokens, chunk->ids, (const char *const *)r->pieces[i], chunk->weights};
    }
    r->tokens = (pld_tokens){"tokenizer",
                             r->views,
                             count,
                             r->chunks.dropped.ids,
                             (const char *const *)r->dropped,
                             r->chunks.dropped.count};
    return r->views && r->pieces && r->dropped;
}

static pld_status tokenize(const pld_clip_tokenizer *tokenizer, size_t positions, const char *text,
                           size_t length, bool literal, pld_tokens **tokens, pld_error *error) {
    *tokens = NULL;
    token_report *r = pld_allocate(1, sizeof *r);
    if (!r) {
        return pld_fail_memory(error, sizeof *r, "tokens");
    }
    pld_prompt_parts parts = {0};
    pld_status status = PLD_OK;
    if (literal) {
        status = pld_prompt_chunks_literal(tokenizer, text, length, positions, &r->chunks, error);
    } else {
        status = pld_prompt_parse(text, length, &parts, error);
        if (status == PLD_OK) {
            status = pld_prompt_chunks_build(tokenizer, &parts, positions, &r->chunks, error);
        }
        pld_prompt_parts_free(&parts);
    }
    if (status == PLD_OK && !fill_views(r, tokenizer)) {
        status = pld_fail_memory(error, length, "tokens");
    }
    pld_tokens *made = &r->tokens;
    if (status != PLD_OK) {
        pld_tokens_destroy(&made);
        return status;
    }
    *tokens = made;
    return PLD_OK;
}

pld_status pld_tokenize(const pld_model *model, const char *text, size_t length, bool literal,
                        pld_tokens **tokens, pld_error *error) {
    const pld_text_encoder *encoder = &model->text_encoders[0];
    return tokenize(encoder->tokenizer, (size_t)encoder->config.positions, text, length, literal, tokens,
                    error);
}

/** FOLDER/tokenizer if it is there, else FOLDER. */
static char *tokenizer_folder(const char *folder) {
    struct stat found;
    char *inside = pld_format("%s/tokenizer", folder);
    if (inside && stat(inside, &found) == 0 && S_ISDIR(found.st_mode)) {
        return inside;
    }
    pld_free(inside);
    return pld_copy_string(folder);
}

pld_status pld_tokenize_folder(const char *folder, int positions, const char *text, size_t length,
                               bool literal, pld_tokens **tokens, pld_error *error) {
    enum { CLIP_POSITIONS = 77, MAX_POSITIONS = 4096 };
    *tokens = NULL;
    char *path = tokenizer_folder(folder);
    if (!path) {
        return pld_fail_memory(error, strlen(folder), "path");
    }
    pld_clip_tokenizer *tokenizer = NULL;
    pld_status status = pld_clip_tokenizer_open(path, &tokenizer, error);
    if (status == PLD_OK) {
        int stated = pld_clip_model_max_length(tokenizer);
        int used = positions ? positions : (stated ? stated : CLIP_POSITIONS);
        status = used < 3 || used > MAX_POSITIONS
                     ? pld_fail(error, PLD_ERROR_ARGUMENT, "positions: expected 3 to %d, found %d",
                                MAX_POSITIONS, used)
                     : tokenize(tokenizer, (size_t)used, text, length, literal, tokens, error);
    }
    pld_clip_tokenizer_close(tokenizer);
    pld_free(path);
    return status;
}
