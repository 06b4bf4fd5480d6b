/* SPDX-License-Identifier: Apache-2.0 */
#include "run/report.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "files/model_path.h"
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

/** A file's name, without folders where it is passed on. */
static json_t *file_name(const char *path, bool base_name) {
    char name[256];
    if (!base_name) {
        return json_text(path);
    }
    path_base_name(path, name, sizeof name);
    return json_text(name);
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

static json_t *list_json(const pld_option_value *value) {
    json_t *list = json_array();
    for (size_t i = 0; i < value->count; i++) {
        json_array_append_new(list, value->texts != NULL ? json_text(value->texts[i])
                                                         : json_number(value->numbers[i]));
    }
    return list;
}

/** The value of an option as JSON; null where it has none. */
static json_t *value_json(const option *row, const pld_option_value *value, bool base_names) {
    switch (row->type) {
    case PLD_OPTION_FLAG:
        return json_boolean(value->flag);
    case PLD_OPTION_INTEGER:
        return value->is_set || row->fallback != NULL ? json_integer(value->integer) : json_null();
    case PLD_OPTION_NUMBER:
        return json_number(value->number);
    case PLD_OPTION_PAIR:
        return value->is_set
                   ? json_sprintf("%" PRId64 "%c%" PRId64, value->pair[0], row->separator, value->pair[1])
                   : json_null();
    case PLD_OPTION_NUMBERS:
        return value->count > 0 ? list_json(value) : json_null();
    case PLD_OPTION_TEXTS:
        return list_json(value);
    default:
        return row->is_file && value->text != NULL ? file_name(value->text, base_names)
                                                   : json_text(value->text);
    }
}

/** What a picture has of its own, or keeps in another form; NULL: nothing. */
static json_t *own_value(const option *row, const picture *drawn, bool base_names) {
    return strcmp(row->name, "prompt") == 0   ? json_text(drawn->prompt)
           : strcmp(row->name, "seed") == 0   ? json_integer(drawn->seed)
           : strcmp(row->name, "pladis") == 0 ? json_number(drawn->pladis_scale)
           : strcmp(row->name, "lora") == 0   ? lora_options(&drawn->settings->loras, base_names)
                                              : NULL;
}

/** Said of a picture that begins at another one alone. */
static bool is_of_init_picture(const option *row) {
    return strcmp(row->name, "init-img") == 0 || strcmp(row->name, "strength") == 0 ||
           strcmp(row->name, "mask") == 0;
}

/** The name of a field: that of its option with '_' for '-'. */
static void field_name(const option *row, char *name, size_t size) {
    snprintf(name, size, "%s", row->name);
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '-') {
            *at = '_';
        }
    }
}

json_t *report_parameters(const picture *drawn, bool base_names) {
    pld_options *in_force = NULL;
    json_t *object = json_object();
    pld_error error = {0};
    if (pld_options_copy(drawn->settings->values, &in_force, &error) != PLD_OK ||
        pld_options_take_report(in_force, &drawn->report, &error) != PLD_OK) {
        pld_options_destroy(&in_force);
        json_note_out_of_memory();
        return object;
    }
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        char name[64];
        if (!row->of_picture || !pld_option_belongs(row, "generate") ||
            (is_of_init_picture(row) && drawn->settings->init_img == NULL)) {
            continue;
        }
        json_t *own = own_value(row, drawn, base_names);
        field_name(row, name, sizeof name);
        json_object_set_new(
            object, name, own != NULL ? own : value_json(row, pld_options_value(in_force, row), base_names));
    }
    pld_options_destroy(&in_force);
    return object;
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
                     "seed", (json_int_t)request->seed, "parameters", report_parameters(last, false), "loras",
                     last->loras, "stages", stages, "peak_memory_bytes",
                     (json_int_t)last->report.peak_memory_bytes, "memory", memory, "isa", facts->isa,
                     "threads", facts->threads, "evaluations", evaluations, "calls", calls, "attention_sites",
                     sites, "guidance", last->report.guidance, "pictures", list);
}
