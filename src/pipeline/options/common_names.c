/* SPDX-License-Identifier: Apache-2.0 */
/** Samplers and sigma schedules as other programs call them. */
#include <string.h>

#include "core/text.h"
#include "pipeline/options/row.h"

typedef struct name_pair {
    const char *name, *common;
} name_pair;

/** A1111's name first, which is the one that we write; then those of ComfyUI, stable-diffusion.cpp, diffusers. */
static const name_pair samplers[] = {
    {"ddim", "DDIM"},
    {"ddim_trailing", "DDIM"},
    {"pndm", "PLMS"},
    {"euler", "Euler"},
    {"euler_a", "Euler a"},
    {"heun", "Heun"},
    {"dpm++2m", "DPM++ 2M"},
    {"dpm++2m_sde", "DPM++ 2M SDE"},
    {"unipc", "UniPC"},
    {"lcm", "LCM"},
    {"tcd", "TCD"},
    {"euler_a", "euler_ancestral"},
    {"dpm++2m", "dpmpp_2m"},
    {"dpm++2m_sde", "dpmpp_2m_sde"},
    {"unipc", "uni_pc"},
    {"euler", "k_euler"},
    {"euler_a", "k_euler_a"},
    {"ddim", "DDIMScheduler"},
    {"pndm", "PNDMScheduler"},
    {"euler", "EulerDiscreteScheduler"},
    {"euler_a", "EulerAncestralDiscreteScheduler"},
    {"heun", "HeunDiscreteScheduler"},
    {"dpm++2m", "DPMSolverMultistepScheduler"},
    {"unipc", "UniPCMultistepScheduler"},
    {"lcm", "LCMScheduler"},
    {"tcd", "TCDScheduler"},
};
static const name_pair schedules[] = {{"discrete", "Automatic"},      {"karras", "Karras"},
                                      {"exponential", "Exponential"}, {"beta", "Beta"},
                                      {"simple", "Simple"},           {"normal", "Normal"},
                                      {"sgm_uniform", "SGM Uniform"}, {"ddim_uniform", "DDIM"}};

/** The pairs of a list; NULL where there are none. */
static const name_pair *pairs_of(pld_list_kind kind, size_t *count) {
    if (kind == PLD_LIST_SAMPLERS) {
        *count = sizeof samplers / sizeof *samplers;
        return samplers;
    }
    *count = kind == PLD_LIST_SCHEDULERS ? sizeof schedules / sizeof *schedules : 0;
    return *count ? schedules : NULL;
}

const char *pld_common_name(pld_list_kind kind, const char *name) {
    size_t count = 0;
    const name_pair *pairs = pairs_of(kind, &count);
    for (size_t i = 0; name && i < count; i++) {
        if (strcmp(pairs[i].name, name) == 0) {
            return pairs[i].common;
        }
    }
    return name;
}

const char *pld_own_name(pld_list_kind kind, const char *common) {
    const char *name = NULL, *description = NULL;
    size_t count = 0;
    const name_pair *pairs = pairs_of(kind, &count);
    if (!common) {
        return NULL;
    }
    if (kind == PLD_LIST_SCHEDULERS && pld_equal_ignoring_case(common, "Automatic")) {
        return "";
    }
    for (size_t i = 0; i < count; i++) {
        if (pld_equal_ignoring_case(pairs[i].common, common)) {
            return pairs[i].name;
        }
    }
    for (size_t i = 0; pld_list(kind, i, &name, &description); i++) {
        if (pld_equal_ignoring_case(name, common)) {
            return name;
        }
    }
    return NULL;
}
