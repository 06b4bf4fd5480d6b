/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts: the first byte chooses the positions of the text encoder, the rest is the prompt. It is parsed,
 * tokenised with a vocabulary of single bytes and a few merges, and cut into chunks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"
#include "fuzz.h"
#include "pladis/pladis.h"
#include "text/prompt/chunks.h"

/** {"!": 0, …}: the letters of all bytes, inside and at the end of a word, some merged pieces, the specials.
 */
static void write_vocabulary(char *json) {
    static const char *const extra[] = {"ab", "abc</w>", "in</w>", "<|startoftext|>", "<|endoftext|>"};
    int id = 0;
    *json++ = '{';
    for (int letter = 0x21; letter < 0x144; letter++) {
        if ((letter > 0x7E && letter < 0xA1) || letter == 0xAD) {
            continue; /* these bytes are written as letters from U+0100 on */
        }
        char piece[8] = {0};
        size_t length = letter == '"' || letter == '\\' ? 1 : 0;
        piece[0] = '\\';
        pld_utf8_encode(letter, piece + length);
        json += sprintf(json, "\"%s\":%d,\"%s</w>\":%d,", piece, id, piece, id + 1);
        id += 2;
    }
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
        json += sprintf(json, "%s\"%s\":%d", i ? "," : "", extra[i], id++);
    }
    strcpy(json, "}");
}

static const pld_tokenizer *shared_tokenizer(void) {
    static pld_tokenizer *tokenizer;
    if (!tokenizer) {
        static char vocabulary[16384];
        static const char merges[] = "a b\nab c</w>\ni n</w>\n";
        write_vocabulary(vocabulary);
        static const char class[] = "{\"tokenizer_class\": \"CLIPTokenizer\"}";
        const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {
            [PLD_TOKENIZER_VOCABULARY] = {"vocab.json", vocabulary, strlen(vocabulary)},
            [PLD_TOKENIZER_MERGES] = {"merges.txt", merges, sizeof merges - 1},
            [PLD_TOKENIZER_CONFIGURATION] = {"tokenizer_config.json", class, sizeof class - 1}};
        FUZZ_REQUIRE(pld_tokenizer_parse(files, "fuzz", &tokenizer, NULL) == PLD_OK);
    }
    return tokenizer;
}

/** Frame and padding of every chunk; returns the number of content tokens. */
static size_t check_chunks(const pld_tokenizer *tokenizer, const pld_prompt_chunks *chunks) {
    size_t tokens = 0;
    FUZZ_REQUIRE(chunks->count > 0);
    for (size_t i = 0; i < chunks->count; i++) {
        const pld_prompt_chunk *chunk = &chunks->chunks[i];
        FUZZ_REQUIRE(chunk->content + 2 <= chunks->positions);
        FUZZ_REQUIRE(chunk->ids[0] == pld_tokenizer_get_facts(tokenizer)->start_id);
        FUZZ_REQUIRE(chunk->ids[chunk->content + 1] == pld_tokenizer_get_facts(tokenizer)->end_id);
        for (size_t j = 0; j < chunks->positions; j++) {
            FUZZ_REQUIRE(pld_tokenizer_piece(tokenizer, chunk->ids[j]) && isfinite(chunk->weights[j]));
        }
        tokens += chunk->content;
    }
    return tokens;
}

static void check_parts(const pld_tokenizer *tokenizer, const pld_prompt_parts *parts, size_t positions) {
    pld_token_list ids = {0};
    size_t breaks = 0;
    FUZZ_REQUIRE(parts->count > 0);
    for (size_t i = 0; i < parts->count; i++) {
        const pld_prompt_part *part = &parts->parts[i];
        FUZZ_REQUIRE(part->text[part->length] == 0);
        breaks += part->is_break;
        if (!part->is_break) {
            FUZZ_REQUIRE(pld_tokenizer_encode(tokenizer, part->text, part->length, &ids, NULL) == PLD_OK);
        }
    }
    pld_prompt_chunks chunks = {0};
    FUZZ_REQUIRE(pld_prompt_chunks_build(tokenizer, parts, positions, &chunks, NULL) == PLD_OK);
    FUZZ_REQUIRE(check_chunks(tokenizer, &chunks) == ids.count && chunks.count >= breaks);
    pld_prompt_chunks_free(&chunks);
    pld_token_list_free(&ids);
}

static void count_lines(void *user, pld_log_level level, const char *message) {
    size_t *lines = user;
    FUZZ_REQUIRE(level != PLD_LOG_DETAIL && message[0]);
    ++*lines;
}

/** What is said of a prompt that could be parsed; each kind of syntax gives a line at most. */
static void check_review(const char *text, size_t size) {
    size_t lines = 0;
    FUZZ_REQUIRE(pld_prompt_review(text, size, size % 2 != 0, count_lines, &lines, NULL) == PLD_OK);
    FUZZ_REQUIRE(lines <= 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const pld_tokenizer *tokenizer = shared_tokenizer();
    if (size == 0) {
        return 0;
    }
    size_t positions = 3 + data[0] % 75;
    const char *text = (const char *)data + 1;
    pld_prompt_parts parts = {0};
    pld_error error = {0};
    if (pld_prompt_parse(text, size - 1, &parts, &error) == PLD_OK) {
        check_parts(tokenizer, &parts, positions);
        check_review(text, size - 1);
    } else {
        FUZZ_REQUIRE(!parts.parts && error.message[0]);
    }
    pld_prompt_parts_free(&parts);
    pld_token_list ids = {0};
    pld_prompt_chunks literal = {0};
    FUZZ_REQUIRE(pld_tokenizer_encode(tokenizer, text, size - 1, &ids, NULL) == PLD_OK);
    FUZZ_REQUIRE(pld_prompt_chunks_literal(tokenizer, text, size - 1, positions, &literal, NULL) == PLD_OK);
    FUZZ_REQUIRE(check_chunks(tokenizer, &literal) + literal.dropped.count == ids.count &&
                 literal.count == 1);
    pld_prompt_chunks_free(&literal);
    pld_token_list_free(&ids);
    return 0;
}
