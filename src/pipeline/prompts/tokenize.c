/* SPDX-License-Identifier: Apache-2.0 */
/** Tokens for people and tools: what a prompt becomes before the text encoder sees it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/sized.h"
#include "io/json/read.h"
#include "pipeline/model/model.h"
#include "pipeline/prompts/check.h"

/** What the public view of one tokenizer points into. */
typedef struct tokenizer_report {
    pld_prompt_chunks chunks;
    pld_token_chunk *views;
    const pld_token_chunk **public_views; /* into `views` */
    char ***pieces;                       /* [chunks][ids], each owned */
    char **dropped;
} tokenizer_report;

/** Those of the text encoders, and a conditioner's. */
enum { MOST_TOKENIZERS = PLD_MAX_TEXT_ENCODERS + 1 };

/** The public view and what it points into; `tokens` is first, so that one pointer is both. */
typedef struct token_report {
    pld_tokens tokens;
    pld_tokenizer_tokens views[MOST_TOKENIZERS];
    const pld_tokenizer_tokens *public_views[MOST_TOKENIZERS]; /* into `views` */
    tokenizer_report reports[MOST_TOKENIZERS];
} token_report;

static void free_pieces(char **pieces, size_t count) {
    for (size_t i = 0; pieces && i < count; i++) {
        pld_free(pieces[i]);
    }
    pld_free(pieces);
}

static void free_report(tokenizer_report *r) {
    for (size_t i = 0; r->pieces && i < r->chunks.count; i++) {
        free_pieces(r->pieces[i], r->chunks.chunks[i].used);
    }
    pld_free(r->pieces);
    free_pieces(r->dropped, r->chunks.dropped.count);
    pld_free(r->views);
    pld_free(r->public_views);
    pld_prompt_chunks_free(&r->chunks);
}

void pld_tokens_destroy(pld_tokens **tokens) {
    token_report *r = (token_report *)*tokens;
    if (!r) {
        return;
    }
    for (int i = 0; i < MOST_TOKENIZERS; i++) {
        free_report(&r->reports[i]);
    }
    pld_free(r);
    *tokens = NULL;
}

static char **copy_pieces(const pld_tokenizer *tokenizer, const int32_t *ids, size_t count) {
    char **pieces = pld_allocate(count, sizeof *pieces);
    for (size_t i = 0; pieces && i < count; i++) {
        const char *piece = pld_tokenizer_piece(tokenizer, ids[i]);
        pieces[i] = pld_copy_string(piece ? piece : "");
        if (!pieces[i]) {
            free_pieces(pieces, i);
            return NULL;
        }
    }
    return pieces;
}

static bool fill_views(tokenizer_report *r, const pld_tokenizer *tokenizer) {
    const size_t count = r->chunks.count;
    r->views = pld_allocate(count, sizeof *r->views);
    r->public_views = pld_allocate(count, sizeof(const pld_token_chunk *));
    r->pieces = pld_allocate(count, sizeof *r->pieces);
    r->dropped = copy_pieces(tokenizer, r->chunks.dropped.ids, r->chunks.dropped.count);
    for (size_t i = 0; r->views && r->pieces && i < count; i++) {
        const pld_prompt_chunk *chunk = &r->chunks.chunks[i];
        const size_t tokens = chunk->used;
        r->pieces[i] = copy_pieces(tokenizer, chunk->ids, tokens);
        if (!r->pieces[i]) {
            return false;
        }
        r->views[i] = (pld_token_chunk){.struct_size = sizeof r->views[i],
                                        .count = tokens,
                                        .ids = chunk->ids,
                                        .pieces = (const char *const *)r->pieces[i],
                                        .weights = chunk->weights};
    }
    if (!r->views || !r->public_views || !r->pieces || !r->dropped) {
        return false;
    }
    PLD_SIZED_LIST(r->public_views, r->views, count);
    return true;
}

/** Add what one tokenizer makes of the text to `r`. */
static pld_status add_tokenizer(token_report *r, const char *name, const pld_tokenizer *tokenizer,
                                const pld_prompt_style *style, const pld_prompt_frame *frame,
                                const pld_prompt_text *request, pld_error *error) {
    tokenizer_report *report = &r->reports[r->tokens.count];
    PLD_TRY(style->cut(tokenizer, request, frame, &report->chunks, error));
    if (!fill_views(report, tokenizer)) {
        return pld_fail_memory(error, request->length, "tokens");
    }
    r->views[r->tokens.count++] =
        (pld_tokenizer_tokens){.struct_size = sizeof r->views[0],
                               .name = name,
                               .chunks = report->public_views,
                               .chunk_count = report->chunks.count,
                               .dropped = report->chunks.dropped.ids,
                               .dropped_pieces = (const char *const *)report->dropped,
                               .dropped_count = report->chunks.dropped.count,
                               .unseen = report->chunks.unseen};
    return PLD_OK;
}

