/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/files/inspect.h"

#include "core/memory.h"
#include "loras/folder.h"
#include "pipeline/model/weight_check.h"

static pld_status list_metadata(pld_inspection *inspection, pld_error *error) {
    const pld_tensor_file *file = pld_weight_files_file(inspection->files, 0);
    const size_t count = pld_tensor_file_metadata_count(file);
    inspection->metadata = pld_allocate(2 * count + 1, sizeof *inspection->metadata);
    if (!inspection->metadata) {
        return pld_fail_memory(error, count, "metadata");
    }
    for (size_t i = 0; i < count; i++) {
        inspection->metadata[2 * i] = pld_tensor_file_metadata_key(file, i);
        inspection->metadata[2 * i + 1] = pld_tensor_file_metadata_value(file, i);
    }
    inspection->info.metadata = inspection->metadata;
    return pld_inspect_tags(inspection, error);
}

/** A file in which nothing of ours was found. */
static pld_status describe_other(pld_inspection *inspection, pld_error *error) {
    bool is_lora = false;
    PLD_TRY(pld_inspect_lora(inspection, &is_lora, error));
    if (!is_lora) {
        const char *kind = pld_layout_other_kind(&inspection->contents);
        inspection->info.kind = "other";
        inspection->info.title = kind ? kind : "tensors of an unknown network";
        const size_t count = pld_weight_files_count(inspection->files);
        pld_inspection_note(inspection,
                            count == 1 ? "%zu tensor, '%.100s'" : "%zu tensors, the first is '%.100s'", count,
                            count ? pld_weight_files_at(inspection->files, 0).tensor->name : "");
    }
    return PLD_OK;
}

/** Notes about how the numbers are stored. */
static void note_numbers(pld_inspection *inspection) {
    const char *tensor = NULL;
    const char *spelling = pld_quantised_spelling(inspection->files, &tensor);
    if (spelling) {
        pld_inspection_note(
            inspection,
            "it contains %s ('%.100s'), which are not supported: use the f16, bf16 or a GGUF version",
            spelling, tensor);
    }
    size_t floats = 0, whole = 0;
    for (size_t i = 0; i < pld_weight_files_count(inspection->files); i++) {
        const pld_weight weight = pld_weight_files_at(inspection->files, i);
        const bool scaled = pld_weight_is_scaled(&weight);
        floats += scaled && weight.tensor->dtype != PLD_DTYPE_I8;
        whole += scaled && weight.tensor->dtype == PLD_DTYPE_I8;
    }
    if (floats) {
        pld_inspection_note(inspection, "it contains scaled fp8 weights (%zu matrices)", floats);
    }
    if (whole) {
        pld_inspection_note(inspection, "it contains scaled int8 weights (%zu matrices)", whole);
    }
}

static pld_status inspect(pld_inspection *inspection, const char *path, const char *config,
                          pld_error *error) {
    PLD_TRY(pld_lora_folder_find(path, &inspection->path, error));
    inspection->info.path = inspection->path;
    PLD_TRY(pld_weight_files_open_file(inspection->path, &inspection->files, error));
    PLD_TRY(list_metadata(inspection, error));
    pld_layout_detect(inspection->files, &inspection->contents);
    note_numbers(inspection);
    return inspection->contents.count ? pld_inspect_parts(inspection, config, error)
                                      : describe_other(inspection, error);
}

pld_status pld_file_inspect(const char *path, const char *config, pld_file_info **info, pld_error *error) {
    *info = NULL;
    pld_inspection *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, path);
    }
    pld_file_info *view = &made->info;
    view->struct_size = sizeof *view;
    pld_status status = inspect(made, path, config, error);
    if (status == PLD_OK && made->note_lost) {
        status = pld_fail_memory(error, 512, path);
    }
    if (status != PLD_OK) {
        pld_file_info_destroy(&view);
        return status;
    }
    *info = view;
    return PLD_OK;
}

void pld_file_info_destroy(pld_file_info **info) {
    pld_inspection *inspection = (pld_inspection *)*info;
    *info = NULL;
    if (!inspection) {
        return;
    }
    for (size_t i = 0; i < inspection->info.note_count; i++) {
        pld_free(inspection->notes[i]);
    }
    for (size_t i = 0; i < inspection->info.tag_count; i++) {
        pld_free(inspection->tags[i]);
    }
    pld_plan_free(&inspection->plan);
    pld_weight_files_close(&inspection->files);
    pld_free(inspection->sites);
    pld_free(inspection->public_sites);
    pld_free(inspection->metadata);
    pld_free(inspection->path);
    pld_free(inspection);
}
