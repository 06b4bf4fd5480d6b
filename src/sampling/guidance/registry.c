/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/sized.h"
#include "sampling/guidance/methods.h"

const pld_guidance_method *const pld_guidance_methods[] = {
    &pld_guidance_none,          &pld_guidance_cfg,      &pld_guidance_cfg_plus_plus,
    &pld_guidance_apg,           &pld_guidance_cfg_zero, &pld_guidance_pag,
    &pld_guidance_seg,           &pld_guidance_slg,      &pld_guidance_rescale,
    &pld_guidance_normalization, &pld_guidance_interval, &pld_guidance_freeu,
    &pld_guidance_nag,           &pld_guidance_gag,      NULL,
};

const pld_guidance_method *pld_guidance_find(const char *name, size_t length) {
    for (const pld_guidance_method *const *row = pld_guidance_methods; *row; row++) {
        if (strlen((*row)->name) == length && memcmp((*row)->name, name, length) == 0) {
            return *row;
        }
    }
    return NULL;
}

/** NULL past the end. */
static const pld_guidance_method *method_at(size_t index) {
    return index + 1 < sizeof pld_guidance_methods / sizeof *pld_guidance_methods
               ? pld_guidance_methods[index]
               : NULL;
}

bool pld_guidance_describe(size_t index, pld_guidance_info *info) {
    const pld_guidance_method *m = method_at(index);
    if (!m || pld_sized_check("pld_guidance_info", info, NULL) != PLD_OK) {
        return false;
    }
    const pld_guidance_info full = {.name = m->name,
                                    .description = m->description,
                                    .paper = m->paper,
                                    .evaluations = m->evaluations,
                                    .key_count = m->key_count};
    pld_sized_write(info, &full, sizeof full);
    return true;
}

bool pld_guidance_describe_key(size_t index, size_t key, pld_guidance_key *described) {
    const pld_guidance_method *m = method_at(index);
    if (!m || key >= m->key_count || pld_sized_check("pld_guidance_key", described, NULL) != PLD_OK) {
        return false;
    }
    pld_sized_write(described, &m->keys[key], sizeof m->keys[key]);
    return true;
}
