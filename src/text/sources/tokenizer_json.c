/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json, the format of the tokenizers library. */
#include "text/sources/json_outline.h"
#include "text/sources/lists.h"
#include "text/sources/source.h"

/** What of the document is read where it stands. */
enum { CUT_VOCABULARY, CUT_MERGES, CUT_COUNT };

/** The document and its cuts. */
typedef struct document {
    const pld_tokenizer_data *file;
    pld_json_cut cuts[CUT_COUNT];
    pld_json top;
    pld_json model;
} document;

/** The part of the model that lies in a cut, which must be there. */
static pld_status open_cut(const document *from, int which, char opening, pld_json_cursor *cursor,
                           pld_error *error) {
    const pld_json_cut *cut = &from->cuts[which];
    if (!cut->begin || *cut->begin != opening) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'model.%s': expected %s", from->file->name,
                        cut->field, opening == '{' ? "an object { … }" : "a list [ … ]");
    }
    *cursor = pld_json_cut_cursor(cut, from->file->data, from->file->name);
    return PLD_OK;
}

static pld_status read_unigram(const document *from, pld_tokenizer_parts *parts, pld_error *error) {
    int64_t unknown = -1;
    pld_json_cursor cursor;
    PLD_TRY(pld_json_get_integer(&from->model, "unk_id", PLD_JSON_NULLABLE, 0, INT32_MAX, &unknown, error));
    PLD_TRY(pld_json_get_bool(&from->model, "byte_fallback", PLD_JSON_NULLABLE, &parts->unigram.byte_fallback,
                              error));
    parts->unknown_id = (int32_t)unknown;
    PLD_TRY(open_cut(from, CUT_VOCABULARY, '[', &cursor, error));
    const pld_status status = pld_read_scored_pieces(parts, &cursor, error);
    pld_json_cursor_free(&cursor);
    return status;
}

/** Settings that would change ids and that only their usual value is implemented for. */
static pld_status check_bpe(const document *from, pld_error *error) {
    double dropout = 0;
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    PLD_TRY(pld_json_get_number(&from->model, "dropout", PLD_JSON_NULLABLE, &dropout, error));
    if (dropout != 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: model.dropout %g is not supported; expected null",
                        from->file->name, dropout);
    }
    for (size_t i = 0; i < sizeof affixes / sizeof *affixes; i++) {
        const char *text = "";
        PLD_TRY(pld_json_get_string(&from->model, affixes[i], PLD_JSON_NULLABLE, &text, error));
        if (text[0]) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                            "%s: model.%s '%.32s' is not supported; expected none", from->file->name,
                            affixes[i], text);
        }
    }
    return PLD_OK;
}

static pld_status read_bpe(const document *from, pld_tokenizer_parts *parts, pld_error *error) {
    const char *unknown = NULL;
    pld_json_cursor cursor;
    pld_bpe_model *model = &parts->bpe;
    PLD_TRY(check_bpe(from, error));
    PLD_TRY(pld_json_get_bool(&from->model, "fuse_unk", PLD_JSON_NULLABLE, &model->fuse_unknown, error));
    PLD_TRY(
        pld_json_get_bool(&from->model, "byte_fallback", PLD_JSON_NULLABLE, &model->byte_fallback, error));
    PLD_TRY(
        pld_json_get_bool(&from->model, "ignore_merges", PLD_JSON_NULLABLE, &model->ignore_merges, error));
    PLD_TRY(pld_json_get_string(&from->model, "unk_token", PLD_JSON_NULLABLE, &unknown, error));
    PLD_TRY(open_cut(from, CUT_VOCABULARY, '{', &cursor, error));
    pld_status status = pld_read_vocabulary_object(&parts->vocabulary, &cursor, error);
    pld_json_cursor_free(&cursor);
    PLD_TRY(status);
    if (unknown) {
        parts->unknown_id = pld_vocabulary_find(&parts->vocabulary, unknown, strlen(unknown));
        if (parts->unknown_id < 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: model.unk_token: expected a piece of the vocabulary, found '%.64s'",
                            from->file->name, unknown);
        }
    }
    PLD_TRY(open_cut(from, CUT_MERGES, '[', &cursor, error));
    status = pld_read_merges(parts, &cursor, error);
    pld_json_cursor_free(&cursor);
    return status;
}

/** Kinds of model in the file. */
static const struct {
    const char *type;
    pld_status (*read)(const document *from, pld_tokenizer_parts *parts, pld_error *error);
} models[] = {{"BPE", read_bpe}, {"Unigram", read_unigram}};

static pld_status read_model(const document *from, pld_tokenizer_parts *parts, pld_error *error) {
    const char *type = "BPE"; /* older files do not say it */
    PLD_TRY(pld_json_get_string(&from->model, "type", PLD_JSON_NULLABLE, &type, error));
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(models[i].type, type) == 0) {
            return models[i].read(from, parts, error);
        }
    }
    return pld_fail(
        error, PLD_ERROR_UNSUPPORTED,
        "%s: model.type: expected BPE or Unigram, found '%.64s'; is this the folder of another text encoder?",
        from->file->name, type);
}

