/* SPDX-License-Identifier: Apache-2.0 */
/* A SentencePiece model, used as transformers uses it, which is not in all as SentencePiece itself
 *  does. */
#include <stdio.h>

#include "text/sources/sentencepiece_merges.h"
#include "text/sources/sentencepiece_model.h"
#include "text/sources/source.h"

static const char mark[] = "\xe2\x96\x81"; /* U+2581, which stands for a space */

/** How a class of transformers makes a tokenizer of a model: one row. */
typedef struct flavour {
    const char *tokenizer_class; /* beginning of the name */
    /** Whether models without a stated class are taken for this one. */
    bool (*fits)(const pld_sentencepiece_model *model);
    pld_status (*fill)(const pld_sentencepiece_model *model, const pld_tokenizer_settings *settings,
                       pld_source_result *result, const char *name, pld_error *error);
} flavour;

/** Pieces with their scores. */
static pld_status fill_scores(const pld_sentencepiece_model *model, pld_tokenizer_parts *parts,
                              const char *name, pld_error *error) {
    void *scores = NULL;
    if (!pld_grow(&scores, &parts->unigram.score_capacity, model->count, sizeof *parts->unigram.scores)) {
        return pld_fail_memory(error, model->count * sizeof *parts->unigram.scores, name);
    }
    parts->unigram.scores = scores;
    parts->unigram.score_count = model->count;
    for (size_t i = 0; i < model->count; i++) {
        parts->unigram.scores[i] = model->pieces[i].score;
    }
    return PLD_OK;
}

static pld_status fill_vocabulary(const pld_sentencepiece_model *model, pld_tokenizer_parts *parts,
                                  const char *name, pld_error *error) {
    PLD_TRY(pld_vocabulary_reserve(&parts->vocabulary, model->count, name, error));
    for (size_t i = 0; i < model->count; i++) {
        PLD_TRY(pld_vocabulary_put(&parts->vocabulary, model->pieces[i].text, model->pieces[i].length,
                                   (int64_t)i, name, error));
    }
    return pld_vocabulary_index(&parts->vocabulary, PLD_REPEAT_MOVES, name, error);
}

/** Pieces that are matched whole in the text as it is written. */
static pld_status add_tokens(const pld_sentencepiece_model *model, pld_tokenizer_parts *parts,
                             const char *name, pld_error *error) {
    for (size_t i = 0; i < model->count; i++) {
        const pld_sentencepiece *piece = &model->pieces[i];
        if (piece->type != PLD_PIECE_CONTROL && piece->type != PLD_PIECE_USER_DEFINED) {
            continue;
        }
        const char *content = pld_vocabulary_piece(&parts->vocabulary, (int64_t)i, NULL);
        const int32_t id = pld_vocabulary_find(&parts->vocabulary, piece->text, piece->length);
        PLD_TRY(pld_tokenizer_parts_add(
            parts,
            (pld_added_token){.content = content, .id = id, .special = piece->type == PLD_PIECE_CONTROL},
            name, error));
    }
    return PLD_OK;
}

/** The name of a role's piece by its id in the model. */
static void name_role(const pld_sentencepiece_model *model, pld_source_result *result, pld_token_role role,
                      int64_t id) {
    if (id >= 0 && (uint64_t)id < model->count &&
        model->pieces[id].length < sizeof result->role_texts[role]) {
        snprintf(result->role_texts[role], sizeof result->role_texts[role], "%.*s",
                 (int)model->pieces[id].length, model->pieces[id].text);
        result->default_roles[role] = result->role_texts[role];
    }
}

/** T5: white space of any kind separates words, each of which begins with a mark; 100 more tokens for
 *  gaps. */
