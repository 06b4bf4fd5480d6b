/* SPDX-License-Identifier: Apache-2.0 */
/* Which row does for a model what a sampler's name says: flow models have rows of their own. */
#include <stdio.h>
#include <string.h>

#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

static bool has_field(const pld_sampler_kind *kind, pld_scheduler_field field) {
    return (kind->fields >> field & 1) != 0;
}

/** Whether some row for flow models alone is diffusers' class of this name. */
static bool is_flow_class(const char *class_name) {
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind; kind++) {
        if ((*kind)->flow && strcmp((*kind)->flow->class_name, class_name) == 0) {
            return true;
        }
    }
    return false;
}

static bool states_prediction(const pld_scheduler_config *stated, pld_prediction prediction) {
    return stated->stated & PLD_FIELD_BIT(PREDICTION_TYPE) && stated->prediction_type == prediction;
}

/** What a person says of the prediction goes over the configuration. */
static bool is_flow_model(const pld_scheduler_config *stated, const pld_sampling_options *options) {
    if (options->prediction) {
        return *options->prediction == PLD_PREDICT_FLOW;
    }
    return is_flow_class(stated->class_name) || states_prediction(stated, PLD_PREDICT_FLOW) ||
           (stated->stated & PLD_FIELD_BIT(USE_FLOW_SIGMAS) && stated->use_flow_sigmas);
}

bool pld_scheduler_states_flow(const pld_scheduler_config *stated) {
    const pld_sampling_options nothing = {0};
    return is_flow_model(stated, &nothing);
}

/** SANA-Sprint's kind, which one sampler alone can follow. */
static bool is_trigflow_model(const pld_scheduler_config *stated) {
    return strcmp(stated->class_name, pld_sampler_scm.class_name) == 0 ||
           states_prediction(stated, PLD_PREDICT_TRIGFLOW);
}

/** The row for flow models, or NULL. */
static const pld_sampler_kind *flow_form(const pld_sampler_kind *asked) {
    if (asked->is_flow || has_field(asked, PLD_FIELD_USE_FLOW_SIGMAS)) {
        return asked;
    }
    return asked->flow;
}

/** "euler, heun, …": those that sample flow models. */
static void list_flow_samplers(char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind && used < size; kind++) {
        if (flow_form(*kind)) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", (*kind)->name);
        }
    }
}

static const char *file_of(const pld_scheduler_config *stated) {
    return stated->file[0] ? stated->file : "scheduler configuration";
}

static pld_status check_trigflow(const pld_sampler_kind *asked, const pld_scheduler_config *stated,
                                 const pld_sampling_options *options, pld_error *error) {
    const bool scm = asked == &pld_sampler_scm;
    if (is_trigflow_model(stated) && !scm) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: the model needs SCMScheduler, which sampler '%s' is not; use sampler scm",
                        file_of(stated), asked->name);
    }
    const bool other =
        options->prediction || stated->class_name[0] || stated->stated & PLD_FIELD_BIT(PREDICTION_TYPE);
    if (scm && other && !is_trigflow_model(stated)) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: sampler 'scm' is for models that state SCMScheduler (SANA-Sprint); choose another "
            "sampler",
            file_of(stated));
    }
    return PLD_OK;
}

pld_status pld_sampler_choose(const pld_sampler_kind *asked, const pld_scheduler_config *stated,
                              const pld_sampling_options *options, const pld_sampler_kind **kind, bool *flow,
                              pld_error *error) {
    char names[128];
    *kind = asked;
    *flow = is_flow_model(stated, options) || (asked->is_flow && !options->prediction);
    PLD_TRY(check_trigflow(asked, stated, options, error));
    if (!*flow && asked->is_flow) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: sampler '%s' is for flow models, but another prediction was asked for; use "
                        "prediction flow, or name a sampler",
                        file_of(stated), asked->name);
    }
    if (!*flow) {
        return PLD_OK;
    }
    *kind = flow_form(asked);
    const bool other = stated->stated & PLD_FIELD_BIT(PREDICTION_TYPE) &&
                       stated->prediction_type != PLD_PREDICT_FLOW && !is_flow_class(stated->class_name);
    if (*kind && (*kind)->is_flow && other && !options->prediction) {
        char value[64];
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: field 'prediction_type' is %s on the noise levels of a flow, which sampler '%s' does "
            "not support; use dpm++2m or unipc",
            file_of(stated), pld_scheduler_field_text(stated, PLD_FIELD_PREDICTION_TYPE, value, sizeof value),
            asked->name);
    }
    if (!*kind) {
        list_flow_samplers(names, sizeof names);
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: sampler '%s' does not support flow models such as this one; use one of %s",
                        file_of(stated), asked->name, names);
    }
    return PLD_OK;
}
