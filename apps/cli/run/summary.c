/* SPDX-License-Identifier: Apache-2.0 */
/** The lines after a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pictures/facets.h"
#include "run/report.h"
#include "terminal/message.h"

/** Seconds of one stage of a picture. */
static double stage_seconds(const picture *drawn, const char *stage) {
    for (int i = 0; i < drawn->report.stage_count; i++) {
        if (strcmp(drawn->report.stage_names[i], stage) == 0) {
            return drawn->report.stage_seconds[i];
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
            seconds += stage_seconds(&pictures->items[j], first->stage_names[i]);
        }
        total += seconds;
        length += (size_t)snprintf(line + length, sizeof line - length, ", %s %.2f s", first->stage_names[i],
                                   seconds);
    }
    message_line("time      %s; %.2f s in all", line, total);
}

/** PLADIS where λ is common to all pictures. */
static void print_pladis(const picture *drawn) {
    const generate_request *request = drawn->settings;
    char sites[512] = "";
    size_t length = 0;
    for (int i = 0; i < drawn->report.variant_count && length < sizeof sites; i++) {
        length +=
            (size_t)snprintf(sites + length, sizeof sites - length, "%s%d site%s %s", i > 0 ? ", " : "",
                             drawn->report.variant_sites[i], drawn->report.variant_sites[i] == 1 ? "" : "s",
                             drawn->report.variant_names[i]);
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
    if (without == NULL || with == NULL) {
        message_note("out of memory: the cost of PLADIS is not shown");
    }
    for (size_t i = 0; without != NULL && with != NULL && i < pictures->count; i++) {
        const picture *drawn = &pictures->items[i];
        if (drawn->pladis_scale == 0) {
            without[without_count++] = &drawn->calls;
        } else {
            with[with_count++] = &drawn->calls;
        }
    }
    if (pladis_cost_measure(without, without_count, with, with_count, &cost)) {
        message_line("cost      denoise %.2f s per picture without PLADIS, %.2f s with it (%+.1f %%)",
                     cost.without, cost.with, 100 * (cost.with / cost.without - 1));
    }
    free(without);
    free(with);
}

/** What is common to pictures that differ in λ, or in how PLADIS is set. */
static void print_common_pladis(const picture_list *pictures) {
    static const struct {
        facet which;
        const char *name;
    } rows[] = {
        {FACET_SCALE, "scale"}, {FACET_ALPHA, "alpha"}, {FACET_BLOCKS, "blocks"}, {FACET_INTERVAL, "steps"}};
    char line[FACETS_TEXT] = "", value[FACETS_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (facets_value(rows[i].which, pictures->items, pictures->count, value)) {
            facets_append(line, "%s%s %s", line[0] != '\0' ? ", " : "", rows[i].name, value);
        }
    }
    if (line[0] != '\0') {
        message_line("PLADIS    %s", line);
    }
}

/** Whether one line about PLADIS is true of all pictures. */
static bool agree_on_pladis(const picture_list *pictures) {
    static const facet all[] = {FACET_SCALE, FACET_ALPHA, FACET_BLOCKS, FACET_INTERVAL};
    bool agree = true;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        agree = agree && facets_agree(all[i], pictures->items, pictures->count);
    }
    return agree;
}

/** Sampler, scheduler, spacing and steps, as far as the pictures share them. */
static void print_sampler(const picture_list *pictures) {
    static const struct {
        facet which;
        const char *before, *after;
    } rows[] = {{FACET_SAMPLER, "", ""},
                {FACET_SCHEDULER, "scheduler ", ""},
                {FACET_SPACING, "spacing ", ""},
                {FACET_STEPS, "", " steps"}};
    char line[FACETS_TEXT] = "", value[FACETS_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *between = line[0] != '\0' ? ", " : "";
        if (facets_value(rows[i].which, pictures->items, pictures->count, value)) {
            facets_append(line, "%s%s%s%s", between, rows[i].before, value, rows[i].after);
        } else if (rows[i].which == FACET_SPACING &&
                   facets_agree(FACET_SPACING, pictures->items, pictures->count)) {
            facets_append(line, "%sits own spacing", between);
        }
    }
    if (line[0] != '\0') {
        message_line("sampler   %s", line);
    }
}

/** Guidance and network evaluations of a picture. */
static void print_guidance(const picture_list *pictures) {
    char guidance[FACETS_TEXT] = "";
    int least = pictures->items[0].report.evaluations, most = least;
    for (size_t i = 1; i < pictures->count; i++) {
        const int evaluations = pictures->items[i].report.evaluations;
        least = evaluations < least ? evaluations : least;
        most = evaluations > most ? evaluations : most;
    }
    const bool common = facets_value(FACET_GUIDANCE, pictures->items, pictures->count, guidance);
    if (least == most) {
        message_line("guidance  %s%s%d evaluations%s", guidance, common ? "; " : "", most,
                     pictures->count > 1 ? " per picture" : "");
    } else {
        message_line("guidance  %s%s%d to %d evaluations per picture", guidance, common ? "; " : "", least,
                     most);
    }
}

void report_print(const generate_request *request, const run_facts *facts, const picture_list *pictures) {
    const picture *last = &pictures->items[pictures->count - 1];
    char text[FACETS_TEXT];
    message_line("model     %s (%s)", facts->model_name, facts->family);
    facets_varying(pictures, text);
    if (text[0] != '\0') {
        message_line("varies    %s", text);
    }
    if (facets_value(FACET_SEED, pictures->items, pictures->count, text)) {
        message_line("seed      %s", text);
    }
    if (facets_agree(FACET_SIZE, pictures->items, pictures->count)) {
        message_line("size      %d x %d", last->report.width, last->report.height);
    }
    if (facets_value(FACET_PRESET, pictures->items, pictures->count, text)) {
        message_line("preset    %s", text);
    }
    print_sampler(pictures);
    print_guidance(pictures);
    if (agree_on_pladis(pictures)) {
        print_pladis(last);
    } else {
        print_common_pladis(pictures);
    }
    print_time(facts, pictures);
    if (request->compare != NULL && differ_by_pladis(pictures)) {
        print_cost(pictures);
    }
    message_line("machine   %s, %s, %d thread%s, peak memory %.0f MB", facts->isa, last->report.dtype,
                 facts->threads, facts->threads == 1 ? "" : "s",
                 (double)last->report.peak_memory_bytes / 1e6);
}
