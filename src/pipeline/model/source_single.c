/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of one file: what it holds, what it lacks, and the documents read off its tensors. */
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "models/denoiser.h"
#include "pipeline/model/source.h"
#include "pipeline/model/weight_check.h"

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
    const char *known = !other && contents->count > 0 ? contents->parts[0].class->title : NULL;
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: expected %s, found %s%s ('pladis info' shows what a file contains)",
                    pld_weight_files_path(contents->files, 0), expected, known ? "those of the " : "",
                    other   ? other
                    : known ? known
                            : "tensors of an unknown network");
}

/** Whether a document beside a file of weights is meant for them: other folders have a config.json, too. */
static bool is_meant(const json_t *document, pld_part_role role) {
    const char *name = json_string_value(json_object_get(document, "_class_name"));
    const pld_part_class *class = name ? pld_part_class_find(name) : NULL;
    return class && class->role == role;
}

/** The configuration that lies beside weights which were named: a folder has it, or the folder of the file.
 */
static pld_status add_own_configuration(pld_model_source *source, const char *path, bool folder,
                                        const pld_layout_part *found_part, pld_error *error) {
    const char *part = found_part->layout->part;
    const pld_part_role role = found_part->class->role;
    const char *end = strrchr(path, '/');
    const int length = folder ? (int)strlen(path) : end ? (int)(end - path) : 0;
    struct stat found;
    json_t *json = NULL;
    char *file = pld_format("%.*s%sconfig.json", length, path, folder || end ? "/" : "");
    char *inside = pld_format("%s/config.json", part ? part : "");
    pld_status status = file && inside ? PLD_OK : pld_fail_memory(error, strlen(path), "path");
    if (status == PLD_OK && stat(file, &found) == 0) {
        pld_error reason = {0};
        status = pld_json_load(file, 0, &json, &reason);
        if (!folder && status != PLD_ERROR_MEMORY && !is_meant(json, role)) {
            json_decref(json);
            status = PLD_OK;
        } else if (status == PLD_OK) {
            status = part ? pld_model_source_add(source, inside, file, json, error)
                          : pld_model_source_add_of(source, found_part->class, file, json, error);
        } else {
            status = pld_fail(error, status, "%s", reason.message);
        }
    }
    pld_free(file);
    pld_free(inside);
    return status;
}

/** Forget all parts of other roles; whether there were any. */
static bool keep_role(pld_layout_contents *contents, pld_part_role role) {
    const int before = contents->count;
    contents->count = 0;
    for (int i = 0; i < before; i++) {
        if (contents->parts[i].class->role == role) {
            contents->parts[contents->count++] = contents->parts[i];
        }
    }
    return contents->count < before;
}

pld_status pld_source_files_open(pld_model_source *source, const char *path, pld_part_role role,
                                 pld_source_files *files, const pld_log *log, pld_error *error) {
    static const char *const expected[PLD_ROLE_COUNT] = {
        [PLD_ROLE_TEXT_ENCODER] = "the weights of a text encoder",
        [PLD_ROLE_CONDITIONER] = "the weights of a text conditioner",
        [PLD_ROLE_DENOISER] = "the weights of a U-Net or transformer",
        [PLD_ROLE_AUTOENCODER] = "the weights of an autoencoder (VAE)"};
    struct stat status_of;
    const bool folder = stat(path, &status_of) == 0 && S_ISDIR(status_of.st_mode);
    /* diffusers' name, and transformers' */
    const char *stem = role == PLD_ROLE_TEXT_ENCODER ? "model" : "diffusion_pytorch_model";
    PLD_TRY(folder ? pld_weight_files_open(path, stem, &files->files, error)
                   : pld_weight_files_open_file(path, &files->files, error));
    pld_layout_detect(files->files, &files->contents);
    const pld_layout_part *found = pld_layout_find_role(&files->contents, role);
    if (!found) {
        return nothing_found(&files->contents, expected[role], error);
    }
    PLD_TRY(add_own_configuration(source, path, folder, found, error));
    PLD_TRY(pld_check_plain_numbers(files->files, log, error));
    if (keep_role(&files->contents, role)) {
        pld_log_message(log, PLD_LOG_NOTICE, "%s: only the %s of this checkpoint is used", path,
                        files->contents.parts[0].class->title);
        return PLD_OK;
    }
    report_extras(&files->contents, log);
    return PLD_OK;
}

static pld_status part_missing(const pld_model_source *source, const pld_family_part *part,
                               pld_error *error) {
    return pld_fail(error, PLD_ERROR_MISSING, "%s: the file contains no %s; give %s", source->path,
                    part->what, part->remedy);
}

