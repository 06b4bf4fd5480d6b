/* SPDX-License-Identifier: Apache-2.0 */
/* Building a tokenizer from its files. */
#define _GNU_SOURCE /* memmem */
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/clip/internal.h"
#include "text/clip/tokenizer.h"

/** A parsed file of the folder; starts as {0}. */
typedef struct document {
    char *name;
    json_t *json;
    pld_json top; /* refers to name and json */
    bool present;
} document;

/** The length that transformers writes for "no limit" does not fit into 64 bits, which JSON libraries refuse;
 *  a copy of the text with that number as 0. */
static char *forget_unbounded_length(const pld_clip_file *file) {
    static const char unbounded[] = "1000000000000000019884624838656";
    char *copy = pld_copy_bytes(file->data, file->size);
    for (char *found = copy; found && (found = memmem(found, (size_t)(copy + file->size - found), unbounded,
                                                      sizeof unbounded - 1)) != NULL;) {
        memset(found, ' ', sizeof unbounded - 1);
        *found = '0';
    }
    return copy;
}

/** Parse one file when it is there. */
static pld_status read_document(const pld_clip_file *file, const char *folder, const char *base,
                                document *out, pld_error *error) {
    if (!file->data) {
        return PLD_OK;
    }
    out->name = pld_format("%s/%s", folder, base);
    char *text = forget_unbounded_length(file);
    pld_status status = PLD_OK;
    if (!out->name || !text) {
        status = pld_fail_memory(error, file->size, base);
    } else {
        status = pld_json_parse(text, file->size, out->name, &out->json, error);
    }
    pld_free(text);
    PLD_TRY(status);
    out->present = true;
    return pld_json_top(out->json, out->name, &out->top, error);
}

static void free_document(document *file) {
    json_decref(file->json);
    pld_free(file->name);
}

/** For the reading of merges. */
static int32_t find_piece(const void *vocabulary, const char *piece, size_t length) {
    return pld_clip_vocabulary_find(vocabulary, piece, length);
}

/** Vocabulary and merges from the "model" of tokenizer.json. */
static pld_status read_model(pld_clip_tokenizer *tokenizer, const pld_json *top, pld_error *error) {
    pld_json model;
    pld_json vocabulary;
    pld_json merges;
    const pld_piece_finder finder = {find_piece, &tokenizer->vocabulary};
    const char *type = "BPE";
    PLD_TRY(pld_json_object(top, "model", PLD_JSON_REQUIRED, &model, error));
    PLD_TRY(pld_json_get_string(&model, "type", PLD_JSON_OPTIONAL, &type, error));
    if (strcmp(type, "BPE") != 0) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: model.type: expected BPE, found '%.64s'; is this the folder of another text encoder?",
            top->file, type);
    }
    PLD_TRY(pld_json_object(&model, "vocab", PLD_JSON_REQUIRED, &vocabulary, error));
    PLD_TRY(pld_json_array(&model, "merges", PLD_JSON_REQUIRED, &merges, error));
    PLD_TRY(pld_clip_vocabulary_read(&tokenizer->vocabulary, &vocabulary, error));
    return pld_merges_read_list(&tokenizer->merges, &finder, &merges, error);
}

/** Vocabulary and merges from vocab.json and merges.txt. */
static pld_status read_pair(pld_clip_tokenizer *tokenizer, const pld_clip_files *files,
                            const document *vocabulary, pld_error *error) {
    if (!vocabulary->present || !files->merges.data) {
        return pld_fail(
            error, PLD_ERROR_MISSING,
            "%s: expected tokenizer.json, or vocab.json and merges.txt; found no %s; copy it from the "
            "model's source",
            files->folder, vocabulary->present ? "merges.txt" : "vocab.json");
    }
    PLD_TRY(pld_clip_vocabulary_read(&tokenizer->vocabulary, &vocabulary->top, error));
    const pld_piece_finder finder = {find_piece, &tokenizer->vocabulary};
    char *name = pld_format("%s/merges.txt", files->folder);
    if (!name) {
        return pld_fail_memory(error, strlen(files->folder), "merges.txt");
    }
    pld_status status = pld_merges_read_text(&tokenizer->merges, &finder, files->merges.data,
                                             files->merges.size, name, error);
    pld_free(name);
    return status;
}

/** Add one token of the settings to vocabulary and list. */
static pld_status add_token(pld_clip_tokenizer *tokenizer, const pld_clip_token_setting *token,
                            const char *folder, pld_error *error) {
    if (!token->content[0]) {
        return PLD_OK;
    }
    int32_t id = pld_clip_vocabulary_find(&tokenizer->vocabulary, token->content, strlen(token->content));
    if (id < 0) {
        PLD_TRY(pld_clip_vocabulary_add(&tokenizer->vocabulary, token->content, &id, error));
    }
    if (token->id >= 0 && token->id != id) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: added token '%.64s': expected id %d, its place in the vocabulary, found %lld; "
                        "use tokenizer files that all come from one source",
                        folder, token->content, (int)id, (long long)token->id);
    }
    return pld_clip_added_tokens_add(&tokenizer->added, token->content, id, token->normalized, folder, error);
}

