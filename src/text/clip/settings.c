/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clip/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static const struct {
    const char *name;
    const char *standard; /* CLIPTokenizer's own default */
} roles[PLD_CLIP_ROLE_COUNT] = {
    [PLD_CLIP_START] = {"bos_token", "<|startoftext|>"},
    [PLD_CLIP_END] = {"eos_token", "<|endoftext|>"},
    [PLD_CLIP_UNKNOWN] = {"unk_token", "<|endoftext|>"},
    [PLD_CLIP_SEPARATOR] = {"sep_token", NULL},
    [PLD_CLIP_PAD] = {"pad_token", "<|endoftext|>"},
    [PLD_CLIP_CLASS] = {"cls_token", NULL},
    [PLD_CLIP_MASK] = {"mask_token", NULL},
};

const char *pld_clip_role_name(pld_clip_role role) {
    return roles[role].name;
}

/** The id of an added token in tokenizer.json or as a key of added_tokens_decoder must be one of these. */
enum { GREATEST_ID = INT32_MAX / 2 };

static bool same_setting(const pld_clip_token_setting *a, const pld_clip_token_setting *b) {
    return a->is_text == b->is_text && a->normalized == b->normalized && a->special == b->special &&
           a->strips[0] == b->strips[0] && a->strips[1] == b->strips[1] &&
           strcmp(a->content, b->content) == 0;
}

/** Replace what a setting says by `value`, with a copy of its content. */
static pld_status set_token(pld_clip_token_setting *token, const char *content, pld_clip_token_setting value,
                            pld_error *error) {
    char *copy = pld_copy_string(content);
    if (!copy) {
        return pld_fail_memory(error, strlen(content), "special token of the tokenizer");
    }
    pld_free(token->content);
    *token = value;
    token->content = copy;
    return PLD_OK;
}

/** Append `token`, whose string now belongs to the list, or is freed on failure. */
static pld_status append_token(pld_clip_settings *settings, pld_clip_token_setting token, pld_error *error) {
    void *tokens = settings->tokens;
    if (!pld_grow(&tokens, &settings->capacity, settings->count + 1, sizeof *settings->tokens)) {
        pld_free(token.content);
        return pld_fail_memory(error, sizeof token, "special tokens of the tokenizer");
    }
    settings->tokens = tokens;
    settings->tokens[settings->count++] = token;
    return PLD_OK;
}

/** A token given as "text" or {"content": "text", "normalized": …}. `always_special`: the file holds special
 *  tokens alone. Where `normalized` is absent it is the opposite of special. */
static pld_status read_token(const pld_json *at, bool always_special, int64_t id,
                             pld_clip_token_setting *token, pld_error *error) {
    pld_clip_token_setting value = {.id = id, .special = always_special};
    if (json_is_string(at->value)) {
        value.is_text = true;
        value.special = true;
        return set_token(token, json_string_value(at->value), value, error);
    }
    if (!json_is_object(at->value)) {
        return pld_json_mismatch(at, "a token, as a string or as an object with \"content\"", error);
    }
    const char *content = NULL;
    bool single_word = false;
    PLD_TRY(pld_json_get_string(at, "content", PLD_JSON_REQUIRED, &content, error));
    PLD_TRY(pld_json_get_bool(at, "special", PLD_JSON_OPTIONAL, &value.special, error));
    PLD_TRY(pld_json_get_bool(at, "lstrip", PLD_JSON_OPTIONAL, &value.strips[0], error));
    PLD_TRY(pld_json_get_bool(at, "rstrip", PLD_JSON_OPTIONAL, &value.strips[1], error));
    PLD_TRY(pld_json_get_bool(at, "single_word", PLD_JSON_OPTIONAL, &single_word, error));
    value.special = value.special || always_special;
    value.normalized = !value.special;
    value.normalized_given = pld_json_has(at, "normalized");
    PLD_TRY(pld_json_get_bool(at, "normalized", PLD_JSON_OPTIONAL, &value.normalized, error));
    if (single_word) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: token '%.64s': single_word true is not supported; expected false", at->file,
                        content);
    }
    return set_token(token, content, value, error);
}

/** The named tokens of one file; a later file overrides an earlier one. */
static pld_status read_roles(const pld_json *file, bool always_special, pld_clip_settings *settings,
                             pld_error *error) {
    for (int role = 0; role < PLD_CLIP_ROLE_COUNT; role++) {
        pld_json at;
        PLD_TRY(pld_json_field(file, roles[role].name, PLD_JSON_NULLABLE, &at, error));
        if (at.value) {
            PLD_TRY(read_token(&at, always_special, -1, &settings->roles[role], error));
        }
    }
    return PLD_OK;
}

