/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families.h"

#include <string.h>

#include "models/families/rows.h"

const pld_family *const pld_families[] = {&pld_family_stable_diffusion,
                                          &pld_family_stable_diffusion_xl,
                                          &pld_family_pixart,
                                          &pld_family_sana,
                                          &pld_family_anima,
                                          &pld_family_flux,
                                          &pld_family_sd3,
                                          &pld_family_flux2,
                                          &pld_family_zimage,
                                          &pld_family_flux2_dev,
                                          NULL};

const pld_part_class *const pld_part_classes[] = {
    &pld_class_unet,
    &pld_class_pixart,
    &pld_class_sana,
    &pld_class_cosmos,
    &pld_class_flux,
    &pld_class_sd3,
    &pld_class_flux2,
    &pld_class_zimage,
    &pld_class_anima_conditioner,
    &pld_class_dc,
    &pld_class_qwen_vae, /* before KL's: its names hold some of those */
    &pld_class_kl_flux2, /* before KL's, likewise */
    &pld_class_kl,
    &pld_class_clip_text,
    &pld_class_clip_text_projection,
    &pld_class_t5,
    &pld_class_gemma2,
    &pld_class_qwen3,
    NULL};

const char *const pld_index_names[PLD_INDEX_NAMES] = {"model_index.json", "modular_model_index.json"};

const char *pld_family_index_name(const pld_family *family) {
    return pld_index_names[family->modular];
}

static bool has_name(const pld_part_class *class, const char *name) {
    bool found = strcmp(class->name, name) == 0;
    for (const char *const *other = class->other_names; other && *other; other++) {
        found = found || strcmp(*other, name) == 0;
    }
    return found;
}

const pld_part_class *pld_part_class_find(const char *name) {
    for (const pld_part_class *const *row = pld_part_classes; *row; row++) {
        if (has_name(*row, name)) {
            return *row;
        }
    }
    return NULL;
}

const pld_family *pld_family_for_pipeline(const char *pipeline, const pld_pipeline_class **row) {
    for (const pld_family *const *family = pld_families; *family; family++) {
        for (*row = (*family)->pipelines; (*row)->name; (*row)++) {
            if (strcmp((*row)->name, pipeline) == 0) {
                return *family;
            }
        }
    }
    *row = NULL;
    return NULL;
}

const pld_published *pld_published_find(const char *name, const pld_family **of) {
    for (const pld_family *const *family = pld_families; *family; family++) {
        for (const pld_published *const *row = (*family)->published; *row; row++) {
            if (strcmp((*row)->name, name) == 0) {
                *of = *family;
                return *row;
            }
        }
    }
    return NULL;
}

const pld_published_part *pld_published_part_of(const pld_published *published, const char *part) {
    for (const pld_published_part *row = published->parts; row->part; row++) {
        if (strcmp(row->part, part) == 0) {
            return row;
        }
    }
    return NULL;
}

const pld_text_use *pld_family_instructed(const pld_family *family) {
    for (int i = 0; i < family->text_count; i++) {
        if (family->texts[i].instruction) {
            return &family->texts[i];
        }
    }
    return NULL;
}

int pld_family_part_count(const pld_family *family) {
    int count = 0;
    while (family->parts[count].name) {
        count++;
    }
    return count;
}

int pld_family_part_index(const pld_family *family, const char *name) {
    for (int i = 0; family->parts[i].name; i++) {
        if (strcmp(family->parts[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int pld_family_part_with(const pld_family *family, pld_part_role role) {
    int part = 0;
    while (family->parts[part].class->role != role) {
        part++;
    }
    return part;
}
