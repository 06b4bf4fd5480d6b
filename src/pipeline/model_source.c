/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/model_source.h"

#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"

/** FOLDER/PART/STEM*.safetensors */
static pld_status open_folder_weights(const pld_model_source *source, const pld_family_part *part,
                                      pld_weight_files **files, pld_error *error) {
    char *folder = pld_format("%s/%s", source->folder, part->name);
    if (!folder) {
        return pld_fail_memory(error, strlen(source->folder), "path");
    }
    pld_status status = pld_weight_files_open(folder, part->stem, files, error);
    pld_free(folder);
    return status;
}

/** A diffusers folder: everything lies where it is looked for. */
static pld_status open_folder(pld_model_source *source, pld_error *error) {
    source->layout = "diffusers";
    source->open_weights = open_folder_weights;
    source->folder = pld_copy_string(source->path);
    return source->folder ? PLD_OK : pld_fail_memory(error, strlen(source->path), "path");
}

pld_status pld_model_source_open(const char *path, pld_model_source *source, pld_error *error) {
    struct stat found;
    *source = (pld_model_source){.path = pld_copy_string(path)};
    if (!source->path) {
        return pld_fail_memory(error, strlen(path), "path");
    }
    if (stat(path, &found) != 0) {
        return pld_fail(error, PLD_ERROR_MISSING, "%s: no such model; give a diffusers folder", path);
    }
    if (!S_ISDIR(found.st_mode)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: single-file checkpoints cannot be opened yet; expected a diffusers folder with "
                        "model_index.json, unet/, vae/, text_encoder/, tokenizer/ and scheduler/",
                        path);
    }
    return open_folder(source, error);
}

void pld_model_source_close(pld_model_source *source) {
    pld_free(source->path);
    pld_free(source->folder);
    *source = (pld_model_source){0};
}
