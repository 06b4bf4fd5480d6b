/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/memory.h"
#include "models/families.h"
#include "models/unet/unet.h"
#include "pipeline/inspect.h"
#include "pipeline/internal.h"

/* What the parts are called, and what is said when one is missing from a file that has a U-Net. */
static const struct {
    const char *part, *kind, *class_name, *missing;
} rows[] = {
    {"unet", "U-Net", "UNet2DConditionModel", NULL},
    {"vae", "autoencoder", "AutoencoderKL", "it holds no autoencoder: give one with --vae FILE"},
    {"text_encoder", "text encoder", "CLIPTextModel",
     "it holds no text encoder: open a whole checkpoint of its family and give this file with --unet"},
    {"text_encoder_2", "text encoder", "CLIPTextModelWithProjection",
     "it holds no second text encoder: open a whole checkpoint of its family and give this file with --unet"},
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static size_t row_of(const char *part) {
    size_t row = 0;
    while (row + 1 < ROW_COUNT && strcmp(rows[row].part, part) != 0) {
        row++;
    }
    return row;
}

/** Count the numbers of each part. */
static pld_status count_parts(pld_inspection *inspection, pld_error *error) {
    const pld_layout_contents *contents = &inspection->contents;
    for (int i = 0; i < contents->count; i++) {
        pld_weight_files *view = NULL;
        const char *part = contents->parts[i]->part;
        const pld_family_part as = {.name = part, .kind = rows[row_of(part)].class_name};
        PLD_TRY(pld_layout_view(contents->files, contents->parts[i], 0, &view, error));
        inspection->parts[i] = pld_describe_weights(&as, view);
        pld_weight_files_close(&view);
    }
    inspection->info.parts = inspection->parts;
    inspection->info.part_count = (size_t)contents->count;
    return PLD_OK;
}

/** The U-Net's configuration: of the folder, or read off its tensors. */
static pld_status read_unet_config(const pld_inspection *inspection, const pld_weight_files *unet,
                                   const pld_single_family *family, const char *folder,
                                   pld_unet_config *config, pld_error *error) {
    if (folder) {
        char *file = pld_format("%s/unet/config.json", folder);
        pld_status status =
            file ? pld_unet_config_read(file, config, error) : pld_fail_memory(error, strlen(folder), "path");
        pld_free(file);
        return status;
    }
    json_t *document = NULL;
    pld_json top;
    PLD_TRY(pld_describe_unet(unet, family, &inspection->prediction, &document, error));
    pld_status status = pld_json_top(document, inspection->path, &top, error);
    status = status == PLD_OK ? pld_unet_config_parse(config, &top, error) : status;
    json_decref(document);
    return status;
}

/** The places where attention happens, from the network written down without its weights. */
static pld_status list_sites(pld_inspection *inspection, const pld_unet_config *config, pld_error *error) {
    const int64_t side = (int64_t)1 << config->levels;
    const pld_unet_shape shape = {1, side, side, NULL};
    pld_unet_values values;
    pld_plan_init(&inspection->plan, NULL);
    PLD_TRY(pld_unet_build(&inspection->plan, config, &shape, &values, error));
    const size_t count = inspection->plan.site_count;
    inspection->sites = pld_allocate(count, sizeof *inspection->sites);
    if (!inspection->sites) {
        return pld_fail_memory(error, count * sizeof *inspection->sites, "attention sites");
    }
    for (size_t i = 0; i < count; i++) {
        const pld_site *site = &inspection->plan.sites[i];
        inspection->sites[i] = (pld_attention_site){
            site->name, site->kind == PLD_SITE_CROSS ? "cross" : "self", site->heads, site->head_size};
    }
    inspection->info.sites = inspection->sites;
    inspection->info.site_count = count;
    return PLD_OK;
}

/** What the network predicts, by its file and by the folder that describes it, if one was given. */
static pld_status tell(pld_inspection *inspection, const pld_weight_files *unet,
                       const pld_single_family *family, const char *config, pld_error *error) {
    pld_told_prediction *told = &inspection->prediction;
    PLD_TRY(pld_tell_prediction(inspection->files, unet, family, told, error));
    if (!config) {
        return PLD_OK;
    }
    json_t *scheduler = NULL;
    char *file = pld_format("%s/scheduler/scheduler_config.json", config);
    pld_status status = file ? pld_scheduler_document_load(file, &scheduler, error)
                             : pld_fail_memory(error, strlen(config), "path");
    status = status == PLD_OK ? pld_told_beside_scheduler(scheduler, file, true, told, error) : status;
    json_decref(scheduler);
    pld_free(file);
    return status;
}

/** Family, prediction and sites. */
static pld_status describe_unet(pld_inspection *inspection, const pld_weight_files *unet, const char *config,
                                pld_error *error) {
    pld_file_info *info = &inspection->info;
    const pld_single_family *family = NULL;
    pld_unet_config read = {0};
    PLD_TRY(pld_single_family_find(unet, &family, error));
    const pld_family *registered = pld_family_for_pipeline(family->pipeline);
    info->title = family->title;
    info->family = registered ? registered->name : NULL;
    PLD_TRY(tell(inspection, unet, family, config, error));
    info->prediction_type = inspection->prediction.type;
    info->prediction_reason = inspection->prediction.reason;
    PLD_TRY(read_unet_config(inspection, unet, family, config, &read, error));
    PLD_TRY(list_sites(inspection, &read, error));
    for (size_t i = 1; i < ROW_COUNT; i++) {
        const bool wanted = i < 3 || family->tokenizers[1];
        if (wanted && !pld_layout_find(&inspection->contents, rows[i].part)) {
            pld_inspection_note(inspection, "%s", rows[i].missing);
        }
    }
    if (read.in_channels != read.out_channels) {
        pld_inspection_note(inspection,
                            "its U-Net takes %d channels and gives %d, as inpainting networks do, which are "
                            "not supported",
                            (int)read.in_channels, (int)read.out_channels);
    }
    return PLD_OK;
}

/** Notes about tensors and types. */
static void note_tensors(pld_inspection *inspection) {
    const pld_layout_contents *contents = &inspection->contents;
    for (int i = 0; i < contents->count; i++) {
        if (strncmp(inspection->parts[i].dtype, "f8", 2) == 0) {
            pld_inspection_note(inspection, "its %s is stored in 8-bit floating point, which costs quality",
                                contents->parts[i]->part);
        }
    }
    if (contents->passed_over) {
        pld_inspection_note(inspection,
                            "%zu tensors are not needed to draw (moving averages, training schedule)",
                            contents->passed_over);
    }
    if (contents->stranger) {
        pld_inspection_note(inspection, "its denoising network is %s", contents->stranger);
    }
    if (contents->unknown) {
        pld_inspection_note(inspection, "%zu tensors belong to no known part and are not used ('%.100s'%s)",
                            contents->unknown, contents->first_unknown, contents->unknown > 1 ? ", …" : "");
    }
}

pld_status pld_inspect_parts(pld_inspection *inspection, const char *config, pld_error *error) {
    const pld_layout_contents *contents = &inspection->contents;
    const pld_part_layout *layout = pld_layout_find(contents, "unet");
    pld_file_info *info = &inspection->info;
    PLD_TRY(count_parts(inspection, error));
    info->layout = contents->parts[0]->naming;
    info->kind = contents->count > 1 ? "checkpoint" : rows[row_of(contents->parts[0]->part)].kind;
    info->title = info->kind;
    note_tensors(inspection);
    if (!layout) {
        return PLD_OK;
    }
    pld_weight_files *unet = NULL;
    pld_error reason = {0};
    PLD_TRY(pld_layout_view(contents->files, layout, 0, &unet, error));
    pld_status status = describe_unet(inspection, unet, config, &reason);
    pld_weight_files_close(&unet);
    if (status == PLD_ERROR_MEMORY) {
        return pld_fail(error, status, "%s", reason.message);
    }
    if (status != PLD_OK) { /* still worth a description: parts, types and metadata are known */
        pld_inspection_note(inspection, "it cannot be drawn with: %.400s", reason.message);
    }
    return PLD_OK;
}
