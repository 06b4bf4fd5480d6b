/* SPDX-License-Identifier: Apache-2.0 */
/* A diffusers folder: a document and a file of weights for each part, the pipeline, its schedule, tokenizers.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "io/files/atomic_file.h"
#include "io/json/build.h"
#include "pipeline/files/convert.h"
#include "text/clip/bpe.h"

static pld_status make_folder(const char *path, pld_error *error) {
    return mkdir(path, 0777) == 0 || errno == EEXIST
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_IO, "%s: the folder cannot be created: %s", path, strerror(errno));
}

/** Copy one small file as it is. */
static pld_status copy_file(const char *from, const char *to, pld_error *error) {
    enum { MOST = 64 << 20 };
    pld_mapping *file = NULL;
    PLD_TRY(pld_mapping_open(from, &file, error));
    const size_t size = (size_t)pld_mapping_size(file);
    char *data = size <= MOST ? pld_allocate(size, 1) : NULL;
    pld_status status = size > MOST
                            ? pld_fail(error, PLD_ERROR_FORMAT, "%s: expected at most %d bytes, found %zu",
                                       from, (int)MOST, size)
                        : data ? pld_mapping_read(file, 0, size, data, NULL, error)
                               : pld_fail_memory(error, size, from);
    if (status == PLD_OK) {
        status = pld_atomic_file_save(to, data, size, NULL, error);
    }
    pld_free(data);
    pld_mapping_close(&file);
    return status;
}

/** Write a document at FOLDER/inside. */
static pld_status save_json(const char *folder, const char *inside, const json_t *document,
                            pld_error *error) {
    char *text = pld_json_dump(document, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    char *path = pld_format("%s/%s", folder, inside);
    char *line = text ? pld_format("%s\n", text) : NULL;
    pld_status status = line && path ? pld_atomic_file_save(path, line, strlen(line), NULL, error)
                                     : pld_fail_memory(error, 256, inside);
    pld_free(line);
    pld_free(path);
    pld_free(text);
    return status;
}

/** What a model_index.json names and this folder will not have: checkers and encoders of pictures. */
static pld_status save_index(const char *folder, const char *inside, const json_t *index, pld_error *error) {
    static const char *const optional[] = {"safety_checker", "feature_extractor", "image_encoder"};
    json_t *copy = json_deep_copy(index);
    if (!copy) {
        return pld_fail_memory(error, 1024, inside);
    }
    pld_json_builder builder = {0};
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        if (json_object_get(copy, optional[i])) {
            pld_json_put(&builder, copy, optional[i], json_pack("[n, n]"));
        }
    }
    if (json_object_get(copy, "requires_safety_checker")) {
        pld_json_put(&builder, copy, "requires_safety_checker", json_false());
    }
    copy = pld_json_finish(&builder, copy);
    pld_status status = copy ? save_json(folder, inside, copy, error) : pld_fail_memory(error, 1024, inside);
    json_decref(copy);
    return status;
}

/** Write or copy the document at `inside`. */
static pld_status put_document(const pld_model_source *source, const char *folder, const char *inside,
                               pld_error *error) {
    const json_t *own = pld_model_source_document(source, inside);
    if (own) {
        return save_json(folder, inside, own, error);
    }
    char *from = pld_format("%s/%s", source->folder, inside);
    char *to = pld_format("%s/%s", folder, inside);
    pld_status status = from && to ? copy_file(from, to, error) : pld_fail_memory(error, 256, inside);
    pld_free(from);
    pld_free(to);
    return status;
}

static pld_status put_index(const pld_model_source *source, const char *folder, pld_error *error) {
    const char *inside = source->index;
    const json_t *own = pld_model_source_document(source, inside);
    if (own) {
        return save_index(folder, inside, own, error);
    }
    json_t *document = NULL;
    char *from = pld_format("%s/%s", source->folder, inside);
    pld_status status = from ? pld_json_load(from, 0, &document, error) : pld_fail_memory(error, 256, inside);
    status = status == PLD_OK ? save_index(folder, inside, document, error) : status;
    json_decref(document);
    pld_free(from);
    return status;
}