static pld_status fill_t5(const pld_sentencepiece_model *model, const pld_tokenizer_settings *settings,
                          pld_source_result *result, const char *name, pld_error *error) {
    pld_tokenizer_parts *parts = result->parts;
    const int32_t extra_ids = settings->extra_ids < 0 ? 100 : settings->extra_ids;
    void *scores = parts->unigram.scores;
    if (model->charsmap_size > 0) {
        PLD_TRY(pld_normaliser_add_charsmap(&parts->normaliser, model->charsmap, model->charsmap_size, name,
                                            error));
    }
    PLD_TRY(pld_splitter_add_white_space(&parts->splitter, name, error));
    PLD_TRY(pld_splitter_add_metaspace(&parts->splitter, true, name, error));
    if (!pld_grow(&scores, &parts->unigram.score_capacity, model->count + (size_t)extra_ids,
                  sizeof *parts->unigram.scores)) {
        return pld_fail_memory(error, model->count * sizeof *parts->unigram.scores, name);
    }
    parts->unigram.scores = scores;
    PLD_TRY(add_tokens(model, parts, name, error));
    for (int32_t i = extra_ids - 1; i >= 0; i--) {
        char content[32];
        const int length = snprintf(content, sizeof content, "<extra_id_%d>", (int)i);
        const int64_t id = (int64_t)parts->unigram.score_count;
        PLD_TRY(pld_vocabulary_add(&parts->vocabulary, content, (size_t)length, id, PLD_REPEAT_MOVES, name,
                                   error));
        parts->unigram.scores[parts->unigram.score_count++] = 0;
        PLD_TRY(pld_tokenizer_parts_add(
            parts, (pld_added_token){.content = content, .id = (int32_t)id, .special = true}, name, error));
    }
    parts->unigram.byte_fallback = false; /* the class has none, whatever the model says */
    result->default_roles[PLD_TOKEN_UNKNOWN] = "<unk>";
    result->default_roles[PLD_TOKEN_END] = "</s>";
    result->default_roles[PLD_TOKEN_PAD] = "<pad>";
    result->adds_end = true;
    return PLD_OK;
}

/** Gemma: spaces become marks, nothing is put in front. */
static pld_status fill_gemma(const pld_sentencepiece_model *model, const pld_tokenizer_settings *settings,
                             pld_source_result *result, const char *name, pld_error *error) {
    pld_tokenizer_parts *parts = result->parts;
    (void)settings;
    PLD_TRY(pld_normaliser_add_replace(&parts->normaliser, " ", true, mark, name, error));
    parts->bpe.byte_fallback = true;
    parts->bpe.fuse_unknown = true;
    result->default_roles[PLD_TOKEN_UNKNOWN] = "<unk>";
    result->default_roles[PLD_TOKEN_START] = "<bos>";
    result->default_roles[PLD_TOKEN_END] = "<eos>";
    result->default_roles[PLD_TOKEN_PAD] = "<pad>";
    result->before_id = pld_vocabulary_find(&parts->vocabulary, "<bos>", 5);
    PLD_TRY(pld_sentencepiece_merges(model, &parts->vocabulary, false, &parts->bpe.merges, name, error));
    return add_tokens(model, parts, name, error);
}

/** Any other: by the model's own settings. */
static pld_status fill_plain(const pld_sentencepiece_model *model, const pld_tokenizer_settings *settings,
                             pld_source_result *result, const char *name, pld_error *error) {
    pld_tokenizer_parts *parts = result->parts;
    pld_normaliser *normaliser = &parts->normaliser;
    (void)settings;
    if (model->charsmap_size > 0) {
        PLD_TRY(pld_normaliser_add_charsmap(normaliser, model->charsmap, model->charsmap_size, name, error));
    }
    if (model->remove_extra_whitespaces) {
        PLD_TRY(pld_normaliser_add_replace(normaliser, "\\A +| +\\z", false, "", name, error));
        PLD_TRY(pld_normaliser_add_replace(normaliser, " {2,}", false, " ", name, error));
    }
    if (model->escape_whitespaces) {
        PLD_TRY(pld_normaliser_add_replace(normaliser, " ", true, mark, name, error));
    }
    if (model->add_dummy_prefix) {
        /* Metaspace leaves a text alone that begins with a mark; SentencePiece puts one more there. */
        PLD_TRY(pld_normaliser_add_replace(normaliser, "\\A\xe2\x96\x81", false, "\xe2\x96\x81\xe2\x96\x81",
                                           name, error));
        PLD_TRY(pld_splitter_add_metaspace(&parts->splitter, false, name, error));
    }
    parts->bpe.byte_fallback = parts->unigram.byte_fallback = model->byte_fallback;
    parts->bpe.fuse_unknown = true;
    name_role(model, result, PLD_TOKEN_UNKNOWN, model->unknown_id);
    name_role(model, result, PLD_TOKEN_START, model->start_id);
    name_role(model, result, PLD_TOKEN_END, model->end_id);
    name_role(model, result, PLD_TOKEN_PAD, model->pad_id);
    if (model->kind == PLD_SENTENCEPIECE_BPE) {
        PLD_TRY(pld_sentencepiece_merges(model, &parts->vocabulary, true, &parts->bpe.merges, name, error));
    }
    return add_tokens(model, parts, name, error);
}

