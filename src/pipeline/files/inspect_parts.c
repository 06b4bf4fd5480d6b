/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/memory.h"
#include "models/denoiser.h"
#include "models/families.h"
#include "pipeline/files/inspect.h"
#include "pipeline/model/describe.h"
#include "pipeline/model/model.h"

/** The family to whose denoiser a file belongs; NULL: none is in it. */
static const pld_family *family_of(const pld_layout_contents *contents) {
    const pld_layout_part *denoiser = pld_layout_find_role(contents, PLD_ROLE_DENOISER);
    for (const pld_family *const *family = pld_families; denoiser && *family; family++) {
        const int part = pld_family_part_with(*family, PLD_ROLE_DENOISER);
        if ((*family)->parts[part].class == denoiser->class) {
            return *family;
        }
    }
    return NULL;
}

/** What a part is called in its family. */
static const char *name_of(const pld_layout_contents *contents, const pld_layout_part *part) {
    const pld_family *family = family_of(contents);
    const char *name = part->layout->part;
    for (const pld_family_part *row = family ? family->parts : NULL; !name && row && row->name; row++) {
        name = row->class->read == part->class->read ? row->name : NULL;
    }
    return name ? name : "text_encoder"; /* the only parts whose layouts leave it open */
}

/** Count the numbers of each part. */
static pld_status count_parts(pld_inspection *inspection, pld_error *error) {
    const pld_layout_contents *contents = &inspection->contents;
    for (int i = 0; i < contents->count; i++) {
        pld_weight_files *view = NULL;
        const pld_layout_part *part = &contents->parts[i];
        PLD_TRY(pld_layout_view(contents->files, part->layout, 0, &view, error));
        inspection->parts[i] = pld_describe_weights(name_of(contents, part), part->class->name, view);
        pld_weight_files_close(&view);
    }
    PLD_SIZED_LIST(inspection->public_parts, inspection->parts, contents->count);
    inspection->info.parts = inspection->public_parts;
    inspection->info.part_count = (size_t)contents->count;
    return PLD_OK;
}

/** A denoiser that was found, and what it is most like. */
typedef struct found_denoiser {
    const pld_layout_part *part;
    const pld_weight_files *weights; /* under diffusers' names */
    const pld_family *family;
    const pld_published *published;
} found_denoiser;

/** Its configuration, into new memory: of the folder, or read off its tensors. */
static pld_status read_config(const pld_inspection *inspection, const found_denoiser *found,
                              const char *folder, void **config, pld_error *error) {
    const pld_part_class *class = found->part->class;
    *config = pld_allocate(1, class->config_bytes);
    if (!*config) {
        return pld_fail_memory(error, class->config_bytes, "configuration");
    }
    if (folder) {
        char *file = pld_format("%s/%s/config.json", folder, found->part->layout->part);
        pld_status status = file ? pld_json_read_file(file, class->read, *config, error)
                                 : pld_fail_memory(error, strlen(folder), "path");
        pld_free(file);
        return status;
    }
    const pld_description description = {.weights = found->weights,
                                         .layout = found->part->layout,
                                         .published = found->published,
                                         .part = found->part->layout->part,
                                         .prediction = inspection->prediction.type};
    json_t *document = NULL;
    pld_json top;
    PLD_TRY(class->describe(&description, &document, error));
    pld_status status = pld_json_top(document, inspection->path, &top, error);
    status = status == PLD_OK ? class->read(*config, &top, error) : status;
    json_decref(document);
    return status;
}

