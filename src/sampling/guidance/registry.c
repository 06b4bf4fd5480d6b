/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sampling/guidance/methods.h"

const pld_guidance_method *const pld_guidance_methods[] = {
    &pld_guidance_none,
    &pld_guidance_cfg,
    &pld_guidance_cfg_plus_plus,
    &pld_guidance_apg,
    &pld_guidance_cfg_zero,
    &pld_guidance_pag,
    &pld_guidance_seg,
    &pld_guidance_rescale,
    &pld_guidance_interval,
    &pld_guidance_freeu,
    &pld_guidance_nag,
    &pld_guidance_gag,
    NULL,
};

const pld_guidance_method *pld_guidance_find(const char *name, size_t length) {
    for (const pld_guidance_method *const *row = pld_guidance_methods; *row; row++) {
        if (strlen((*row)->name) == length && memcmp((*row)->name, name, length) == 0) {
            return *row;
        }
    }
    return NULL;
}

bool pld_guidance_describe(size_t index, pld_guidance_info *info) {
    for (size_t i = 0; i <= index; i++) {
        if (!pld_guidance_methods[i]) {
            return false;
        }
    }
    const pld_guidance_method *m = pld_guidance_methods[index];
    if (info->struct_size != sizeof *info) {
        return false;
    }
    *info = (pld_guidance_info){sizeof *info,   m->name, m->description, m->paper,
                                m->evaluations, m->keys, m->key_count};
    return true;
}