static bool is_unigram(const pld_sentencepiece_model *model) {
    return model->kind == PLD_SENTENCEPIECE_UNIGRAM;
}

static bool is_without_prefix(const pld_sentencepiece_model *model) {
    return model->kind == PLD_SENTENCEPIECE_BPE && !model->add_dummy_prefix;
}

static bool is_anything(const pld_sentencepiece_model *model) {
    (void)model;
    return true;
}

static const flavour flavours[] = {
    {"T5Tokenizer", is_unigram, fill_t5},
    {"Gemma", is_without_prefix, fill_gemma},
    {"", is_anything, fill_plain},
};

/** Whether a Unigram model's class is one whose rules are known: T5's, or one without rules of its own. Any other could
 *  put tokens around a text, such as the mark at its end. */
static bool knows_class(const pld_tokenizer_settings *settings) {
    static const char *const names[] = {"T5Tokenizer", "PreTrainedTokenizer", "TokenizersBackend"};
    bool known = !settings->tokenizer_class[0];
    for (size_t i = 0; !known && i < sizeof names / sizeof *names; i++) {
        known = pld_tokenizer_class_is(settings, names[i]);
    }
    return known;
}

/** By the class that the configuration states, else by what the model is. A class whose algorithm the
 *  model does not have is another one's. */
static const flavour *find_flavour(const pld_sentencepiece_model *model,
                                   const pld_tokenizer_settings *settings) {
    const flavour *found = flavours;
    const bool stated = settings->tokenizer_class[0];
    while (!found->fits(model) || (stated && !pld_tokenizer_class_is(settings, found->tokenizer_class))) {
        found++;
    }
    return found;
}

static pld_status fill(const pld_sentencepiece_model *model, const pld_tokenizer_settings *settings,
                       pld_source_result *result, const char *name, pld_error *error) {
    pld_tokenizer_parts *parts = result->parts;
    if (model->kind != PLD_SENTENCEPIECE_UNIGRAM && model->kind != PLD_SENTENCEPIECE_BPE) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: model_type: expected 1 (Unigram) or 2 (BPE), found %lld; other SentencePiece models are "
            "not supported",
            name, (long long)model->kind);
    }
    if (model->whitespace_as_suffix) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: treat_whitespace_as_suffix true is not supported; expected false", name);
    }
    PLD_TRY(fill_vocabulary(model, parts, name, error));
    if (is_unigram(model)) {
        PLD_TRY(fill_scores(model, parts, name, error));
    }
    const bool known = model->unknown_id >= 0 && (uint64_t)model->unknown_id < model->count;
    if (!known && is_unigram(model)) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: unk_id: expected the id of a piece, below %zu, found %lld; download it again from "
            "the model's source",
            name, model->count, (long long)model->unknown_id);
    }
    parts->unknown_id = known ? (int32_t)model->unknown_id : -1;
    if (is_unigram(model) && !knows_class(settings)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: tokenizer_class %.64s is not supported for a Unigram model; expected %s", name,
                        settings->tokenizer_class, flavours[0].tokenizer_class);
    }
    PLD_TRY(find_flavour(model, settings)->fill(model, settings, result, name, error));
    parts->model_ids = is_unigram(model) ? parts->unigram.score_count : model->count;
    return PLD_OK;
}

pld_status pld_source_sentencepiece(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                                    const pld_tokenizer_settings *settings, pld_source_result *result,
                                    pld_error *error) {
    const pld_tokenizer_data *file = &files[PLD_TOKENIZER_MODEL];
    pld_sentencepiece_model model = {0};
    pld_status status = pld_sentencepiece_model_read(&model, file->data, file->size, file->name, error);
    if (status == PLD_OK) {
        status = fill(&model, settings, result, file->name, error);
    }
    pld_sentencepiece_model_free(&model);
    return status;
}
