/* SPDX-License-Identifier: Apache-2.0 */
#include "text/sources/settings.h"

#include <stdlib.h>

static const char *const role_names[PLD_TOKEN_ROLE_COUNT] = {
    [PLD_TOKEN_START] = "bos_token",     [PLD_TOKEN_END] = "eos_token", [PLD_TOKEN_UNKNOWN] = "unk_token",
    [PLD_TOKEN_SEPARATOR] = "sep_token", [PLD_TOKEN_PAD] = "pad_token", [PLD_TOKEN_CLASS] = "cls_token",
    [PLD_TOKEN_MASK] = "mask_token",
};

static const char *const extra_lists[] = {"additional_special_tokens", "extra_special_tokens"};

enum { EXTRA_IDS = 1024 };

bool pld_tokenizer_class_is(const pld_tokenizer_settings *settings, const char *prefix) {
    return strncmp(settings->tokenizer_class, prefix, strlen(prefix)) == 0;
}

/** The content of a role's token, where a file has one. */
static pld_status read_roles(const pld_json *file, pld_tokenizer_settings *settings, pld_error *error) {
    for (size_t role = 0; role < PLD_TOKEN_ROLE_COUNT && file->value; role++) {
        pld_json at;
        pld_added_token token;
        PLD_TRY(pld_json_field(file, role_names[role], PLD_JSON_NULLABLE, &at, error));
        if (at.value && !settings->roles[role]) {
            PLD_TRY(pld_added_token_read(&at, true, &token, error));
            settings->roles[role] = token.content;
        }
    }
    return PLD_OK;
}

static pld_status read_said(const pld_json *file, const char *field, pld_said *said, pld_error *error) {
    bool value = false;
    PLD_TRY(pld_json_get_bool(file, field, PLD_JSON_NULLABLE, &value, error));
    if (pld_json_has(file, field)) {
        *said = value ? PLD_SAID_YES : PLD_SAID_NO;
    }
    return PLD_OK;
}

static pld_status read_configuration(const pld_json *file, pld_tokenizer_settings *settings,
                                     pld_error *error) {
    bool split = false;
    double length = 0;
    int64_t extra_ids = -1;
    PLD_TRY(pld_json_get_bool(file, "split_special_tokens", PLD_JSON_NULLABLE, &split, error));
    if (split) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: split_special_tokens true is not supported; expected false", file->file);
    }
    PLD_TRY(
        pld_json_get_string(file, "tokenizer_class", PLD_JSON_NULLABLE, &settings->tokenizer_class, error));
    PLD_TRY(read_said(file, "add_bos_token", &settings->adds_start, error));
    PLD_TRY(read_said(file, "add_eos_token", &settings->adds_end, error));
    PLD_TRY(pld_json_get_number(file, "model_max_length", PLD_JSON_NULLABLE, &length, error));
    if (length < 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: model_max_length: expected a positive number, found %g",
                        file->file, length);
    }
    settings->model_max_length = length <= INT32_MAX / 2 ? (int32_t)length : 0;
    PLD_TRY(pld_json_get_integer(file, "extra_ids", PLD_JSON_NULLABLE, 0, EXTRA_IDS, &extra_ids, error));
    settings->extra_ids = (int32_t)extra_ids;
    return PLD_OK;
}

pld_status pld_tokenizer_settings_read(pld_tokenizer_settings *settings, pld_error *error) {
    settings->tokenizer_class = "";
    settings->extra_ids = -1;
    if (settings->configuration.value) {
        PLD_TRY(read_configuration(&settings->configuration, settings, error));
    }
    PLD_TRY(read_roles(&settings->configuration, settings, error));
    return read_roles(&settings->special_tokens, settings, error);
}

pld_status pld_tokenizer_parts_add(pld_tokenizer_parts *parts, pld_added_token token, const char *name,
                                   pld_error *error) {
    const size_t length = strlen(token.content);
    const int32_t found = pld_vocabulary_find(&parts->vocabulary, token.content, length);
    if (length == 0) {
        return PLD_OK;
    }
    if (found >= 0 && token.id >= 0 && token.id != found) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: added token '%.64s': expected id %d, its place in the vocabulary, found %d; use "
                        "tokenizer files that all come from one source",
                        name, token.content, (int)found, (int)token.id);
    }
    if (found < 0) {
        token.id = token.id >= 0 ? token.id : (int32_t)parts->vocabulary.id_count;
        PLD_TRY(pld_vocabulary_add(&parts->vocabulary, token.content, length, token.id, PLD_REPEAT_REFUSED,
                                   name, error));
    } else {
        token.id = found;
    }
    return pld_added_tokens_add(&parts->added, token, name, error);
}

/** A key such as "49407". */
static bool read_id(const char *text, int32_t *id) {
    int64_t value = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && value <= INT32_MAX; digits++) {
        value = value * 10 + (text[digits] - '0');
    }
    *id = (int32_t)value;
    return digits > 0 && text[digits] == 0 && value < PLD_VOCABULARY_IDS;
}

