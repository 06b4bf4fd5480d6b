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

/** All parts in one file, which also says what the network predicts. */
static pld_status write_single(pld_conversion *conversion, const char *output, pld_error *error) {
    const pld_model *model = conversion->model;
    const pld_published *published = NULL;
    const pld_prediction prediction = model->scheduler.prediction_type;
    const bool v = prediction == PLD_PREDICT_V;
    PLD_TRY(pld_conversion_published(model, &published, error));
    for (int i = 0; i < model->part_count; i++) {
        if (pld_is_there(&model->parts[i])) {
            PLD_TRY(pld_conversion_add_original(conversion, &model->parts[i], published, error));
        }
    }
    if (v && published->marks_v) {
        PLD_TRY(pld_conversion_add_mark(conversion, "v_pred", error));
    }
    if (model->scheduler.rescale_betas_zero_snr) {
        PLD_TRY(pld_conversion_add_mark(conversion, "ztsnr", error));
    }
    const char *const metadata[] = {"format", "pt", "modelspec.prediction_type",
                                    v ? "v" : pld_prediction_text(prediction), NULL};
    PLD_TRY(pld_conversion_write(conversion, output, metadata, error));
    return pld_convert_check_single(model, output, error);
}

/** Bytes that will be written in all: those of the parts as stored, or in the type that was asked for. */
static uint64_t expected_bytes(const pld_model *model, pld_dtype dtype) {
    uint64_t bytes = 0;
    for (int i = 0; i < model->public_part_count; i++) {
        const pld_model_part *part = model->public_parts[i];
        bytes += dtype == PLD_DTYPE_COUNT ? part->bytes : part->parameters * pld_dtype_size(dtype);
    }
    return bytes;
}

static pld_status read_dtype(const char *name, pld_dtype *dtype, pld_error *error) {
    static const pld_dtype types[] = {PLD_DTYPE_F32, PLD_DTYPE_F16, PLD_DTYPE_BF16};
    *dtype = PLD_DTYPE_COUNT;
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++) {
        if (strcmp(name, pld_dtype_name(types[i])) == 0) {
            *dtype = types[i];
        }
    }
    return !name || *dtype != PLD_DTYPE_COUNT
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT, "dtype: expected f32, f16 or bf16, found '%.40s'", name);
}

pld_status pld_model_convert(const pld_model *model, const char *output, const pld_convert_options *given,
                             pld_error *error) {
    uint64_t done = 0;
    pld_convert_options full;
    const pld_convert_options *options = &full;
    pld_conversion conversion = {.model = model, .options = options, .done = &done};
    PLD_TRY(PLD_SIZED_READ(pld_convert_options, given, &defaults, &full, error));
    const bool folder = strcmp(options->layout, "diffusers") == 0;
    if (!folder && strcmp(options->layout, "single") != 0) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "layout: expected diffusers or single, found '%.40s'",
                        options->layout);
    }
    if (model->base) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "a model with LoRAs cannot be converted; convert the model without them");
    }
    PLD_TRY(read_dtype(options->dtype, &conversion.dtype, error));
    PLD_TRY(check_output(output, folder, options->overwrite, error));
    conversion.all = expected_bytes(model, conversion.dtype);
    PLD_TRY(check_room(output, conversion.all, error));
    pld_status status = (folder ? write_folder : write_single)(&conversion, output, error);
    pld_conversion_clear(&conversion);
    if (status == PLD_OK && conversion.overflows) {
        pld_log_message(&model->engine->log, PLD_LOG_WARNING,
                        "%s: %zu numbers are too large for f16 and became infinite; use bf16 or f32", output,
                        conversion.overflows);
    }
    if (status == PLD_OK && folder && model->empty_counts) {
        pld_log_message(&model->engine->log, PLD_LOG_NOTICE,
                        "%s: in a folder an empty prompt, which negative ones often are, has no token, as in "
                        "diffusers; --empty-prompt token draws as the file did",
                        output);
    }
    return status;
}
