/* SPDX-License-Identifier: Apache-2.0 */
#include "text/tokenizer.h"

#include "core/utf8.h"
#include "text/sources/json_outline.h"
#include "text/sources/source.h"
#include "text/tokenizer_parts.h"

/** The first row whose file is there counts. */
static const pld_tokenizer_source sources[] = {
    {PLD_TOKENIZER_JSON, pld_source_tokenizer_json},
    {PLD_TOKENIZER_MODEL, pld_source_sentencepiece},
    {PLD_TOKENIZER_VOCABULARY, pld_source_vocabulary},
};

/** The documents of the small files. */
typedef struct small_files {
    json_t *documents[PLD_TOKENIZER_FILE_COUNT];
    pld_tokenizer_settings settings;
} small_files;

static pld_status read_small(small_files *small, const pld_tokenizer_data *file, pld_tokenizer_file which,
                             pld_json *top, pld_error *error) {
    if (!file->data) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_outline(file->data, file->size, file->name, NULL, 0, &small->documents[which], error));
    return pld_json_top(small->documents[which], file->name, top, error);
}

static pld_status read_settings(small_files *small, const pld_tokenizer_data *files, pld_error *error) {
    pld_tokenizer_settings *settings = &small->settings;
    PLD_TRY(read_small(small, &files[PLD_TOKENIZER_CONFIGURATION], PLD_TOKENIZER_CONFIGURATION,
                       &settings->configuration, error));
    PLD_TRY(read_small(small, &files[PLD_TOKENIZER_SPECIAL_TOKENS], PLD_TOKENIZER_SPECIAL_TOKENS,
                       &settings->special_tokens, error));
    PLD_TRY(read_small(small, &files[PLD_TOKENIZER_ADDED_TOKENS], PLD_TOKENIZER_ADDED_TOKENS,
                       &settings->added_tokens, error));
    return pld_tokenizer_settings_read(settings, error);
}

/** The id of a role's token. */
static int32_t role_id(const pld_tokenizer_parts *parts, const pld_tokenizer_settings *settings,
                       const pld_source_result *result, pld_token_role role) {
    const char *content = settings->roles[role] ? settings->roles[role] : result->default_roles[role];
    return content ? pld_vocabulary_find(&parts->vocabulary, content, strlen(content)) : -1;
}

static void use_clip_facts(pld_tokenizer *tokenizer) {
    const pld_clip_tokenizer *clip = tokenizer->parts.clip;
    tokenizer->facts = (pld_tokenizer_facts){.start_id = pld_clip_start_id(clip),
                                             .end_id = pld_clip_end_id(clip),
                                             .pad_id = pld_clip_pad_id(clip),
                                             .unknown_id = -1,
                                             .before_id = pld_clip_start_id(clip),
                                             .after_id = pld_clip_end_id(clip),
                                             .model_max_length = pld_clip_model_max_length(clip)};
}

pld_status pld_tokenizer_from_clip(pld_clip_tokenizer *clip, pld_tokenizer **tokenizer, pld_error *error) {
    *tokenizer = pld_allocate(1, sizeof **tokenizer);
    if (!*tokenizer) {
        return pld_fail_memory(error, sizeof **tokenizer, "tokenizer");
    }
    (*tokenizer)->parts.clip = clip;
    (*tokenizer)->kind = pld_tokenizer_find_kind(&(*tokenizer)->parts);
    use_clip_facts(*tokenizer);
    return PLD_OK;
}

/** What stands around a text: the class, then the configuration, then the source have their say. */
static void use_facts(pld_tokenizer *tokenizer, const pld_tokenizer_settings *settings,
                      const pld_source_result *result) {
    const pld_tokenizer_parts *parts = &tokenizer->parts;
    pld_tokenizer_facts *facts = &tokenizer->facts;
    facts->start_id = role_id(parts, settings, result, PLD_TOKEN_START);
    facts->end_id = role_id(parts, settings, result, PLD_TOKEN_END);
    facts->pad_id = role_id(parts, settings, result, PLD_TOKEN_PAD);
    facts->unknown_id = role_id(parts, settings, result, PLD_TOKEN_UNKNOWN);
    facts->before_id = result->before_id;
    facts->after_id = result->after_id;
    facts->model_max_length = settings->model_max_length;
    if (result->adds_end) {
        facts->after_id = facts->end_id;
    } else if (settings->adds_start != PLD_SAID_NOTHING || settings->adds_end != PLD_SAID_NOTHING) {
        facts->before_id = settings->adds_start == PLD_SAID_YES ? facts->start_id : -1;
        facts->after_id = settings->adds_end == PLD_SAID_YES ? facts->end_id : -1;
    }
}

