/* SPDX-License-Identifier: Apache-2.0 */
/* The list of samplers: one line each. */
#include <stdio.h>
#include <string.h>

#include "sampling/samplers/kinds.h"

static const pld_sampler_kind *const kinds[] = {
    &pld_sampler_ddim,
    &pld_sampler_ddim_trailing,
    &pld_sampler_pndm,
    &pld_sampler_euler,
    &pld_sampler_euler_a,
    &pld_sampler_heun,
    &pld_sampler_dpmpp_2m,
    &pld_sampler_dpmpp_2m_sde,
    &pld_sampler_unipc,
    &pld_sampler_lcm,
    &pld_sampler_tcd,
    &pld_sampler_scm,
    NULL,
};

const pld_sampler_kind *const *pld_sampler_kinds(void) {
    return kinds;
}

const pld_sampler_kind *pld_sampler_kind_find(const char *name) {
    for (size_t i = 0; kinds[i]; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

/** Whether a row does what the stated algorithm asks; classes without algorithms always do. */
static bool algorithm_matches(const pld_sampler_kind *kind, const pld_scheduler_config *stated) {
    if (!(kind->fields & stated->stated & PLD_FIELD_BIT(ALGORITHM_TYPE))) {
        return true;
    }
    pld_scheduler_config made;
    kind->set_defaults(&made);
    kind->set_fixed(&made);
    pld_algorithm asked = stated->algorithm_type;
    /* diffusers turns a DEIS file into its nearest relative */
    return made.algorithm_type == (asked == PLD_ALGORITHM_DEIS ? PLD_ALGORITHM_DPMSOLVER_PP : asked);
}

/** The row, or what stands for it with flow models, that is this class; else NULL. */
static const pld_sampler_kind *of_class(const pld_sampler_kind *kind, const char *class_name) {
    if (strcmp(kind->class_name, class_name) == 0) {
        return kind;
    }
    return kind->flow && strcmp(kind->flow->class_name, class_name) == 0 ? kind->flow : NULL;
}

bool pld_sampler_has_class(const char *class_name) {
    for (size_t i = 0; kinds[i]; i++) {
        if (of_class(kinds[i], class_name)) {
            return true;
        }
    }
    return false;
}

pld_status pld_sampler_kind_for_class(const char *class_name, const pld_scheduler_config *stated,
                                      const pld_sampler_kind **kind, pld_error *error) {
    for (size_t i = 0; kinds[i]; i++) {
        const pld_sampler_kind *found = of_class(kinds[i], class_name);
        if (found && algorithm_matches(found, stated)) {
            *kind = found;
            return PLD_OK;
        }
    }
    if (pld_sampler_has_class(class_name)) {
        char value[64];
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field 'algorithm_type' is %s, which is not supported; use 'dpmsolver++' or "
                        "'sde-dpmsolver++'",
                        stated->file,
                        pld_scheduler_field_text(stated, PLD_FIELD_ALGORITHM_TYPE, value, sizeof value));
    }
    return pld_fail(
        error, PLD_ERROR_UNSUPPORTED,
        "%s: field '_class_name': no sampler for '%.64s'; 'pladis list samplers' lists the samplers",
        stated->file, class_name);
}

pld_status pld_sampler_kind_for_config(const pld_scheduler_config *stated, const pld_sampler_kind **kind,
                                       pld_error *error) {
    return pld_sampler_kind_for_class(stated->class_name, stated, kind, error);
}