static token_report *new_report(pld_error *error) {
    token_report *r = pld_allocate(1, sizeof *r);
    if (!r) {
        pld_fail_memory(error, sizeof *r, "tokens");
        return NULL;
    }
    PLD_SIZED_LIST(r->public_views, r->views, MOST_TOKENIZERS);
    r->tokens.struct_size = sizeof r->tokens;
    r->tokens.tokenizers = r->public_views;
    return r;
}

/** Hand the report over, or free it when it failed. */
static pld_status give(token_report *r, pld_status status, pld_tokens **tokens) {
    pld_tokens *made = &r->tokens;
    if (status != PLD_OK) {
        pld_tokens_destroy(&made);
    }
    *tokens = made;
    return status;
}

pld_status pld_tokenize_text(const pld_model *model, const pld_prompt_text *text, pld_tokens **tokens,
                             pld_error *error) {
    token_report *r = new_report(error);
    pld_status status = PLD_OK;
    *tokens = NULL;
    if (!r) {
        return PLD_ERROR_MEMORY;
    }
    for (int i = 0; status == PLD_OK && i < model->family->text_count; i++) {
        const pld_component *encoder = pld_text_encoder_of(model, i);
        if (!pld_is_there(encoder)) {
            continue;
        }
        const pld_prompt_frame frame = pld_prompt_frame_of(model, i, text->most_tokens);
        const pld_prompt_text own = pld_prompt_text_for(model, i, text);
        status = add_tokenizer(r, encoder->row->tokenizer, encoder->tokenizer, model->family->texts[i].style,
                               &frame, &own, error);
    }
    const pld_component *conditioner = pld_conditioner_of(model);
    if (status == PLD_OK && conditioner) {
        const pld_prompt_frame frame = pld_conditioner_frame_of(model, text->most_tokens);
        status = add_tokenizer(r, conditioner->row->tokenizer, conditioner->tokenizer,
                               model->family->conditioner->style, &frame, text, error);
    }
    return give(r, status, tokens);
}

static pld_tokenize_options tokenize_defaults(void) {
    return (pld_tokenize_options){.struct_size = sizeof(pld_tokenize_options)};
}

void pld_tokenize_options_init(pld_tokenize_options *options, size_t struct_size) {
    const pld_tokenize_options defaults = tokenize_defaults();
    pld_sized_init(options, struct_size, &defaults, sizeof defaults);
}

/** The instruction in front of a text, of which `own` is the model's; NULL: there is none. */
static const char *instruction_of(const pld_tokenize_options *o, const char *own) {
    return o->literal ? NULL : pld_instruction_chosen(o->complex_instruction, own);
}

pld_status pld_tokenize_with(const pld_model *model, const char *text, size_t length,
                             const pld_tokenize_options *options, pld_tokens **tokens, pld_error *error) {
    const pld_tokenize_options defaults = tokenize_defaults();
    pld_tokenize_options o;
    *tokens = NULL;
    PLD_TRY(PLD_SIZED_READ(pld_tokenize_options, options, &defaults, &o, error));
    const char *instruction =
        pld_family_instructed(model->family) ? instruction_of(&o, model->instruction) : NULL;
    const pld_prompt_text request = {
        .text = text, .length = length, .literal = o.literal, .instruction = instruction};
    return pld_tokenize_text(model, &request, tokens, error);
}

pld_status pld_tokenize(const pld_model *model, const char *text, size_t length, bool literal,
                        pld_tokens **tokens, pld_error *error) {
    pld_tokenize_options options = tokenize_defaults();
    options.literal = literal;
    return pld_tokenize_with(model, text, length, &options, tokens, error);
}

