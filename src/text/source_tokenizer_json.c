/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.json, the format of the tokenizers library. */
#include "text/json_outline.h"
#include "text/source.h"

/** What of the document is read where it stands. */
enum { CUT_VOCABULARY, CUT_MERGES, CUT_COUNT };

/** The document and its cuts. */
typedef struct document {
    const pld_tokenizer_data *file;
    pld_json_cut cuts[CUT_COUNT];
    pld_json top;
    pld_json model;
} document;

static pld_status count_elements(const pld_json_cut *cut, const document *from, size_t *count,
                                 pld_error *error);

static int32_t find_piece(const void *context, const char *piece, size_t length) {
    pld_merge_pieces *pieces = (pld_merge_pieces *)context; /* its memory of the last piece changes */
    return pld_vocabulary_find_near(pieces->vocabulary, piece, length, &pieces->last);
}

pld_piece_finder pld_merge_pieces_finder(pld_merge_pieces *pieces) {
    return (pld_piece_finder){find_piece, pieces};
}

/** An upper bound of the elements of a list or object: the commas outside of strings, and one. */
static size_t bound_elements(const pld_json_cut *cut) {
    size_t count = 1;
    bool in_string = false;
    for (size_t i = 0; i < cut->length; i++) {
        const char c = cut->begin[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else {
            in_string = c == '"';
            count += c == ',';
        }
    }
    return count;
}

pld_status pld_read_vocabulary_object(pld_vocabulary *vocabulary, pld_json_cursor *cursor, pld_error *error) {
    const pld_json_cut all = {.begin = cursor->at, .length = (size_t)(cursor->end - cursor->at)};
    PLD_TRY(pld_vocabulary_reserve(vocabulary, bound_elements(&all), cursor->name, error));
    PLD_TRY(pld_json_cursor_expect(cursor, '{', error));
    bool more = false;
    for (bool first = true;; first = false) {
        const char *piece = NULL;
        size_t length = 0;
        int32_t id = 0;
        PLD_TRY(pld_json_cursor_next(cursor, first, '}', &more, error));
        if (!more) {
            break;
        }
        PLD_TRY(pld_json_cursor_string(cursor, &piece, &length, error));
        PLD_TRY(pld_json_cursor_expect(cursor, ':', error));
        PLD_TRY(pld_json_cursor_id(cursor, &id, error));
        PLD_TRY(pld_vocabulary_put(vocabulary, piece, length, id, cursor->name, error));
    }
    return vocabulary->count > 0
               ? pld_vocabulary_index(vocabulary, PLD_REPEAT_REFUSED, cursor->name, error)
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: expected a vocabulary, {\"piece\": id, ...}, found no piece", cursor->name);
}

/** [["piece", score], …], where the place is the id. */
static pld_status read_scored(pld_tokenizer_parts *parts, pld_json_cursor *cursor, size_t bound,
                              pld_error *error) {
    pld_unigram_model *model = &parts->unigram;
    void *scores = NULL;
    PLD_TRY(pld_vocabulary_reserve(&parts->vocabulary, bound, cursor->name, error));
    if (!pld_grow(&scores, &model->score_capacity, bound, sizeof *model->scores)) {
        return pld_fail_memory(error, bound * sizeof *model->scores, cursor->name);
    }
    model->scores = scores;
    PLD_TRY(pld_json_cursor_expect(cursor, '[', error));
    bool more = false;
    for (bool first = true;; first = false) {
        const char *piece = NULL;
        size_t length = 0;
        PLD_TRY(pld_json_cursor_next(cursor, first, ']', &more, error));
        if (!more) {
            break;
        }
        PLD_TRY(pld_json_cursor_expect(cursor, '[', error));
        PLD_TRY(pld_json_cursor_string(cursor, &piece, &length, error));
        PLD_TRY(pld_vocabulary_put(&parts->vocabulary, piece, length, (int64_t)model->score_count,
                                   cursor->name, error));
        PLD_TRY(pld_json_cursor_expect(cursor, ',', error));
        PLD_TRY(pld_json_cursor_number(cursor, &model->scores[model->score_count++], error));
        PLD_TRY(pld_json_cursor_expect(cursor, ']', error));
    }
    return model->score_count > 0
               ? pld_vocabulary_index(&parts->vocabulary, PLD_REPEAT_MOVES, cursor->name, error)
               : pld_fail(error, PLD_ERROR_FORMAT, "%s: model.vocab: expected pieces, found none",
                          cursor->name);
}

/** One merge: "left right" or ["left", "right"]. */
static pld_status read_merge(pld_tokenizer_parts *parts, const pld_piece_finder *finder,
                             pld_json_cursor *cursor, pld_text_buffer *left, size_t number,
                             pld_error *error) {
    pld_merge_text rule = {.number = number};
    const char *text = NULL;
    size_t length = 0;
    if (!pld_json_cursor_take(cursor, '[')) {
        PLD_TRY(pld_json_cursor_string(cursor, &text, &length, error));
        if (!pld_merge_text_split(text, length, &rule)) {
            return pld_merge_text_refuse(cursor->name, number, text, length, error);
        }
        return pld_merges_add_text(&parts->bpe.merges, finder, &rule, cursor->name, error);
    }
    PLD_TRY(pld_json_cursor_string(cursor, &text, &length, error));
    left->used = 0; /* the second string may take the first one's place */
    PLD_TRY(pld_text_append(left, text, length, error));
    rule.left = left->data;
    rule.left_length = left->used;
    PLD_TRY(pld_json_cursor_expect(cursor, ',', error));
    PLD_TRY(pld_json_cursor_string(cursor, &rule.right, &rule.right_length, error));
    PLD_TRY(pld_json_cursor_expect(cursor, ']', error));
    pld_vocabulary_expect(&parts->vocabulary, rule.left, rule.left_length);
    pld_vocabulary_expect(&parts->vocabulary, rule.right, rule.right_length);
    if (rule.left_length == 0 || rule.right_length == 0) {
        return pld_merge_text_refuse(cursor->name, number, "an empty one", 12, error);
    }
    return pld_merges_add_text(&parts->bpe.merges, finder, &rule, cursor->name, error);
}

static pld_status read_merges(pld_tokenizer_parts *parts, const document *from, pld_json_cursor *cursor,
                              pld_error *error) {
    size_t count = 0;
    pld_merge_pieces pieces = {.vocabulary = &parts->vocabulary};
    const pld_piece_finder finder = pld_merge_pieces_finder(&pieces);
    PLD_TRY(count_elements(&from->cuts[CUT_MERGES], from, &count, error));
    PLD_TRY(pld_merges_reserve(&parts->bpe.merges, count, cursor->name, error));
    PLD_TRY(pld_json_cursor_expect(cursor, '[', error));
    pld_text_buffer left = {0};
    pld_status status = PLD_OK;
    bool more = true;
    for (size_t number = 1; status == PLD_OK && more; number++) {
        status = pld_json_cursor_next(cursor, number == 1, ']', &more, error);
        if (status == PLD_OK && more) {
            status = number > count ? pld_json_cursor_refuse(cursor, "the end of the merges", error)
                                    : read_merge(parts, &finder, cursor, &left, number, error);
        }
    }
    pld_text_buffer_free(&left);
    return status;
}

/** The elements of the merges: of lists of two the bound counts twice. */
static pld_status count_elements(const pld_json_cut *cut, const document *from, size_t *count,
                                 pld_error *error) {
    pld_json_cursor cursor = pld_json_cut_cursor(cut, from->file->data, from->file->name);
    const bool pairs = pld_json_cursor_take(&cursor, '[') && pld_json_cursor_peek(&cursor) == '[';
    const size_t bound = bound_elements(cut);
    *count = pairs ? bound / 2 + 1 : bound;
    if (*count > PLD_MERGES_LIMIT) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected at most %d merges, found about %zu",
                        from->file->name, (int)PLD_MERGES_LIMIT, *count);
    }
    return PLD_OK;
}

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
    PLD_TRY(pld_json_get_integer(&from->model, "unk_id", PLD_JSON_OPTIONAL, 0, INT32_MAX, &unknown, error));
    PLD_TRY(pld_json_get_bool(&from->model, "byte_fallback", PLD_JSON_OPTIONAL, &parts->unigram.byte_fallback,
                              error));
    parts->unknown_id = (int32_t)unknown;
    PLD_TRY(open_cut(from, CUT_VOCABULARY, '[', &cursor, error));
    const pld_status status =
        read_scored(parts, &cursor, bound_elements(&from->cuts[CUT_VOCABULARY]) / 2 + 1, error);
    pld_json_cursor_free(&cursor);
    return status;
}