/** Enter a document that was read off the tensors, and give it away. */
static pld_status add_document(pld_model_source *source, const char *inside, json_t *document,
                               pld_error *error) {
    char *name = pld_format("%s (%s, inferred from its tensors)", source->path, inside);
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
static pld_status describe_part(pld_model_source *source, const pld_family_part *part, pld_error *error) {
    const pld_layout_part *found = NULL;
    const pld_source_files *holder = pld_model_source_holder(source, part, &found);
    if (pld_model_source_omits(source, part->class->role)) {
        return PLD_OK;
    }
    if (!holder) {
        return part->optional ? PLD_OK : part_missing(source, part, error);
    }
    pld_weight_files *view = NULL;
    json_t *config = NULL;
    char inside[64];
    snprintf(inside, sizeof inside, "%s/config.json", part->name);
    if (pld_model_source_document(source, inside)) {
        return PLD_OK; /* it lay beside weights that were named */
    }
    PLD_TRY(pld_layout_view(holder->files, found->layout, 0, &view, error));
    const pld_description description = {.weights = view,
                                         .layout = found->layout,
                                         .published = source->published,
                                         .part = part->name,
                                         .prediction = source->prediction.type};
    pld_status status = found->class->describe(&description, &config, error);
    pld_weight_files_close(&view);
    return status == PLD_OK ? add_document(source, inside, config, error) : status;
}

/** The published model that it is most like, and what the network predicts. */
static pld_status recognise(pld_model_source *source, pld_error *error) {
    const pld_layout_part *found = NULL;
    const pld_source_files *holder = pld_model_source_denoiser(source, &found);
    const pld_layout_contents *contents = &source->files[PLD_SOURCE_CHECKPOINT].contents;
    /* text encoders or an autoencoder may stand beside a network that is none of ours */
    if (!holder && pld_layout_other_kind(contents)) {
        return nothing_found(contents, "a checkpoint of Stable Diffusion, FLUX or Anima", error);
    }
    if (!holder) {
        const pld_family *usual = pld_families[0];
        return part_missing(source, &usual->parts[pld_family_part_with(usual, PLD_ROLE_DENOISER)], error);
    }
    const pld_denoiser *denoiser = found->class->denoiser;
    pld_weight_files *weights = NULL;
    const char *name = NULL;
    PLD_TRY(pld_layout_view(holder->files, found->layout, 0, &weights, error));
    pld_status status = denoiser->recognise(weights, &name, error);
    if (status == PLD_OK) {
        source->published = pld_published_find(name, &source->family);
        status =
            denoiser->tell_prediction(holder->files, weights, source->published, &source->prediction, error);
    }
    pld_weight_files_close(&weights);
    return status;
}

/** Bits of the parts that the files lack and the model goes without. */
static unsigned left_out(const pld_model_source *source) {
    const pld_layout_part *found = NULL;
    unsigned parts = 0;
    for (const pld_family_part *part = source->family->parts; part->name; part++) {
        if (pld_model_source_omits(source, part->class->role) ||
            (part->optional && !pld_model_source_holder(source, part, &found))) {
            parts |= 1U << (unsigned)(part - source->family->parts);
        }
    }
    return parts;
}

/** Fill source->documents with what a diffusers folder of the model would hold. */
static pld_status describe(pld_model_source *source, const pld_log *log, pld_error *error) {
    json_t *index = NULL;
    json_t *scheduler = NULL;
    PLD_TRY(recognise(source, error));
    source->index = pld_family_index_name(source->family);
    PLD_TRY(pld_model_source_settle(source, source->family, error));
    for (const pld_family_part *part = source->family->parts; part->name; part++) {
        PLD_TRY(describe_part(source, part, error));
    }
    pld_status status = pld_describe_pipeline(source->family, source->published, &source->prediction,
                                              left_out(source), &index, &scheduler, error);
    if (index && add_document(source, source->index, index, error) != PLD_OK) {
        status = PLD_ERROR_MEMORY;
    }
    if (scheduler && add_document(source, "scheduler/scheduler_config.json", scheduler, error) != PLD_OK) {
        status = PLD_ERROR_MEMORY;
    }
    pld_log_message(log, source->prediction.teller ? PLD_LOG_DETAIL : PLD_LOG_NOTICE,
                    "%s: %s, predicts %s (%s)", source->path, source->published->title,
                    source->prediction.type, source->prediction.reason);
    return status;
}

pld_status pld_model_source_open_single(pld_model_source *source, const char *config, const pld_log *log,
                                        pld_error *error) {
    pld_source_files *checkpoint = &source->files[PLD_SOURCE_CHECKPOINT];
    PLD_TRY(pld_weight_files_open_file(source->path, &checkpoint->files, error));
    pld_layout_detect(checkpoint->files, &checkpoint->contents);
    if (checkpoint->contents.count == 0) {
        return nothing_found(&checkpoint->contents, "a checkpoint of Stable Diffusion, FLUX or Anima", error);
    }
    PLD_TRY(pld_check_plain_numbers(checkpoint->files, log, error));
    report_extras(&checkpoint->contents, log);
    source->layout = checkpoint->contents.parts[0].layout->naming;
    if (config) {
        source->folder = pld_copy_string(config);
        if (!source->folder) {
            return pld_fail_memory(error, strlen(config), "path");
        }
        PLD_TRY(pld_model_source_find_index(source, error));
        return pld_model_source_tell(source, log, error);
    }
    return describe(source, log, error);
}