static bool is_folder(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/** How the family of a model's folder uses its texts. */
typedef struct folder_family {
    const pld_family *family; /* NULL: the folder is no model's */
    const pld_pipeline_class *pipeline;
} folder_family;

static pld_status read_family(void *target, const pld_json *top, pld_error *error) {
    folder_family *found = target;
    const char *pipeline = NULL;
    PLD_TRY(pld_json_get_string(top, "_class_name", PLD_JSON_NULLABLE, &pipeline, error));
    found->family = pipeline ? pld_family_for_pipeline(pipeline, &found->pipeline) : NULL;
    return PLD_OK;
}

static pld_status find_family(const char *folder, folder_family *found, pld_error *error) {
    struct stat is;
    for (int i = 0; i < PLD_INDEX_NAMES && !found->family; i++) {
        char *path = pld_format("%s/%s", folder, pld_index_names[i]);
        const pld_status status = !path                  ? pld_fail_memory(error, strlen(folder), "path")
                                  : stat(path, &is) == 0 ? pld_json_read_file(path, read_family, found, error)
                                                         : PLD_OK;
        pld_free(path);
        PLD_TRY(status);
    }
    return PLD_OK;
}

/** The use of the texts whose tokenizer lies in the folder `name`; NULL: none is known. */
static const pld_text_use *use_of(const pld_family *family, const char *name) {
    for (int i = 0; family && i < family->text_count; i++) {
        const int part = pld_family_part_index(family, family->texts[i].part);
        if (strcmp(family->parts[part].tokenizer, name) == 0) {
            return &family->texts[i];
        }
    }
    return NULL;
}

/** Add the tokenizer that lies in `path`. */
static pld_status add_folder(token_report *r, const char *name, const char *path, const folder_family *of,
                             int positions, const pld_prompt_text *request, pld_error *error) {
    enum { CLIP_POSITIONS = 77, MAX_POSITIONS = 4096 };
    pld_tokenizer *tokenizer = NULL;
    PLD_TRY(pld_tokenizer_open(path, NULL, &tokenizer, error));
    const int stated = pld_tokenizer_get_facts(tokenizer)->model_max_length;
    const pld_text_use *use = use_of(of->family, name);
    pld_prompt_text text = *request;
    text.instruction = use && use->instruction ? request->instruction : NULL;
    text.literal = text.literal || (use && use->pooled_only);
    const pld_prompt_style *style = use ? use->style
                                    : strcmp(pld_tokenizer_kind_name(tokenizer), "clip_bpe") == 0
                                        ? &pld_prompt_style_chunks
                                        : &pld_prompt_style_whole;
    const int own = use && of->pipeline && !style->weighs ? of->pipeline->text_tokens : stated;
    const int used = positions ? positions : own ? own : style->weighs ? CLIP_POSITIONS : MAX_POSITIONS;
    const pld_prompt_frame frame = {.positions = (size_t)used,
                                    .empty = of->family && of->family->conditioner ? PLD_EMPTY_NOTHING
                                                                                   : PLD_EMPTY_UNSET,
                                    .folded = use && use->folded && !request->literal,
                                    .before = use ? use->before : NULL,
                                    .after = use ? use->after : NULL};
    pld_status status = used < 3 || used > MAX_POSITIONS
                            ? pld_fail(error, PLD_ERROR_ARGUMENT, "positions: expected 3 to %d, found %d",
                                       MAX_POSITIONS, used)
                            : add_tokenizer(r, name, tokenizer, style, &frame, &text, error);
    pld_tokenizer_close(tokenizer);
    return status;
}

/** Every tokenizer of a folder. */
static pld_status add_folders(token_report *r, const char *folder, const folder_family *of, int positions,
                              const pld_prompt_text *request, pld_error *error) {
    static const char *const names[MOST_TOKENIZERS] = {"tokenizer", "tokenizer_2", "tokenizer_3",
                                                       "t5_tokenizer"};
    for (int i = 0; i < MOST_TOKENIZERS; i++) {
        char *path = pld_format("%s/%s", folder, names[i]);
        pld_status status = !path             ? pld_fail_memory(error, strlen(folder), "path")
                            : is_folder(path) ? add_folder(r, names[i], path, of, positions, request, error)
                                              : PLD_OK;
        pld_free(path);
        PLD_TRY(status);
    }
    return r->tokens.count == 0 ? add_folder(r, names[0], folder, of, positions, request, error) : PLD_OK;
}

/** The instruction that a folder's model has of itself, unless another is asked for; the caller frees `*own`. */
static pld_status find_instruction(const char *folder, const folder_family *of, const pld_tokenize_options *o,
                                   char **own, pld_error *error) {
    pld_installed_folders installed = {0};
    const pld_text_use *use = of->family ? pld_family_instructed(of->family) : NULL;
    *own = NULL;
    if (!use || o->literal || o->complex_instruction) {
        return PLD_OK;
    }
    pld_status status =
        pld_installed_folders_copy(o->vocabulary_dirs, o->vocabulary_dir_count, &installed, error);
    if (status == PLD_OK) {
        status = pld_instruction_find(use, folder, &installed, own, error);
    }
    pld_installed_folders_free(&installed);
    return status;
}

pld_status pld_tokenize_folder_with(const char *folder, const char *text, size_t length,
                                    const pld_tokenize_options *options, pld_tokens **tokens,
                                    pld_error *error) {
    const pld_tokenize_options defaults = tokenize_defaults();
    pld_tokenize_options o;
    folder_family of = {0};
    char *own = NULL;
    *tokens = NULL;
    PLD_TRY(PLD_SIZED_READ(pld_tokenize_options, options, &defaults, &o, error));
    token_report *r = new_report(error);
    if (!r) {
        return PLD_ERROR_MEMORY;
    }
    pld_status status = find_family(folder, &of, error);
    if (status == PLD_OK) {
        status = find_instruction(folder, &of, &o, &own, error);
    }
    if (status == PLD_OK) {
        const pld_prompt_text request = {
            .text = text, .length = length, .literal = o.literal, .instruction = instruction_of(&o, own)};
        status = add_folders(r, folder, &of, o.positions, &request, error);
    }
    pld_free(own);
    return give(r, status, tokens);
}

pld_status pld_tokenize_folder(const char *folder, int positions, const char *text, size_t length,
                               bool literal, pld_tokens **tokens, pld_error *error) {
    pld_tokenize_options options = tokenize_defaults();
    options.positions = positions;
    options.literal = literal;
    return pld_tokenize_folder_with(folder, text, length, &options, tokens, error);
}