/** Enter the settings into the tokenizer, whose vocabulary is there. */
static pld_status use_settings(pld_clip_tokenizer *tokenizer, const pld_clip_settings *settings,
                               const char *folder, pld_error *error) {
    for (size_t i = 0; i < settings->listed; i++) {
        PLD_TRY(add_token(tokenizer, &settings->tokens[i], folder, error));
    }
    static const pld_clip_role needed[] = {PLD_CLIP_START, PLD_CLIP_END, PLD_CLIP_UNKNOWN, PLD_CLIP_PAD};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        const char *content = settings->roles[needed[i]].content;
        tokenizer->role_ids[needed[i]] =
            pld_clip_vocabulary_find(&tokenizer->vocabulary, content, strlen(content));
        if (tokenizer->role_ids[needed[i]] < 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: %s: expected a token of the vocabulary, found '%.64s', which the vocabulary "
                            "does not contain; use tokenizer files that all come from one source",
                            folder, pld_clip_role_name(needed[i]), content);
        }
    }
    for (size_t i = settings->listed; i < settings->count; i++) {
        PLD_TRY(add_token(tokenizer, &settings->tokens[i], folder, error));
    }
    pld_clip_added_tokens_finish(&tokenizer->added);
    tokenizer->model_max_length = settings->model_max_length;
    return PLD_OK;
}

/** Whether the byte stands for itself among the letters of byte-level encoding. */
static bool is_printable(int byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/** Ids of single bytes: a byte that is not printable is written as the next letter from U+0100 on. */
static void fill_byte_ids(pld_clip_tokenizer *tokenizer) {
    static const char word_end[] = {'<', '/', 'w', '>'};
    int32_t next_letter = 0x100;
    for (int byte = 0; byte < 256; byte++) {
        char piece[8];
        size_t length = pld_utf8_encode(is_printable(byte) ? byte : next_letter++, piece);
        int32_t unknown = tokenizer->role_ids[PLD_CLIP_UNKNOWN];
        int32_t inside = pld_clip_vocabulary_find(&tokenizer->vocabulary, piece, length);
        memcpy(piece + length, word_end, sizeof word_end);
        int32_t last = pld_clip_vocabulary_find(&tokenizer->vocabulary, piece, length + sizeof word_end);
        tokenizer->byte_ids[byte] = inside < 0 ? unknown : inside;
        tokenizer->last_byte_ids[byte] = last < 0 ? unknown : last;
    }
}

/** Everything that follows once the documents are parsed. */
static pld_status build(pld_clip_tokenizer *tokenizer, const pld_clip_files *files, const document *documents,
                        pld_error *error) {
    const document *model = &documents[0];
    if (model->present) {
        PLD_TRY(read_model(tokenizer, &model->top, error));
    } else {
        PLD_TRY(read_pair(tokenizer, files, &documents[1], error));
    }
    PLD_TRY(pld_clip_words_open(&tokenizer->words, error));
    pld_clip_documents small = {.tokenizer = model->present ? &model->top : NULL,
                                .configuration = documents[2].present ? &documents[2].top : NULL,
                                .special_tokens = documents[3].present ? &documents[3].top : NULL,
                                .added_tokens = documents[4].present ? &documents[4].top : NULL};
    pld_clip_settings settings = {0};
    pld_status status = pld_clip_settings_read(&small, &settings, error);
    if (status == PLD_OK) {
        status = use_settings(tokenizer, &settings, files->folder, error);
    }
    pld_clip_settings_free(&settings);
    if (status == PLD_OK) {
        fill_byte_ids(tokenizer);
    }
    return status;
}

pld_status pld_clip_tokenizer_parse(const pld_clip_files *files, pld_clip_tokenizer **tokenizer,
                                    pld_error *error) {
    *tokenizer = NULL;
    pld_clip_tokenizer *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "tokenizer");
    }
    document documents[5] = {0};
    const struct {
        const pld_clip_file *file;
        const char *base;
    } sources[] = {{&files->tokenizer, "tokenizer.json"},
                   {&files->vocabulary, "vocab.json"},
                   {&files->configuration, "tokenizer_config.json"},
                   {&files->special_tokens, "special_tokens_map.json"},
                   {&files->added_tokens, "added_tokens.json"}};
    pld_status status = PLD_OK;
    for (size_t i = 0; i < 5 && status == PLD_OK; i++) {
        if (i != 1 || !documents[0].present) { /* tokenizer.json makes vocab.json superfluous */
            status = read_document(sources[i].file, files->folder, sources[i].base, &documents[i], error);
        }
    }
    if (status == PLD_OK) {
        status = build(made, files, documents, error);
    }
    for (size_t i = 0; i < 5; i++) {
        free_document(&documents[i]);
    }
    if (status != PLD_OK) {
        pld_clip_tokenizer_close(made);
        return status;
    }
    *tokenizer = made;
    return PLD_OK;
}