static int by_id(const void *left, const void *right) {
    const int32_t a = ((const pld_added_token *)left)->id;
    const int32_t b = ((const pld_added_token *)right)->id;
    return (a > b) - (a < b);
}

/** Add tokens in the order of their ids, whatever order the file has. */
static pld_status add_by_id(pld_added_token *tokens, size_t count, pld_tokenizer_parts *parts,
                            const char *name, pld_error *error) {
    if (count > 1) {
        qsort(tokens, count, sizeof *tokens, by_id);
    }
    for (size_t i = 0; i < count; i++) {
        PLD_TRY(pld_tokenizer_parts_add(parts, tokens[i], name, error));
    }
    return PLD_OK;
}

/** One entry of added_tokens_decoder, {"49406": {"content": …}}, or of added_tokens.json, {"content":
 *  49406}. */
static pld_status read_entry(const pld_json *object, const char *key, bool keys_are_ids,
                             pld_added_token *token, pld_error *error) {
    pld_json at;
    int64_t id = 0;
    if (!keys_are_ids) {
        PLD_TRY(pld_json_get_integer(object, key, PLD_JSON_REQUIRED, 0, PLD_VOCABULARY_IDS - 1, &id, error));
        *token = (pld_added_token){.content = key, .id = (int32_t)id, .normalized = true};
        return PLD_OK;
    }
    PLD_TRY(pld_json_field(object, key, PLD_JSON_REQUIRED, &at, error));
    PLD_TRY(pld_added_token_read(&at, false, token, error));
    return read_id(key, &token->id)
               ? PLD_OK
               : pld_json_mismatch(&at, "a key that is a token id, such as \"49407\"", error);
}

/** All entries of such an object. */
static pld_status add_object(const pld_json *object, bool keys_are_ids,
                             const pld_tokenizer_settings *settings, pld_tokenizer_parts *parts,
                             pld_error *error) {
    const char *key = NULL;
    json_t *value = NULL;
    json_t *entries = (json_t *)object->value; /* jansson iterates over objects that it may change */
    size_t count = 0;
    pld_added_token *tokens = pld_allocate(json_object_size(entries), sizeof *tokens);
    if (!tokens) {
        return pld_fail_memory(error, json_object_size(entries) * sizeof *tokens, object->file);
    }
    pld_status status = PLD_OK;
    json_object_foreach(entries, key, value) {
        if (status == PLD_OK) {
            status = read_entry(object, key, keys_are_ids, &tokens[count], error);
        }
        for (size_t role = 0; role < PLD_TOKEN_ROLE_COUNT && status == PLD_OK && !keys_are_ids; role++) {
            if (settings->roles[role] && strcmp(settings->roles[role], key) == 0) {
                tokens[count].special = true; /* which decides what an absent flag means */
                tokens[count].normalized = false;
            }
        }
        count++;
    }
    if (status == PLD_OK) {
        status = add_by_id(tokens, count, parts, object->file, error);
    }
    pld_free(tokens);
    return status;
}

/** The tokens of a file's lists and roles, which are special and have no stated id. */
static pld_status add_special(const pld_json *file, pld_tokenizer_parts *parts, pld_error *error) {
    pld_added_token token;
    pld_json at;
    for (size_t role = 0; role < PLD_TOKEN_ROLE_COUNT && file->value; role++) {
        PLD_TRY(pld_json_field(file, role_names[role], PLD_JSON_NULLABLE, &at, error));
        if (at.value) {
            PLD_TRY(pld_added_token_read(&at, true, &token, error));
            PLD_TRY(pld_tokenizer_parts_add(parts, token, file->file, error));
        }
    }
    for (size_t list = 0; list < sizeof extra_lists / sizeof *extra_lists && file->value; list++) {
        PLD_TRY(pld_json_field(file, extra_lists[list], PLD_JSON_NULLABLE, &at, error));
        for (size_t i = 0; i < json_array_size(at.value); i++) {
            pld_json entry;
            pld_json_element(&at, i, &entry);
            PLD_TRY(pld_added_token_read(&entry, true, &token, error));
            PLD_TRY(pld_tokenizer_parts_add(parts, token, file->file, error));
        }
    }
    return PLD_OK;
}

pld_status pld_tokenizer_settings_add(const pld_tokenizer_settings *settings, pld_tokenizer_parts *parts,
                                      pld_error *error) {
    pld_json decoder = {0};
    if (settings->configuration.value) {
        PLD_TRY(pld_json_object(&settings->configuration, "added_tokens_decoder", PLD_JSON_NULLABLE, &decoder,
                                error));
    }
    if (decoder.value) {
        PLD_TRY(add_object(&decoder, true, settings, parts, error));
    } else if (settings->added_tokens.value) {
        PLD_TRY(add_object(&settings->added_tokens, false, settings, parts, error));
    }
    PLD_TRY(add_special(&settings->configuration, parts, error));
    return add_special(&settings->special_tokens, parts, error);
}