static pld_status add_tokens(const document *from, pld_tokenizer_parts *parts, pld_error *error) {
    pld_json list;
    PLD_TRY(pld_json_array(&from->top, "added_tokens", PLD_JSON_NULLABLE, &list, error));
    for (size_t i = 0; i < json_array_size(list.value); i++) {
        pld_json entry;
        pld_added_token token;
        int64_t id = 0;
        pld_json_element(&list, i, &entry);
        PLD_TRY(pld_added_token_read(&entry, false, &token, error));
        PLD_TRY(pld_json_get_integer(&entry, "id", PLD_JSON_REQUIRED, 0, PLD_VOCABULARY_IDS - 1, &id, error));
        token.id = (int32_t)id;
        PLD_TRY(pld_tokenizer_parts_add(parts, token, from->file->name, error));
    }
    return PLD_OK;
}

/** One step of a template: the text itself, or a token before or behind it. */
static pld_status read_template_step(const pld_json *step, const pld_tokenizer_parts *parts, bool *behind,
                                     pld_source_result *result, pld_error *error) {
    pld_json token;
    const char *content = NULL;
    PLD_TRY(pld_json_object(step, "SpecialToken", PLD_JSON_NULLABLE, &token, error));
    if (!token.value) {
        *behind = true;
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_string(&token, "id", PLD_JSON_REQUIRED, &content, error));
    const int32_t id = pld_vocabulary_find(&parts->vocabulary, content, strlen(content));
    int32_t *place = *behind ? &result->after_id : &result->before_id;
    if (id < 0 || *place >= 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: post_processor: expected at most one token of the vocabulary before and one "
                        "after a text, found '%.64s'",
                        step->file, content);
    }
    *place = id;
    return PLD_OK;
}

/** What a post-processor puts around a text; kinds without a template put nothing. */
static pld_status read_template(const pld_json *at, const pld_tokenizer_parts *parts,
                                pld_source_result *result, pld_error *error) {
    const char *type = "";
    pld_json list;
    bool behind = false;
    if (!at->value) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_string(at, "type", PLD_JSON_REQUIRED, &type, error));
    const bool sequence = strcmp(type, "Sequence") == 0;
    if (!sequence && strcmp(type, "TemplateProcessing") != 0) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_array(at, sequence ? "processors" : "single", PLD_JSON_REQUIRED, &list, error));
    for (size_t i = 0; i < json_array_size(list.value); i++) {
        pld_json entry;
        pld_json_element(&list, i, &entry);
        PLD_TRY(sequence ? read_template(&entry, parts, result, error)
                         : read_template_step(&entry, parts, &behind, result, error));
    }
    return PLD_OK;
}

/** Whether the model is CLIP's, which marks the ends of words. */
static bool is_clip(const document *from) {
    const char *suffix = json_string_value(json_object_get(from->model.value, "end_of_word_suffix"));
    return suffix && strcmp(suffix, "</w>") == 0;
}

static pld_status read_document(document *from, const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                                const pld_tokenizer_settings *settings, pld_source_result *result,
                                pld_error *error) {
    pld_json at;
    pld_tokenizer_parts *parts = result->parts;
    PLD_TRY(pld_json_object(&from->top, "model", PLD_JSON_REQUIRED, &from->model, error));
    if (is_clip(from)) {
        return pld_source_clip(files, from->file->name, parts, error);
    }
    PLD_TRY(pld_json_object(&from->top, "normalizer", PLD_JSON_NULLABLE, &at, error));
    PLD_TRY(pld_normaliser_read(&parts->normaliser, &at, error));
    PLD_TRY(pld_json_object(&from->top, "pre_tokenizer", PLD_JSON_NULLABLE, &at, error));
    PLD_TRY(pld_splitter_read(&parts->splitter, &at, error));
    PLD_TRY(read_model(from, parts, error));
    parts->model_ids = parts->vocabulary.id_count;
    PLD_TRY(add_tokens(from, parts, error));
    PLD_TRY(pld_json_object(&from->top, "post_processor", PLD_JSON_NULLABLE, &at, error));
    result->adds_end = pld_tokenizer_class_is(settings, "T5Tokenizer");
    return read_template(&at, parts, result, error);
}

pld_status pld_source_tokenizer_json(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                                     const pld_tokenizer_settings *settings, pld_source_result *result,
                                     pld_error *error) {
    document from = {.file = &files[PLD_TOKENIZER_JSON],
                     .cuts = {{.object = "model", .field = "vocab"}, {.object = "model", .field = "merges"}}};
    json_t *json = NULL;
    PLD_TRY(pld_json_outline(from.file->data, from.file->size, from.file->name, from.cuts, CUT_COUNT, &json,
                             error));
    pld_status status = pld_json_top(json, from.file->name, &from.top, error);
    if (status == PLD_OK) {
        status = read_document(&from, files, settings, result, error);
    }
    json_decref(json);
    return status;
}
