/* SPDX-License-Identifier: Apache-2.0 */
/** Fields of A1111's requests that need more than another name. */
#include "api/a1111_fill.h"

#include <stdio.h>
#include <string.h>

/** What reads one request. */
typedef struct filling {
    const field_reader *reader;
    const submission *read;
    job_request *request;
    field_problem *problem;
} filling;

static bool set_text(filling *to, const char *option, const char *text) {
    json_t *value = reply_text(text);
    const bool set = value != NULL && fields_set(to->reader, option, value, to->request, to->problem);
    json_decref(value);
    return set;
}

/** sampler_index is an older name, which counts where the newer one is not given. */
static bool fill_sampler(filling *to) {
    const char *name = submission_field(to->read, "sampler_name") != NULL ? "sampler_name" : "sampler_index";
    const char *sampler = NULL;
    if (!submission_text(to->read, name, &sampler)) {
        return field_refuse(to->problem, name, PLD_ERROR_ARGUMENT, "%s: expected a text", name);
    }
    return sampler == NULL || sampler[0] == '\0' || strcmp(sampler, "Automatic") == 0 ||
           set_text(to, "sampling-method", sampler);
}

static bool fill_scheduler(filling *to) {
    const char *scheduler = NULL;
    if (!submission_text(to->read, "scheduler", &scheduler)) {
        return field_refuse(to->problem, "scheduler", PLD_ERROR_ARGUMENT, "scheduler: expected a text");
    }
    const char *own = scheduler != NULL ? pld_own_name(PLD_LIST_SCHEDULERS, scheduler) : NULL;
    return scheduler == NULL || scheduler[0] == '\0' || (own != NULL && own[0] == '\0') ||
           set_text(to, "scheduler", scheduler);
}

static bool fill_count(filling *to) {
    int64_t size = 1, times = 1;
    if (!submission_integer(to->read, "batch_size", &size) ||
        !submission_integer(to->read, "n_iter", &times) || size < 1 || times < 1 ||
        size > JOB_MOST_PICTURES || times > JOB_MOST_PICTURES) {
        return field_refuse(to->problem, "batch_size", PLD_ERROR_ARGUMENT,
                            "batch_size and n_iter: expected 1 to %d", JOB_MOST_PICTURES);
    }
    char count[32];
    snprintf(count, sizeof count, "%d", (int)size * (int)times);
    return set_text(to, "batch-count", count);
}

/** Settings of this job alone. */
static bool fill_settings(filling *to) {
    const json_t *settings = submission_field(to->read, "override_settings");
    const char *name = NULL;
    json_t *value = NULL;
    if (settings != NULL && !json_is_object(settings)) {
        return field_refuse(to->problem, "override_settings", PLD_ERROR_ARGUMENT,
                            "override_settings: expected an object");
    }
    json_object_foreach((json_t *)(uintptr_t)settings, name, value) {
        const char *option = strcmp(name, "sd_model_checkpoint") == 0        ? "model"
                             : strcmp(name, "sd_vae") == 0                   ? "vae"
                             : strcmp(name, "CLIP_stop_at_last_layers") == 0 ? "clip-skip"
                                                                             : NULL;
        const char *text = json_string_value(value);
        if (option == NULL) {
            return field_refuse(to->problem, "override_settings", PLD_ERROR_UNSUPPORTED,
                                "override_settings: %.60s is not supported", name);
        }
        if (json_is_null(value) || (text != NULL && (text[0] == '\0' || strcmp(text, "Automatic") == 0 ||
                                                     strcmp(text, "None") == 0))) {
            continue;
        }
        if (!fields_set(to->reader, option, value, to->request, to->problem)) {
            return false;
        }
    }
    return true;
}

static bool fill_picture(filling *to) {
    const json_t *pictures = submission_field(to->read, "init_images");
    const json_t *strength = submission_field(to->read, "denoising_strength");
    if (!json_is_array(pictures) || json_array_size(pictures) != 1 ||
        !json_is_string(json_array_get(pictures, 0))) {
        return field_refuse(to->problem, "init_images", PLD_ERROR_ARGUMENT,
                            "init_images: expected a list of one picture as base64");
    }
    return fields_set(to->reader, "init-img", json_array_get(pictures, 0), to->request, to->problem) &&
           (strength == NULL || fields_set(to->reader, "strength", strength, to->request, to->problem));
}

bool a1111_fill(const field_reader *reader, const submission *read, bool from_picture, job_request *request,
                field_problem *problem) {
    filling to = {reader, read, request, problem};
    return fields_read(reader, read->fields, read->uploads, read->upload_count, request, problem) &&
           fill_sampler(&to) && fill_scheduler(&to) && fill_count(&to) && fill_settings(&to) &&
           (!from_picture || fill_picture(&to)) && fields_settle(reader, request, problem);
}
