/* SPDX-License-Identifier: Apache-2.0 */
/** Writing a model in another layout or type. A folder is made under another name and gets its own at the
 * end. */
#define _GNU_SOURCE /* renameat2 */
#include "pipeline/files/convert.h"
#include "io/files/atomic_file.h"
#include "io/files/output_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/sized.h"
#include "core/text.h"
#include "io/files/remove_folder.h"

static const pld_convert_options defaults = {.layout = "diffusers"};

void pld_convert_options_init(pld_convert_options *options, size_t struct_size) {
    pld_sized_init(options, struct_size, &defaults, sizeof defaults);
}

static bool is_model_folder(const char *path) {
    struct stat found;
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool there = false;
    for (int i = 0; i < PLD_INDEX_NAMES && folder >= 0; i++) {
        there = there || fstatat(folder, pld_index_names[i], &found, 0) == 0;
    }
    if (folder >= 0) {
        close(folder);
    }
    return there;
}

/** A path without slashes at its end; NULL when memory is out. */
static char *without_slashes(const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return pld_copy_bytes(path, length);
}

/** Whether there is room for `bytes` in the folder of `output`. */
static pld_status check_room(const char *output, uint64_t bytes, pld_error *error) {
    struct statvfs room;
    char *target = without_slashes(output);
    char *folder = target ? pld_output_path_folder(target) : NULL;
    const bool known = folder && statvfs(folder, &room) == 0;
    const uint64_t free_bytes = known ? (uint64_t)room.f_bavail * room.f_frsize : UINT64_MAX;
    pld_free(folder);
    pld_free(target);
    if (bytes > free_bytes) {
        return pld_fail(
            error, PLD_ERROR_IO,
            "%s: cannot be written: expected %.1f MB of free space, found %.1f MB; free some space or choose "
            "another folder",
            output, (double)bytes / 1e6, (double)free_bytes / 1e6);
    }
    return PLD_OK;
}

/** Whether the output may be written where it was asked for. */
static pld_status check_output(const char *output, bool folder, bool overwrite, pld_error *error) {
    struct stat found;
    if (lstat(output, &found) != 0) {
        return errno != ENOENT ? pld_output_path_fail(output, errno, error)
               : folder        ? PLD_OK
                               : pld_atomic_file_check(output, NULL, error);
    }
    if (!overwrite) {
        return pld_fail(error, PLD_ERROR_IO, "%s: already exists; --overwrite replaces it", output);
    }
    const bool fits = folder ? S_ISDIR(found.st_mode) && is_model_folder(output) : S_ISREG(found.st_mode);
    return fits ? PLD_OK
                : pld_fail(
                      error, PLD_ERROR_IO,
                      "%s: exists and is not a %s, so it is not replaced; remove it or choose another name",
                      output, folder ? "model folder" : "plain file");
}

/** Give the finished folder its name, in place of an old one: at once where the file system can exchange
 * two names. */
static pld_status settle_folder(const char *made, const char *output, pld_error *error) {
    if (renameat2(AT_FDCWD, made, AT_FDCWD, output, RENAME_EXCHANGE) == 0) {
        pld_remove_folder(made); /* what was there */
        return PLD_OK;
    }
    char *old = pld_format("%s.old", made);
    if (!old) {
        return pld_fail_memory(error, strlen(made), "path");
    }
    const bool had = rename(output, old) == 0;
    pld_status status = PLD_OK;
    if (rename(made, output) != 0) {
        status = pld_fail(error, PLD_ERROR_IO, "%s: cannot be renamed to its final name: %s", output,
                          strerror(errno));
        if (had) {
            (void)rename(old, output);
        }
    } else if (had) {
        pld_remove_folder(old);
    }
    pld_free(old);
    return status;
}

