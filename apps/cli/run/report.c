/* SPDX-License-Identifier: Apache-2.0 */
#include "run/report.h"

#include <stdio.h>
#include <string.h>

#include "run/drawn.h"
#include "values/json_values.h"
#include "values/number.h"

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

json_t *report_parameters(const picture *drawn) {
    drawn_words words;
    char *text = NULL;
    json_error_t problem;
    json_t *parameters = NULL;
    if (drawn_words_make(drawn, &words) &&
        pld_metadata_parameters(&words.about, true, &text, NULL) == PLD_OK) {
        parameters = json_read(text, strlen(text), &problem);
    }
    if (parameters == NULL) {
        json_note_out_of_memory();
        parameters = json_object();
    }
    pld_string_free(&text);
    drawn_words_free(&words);
    return parameters;
}

/** The budget, and what became of the denoiser's weights under it. */
static json_t *memory_json(const pld_report *report, double waited) {
    return json_pack("{s:o, s:I, s:I, s:o}", "budget_bytes",
                     report->max_memory > 0 ? json_integer((json_int_t)report->max_memory) : json_null(),
                     "resident_bytes", (json_int_t)report->resident_bytes, "streamed_bytes_per_call",
                     (json_int_t)report->streamed_bytes, "wait_seconds", json_number(waited));
}

json_t *report_make(const generate_request *request, const run_facts *facts, const picture_list *pictures) {
    const picture *last = &pictures->items[pictures->count - 1];
    stage_totals totals = sum_stages(pictures);
    json_t *stages = json_object(), *sites = json_object(), *list = json_array();
    int evaluations = 0, calls = 0;
    double waited = 0;
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
        waited += drawn->report.streaming_wait_seconds;
        json_array_append_new(list,
                              json_pack("{s:o, s:I, s:o}", "prompt", json_text(drawn->prompt), "seed",
                                        (json_int_t)drawn->seed, "pladis", json_number(drawn->pladis_scale)));
    }
    json_t *memory = memory_json(&last->report, waited);
    return json_pack("{s:s, s:o, s:s, s:I, s:o, s:O?, s:o, s:I, s:o, s:s, s:i, s:i, s:i, s:o, s:s, s:o}",
                     "version", pld_version(), "model", json_text(facts->model), "family", facts->family,
                     "seed", (json_int_t)request->seed, "parameters", report_parameters(last), "loras",
                     last->loras, "stages", stages, "peak_memory_bytes",
                     (json_int_t)last->report.peak_memory_bytes, "memory", memory, "isa", facts->isa,
                     "threads", facts->threads, "evaluations", evaluations, "calls", calls, "attention_sites",
                     sites, "guidance", last->report.guidance, "pictures", list);
}
