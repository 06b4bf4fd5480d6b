/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of one file: what it holds, what it lacks, and the documents read off its tensors. */
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "models/classes.h"
#include "pipeline/model_source.h"
#include "pipeline/weight_check.h"

static void report_extras(const pld_layout_contents *contents, const pld_log *log) {
    const char *path = pld_weight_files_path(contents->files, 0);
    if (contents->passed_over) {
        pld_log_message(log, PLD_LOG_DETAIL,
                        "%s: %zu tensors are not needed to draw (moving averages, training schedule)", path,
                        contents->passed_over);
    }
    if (contents->unknown) {
        pld_log_message(log, PLD_LOG_WARNING,
                        "%s: %zu tensors belong to no known part and are not used ('%.100s'%s)", path,
                        contents->unknown, contents->first_unknown, contents->unknown > 1 ? ", …" : "");
    }
}

/** Refuse a file in which nothing was found. */
static pld_status nothing_found(const pld_layout_contents *contents, const char *expected, pld_error *error) {
    const char *other = pld_layout_other_kind(contents);
    return pld_fail(
        error, PLD_ERROR_UNSUPPORTED, "%s: expected %s, found %s ('pladis info' lists what a file holds)",
        pld_weight_files_path(contents->files, 0), expected, other ? other : "tensors of an unknown network");
}

/** Whether a document beside a file of weights is meant for them: other folders have a config.json, too. */
static bool is_meant(const json_t *document, pld_class_role role) {
    const char *name = json_string_value(json_object_get(document, "_class_name"));
    const pld_class *known = name ? pld_class_find(name) : NULL;
    return known && known->role == role && !known->is;
}

/** The configuration that lies beside weights which were named: a folder has it, or the folder of the file.
 */
static pld_status add_own_configuration(pld_model_source *source, const char *path, bool folder,
                                        const char *part, pld_error *error) {
    const pld_class_role role = strcmp(part, "unet") == 0 ? PLD_CLASS_DENOISER : PLD_CLASS_AUTOENCODER;
    const char *end = strrchr(path, '/');
    const int length = folder ? (int)strlen(path) : end ? (int)(end - path) : 0;
    struct stat found;
    json_t *json = NULL;
    char *file = pld_format("%.*s%sconfig.json", length, path, folder || end ? "/" : "");
    char *inside = pld_format("%s/config.json", part);
    pld_status status = file && inside ? PLD_OK : pld_fail_memory(error, strlen(path), "path");
    if (status == PLD_OK && stat(file, &found) == 0) {
        pld_error reason = {0};
        status = pld_json_load(file, 0, &json, &reason);
        if (!folder && status != PLD_ERROR_MEMORY && !is_meant(json, role)) {
            json_decref(json);
            status = PLD_OK;
        } else if (status == PLD_OK) {
            status = pld_model_source_add(source, inside, file, json, error);
        } else {
            status = pld_fail(error, status, "%s", reason.message);
        }
    }
    pld_free(file);
    pld_free(inside);
    return status;
}

pld_status pld_source_files_open(pld_model_source *source, const char *path, const char *part,
                                 pld_source_files *files, const pld_log *log, pld_error *error) {
    struct stat found;
    const bool folder = stat(path, &found) == 0 && S_ISDIR(found.st_mode);
    PLD_TRY(add_own_configuration(source, path, folder, part, error));
    PLD_TRY(folder ? pld_weight_files_open(path, "diffusion_pytorch_model", &files->files, error)
                   : pld_weight_files_open_file(path, &files->files, error));
    pld_layout_detect(files->files, &files->contents);
    const pld_part_layout *layout = pld_layout_find(&files->contents, part);
    const bool unet = strcmp(part, "unet") == 0;
    if (!layout) {
        return nothing_found(&files->contents,
                             unet ? "the weights of a U-Net" : "the weights of an autoencoder (VAE)", error);
    }
    PLD_TRY(pld_check_plain_numbers(files->files, log, error));
    if (files->contents.count > 1) {
        pld_log_message(log, PLD_LOG_NOTICE, "%s: only the %s of this checkpoint is used", path,
                        unet ? "U-Net" : "autoencoder");
        files->contents.parts[0] = layout;
        files->contents.count = 1;
        return PLD_OK;
    }
    report_extras(&files->contents, log);
    return PLD_OK;
}

/** A part of a model, for people, and what to do about its absence. */
static pld_status part_missing(const pld_model_source *source, const char *part, pld_error *error) {
    static const struct {
        const char *part, *what, *remedy;
    } rows[] = {
        {"unet", "denoising network (U-Net)",
         "a checkpoint with -m; this file may go beside it with --vae if it is an autoencoder"},
        {"vae", "autoencoder (VAE)", "one with --vae FILE"},
        {"text_encoder", "text encoder",
         "a whole checkpoint or folder of its family with -m, and this file with --unet"},
        {"text_encoder_2", "second text encoder",
         "a whole checkpoint or folder of its family with -m, and this file with --unet"},
    };
    size_t i = 0;
    while (i + 1 < sizeof rows / sizeof *rows && strcmp(rows[i].part, part) != 0) {
        i++;
    }
    return pld_fail(error, PLD_ERROR_MISSING, "%s: the file holds no %s; give %s", source->path, rows[i].what,
                    rows[i].remedy);
}