static pld_status write_folder(pld_conversion *conversion, const char *output, pld_error *error) {
    char *target = without_slashes(output);
    char *around = target ? pld_output_path_folder(target) : NULL;
    char *made = around ? pld_output_path_temporary(around) : NULL;
    pld_status status = made ? PLD_OK : pld_fail_memory(error, strlen(output), "path");
    if (status == PLD_OK && mkdir(made, 0777) != 0) {
        status = pld_output_path_fail(target, errno, error);
    } else if (status == PLD_OK) {
        status = pld_convert_to_folder(conversion, made, error);
        if (status == PLD_OK) {
            status = settle_folder(made, target, error);
        }
        if (status != PLD_OK) {
            pld_remove_folder(made);
        }
    }
    pld_free(made);
    pld_free(around);
    pld_free(target);
    return status;
}

/** What the file says of the network beside its tensors. */
static pld_status add_marks(pld_conversion *conversion, const pld_published *published, pld_error *error) {
    const pld_model *model = conversion->model;
    if (model->scheduler.prediction_type == PLD_PREDICT_V && published->marks_v) {
        PLD_TRY(pld_conversion_add_mark(conversion, "v_pred", error));
    }
    return model->scheduler.rescale_betas_zero_snr ? pld_conversion_add_mark(conversion, "ztsnr", error)
                                                   : PLD_OK;
}

/** Whether a part is written: all are, or those whose tensors files of the denoiser hold. */
static bool is_written(const pld_component *part, bool denoiser) {
    const pld_part_role role = part->class->role;
    return pld_is_there(part) && (!denoiser || role == PLD_ROLE_DENOISER || role == PLD_ROLE_CONDITIONER);
}

/** Parts in one file, which also says what the network predicts: all of them, or the denoiser, whose names then have no prefix. */
static pld_status write_file(pld_conversion *conversion, const char *output, bool denoiser,
                             pld_error *error) {
    const pld_model *model = conversion->model;
    const pld_published *published = NULL;
    const pld_prediction prediction = model->scheduler.prediction_type;
    PLD_TRY(pld_conversion_published(model, &published, error));
    const pld_published_part *own = pld_published_part_of(published, pld_denoiser_of(model)->row->name);
    const char *prefix = denoiser && own && own->prefix ? own->prefix : "";
    for (int i = 0; i < model->part_count; i++) {
        if (is_written(&model->parts[i], denoiser)) {
            PLD_TRY(pld_conversion_add_original(conversion, &model->parts[i], published, prefix, error));
        }
    }
    PLD_TRY(add_marks(conversion, published, error));
    PLD_TRY(pld_conversion_settle(conversion, error));
    conversion->all = pld_conversion_bytes(conversion);
    PLD_TRY(check_room(output, conversion->all, error));
    const bool told = !model->family->flow_rule; /* networks of flows have no other prediction */
    const char *metadata[] = {NULL, NULL, NULL, NULL, NULL};
    size_t count = 0;
    if (!conversion->gguf) {
        metadata[count++] = "format";
        metadata[count++] = "pt";
    }
    if (told) {
        metadata[count++] = "modelspec.prediction_type";
        metadata[count++] = prediction == PLD_PREDICT_V ? "v" : pld_prediction_text(prediction);
    }
    PLD_TRY(pld_conversion_write(conversion, output, metadata, error));
    return denoiser ? PLD_OK : pld_convert_check_single(model, output, error);
}

static pld_status write_single(pld_conversion *conversion, const char *output, pld_error *error) {
    return write_file(conversion, output, false, error);
}

static pld_status write_denoiser(pld_conversion *conversion, const char *output, pld_error *error) {
    return write_file(conversion, output, true, error);
}

static pld_status write_parts(pld_conversion *conversion, const char *output, pld_error *error) {
    const pld_model *model = conversion->model;
    for (int i = 0, there = 0; i < model->part_count; i++) {
        if (pld_is_there(&model->parts[i])) {
            conversion->all += pld_conversion_expected_bytes(conversion, model->public_parts[there++],
                                                             model->parts[i].class);
        }
    }
    PLD_TRY(check_room(output, conversion->all, error));
    return write_folder(conversion, output, error);
}

static const char denoiser_layout[] = "denoiser";