/** Copy a tokenizer's file, unpacked where it is compressed. */
static pld_status copy_tokenizer_file(const char *from, const char *to, pld_error *error) {
    char *data = NULL;
    size_t size = 0;
    PLD_TRY(pld_tokenizer_file_read(from, &data, &size, error));
    const pld_status status = pld_atomic_file_save(to, data ? data : "", size, NULL, error);
    pld_free(data);
    return status;
}

/** Copy the files of a tokenizer's folder. Of two for one name the first that is there counts, as when they are read. */
static pld_status copy_tokenizer(const char *from, const char *to, pld_error *error) {
    static const struct {
        const char *name, *target;
    } files[] = {
        {"tokenizer.json", "tokenizer.json"},
        {"tokenizer.json.gz", "tokenizer.json"},
        {"vocab.json", "vocab.json"},
        {"merges.txt", "merges.txt"},
        {"tokenizer_config.json", "tokenizer_config.json"},
        {"special_tokens_map.json", "special_tokens_map.json"},
        {"added_tokens.json", "added_tokens.json"},
        {"spiece.model", "spiece.model"},
        {"tokenizer.model", "tokenizer.model"},
        {"sentencepiece.bpe.model", "sentencepiece.bpe.model"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat found;
        char *source = pld_format("%s/%s", from, files[i].name);
        char *target = pld_format("%s/%s", to, files[i].target);
        pld_status status = source && target ? PLD_OK : pld_fail_memory(error, 256, "path");
        if (status == PLD_OK && stat(source, &found) == 0 && stat(target, &found) != 0) {
            status = copy_tokenizer_file(source, target, error);
        }
        pld_free(source);
        pld_free(target);
        PLD_TRY(status);
    }
    return PLD_OK;
}

/** Write a tokenizer that follows from CLIP's published vocabulary. */
static pld_status write_tokenizer(const char *vocabulary, const char *pad, const char *to, pld_error *error) {
    pld_clip_bpe texts;
    PLD_TRY(pld_clip_bpe_read(vocabulary, pad, &texts, error));
    const struct {
        const char *name, *data;
        size_t size;
    } files[] = {{"vocab.json", texts.vocabulary, texts.vocabulary_size},
                 {"merges.txt", texts.merges, texts.merges_size},
                 {"tokenizer_config.json", texts.configuration, texts.configuration_size}};
    pld_status status = PLD_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == PLD_OK; i++) {
        char *path = pld_format("%s/%s", to, files[i].name);
        status = path ? pld_atomic_file_save(path, files[i].data, files[i].size, NULL, error)
                      : pld_fail_memory(error, 256, "path");
        pld_free(path);
    }
    pld_clip_bpe_free(&texts);
    return status;
}

/** The installed tokenizer of files that hold none. */
static pld_status put_installed(const pld_model_source *source, const pld_family_part *part, const char *to,
                                pld_error *error) {
    const bool clip = part->vocabulary == &pld_installed_clip;
    const char *pad = pld_model_source_pad(source, part);
    char *path = NULL;
    if (clip && source->vocabulary) {
        return write_tokenizer(source->vocabulary, pad, to, error);
    }
    if (part->vocabulary) {
        PLD_TRY(pld_installed_find(&source->installed, part->vocabulary, &path, error));
    }
    if (!path) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: the folder's %s cannot be made of an installed vocabulary; give the folder that "
                        "has one with --tokenizer",
                        source->path, part->tokenizer);
    }
    if (clip) {
        const pld_status status = write_tokenizer(path, pad, to, error);
        pld_free(path);
        return status;
    }
    *strrchr(path, '/') = '\0'; /* the folder, which holds the small files too */
    const pld_status status = copy_tokenizer(path, to, error);
    pld_free(path);
    return status;
}

