/* SPDX-License-Identifier: Apache-2.0 */
/* vocab.json and merges.txt, which leave the rest to a class of transformers. */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "text/sources/lists.h"
#include "text/sources/source.h"

/** What a class adds to its files: one row. The first one counts where no class is stated. */
static const struct {
    const char *tokenizer_class; /* beginning of the name */
    const char *pattern;
    bool composes; /* NFC first */
    const char *end;
} flavours[] = {
    {"Qwen",
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
     "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
     "|\\s+(?!\\S)|\\s+",
     true, "<|endoftext|>"},
    {"GPT2", pld_gpt2_pattern, false, "<|endoftext|>"},
};

pld_status pld_source_clip(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT], const char *name,
                           pld_tokenizer_parts *parts, pld_error *error) {
    const pld_clip_files clip = {
        .folder = name,
        .tokenizer = {files[PLD_TOKENIZER_JSON].data, files[PLD_TOKENIZER_JSON].size},
        .vocabulary = {files[PLD_TOKENIZER_VOCABULARY].data, files[PLD_TOKENIZER_VOCABULARY].size},
        .merges = {files[PLD_TOKENIZER_MERGES].data, files[PLD_TOKENIZER_MERGES].size},
        .configuration = {files[PLD_TOKENIZER_CONFIGURATION].data, files[PLD_TOKENIZER_CONFIGURATION].size},
        .special_tokens = {files[PLD_TOKENIZER_SPECIAL_TOKENS].data,
                           files[PLD_TOKENIZER_SPECIAL_TOKENS].size},
        .added_tokens = {files[PLD_TOKENIZER_ADDED_TOKENS].data, files[PLD_TOKENIZER_ADDED_TOKENS].size},
    };
    return pld_clip_tokenizer_parse(&clip, &parts->clip, error);
}

/** Whether the vocabulary marks the ends of words. */
static bool is_clip(const pld_tokenizer_data *vocabulary, const pld_tokenizer_settings *settings) {
    return settings->tokenizer_class[0] ? pld_tokenizer_class_is(settings, "CLIPTokenizer")
                                        : memmem(vocabulary->data, vocabulary->size, "</w>\"", 5) != NULL;
}

static pld_status read_merges(const pld_tokenizer_data *file, pld_tokenizer_parts *parts, pld_error *error) {
    pld_merge_pieces pieces = {.vocabulary = &parts->vocabulary};
    const pld_piece_finder finder = pld_merge_pieces_finder(&pieces);
    return pld_merges_read_text(&parts->bpe.merges, &finder, file->data, file->size, file->name, error);
}

pld_status pld_source_vocabulary(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                                 const pld_tokenizer_settings *settings, pld_source_result *result,
                                 pld_error *error) {
    const pld_tokenizer_data *file = &files[PLD_TOKENIZER_VOCABULARY];
    pld_tokenizer_parts *parts = result->parts;
    size_t row = 0;
    if (!files[PLD_TOKENIZER_MERGES].data) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: expected merges.txt beside it, found none; copy it from the model's source",
                        file->name);
    }
    if (is_clip(file, settings)) {
        return pld_source_clip(files, file->name, parts, error);
    }
    while (row < sizeof flavours / sizeof *flavours && settings->tokenizer_class[0] &&
           !pld_tokenizer_class_is(settings, flavours[row].tokenizer_class)) {
        row++;
    }
    if (row == sizeof flavours / sizeof *flavours) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: tokenizer_class %.64s without tokenizer.json is not supported; expected Qwen2Tokenizer, "
            "GPT2Tokenizer or CLIPTokenizer, or a tokenizer.json",
            file->name, settings->tokenizer_class);
    }
    if (flavours[row].composes) {
        PLD_TRY(pld_normaliser_add_nfc(&parts->normaliser, file->name, error));
    }
    PLD_TRY(pld_splitter_add_pattern(&parts->splitter, flavours[row].pattern, file->name, error));
    PLD_TRY(pld_splitter_add_byte_level(&parts->splitter, file->name, error));
    pld_json_cursor cursor = {
        .begin = file->data, .at = file->data, .end = file->data + file->size, .name = file->name};
    const pld_status status = pld_read_vocabulary_object(&parts->vocabulary, &cursor, error);
    pld_json_cursor_free(&cursor);
    PLD_TRY(status);
    parts->model_ids = parts->vocabulary.id_count;
    result->default_roles[PLD_TOKEN_END] = flavours[row].end;
    result->default_roles[PLD_TOKEN_PAD] = flavours[row].end;
    return read_merges(&files[PLD_TOKENIZER_MERGES], parts, error);
}