/** Append the tokens of a list such as "additional_special_tokens". */
static pld_status read_extra(const pld_json *file, const char *field, bool always_special,
                             pld_clip_settings *settings, pld_error *error) {
    pld_json list;
    PLD_TRY(pld_json_field(file, field, PLD_JSON_NULLABLE, &list, error));
    if (json_is_object(list.value) && json_object_size(list.value) == 0) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_array(file, field, PLD_JSON_NULLABLE, &list, error));
    for (size_t i = 0; i < json_array_size(list.value); i++) {
        pld_json entry;
        pld_clip_token_setting token = {0};
        pld_json_element(&list, i, &entry);
        PLD_TRY(read_token(&entry, always_special, -1, &token, error));
        PLD_TRY(append_token(settings, token, error));
    }
    return PLD_OK;
}

/** A key such as "49407". */
static bool read_id(const char *text, int64_t *id) {
    *id = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && *id <= GREATEST_ID; digits++) {
        *id = *id * 10 + (text[digits] - '0');
    }
    return digits > 0 && text[digits] == 0 && *id <= GREATEST_ID;
}

/** tokenizer_config.json: "added_tokens_decoder": {"49406": {"content": …}, …} */
static pld_status read_decoder(const pld_json *decoder, pld_clip_settings *settings, pld_error *error) {
    const char *key = NULL;
    json_t *value = NULL;
    json_t *entries = (json_t *)decoder->value;
    json_object_foreach(entries, key, value) {
        pld_json at;
        pld_clip_token_setting token = {0};
        int64_t id = 0;
        PLD_TRY(pld_json_object(decoder, key, PLD_JSON_REQUIRED, &at, error));
        if (!read_id(key, &id)) {
            return pld_json_mismatch(&at, "a key that is a token id, such as \"49407\"", error);
        }
        PLD_TRY(read_token(&at, false, id, &token, error));
        PLD_TRY(append_token(settings, token, error));
    }
    return PLD_OK;
}

static bool has_role(const pld_clip_settings *settings, const char *content) {
    for (int role = 0; role < PLD_CLIP_ROLE_COUNT; role++) {
        if (settings->roles[role].content && strcmp(settings->roles[role].content, content) == 0) {
            return true;
        }
    }
    return false;
}

/** added_tokens.json: {"token": id, …} */
static pld_status read_added(const pld_json *file, pld_clip_settings *settings, pld_error *error) {
    const char *content = NULL;
    json_t *stated = NULL;
    json_t *entries = (json_t *)file->value;
    json_object_foreach(entries, content, stated) {
        int64_t id = 0;
        PLD_TRY(pld_json_get_integer(file, content, PLD_JSON_REQUIRED, 0, GREATEST_ID, &id, error));
        bool special = has_role(settings, content);
        pld_clip_token_setting token = {0};
        pld_clip_token_setting value = {.id = id, .special = special, .normalized = !special};
        PLD_TRY(set_token(&token, content, value, error));
        PLD_TRY(append_token(settings, token, error));
    }
    return PLD_OK;
}

/** tokenizer.json: "added_tokens": [{"id": 49406, "content": …}, …] */
static pld_status read_listed(const pld_json *tokenizer, pld_clip_settings *settings, pld_error *error) {
    pld_json list;
    PLD_TRY(pld_json_array(tokenizer, "added_tokens", PLD_JSON_OPTIONAL, &list, error));
    for (size_t i = 0; i < json_array_size(list.value); i++) {
        pld_json entry;
        pld_clip_token_setting token = {0};
        int64_t id = 0;
        pld_json_element(&list, i, &entry);
        if (!json_is_object(entry.value)) {
            return pld_json_mismatch(&entry, "an object with \"id\" and \"content\"", error);
        }
        PLD_TRY(pld_json_get_integer(&entry, "id", PLD_JSON_REQUIRED, 0, GREATEST_ID, &id, error));
        PLD_TRY(read_token(&entry, false, id, &token, error));
        PLD_TRY(append_token(settings, token, error));
    }
    return PLD_OK;
}

static int by_id(const void *left, const void *right) {
    int64_t a = ((const pld_clip_token_setting *)left)->id;
    int64_t b = ((const pld_clip_token_setting *)right)->id;
    return (a > b) - (a < b);
}

/** Sort the listed tokens by id, as they are added. */
static pld_status order_listed(pld_clip_settings *settings, const char *name, pld_error *error) {
    settings->listed = settings->count;
    if (settings->count > 1) {
        qsort(settings->tokens, settings->count, sizeof *settings->tokens, by_id);
    }
    for (size_t i = 1; i < settings->count; i++) {
        if (settings->tokens[i].id == settings->tokens[i - 1].id) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: added tokens '%.64s' and '%.64s': both have id %lld", name,
                            settings->tokens[i - 1].content, settings->tokens[i].content,
                            (long long)settings->tokens[i].id);
        }
    }
    return PLD_OK;
}

/** Append a token with a role unless its content is listed or it was appended in exactly this form. */
static pld_status append_once(pld_clip_settings *settings, const pld_clip_token_setting *token,
                              pld_error *error) {
    for (size_t i = 0; i < settings->count; i++) {
        const pld_clip_token_setting *held = &settings->tokens[i];
        if (i < settings->listed ? strcmp(held->content, token->content) == 0 : same_setting(held, token)) {
            return PLD_OK;
        }
    }
    pld_clip_token_setting copy = {0};
    PLD_TRY(set_token(&copy, token->content, *token, error));
    return append_token(settings, copy, error);
}

