/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "json_values.h"
#include "model_path.h"
#include "number.h"

/** Seconds of the stages, summed over the pictures. */
typedef struct stage_totals {
    struct {
        const char *name;
        double seconds;
    } stages[PLD_MAX_STAGES];
    int count;
} stage_totals;

static stage_totals sum_stages(const picture_list *pictures) {
    stage_totals totals = {.count = 0};
    for (size_t i = 0; i < pictures->count; i++) {
        const pld_report *report = &pictures->items[i].report;
        for (int j = 0; j < report->stage_count; j++) {
            int at = 0;
            while (at < totals.count && strcmp(totals.stages[at].name, report->stage_names[j]) != 0) {
                at++;
            }
            if (at == PLD_MAX_STAGES) {
                continue;
            }
            if (at == totals.count) {
                totals.stages[totals.count++].name = report->stage_names[j];
            }
            totals.stages[at].seconds += report->stage_seconds[j];
        }
    }
    return totals;
}

/** A file's name for `parameters`; null where there is none. */
static json_t *file_or_null(const char *path, bool base_name) {
    char name[256];
    if (path == NULL || !base_name) {
        return json_text(path);
    }
    path_base_name(path, name, sizeof name);
    return json_text(name);
}

/** A pair as its option takes it; null where it was left out. */
static json_t *pair_or_null(const int64_t pair[2], char separator) {
    return pair[0] == 0 && pair[1] == 0 ? json_null()
                                        : json_sprintf("%" PRId64 "%c%" PRId64, pair[0], separator, pair[1]);
}

/** Those of --lora as the option takes them; the prompt names its own. */
static json_t *lora_options(const lora_choices *loras, bool base_names) {
    json_t *list = json_array();
    for (size_t i = 0; i < loras->count; i++) {
        char path[PATH_MAX], name[256], number[NUMBER_TEXT], whole[PATH_MAX + NUMBER_TEXT];
        const lora_choice *lora = &loras->items[i];
        snprintf(path, sizeof path, "%.*s", (int)lora->path_length, lora->text);
        path_base_name(path, name, sizeof name);
        number_shortest(lora->weight, number);
        snprintf(whole, sizeof whole, "%s:%s", base_names ? name : path, number);
        json_array_append_new(list, json_text(whole));
    }
    return list;
}

json_t *report_parameters(const picture *drawn, bool base_names) {
    const generate_request *request = drawn->settings;
    const pld_report *report = &drawn->report;
    json_t *timesteps = request->timestep_count > 0 ? json_array() : json_null();
    for (size_t i = 0; i < request->timestep_count; i++) {
        json_array_append_new(timesteps, json_number(request->timesteps[i]));
    }
    json_t *object = json_pack(
        "{s:o, s:o, s:b, s:i, s:i, s:i, s:i, s:o, s:o, s:I, s:s, s:s, s:s, s:o, s:s, s:o, s:o}", "prompt",
        json_text(drawn->prompt), "negative_prompt", json_text(request->negative_prompt), "literal_prompt",
        (int)request->literal_prompt, "clip_skip", (int)request->clip_skip, "width", report->width, "height",
        report->height, "steps", report->steps, "cfg_scale", json_number(report->cfg_scale), "cfg_rescale",
        json_number(request->cfg_rescale), "seed", (json_int_t)drawn->seed, "rng", "cpu", "sampling_method",
        report->sampling_method, "scheduler", report->scheduler, "spacing",
        json_text(report->spacing[0] != '\0' ? report->spacing : NULL), "prediction", report->prediction_type,
        "timesteps", timesteps, "init_noise", file_or_null(request->init_noise, base_names));
    if (object == NULL) {
        return NULL;
    }
    json_object_set_new(object, "original_size", pair_or_null(request->original_size, 'x'));
    json_object_set_new(object, "crop", pair_or_null(request->crop, ','));
    json_object_set_new(object, "target_size", pair_or_null(request->target_size, 'x'));
    if (request->init_img != NULL) {
        json_object_set_new(object, "init_img", file_or_null(request->init_img, base_names));
        json_object_set_new(object, "strength", json_number(report->strength));
        json_object_set_new(object, "mask", file_or_null(request->mask, base_names));
    }
    json_object_set_new(object, "eta", json_number(request->eta));
    json_object_set_new(object, "pladis", json_number(drawn->pladis_scale));
    json_object_set_new(object, "pladis_alpha", json_number(request->pladis_alpha));
    json_object_set_new(object, "pladis_blocks", json_text(request->pladis_blocks));
    json_object_set_new(object, "pladis_start", json_number(request->pladis_start));
    json_object_set_new(object, "pladis_end", json_number(request->pladis_end));
    json_object_set_new(object, "pladis_sites", json_text(request->pladis_sites));
    json_object_set_new(object, "pladis_branches", json_text(request->pladis_branches));
    json_object_set_new(object, "pladis_temperature", json_number(request->pladis_temperature));
    json_t *guidance = json_array();
    for (size_t i = 0; i < request->guidance_count; i++) {
        json_array_append_new(guidance, json_text(request->guidance[i]));
    }
    json_object_set_new(object, "guidance", guidance);
    json_object_set_new(object, "preset", json_text(report->preset[0] != '\0' ? report->preset : "none"));
    json_object_set_new(object, "lora", lora_options(&request->loras, base_names));
    json_object_set_new(object, "dtype", json_text(report->dtype));
    return object;
}

json_t *report_make(const generate_request *request, const run_facts *facts, const picture_list *pictures) {
    const picture *last = &pictures->items[pictures->count - 1];
    stage_totals totals = sum_stages(pictures);
    json_t *stages = json_object(), *sites = json_object(), *list = json_array();
    int evaluations = 0, calls = 0;
    json_object_set_new(stages, "open", json_number(facts->open_seconds));
    for (int i = 0; i < totals.count; i++) {
        json_object_set_new(stages, totals.stages[i].name, json_number(totals.stages[i].seconds));
    }
    for (int i = 0; i < last->report.variant_count; i++) {
        json_object_set_new(sites, last->report.variant_names[i],
                            json_integer(last->report.variant_sites[i]));
    }
    for (size_t i = 0; i < pictures->count; i++) {
        const picture *drawn = &pictures->items[i];
        evaluations += drawn->report.evaluations;
        calls += drawn->report.calls;
        json_array_append_new(list,
                              json_pack("{s:o, s:I, s:o}", "prompt", json_text(drawn->prompt), "seed",
                                        (json_int_t)drawn->seed, "pladis", json_number(drawn->pladis_scale)));
    }
    return json_pack("{s:s, s:o, s:s, s:I, s:o, s:O?, s:o, s:I, s:s, s:i, s:i, s:i, s:o, s:s, s:o}",
                     "version", pld_version(), "model", json_text(facts->model), "family", facts->family,
                     "seed", (json_int_t)request->seed, "parameters", report_parameters(last, false), "loras",
                     last->loras, "stages", stages, "peak_memory_bytes",
                     (json_int_t)last->report.peak_memory_bytes, "isa", facts->isa, "threads", facts->threads,
                     "evaluations", evaluations, "calls", calls, "attention_sites", sites, "guidance",
                     last->report.guidance, "pictures", list);
}
