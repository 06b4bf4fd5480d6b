/* SPDX-License-Identifier: Apache-2.0 */
/* What a network predicts stands in its file or in the folder of a model. Where both are there, the file
 * knows better: a folder beside --unet describes the network that is replaced, and one given by --config was
 * chosen by hand. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "models/denoiser.h"
#include "pipeline/model/source.h"
#include "sampling/scheduler_config.h"

static const char scheduler_inside[] = "scheduler/scheduler_config.json";

pld_status pld_told_beside_scheduler(const json_t *scheduler, const char *file, bool describes,
                                     pld_told_prediction *told, pld_error *error) {
    static const char *const types[] = {"epsilon", "v_prediction", "sample"};
    const char *stated = types[0];
    pld_json top;
    PLD_TRY(pld_json_top(scheduler, file, &top, error));
    const bool states = json_object_get(scheduler, "prediction_type") != NULL;
    PLD_TRY(pld_json_get_string(&top, "prediction_type", PLD_JSON_OPTIONAL, &stated, error));
    const bool keeps = told->teller > PLD_TOLD_BY_SCHEDULER ||
                       (told->teller == PLD_TOLD_BY_STATISTIC && !(describes && states));
    for (size_t i = 0; i < sizeof types / sizeof *types && !keeps; i++) {
        if (strcmp(types[i], stated) == 0) {
            told->type = types[i];
            told->teller = PLD_TOLD_BY_SCHEDULER;
            snprintf(told->reason, sizeof told->reason,
                     states ? "stated in %.120s" : "not stated in %.120s: diffusers' default", file);
        }
    }
    return PLD_OK;
}

/** Put a value into a document; whether memory sufficed, and `*changed` where it was not there. */
static bool put(json_t *document, const char *field, json_t *value, bool *changed) {
    *changed = *changed || !json_equal(json_object_get(document, field), value);
    return json_object_set_new(document, field, value) == 0;
}

/** Enter what the file tells into a folder's document. */
static bool amend(json_t *scheduler, const pld_told_prediction *told, bool describes, bool *changed) {
    const char *stated = json_string_value(json_object_get(scheduler, "prediction_type"));
    bool done = true;
    *changed = false;
    if (told->teller == PLD_TOLD_BY_SCHEDULER || strcmp(told->type, PLD_FLOW_PREDICTION) == 0) {
        return true; /* the class of a flow's schedule says what it is */
    }
    if (strcmp(stated ? stated : "epsilon", told->type) != 0) {
        done = put(scheduler, "prediction_type", json_string(told->type), changed);
    }
    if (told->zero_snr) {
        return done && put(scheduler, "rescale_betas_zero_snr", json_true(), changed) &&
               put(scheduler, "timestep_spacing", json_string("trailing"), changed);
    }
    /* the network that is replaced was trained so; one with the mark of v alone, or that predicts noise, was
     * not */
    const bool knows = told->teller == PLD_TOLD_BY_MARK || strcmp(told->type, "v_prediction") != 0;
    if (!describes && knows && json_is_true(json_object_get(scheduler, "rescale_betas_zero_snr"))) {
        done = done && put(scheduler, "rescale_betas_zero_snr", json_false(), changed);
    }
    return done;
}

/** JSON has no infinite numbers. The one that files have is the default of its field, so it can be left out.
 */
static void drop_infinity(json_t *scheduler) {
    const char *clipped = json_string_value(json_object_get(scheduler, "lambda_min_clipped"));
    if (clipped && strcmp(clipped, "-inf") == 0) {
        json_object_del(scheduler, "lambda_min_clipped");
    }
}

/** What the weights at `holder` tell of themselves. */
static pld_status ask_file(const pld_source_files *holder, const pld_layout_part *found,
                           pld_told_prediction *told, pld_error *error) {
    const pld_denoiser *denoiser = found->class->denoiser;
    const pld_published *published = NULL;
    const pld_family *family = NULL;
    pld_weight_files *weights = NULL;
    const char *name = NULL;
    pld_error reason = {0};
    PLD_TRY(pld_layout_view(holder->files, found->layout, 0, &weights, error));
    if (denoiser->recognise(weights, &name, &reason) ==
        PLD_OK) { /* else unusual; the folder says what it is */
        published = pld_published_find(name, &family);
    }
    pld_status status = denoiser->tell_prediction(holder->files, weights, published, told, error);
    pld_weight_files_close(&weights);
    return status;
}

/** Weigh the file against the folder's document, and change that where the file knows better. */
static pld_status weigh(pld_model_source *source, json_t *scheduler, const char *file, bool describes,
                        const pld_log *log, pld_error *error) {
    pld_told_prediction *told = &source->prediction;
    PLD_TRY(pld_told_beside_scheduler(scheduler, file, describes, told, error));
    const pld_source_files *named = &source->files[PLD_SOURCE_DENOISER];
    const char *weights = pld_weight_files_path(named->files ? named->files : source->files[0].files, 0);
    bool changed = false;
    if (!amend(scheduler, told, describes, &changed)) {
        return pld_fail_memory(error, sizeof(json_t *), "configuration");
    }
    if (!changed) {
        pld_log_message(log, PLD_LOG_DETAIL, "%s: predicts %s (%s)", weights, told->type, told->reason);
        return PLD_OK;
    }
    pld_log_message(log, PLD_LOG_NOTICE, "%s: predicts %s%s (%s), which takes precedence over %s", weights,
                    told->type, told->zero_snr ? " with zero terminal SNR" : "", told->reason, file);
    drop_infinity(scheduler);
    return pld_model_source_add(source, scheduler_inside, file, json_incref(scheduler), error);
}

pld_status pld_model_source_tell(pld_model_source *source, const pld_log *log, pld_error *error) {
    const pld_layout_part *found = NULL;
    const pld_source_files *holder = pld_model_source_denoiser(source, &found);
    if (!holder) {
        return PLD_OK;
    }
    const bool describes = holder == &source->files[PLD_SOURCE_CHECKPOINT];
    PLD_TRY(ask_file(holder, found, &source->prediction, error));
    json_t *scheduler = NULL;
    char *file = pld_format("%s/%s", source->folder, scheduler_inside);
    pld_status status = file ? pld_scheduler_document_load(file, &scheduler, error)
                             : pld_fail_memory(error, sizeof scheduler_inside, "path");
    if (status == PLD_OK) {
        status = weigh(source, scheduler, file, describes, log, error);
    }
    json_decref(scheduler);
    pld_free(file);
    return status;
}