/** Settings that would change ids and that only their usual value is implemented for. */
static pld_status check_bpe(const document *from, pld_error *error) {
    double dropout = 0;
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    PLD_TRY(pld_json_get_number(&from->model, "dropout", PLD_JSON_OPTIONAL, &dropout, error));
    if (dropout != 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: model.dropout %g is not supported; expected null",
                        from->file->name, dropout);
    }
    for (size_t i = 0; i < sizeof affixes / sizeof *affixes; i++) {
        const char *text = "";
        PLD_TRY(pld_json_get_string(&from->model, affixes[i], PLD_JSON_OPTIONAL, &text, error));
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
    PLD_TRY(pld_json_get_bool(&from->model, "fuse_unk", PLD_JSON_OPTIONAL, &model->fuse_unknown, error));
    PLD_TRY(
        pld_json_get_bool(&from->model, "byte_fallback", PLD_JSON_OPTIONAL, &model->byte_fallback, error));
    PLD_TRY(
        pld_json_get_bool(&from->model, "ignore_merges", PLD_JSON_OPTIONAL, &model->ignore_merges, error));
    PLD_TRY(pld_json_get_string(&from->model, "unk_token", PLD_JSON_OPTIONAL, &unknown, error));
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
    status = read_merges(parts, from, &cursor, error);
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
    PLD_TRY(pld_json_get_string(&from->model, "type", PLD_JSON_OPTIONAL, &type, error));
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
    PLD_TRY(pld_json_array(&from->top, "added_tokens", PLD_JSON_OPTIONAL, &list, error));
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
    PLD_TRY(pld_json_object(step, "SpecialToken", PLD_JSON_OPTIONAL, &token, error));
    if (!token.value) {
        *behind = true;
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_string(&token, "id", PLD_JSON_REQUIRED, &content, error));
    const int32_t id = pld_vocabulary_find(&parts->vocabulary, content, strlen(content));
    int32_t *place = *behind ? &result->after_id : &result->before_id;
    if (id < 0 || *place >= 0) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: post_processor: expected at most one token of the vocabulary before and one behind a "
            "text, found '%.64s'",
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
    PLD_TRY(pld_json_object(&from->top, "normalizer", PLD_JSON_OPTIONAL, &at, error));
    PLD_TRY(pld_normaliser_read(&parts->normaliser, &at, error));
    PLD_TRY(pld_json_object(&from->top, "pre_tokenizer", PLD_JSON_OPTIONAL, &at, error));
    PLD_TRY(pld_splitter_read(&parts->splitter, &at, error));
    PLD_TRY(read_model(from, parts, error));
    parts->model_ids = parts->vocabulary.id_count;
    PLD_TRY(add_tokens(from, parts, error));
    PLD_TRY(pld_json_object(&from->top, "post_processor", PLD_JSON_OPTIONAL, &at, error));
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
