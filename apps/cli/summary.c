/* SPDX-License-Identifier: Apache-2.0 */
/** The lines after a run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "report.h"

/** Seconds of one stage of a picture. */
static double stage_seconds(const picture *drawn, const char *stage) {
    for (int i = 0; i < drawn->report.stage_count; i++) {
        if (strcmp(drawn->report.stages[i].name, stage) == 0) {
            return drawn->report.stages[i].seconds;
        }
    }
    return 0;
}

/** The stages in order, each summed over all pictures. */
static void print_time(const run_facts *facts, const picture_list *pictures) {
    char line[512];
    size_t length = (size_t)snprintf(line, sizeof line, "open %.2f s", facts->open_seconds);
    double total = facts->open_seconds;
    const pld_report *first = &pictures->items[0].report;
    for (int i = 0; i < first->stage_count && length < sizeof line; i++) {
        double seconds = 0;
        for (size_t j = 0; j < pictures->count; j++) {
            seconds += stage_seconds(&pictures->items[j], first->stages[i].name);
        }
        total += seconds;
        length += (size_t)snprintf(line + length, sizeof line - length, ", %s %.2f s", first->stages[i].name,
                                   seconds);
    }
    message_line("time      %s; %.2f s in all", line, total);
}

static void print_pladis(const picture *drawn) {
    const generate_request *request = drawn->settings;
    char sites[512] = "";
    size_t length = 0;
    for (int i = 0; i < drawn->report.variant_count && length < sizeof sites; i++) {
        length +=
            (size_t)snprintf(sites + length, sizeof sites - length, "%s%d site%s %s", i > 0 ? ", " : "",
                             drawn->report.variants[i].sites, drawn->report.variants[i].sites == 1 ? "" : "s",
                             drawn->report.variants[i].name);
    }
    if (drawn->pladis_scale == 0) {
        message_line("PLADIS    off; %s", sites);
    } else {
        message_line("PLADIS    scale %g, alpha %g, blocks %s, steps %g to %g; %s", drawn->pladis_scale,
                     request->pladis_alpha, request->pladis_blocks, request->pladis_start,
                     request->pladis_end, sites);
    }
}

/** Whether the variants of a comparison differ by PLADIS alone. */
static bool differ_by_pladis(const picture_list *pictures) {
    const option *row = pictures->compared.row;
    return row == NULL || strncmp(row->name, "pladis", strlen("pladis")) == 0;
}

/** What PLADIS costs a picture, where pictures were drawn without and with it and the figure is no noise. */
static void print_cost(const picture_list *pictures) {
    const call_times **without = calloc(pictures->count, sizeof *without);
    const call_times **with = calloc(pictures->count, sizeof *with);
    size_t without_count = 0, with_count = 0;
    pladis_cost cost;
    for (size_t i = 0; without != NULL && with != NULL && i < pictures->count; i++) {
        const picture *drawn = &pictures->items[i];
        if (drawn->pladis_scale == 0) {
            without[without_count++] = &drawn->calls;
        } else {
            with[with_count++] = &drawn->calls;
        }
    }
    if (pladis_cost_measure(without, without_count, with, with_count, &cost)) {
        message_line("cost      denoise %.2f s a picture without PLADIS, %.2f s with it (%+.1f %%)",
                     cost.without, cost.with, 100 * (cost.with / cost.without - 1));
    }
    free(without);
    free(with);
}

void report_print(const generate_request *request, const run_facts *facts, const picture_list *pictures) {
    const picture *last = &pictures->items[pictures->count - 1];
    const pld_report *report = &last->report;
    message_line("model     %s (%s)", facts->model_name, facts->family);
    if (request->batch_count > 1) {
        message_line("seed      %" PRId64 " to %" PRId64, request->seed, last->seed);
    } else {
        message_line("seed      %" PRId64, request->seed);
    }
    message_line("size      %d x %d", report->width, report->height);
    if (report->preset[0] != '\0') {
        message_line("preset    %s", report->preset);
    }
    message_line("sampler   %s, scheduler %s, spacing %s, %d steps", report->sampling_method,
                 report->scheduler, report->spacing[0] != '\0' ? report->spacing : "of its own",
                 report->steps);
    message_line("guidance  %s; %d evaluations", report->guidance, report->evaluations);
    print_pladis(last);
    print_time(facts, pictures);
    if (request->compare != NULL && differ_by_pladis(pictures)) {
        print_cost(pictures);
    }
    message_line("machine   %s, %s, %d thread%s, peak memory %.0f MB", facts->isa, report->dtype,
                 facts->threads, facts->threads == 1 ? "" : "s", (double)report->peak_memory_bytes / 1e6);
}