/** The places where attention happens, from the network written down without its weights. */
static pld_status list_sites(pld_inspection *inspection, const pld_part_class *class, const void *config,
                             pld_error *error) {
    pld_denoiser_facts facts;
    pld_denoiser_values values;
    class->denoiser->facts(config, &facts);
    const pld_denoiser_shape shape = {1, facts.least_side, facts.least_side, NULL, 1};
    pld_plan_init(&inspection->plan, NULL);
    PLD_TRY(class->denoiser->build(&inspection->plan, config, &shape, &values, error));
    if (facts.channels > facts.output_channels) {
        pld_inspection_note(
            inspection,
            "its %s takes %d channels and returns %d, as inpainting networks do; these are not supported",
            class->title, (int)facts.channels, (int)facts.output_channels);
    }
    const size_t count = inspection->plan.site_count;
    inspection->sites = pld_allocate(count, sizeof *inspection->sites);
    inspection->public_sites = pld_allocate(count, sizeof(const pld_attention_site *));
    if (!inspection->sites || !inspection->public_sites) {
        return pld_fail_memory(error, count * sizeof *inspection->sites, "attention sites");
    }
    for (size_t i = 0; i < count; i++) {
        inspection->sites[i] = pld_describe_site(&inspection->plan.sites[i]);
    }
    PLD_SIZED_LIST(inspection->public_sites, inspection->sites, count);
    inspection->info.sites = inspection->public_sites;
    inspection->info.site_count = count;
    return PLD_OK;
}

/** What the network predicts, by its file and by the folder that describes it, if one was given. */
static pld_status tell(pld_inspection *inspection, const found_denoiser *found, const char *config,
                       pld_error *error) {
    pld_told_prediction *told = &inspection->prediction;
    PLD_TRY(found->part->class->denoiser->tell_prediction(inspection->files, found->weights, found->published,
                                                          told, error));
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
static pld_status describe_denoiser(pld_inspection *inspection, found_denoiser *found, const char *folder,
                                    pld_error *error) {
    pld_file_info *info = &inspection->info;
    const char *name = NULL;
    void *config = NULL;
    PLD_TRY(found->part->class->denoiser->recognise(found->weights, &name, error));
    found->published = pld_published_find(name, &found->family);
    info->title = found->published->title;
    info->family = found->family->name;
    PLD_TRY(tell(inspection, found, folder, error));
    info->prediction_type = inspection->prediction.type;
    info->prediction_reason = inspection->prediction.reason;
    pld_status status = read_config(inspection, found, folder, &config, error);
    status = status == PLD_OK ? list_sites(inspection, found->part->class, config, error) : status;
    pld_free(config);
    PLD_TRY(status);
    for (const pld_family_part *part = found->family->parts; part->name; part++) {
        if (!pld_layout_find(&inspection->contents, part->name, part->class)) {
            pld_inspection_note(inspection, "it contains no %s; give %s", part->what, part->remedy);
        }
    }
    return PLD_OK;
}

/** Notes about tensors and types. */
static void note_tensors(pld_inspection *inspection) {
    const pld_layout_contents *contents = &inspection->contents;
    for (int i = 0; i < contents->count; i++) {
        if (strncmp(inspection->parts[i].dtype, "f8", 2) == 0) {
            pld_inspection_note(inspection, "its %s is stored in 8-bit floating point, which costs quality",
                                inspection->parts[i].name);
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
    found_denoiser found = {.part = pld_layout_find_role(contents, PLD_ROLE_DENOISER)};
    pld_file_info *info = &inspection->info;
    PLD_TRY(count_parts(inspection, error));
    info->layout = contents->parts[0].layout->naming;
    info->kind = contents->count > 1 ? "checkpoint" : contents->parts[0].class->title;
    info->title = info->kind;
    note_tensors(inspection);
    if (!found.part) {
        return PLD_OK;
    }
    pld_weight_files *weights = NULL;
    pld_error reason = {0};
    PLD_TRY(pld_layout_view(contents->files, found.part->layout, 0, &weights, error));
    found.weights = weights;
    pld_status status = describe_denoiser(inspection, &found, config, &reason);
    pld_weight_files_close(&weights);
    if (status == PLD_ERROR_MEMORY) {
        return pld_fail(error, status, "%s", reason.message);
    }
    if (status != PLD_OK) { /* still worth a description: parts, types and metadata are known */
        pld_inspection_note(inspection, "it cannot be used to draw: %.400s", reason.message);
    }
    return PLD_OK;
}