/** Copy what was given for all tokenizers: a folder, or CLIP's published vocabulary. */
static pld_status put_given(const pld_model_source *source, const pld_family_part *part, const char *to,
                            pld_error *error) {
    struct stat found;
    char *folder = NULL;
    bool own = false;
    if (stat(source->tokenizer, &found) == 0 && !S_ISDIR(found.st_mode)) {
        return write_tokenizer(source->tokenizer, pld_model_source_pad(source, part), to, error);
    }
    PLD_TRY(pld_model_source_given_tokenizer(source, part, &folder, &own, error));
    const pld_status status = copy_tokenizer(folder, to, error);
    pld_free(folder);
    return status;
}

/** Copy the tokenizer of the model's own folder. */
static pld_status put_own(const pld_model_source *source, const pld_family_part *part, const char *to,
                          pld_error *error) {
    char *from = pld_format("%s/%s", source->folder, part->tokenizer);
    const pld_status status = from ? copy_tokenizer(from, to, error) : pld_fail_memory(error, 256, "path");
    pld_free(from);
    return status;
}

/** The tokenizer of one text encoder, from wherever the model has it. */
static pld_status put_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                const char *folder, pld_error *error) {
    char *to = pld_format("%s/%s", folder, part->tokenizer);
    pld_status status = to ? make_folder(to, error) : pld_fail_memory(error, 256, "path");
    if (status == PLD_OK) {
        status = source->tokenizer ? put_given(source, part, to, error)
                 : source->folder  ? put_own(source, part, to, error)
                                   : put_installed(source, part, to, error);
    }
    pld_free(to);
    return status;
}

static pld_status put_part(pld_conversion *conversion, const pld_component *part, const char *folder,
                           pld_error *error) {
    static const char *const metadata[] = {"format", "pt", NULL};
    char *inside = pld_format("%s/%s", folder, part->row->name);
    char *document = pld_format("%s/config.json", part->row->name);
    char *weights = pld_format("%s/%s/%s.safetensors", folder, part->row->name, part->row->stem);
    pld_status status =
        inside && document && weights ? make_folder(inside, error) : pld_fail_memory(error, 256, "path");
    if (status == PLD_OK) {
        status = put_document(&conversion->model->source, folder, document, error);
    }
    if (status == PLD_OK) {
        status = pld_conversion_add_part(conversion, part, error);
    }
    if (status == PLD_OK) {
        status = pld_conversion_settle(conversion, error);
    }
    if (status == PLD_OK) {
        status = pld_conversion_write(conversion, weights, metadata, error);
    }
    pld_conversion_clear(conversion);
    pld_free(inside);
    pld_free(document);
    pld_free(weights);
    return status;
}

pld_status pld_convert_to_folder(pld_conversion *conversion, const char *folder, pld_error *error) {
    const pld_model_source *source = &conversion->model->source;
    const pld_model *model = conversion->model;
    char *schedule = pld_format("%s/scheduler", folder);
    pld_status status = schedule ? make_folder(schedule, error) : pld_fail_memory(error, 256, "path");
    pld_free(schedule);
    PLD_TRY(status);
    PLD_TRY(put_index(source, folder, error));
    PLD_TRY(put_document(source, folder, "scheduler/scheduler_config.json", error));
    for (int i = 0; i < model->part_count; i++) {
        const pld_component *part = &model->parts[i];
        if (!pld_is_there(part)) {
            continue;
        }
        if (part->row->tokenizer) {
            PLD_TRY(put_tokenizer(source, part->row, folder, error));
        }
        PLD_TRY(put_part(conversion, part, folder, error));
    }
    static const char *const own[] = {"pladis.json", "complex_instruction.txt"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        bool there = false;
        PLD_TRY(pld_model_source_has(source, own[i], &there, error));
        if (there) {
            PLD_TRY(put_document(source, folder, own[i], error));
        }
    }
    return PLD_OK;
}