/** Enter a document that was read off the tensors, and give it away. */
static pld_status add_document(pld_model_source *source, const char *inside, json_t *document,
                               pld_error *error) {
    char *name = pld_format("%s (%s, as read off its tensors)", source->path, inside);
    pld_status status = PLD_OK;
    if (name) {
        status = pld_model_source_add(source, inside, name, document, error);
    } else {
        json_decref(document);
        status = pld_fail_memory(error, strlen(inside), "path");
    }
    pld_free(name);
    return status;
}

/** Describe one part from the tensors that stand for it. */
static pld_status describe_part(pld_model_source *source, const char *part, int encoder, pld_error *error) {
    const pld_part_layout *layout = NULL;
    const pld_source_files *holder = pld_model_source_holder(source, part, &layout);
    if (!holder) {
        return part_missing(source, part, error);
    }
    pld_weight_files *view = NULL;
    json_t *config = NULL;
    char inside[64];
    snprintf(inside, sizeof inside, "%s/config.json", part);
    if (pld_model_source_document(source, inside)) {
        return PLD_OK; /* it lay beside weights that were named */
    }
    PLD_TRY(pld_layout_view(holder->files, layout, 0, &view, error));
    const pld_single_family *family = source->family;
    const bool open_clip = layout->names == pld_open_clip_names;
    pld_status status = strcmp(part, "unet") == 0
                            ? pld_describe_unet(view, family, &source->prediction, &config, error)
                        : strcmp(part, "vae") == 0
                            ? pld_describe_vae(view, family, &config, error)
                            : pld_describe_text_encoder(view, family->text_encoder_kinds[encoder], open_clip,
                                                        family->drops_last_block, &config, error);
    pld_weight_files_close(&view);
    return status == PLD_OK ? add_document(source, inside, config, error) : status;
}

/** The family, and what the network predicts. */
static pld_status recognise(pld_model_source *source, pld_error *error) {
    const pld_part_layout *layout = NULL;
    const pld_source_files *holder = pld_model_source_holder(source, "unet", &layout);
    const pld_layout_contents *contents = &source->files[PLD_SOURCE_CHECKPOINT].contents;
    if (!holder && contents->stranger) {
        return nothing_found(contents, "a Stable Diffusion checkpoint", error);
    }
    if (!holder) {
        return part_missing(source, "unet", error);
    }
    pld_weight_files *unet = NULL;
    PLD_TRY(pld_layout_view(holder->files, layout, 0, &unet, error));
    pld_status status = pld_single_family_find(unet, &source->family, error);
    if (status == PLD_OK) {
        status = pld_tell_prediction(holder->files, unet, source->family, &source->prediction, error);
    }
    pld_weight_files_close(&unet);
    return status;
}

/** Fill source->documents with what a diffusers folder of the model would hold. */
static pld_status describe(pld_model_source *source, const pld_log *log, pld_error *error) {
    static const char *const encoders[] = {"text_encoder", "text_encoder_2"};
    json_t *index = NULL;
    json_t *scheduler = NULL;
    PLD_TRY(recognise(source, error));
    const pld_single_family *family = source->family;
    for (int i = 0; i < 2 && family->tokenizers[i]; i++) {
        PLD_TRY(describe_part(source, encoders[i], i, error));
    }
    PLD_TRY(describe_part(source, "unet", 0, error));
    PLD_TRY(describe_part(source, "vae", 0, error));
    pld_status status = pld_describe_pipeline(family, &source->prediction, &index, &scheduler, error);
    if (index && add_document(source, "model_index.json", index, error) != PLD_OK) {
        status = PLD_ERROR_MEMORY;
    }
    if (scheduler && add_document(source, "scheduler/scheduler_config.json", scheduler, error) != PLD_OK) {
        status = PLD_ERROR_MEMORY;
    }
    pld_log_message(log, source->prediction.teller ? PLD_LOG_DETAIL : PLD_LOG_NOTICE,
                    "%s: %s, predicts %s (%s)", source->path, family->title, source->prediction.type,
                    source->prediction.reason);
    return status;
}

pld_status pld_model_source_open_single(pld_model_source *source, const char *config, const pld_log *log,
                                        pld_error *error) {
    pld_source_files *checkpoint = &source->files[PLD_SOURCE_CHECKPOINT];
    PLD_TRY(pld_weight_files_open_file(source->path, &checkpoint->files, error));
    pld_layout_detect(checkpoint->files, &checkpoint->contents);
    if (checkpoint->contents.count == 0) {
        return nothing_found(&checkpoint->contents, "a Stable Diffusion checkpoint", error);
    }
    PLD_TRY(pld_check_plain_numbers(checkpoint->files, log, error));
    report_extras(&checkpoint->contents, log);
    source->layout = checkpoint->contents.parts[0]->naming;
    if (config) {
        source->folder = pld_copy_string(config);
        return source->folder ? pld_model_source_tell(source, log, error)
                              : pld_fail_memory(error, strlen(config), "path");
    }
    return describe(source, log, error);
}