/** From the source's description to a tokenizer that encodes. */
static pld_status build(pld_tokenizer *tokenizer, const pld_tokenizer_data *files,
                        const pld_tokenizer_source *source, const pld_tokenizer_settings *settings,
                        pld_error *error) {
    pld_tokenizer_parts *parts = &tokenizer->parts;
    const char *name = files[source->file].name;
    pld_source_result result = {.parts = parts, .before_id = -1, .after_id = -1};
    parts->unknown_id = -1;
    PLD_TRY(source->read(files, settings, &result, error));
    tokenizer->kind = pld_tokenizer_find_kind(parts);
    if (parts->clip) {
        use_clip_facts(tokenizer);
        return PLD_OK;
    }
    PLD_TRY(pld_tokenizer_settings_add(settings, parts, error));
    for (size_t role = 0; role < PLD_TOKEN_ROLE_COUNT; role++) {
        const char *content = settings->roles[role] ? NULL : result.default_roles[role];
        if (content && pld_vocabulary_find(&parts->vocabulary, content, strlen(content)) >= 0) {
            PLD_TRY(pld_tokenizer_parts_add(
                parts, (pld_added_token){.content = content, .id = -1, .special = true}, name, error));
        }
    }
    PLD_TRY(pld_added_tokens_finish(&parts->added, &parts->normaliser, name, error));
    PLD_TRY(tokenizer->kind->prepare(parts, name, error));
    use_facts(tokenizer, settings, &result);
    return PLD_OK;
}

static const pld_tokenizer_source *find_source(const pld_tokenizer_data *files) {
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (files[sources[i].file].data) {
            return &sources[i];
        }
    }
    return NULL;
}

pld_status pld_tokenizer_parse(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT], const char *name,
                               pld_tokenizer **tokenizer, pld_error *error) {
    *tokenizer = NULL;
    const pld_tokenizer_source *source = find_source(files);
    if (!source) {
        return pld_fail(
            error, PLD_ERROR_MISSING,
            "%s: expected tokenizer.json, a SentencePiece model (spiece.model, tokenizer.model), or "
            "vocab.json and merges.txt; found none; copy them from the model's source",
            name);
    }
    pld_tokenizer *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "tokenizer");
    }
    small_files small = {0};
    pld_status status = read_settings(&small, files, error);
    if (status == PLD_OK) {
        status = build(made, files, source, &small.settings, error);
    }
    for (size_t i = 0; i < PLD_TOKENIZER_FILE_COUNT; i++) {
        json_decref(small.documents[i]);
    }
    if (status != PLD_OK) {
        pld_tokenizer_close(made);
        return status;
    }
    *tokenizer = made;
    return PLD_OK;
}

void pld_tokenizer_close(pld_tokenizer *tokenizer) {
    if (!tokenizer) {
        return;
    }
    pld_tokenizer_parts *parts = &tokenizer->parts;
    pld_vocabulary_free(&parts->vocabulary);
    pld_added_tokens_free(&parts->added);
    pld_normaliser_free(&parts->normaliser);
    pld_splitter_free(&parts->splitter);
    pld_merges_free(&parts->bpe.merges);
    pld_free(parts->unigram.scores);
    pld_trie_free(&parts->unigram.pieces);
    pld_clip_tokenizer_close(parts->clip);
    pld_free(tokenizer);
}

void pld_tokenizer_use_pad(pld_tokenizer *tokenizer, const char *token) {
    const int32_t id = token ? pld_tokenizer_id(tokenizer, token) : -1;
    if (tokenizer->parts.clip && token) {
        pld_clip_use_pad(tokenizer->parts.clip, token);
        use_clip_facts(tokenizer);
    } else if (id >= 0) {
        tokenizer->facts.pad_id = id;
    }
}

const char *pld_tokenizer_kind_name(const pld_tokenizer *tokenizer) {
    return tokenizer->kind->name;
}

const pld_tokenizer_facts *pld_tokenizer_get_facts(const pld_tokenizer *tokenizer) {
    return &tokenizer->facts;
}

pld_status pld_tokenizer_encode(const pld_tokenizer *tokenizer, const char *text, size_t length,
                                pld_token_list *ids, pld_error *error) {
    const size_t before = ids->count;
    const pld_status status = tokenizer->kind->encode(tokenizer, text, length, ids, error);
    if (status != PLD_OK) {
        ids->count = before;
    }
    return status;
}

pld_status pld_tokenizer_encode_framed(const pld_tokenizer *tokenizer, const char *prefix, const char *text,
                                       size_t length, const char *suffix, pld_token_list *ids,
                                       pld_error *error) {
    pld_text_buffer joined = {0};
    pld_status status = PLD_OK;
    if (prefix) {
        status = pld_text_append(&joined, prefix, strlen(prefix), error);
    }
    if (status == PLD_OK) {
        status = pld_text_append(&joined, text, length, error);
    }
    if (status == PLD_OK && suffix) {
        status = pld_text_append(&joined, suffix, strlen(suffix), error);
    }
    if (status == PLD_OK) {
        status = pld_tokenizer_encode(tokenizer, joined.data ? joined.data : "", joined.used, ids, error);
    }
    pld_text_buffer_free(&joined);
    return status;
}

int32_t pld_tokenizer_id(const pld_tokenizer *tokenizer, const char *token) {
    return tokenizer->kind->find(&tokenizer->parts, token);
}

const char *pld_tokenizer_piece(const pld_tokenizer *tokenizer, int32_t id) {
    return tokenizer->kind->piece(&tokenizer->parts, id);
}

size_t pld_tokenizer_vocabulary_size(const pld_tokenizer *tokenizer) {
    return tokenizer->kind->size(&tokenizer->parts);
}