/** What is written. */
typedef struct convert_layout {
    const char *name;
    bool folder;
    pld_status (*write)(pld_conversion *conversion, const char *output, pld_error *error);
} convert_layout;

static const convert_layout layouts[] = {{"diffusers", true, write_parts},
                                         {"single", false, write_single},
                                         {denoiser_layout, false, write_denoiser}};

static const convert_layout *find_layout(const char *name) {
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        if (strcmp(name, layouts[i].name) == 0) {
            return &layouts[i];
        }
    }
    return NULL;
}

/** Whether a name ends in .gguf, in letters of either kind. */
static bool is_gguf_name(const char *path) {
    static const char ending[] = ".gguf";
    const size_t length = strlen(path), tail = sizeof ending - 1;
    bool same = length > tail;
    for (size_t i = 0; same && i < tail; i++) {
        same = pld_lower(path[length - tail + i]) == ending[i];
    }
    return same;
}

/** Read what was asked for, and check that it fits together. */
static pld_status read_request(pld_conversion *conversion, const char *output, const convert_layout **layout,
                               pld_error *error) {
    const pld_convert_options *options = conversion->options;
    *layout = find_layout(options->layout);
    if (!*layout) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "layout: expected diffusers, single or denoiser, found '%.40s'", options->layout);
    }
    PLD_TRY(pld_written_type_find(options->dtype, &conversion->type, error));
    conversion->gguf = !(*layout)->folder && is_gguf_name(output);
    const pld_written_type *type = conversion->type;
    if (type && !(conversion->gguf ? type->gguf : type->others)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "type: %s is not a type of %s; expected a file whose name ends in %s", type->name,
                        conversion->gguf ? "GGUF files" : "safetensors files",
                        conversion->gguf ? ".safetensors" : ".gguf");
    }
    if (conversion->gguf && !conversion->model->family->architecture) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: no GGUF files of the family '%s' are known; expected a folder (a name without .gguf) as "
            "the output",
            conversion->model->source.path, conversion->model->family->name);
    }
    return PLD_OK;
}

pld_status pld_model_convert(const pld_model *model, const char *output, const pld_convert_options *given,
                             pld_error *error) {
    uint64_t done = 0;
    pld_convert_options full;
    const pld_convert_options *options = &full;
    pld_conversion conversion = {.model = model, .options = options, .done = &done};
    PLD_TRY(PLD_SIZED_READ(pld_convert_options, given, &defaults, &full, error));
    const convert_layout *layout = NULL;
    PLD_TRY(read_request(&conversion, output, &layout, error));
    if (model->base) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "a model with LoRAs cannot be converted; convert the model without them");
    }
    PLD_TRY(check_output(output, layout->folder, options->overwrite, error));
    pld_status status = layout->write(&conversion, output, error);
    pld_conversion_clear(&conversion);
    if (status == PLD_OK && conversion.overflows) {
        pld_log_message(&model->engine->log, PLD_LOG_WARNING,
                        "%s: %zu numbers are too large for f16 and became infinite; use bf16 or f32", output,
                        conversion.overflows);
    }
    if (status == PLD_OK && layout->folder && model->empty_counts) {
        pld_log_message(&model->engine->log, PLD_LOG_NOTICE,
                        "%s: in a folder an empty prompt, which negative ones often are, has no token, as in "
                        "diffusers; --empty-prompt token draws as the file did",
                        output);
    }
    return status;
}

pld_status pld_denoiser_convert(pld_engine *engine, const char *path, const pld_model_options *files,
                                const char *output, const pld_convert_options *given, pld_error *error) {
    pld_convert_options options;
    pld_model *model = NULL;
    PLD_NEED(output);
    PLD_TRY(PLD_SIZED_READ(pld_convert_options, given, &defaults, &options, error));
    options.layout = denoiser_layout;
    PLD_TRY(pld_model_open_denoiser(engine, path, files, &model, error));
    const pld_status status = pld_model_convert(model, output, &options, error);
    pld_model_destroy(&model);
    return status;
}
