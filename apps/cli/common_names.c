/* SPDX-License-Identifier: Apache-2.0 */
#include "common_names.h"

#include <string.h>

#include <pladis/pladis.h>

#include "ascii.h"

typedef struct name_pair {
    const char *name, *common;
} name_pair;

static const name_pair samplers[] = {{"ddim", "DDIM"},        {"ddim_trailing", "DDIM"},
                                     {"pndm", "PLMS"},        {"euler", "Euler"},
                                     {"euler_a", "Euler a"},  {"heun", "Heun"},
                                     {"dpm++2m", "DPM++ 2M"}, {"dpm++2m_sde", "DPM++ 2M SDE"},
                                     {"unipc", "UniPC"},      {"lcm", "LCM"},
                                     {"tcd", "TCD"}};
static const name_pair schedules[] = {{"discrete", "Automatic"},      {"karras", "Karras"},
                                      {"exponential", "Exponential"}, {"beta", "Beta"},
                                      {"simple", "Simple"},           {"normal", "Normal"},
                                      {"sgm_uniform", "SGM Uniform"}, {"ddim_uniform", "DDIM"}};
enum { SAMPLERS = sizeof samplers / sizeof *samplers, SCHEDULES = sizeof schedules / sizeof *schedules };

static const char *find_common(const name_pair *pairs, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(pairs[i].name, name) == 0) {
            return pairs[i].common;
        }
    }
    return NULL;
}

/** Our name of a pair, else a name of the library's own list. */
static const char *find_own(const name_pair *pairs, size_t count, pld_list_kind list, const char *common) {
    const char *name = NULL, *description = NULL;
    for (size_t i = 0; i < count; i++) {
        if (ascii_equal(pairs[i].common, common)) {
            return pairs[i].name;
        }
    }
    for (size_t i = 0; pld_list(list, i, &name, &description); i++) {
        if (ascii_equal(name, common)) {
            return name;
        }
    }
    return NULL;
}

const char *common_name(const char *name) {
    const char *sampler = find_common(samplers, SAMPLERS, name);
    const char *schedule = sampler == NULL ? find_common(schedules, SCHEDULES, name) : NULL;
    return sampler != NULL ? sampler : schedule != NULL ? schedule : name;
}

const char *common_name_sampler(const char *common) {
    return find_own(samplers, SAMPLERS, PLD_LIST_SAMPLERS, common);
}

const char *common_name_schedule(const char *common) {
    return ascii_equal(common, "Automatic") ? ""
                                            : find_own(schedules, SCHEDULES, PLD_LIST_SCHEDULERS, common);
}