/** Settings that would change ids and that only their usual value is implemented for. */
static pld_status check_configuration(const pld_json *file, pld_error *error) {
    static const char *const sides[] = {"padding_side", "truncation_side"};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        const char *side = "right";
        PLD_TRY(pld_json_get_string(file, sides[i], PLD_JSON_OPTIONAL, &side, error));
        if (strcmp(side, "right") != 0) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: %s '%.32s' is not supported; expected 'right'",
                            file->file, sides[i], side);
        }
    }
    bool split = false;
    PLD_TRY(pld_json_get_bool(file, "split_special_tokens", PLD_JSON_OPTIONAL, &split, error));
    if (split) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: split_special_tokens true is not supported; expected false", file->file);
    }
    const char *kind = "CLIPTokenizer";
    PLD_TRY(pld_json_get_string(file, "tokenizer_class", PLD_JSON_NULLABLE, &kind, error));
    static const char *const kinds[] = {"CLIPTokenizer", "CLIPTokenizerFast", "PreTrainedTokenizerFast",
                                        "TokenizersBackend"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i]) == 0) {
            return PLD_OK;
        }
    }
    return pld_fail(
        error, PLD_ERROR_UNSUPPORTED,
        "%s: tokenizer_class: expected CLIPTokenizer, found '%.64s'; is this the folder of another "
        "text encoder?",
        file->file, kind);
}

/** `model_max_length`; a float or a giant means "no limit" to transformers, as does its absence. */
static pld_status read_length(const pld_json *file, pld_clip_settings *settings, pld_error *error) {
    double length = 0;
    PLD_TRY(pld_json_get_number(file, "model_max_length", PLD_JSON_NULLABLE, &length, error));
    if (length < 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: model_max_length: expected a positive number, found %g",
                        file->file, length);
    }
    settings->model_max_length = length <= GREATEST_ID ? (int32_t)length : 0;
    return PLD_OK;
}

/** The list of added tokens, from the one source that counts. */
static pld_status read_lists(const pld_clip_documents *documents, pld_clip_settings *settings,
                             pld_error *error) {
    pld_json decoder = {0};
    const pld_json *names_file = documents->configuration;
    if (documents->configuration) {
        PLD_TRY(pld_json_object(documents->configuration, "added_tokens_decoder", PLD_JSON_OPTIONAL, &decoder,
                                error));
    }
    if (decoder.value) {
        PLD_TRY(read_decoder(&decoder, settings, error));
        return order_listed(settings, names_file->file, error);
    }
    if (documents->special_tokens) {
        PLD_TRY(read_roles(documents->special_tokens, true, settings, error));
    }
    if (documents->added_tokens) {
        names_file = documents->added_tokens;
        PLD_TRY(read_added(documents->added_tokens, settings, error));
    }
    if (documents->tokenizer) {
        names_file = documents->tokenizer;
        PLD_TRY(read_listed(documents->tokenizer, settings, error));
    }
    return order_listed(settings, names_file ? names_file->file : "tokenizer", error);
}

pld_status pld_clip_settings_read(const pld_clip_documents *documents, pld_clip_settings *settings,
                                  pld_error *error) {
    for (int role = 0; role < PLD_CLIP_ROLE_COUNT; role++) {
        if (roles[role].standard) {
            pld_clip_token_setting value = {.id = -1, .is_text = true, .special = true};
            PLD_TRY(set_token(&settings->roles[role], roles[role].standard, value, error));
        }
    }
    if (documents->configuration) {
        PLD_TRY(check_configuration(documents->configuration, error));
        PLD_TRY(read_length(documents->configuration, settings, error));
        PLD_TRY(read_roles(documents->configuration, false, settings, error));
    }
    PLD_TRY(read_lists(documents, settings, error));
    for (int role = 0; role < PLD_CLIP_ROLE_COUNT; role++) {
        if (settings->roles[role].content) {
            PLD_TRY(append_once(settings, &settings->roles[role], error));
        }
    }
    static const char *const extra[] = {"additional_special_tokens", "extra_special_tokens"};
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
        if (documents->configuration) {
            PLD_TRY(read_extra(documents->configuration, extra[i], false, settings, error));
        }
        if (documents->special_tokens) {
            PLD_TRY(read_extra(documents->special_tokens, extra[i], true, settings, error));
        }
    }
    /* A token with a role counts as special, which decides what an absent flag means. */
    for (size_t i = 0; i < settings->count; i++) {
        if (!settings->tokens[i].normalized_given && has_role(settings, settings->tokens[i].content)) {
            settings->tokens[i].normalized = false;
        }
    }
    return PLD_OK;
}

void pld_clip_settings_free(pld_clip_settings *settings) {
    for (int role = 0; role < PLD_CLIP_ROLE_COUNT; role++) {
        pld_free(settings->roles[role].content);
    }
    for (size_t i = 0; i < settings->count; i++) {
        pld_free(settings->tokens[i].content);
    }
    pld_free(settings->tokens);
    *settings = (pld_clip_settings){0};
}
