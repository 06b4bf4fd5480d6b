/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_table.h"

#include <stdio.h>
#include <string.h>

#include "message.h"
#include "output.h"
#include "whole_file.h"

enum { MOST_LAYERS = 25 };

/** Evaluations of one network. */
typedef struct network_total {
    const char *name;
    size_t count;
    double seconds;
} network_total;

enum { MOST_NETWORKS = 16 };

/** Sum the evaluations of each network, in the order of their first. Returns how many networks there are. */
static size_t sum_networks(const pld_profile *profile, network_total *totals) {
    size_t span_count, count = 0;
    const pld_profile_span *spans = pld_profile_spans(profile, &span_count);
    for (size_t i = 0; i < span_count; i++) {
        if (spans[i].level != PLD_PROFILE_NETWORK) {
            continue;
        }
        size_t at = 0;
        while (at < count && strcmp(totals[at].name, spans[i].name) != 0) {
            at++;
        }
        if (at == MOST_NETWORKS) {
            continue;
        }
        if (at == count) {
            totals[count++] = (network_total){.name = spans[i].name};
        }
        totals[at].count++;
        totals[at].seconds += spans[i].seconds;
    }
    return count;
}

static const network_total *find_network(const network_total *totals, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(totals[i].name, name) == 0) {
            return &totals[i];
        }
    }
    return NULL;
}

static void print_rows(const pld_profile_row *rows, size_t count, bool layers, const network_total *totals,
                       size_t total_count) {
    print_message("\n%-22s %-*s %8s %10s %7s %9s  %s\n", "network", layers ? 64 : 18,
                  layers ? "layer" : "operator", "times", "seconds", "share", "GFLOP/s", "implementation");
    for (size_t i = 0; i < count; i++) {
        const pld_profile_row *row = &rows[i];
        const network_total *network = find_network(totals, total_count, row->network);
        print_message("%-22s %-*s %8zu %10.4f", row->network, layers ? 64 : 18,
                      layers ? row->name : row->kind, row->count, row->seconds);
        if (network != NULL && network->seconds > 0) {
            print_message(" %6.2f%%", 100 * row->seconds / network->seconds);
        } else {
            print_message(" %7s", "");
        }
        if (row->operations > 0 && row->seconds > 0) {
            print_message(" %9.1f", row->operations / row->seconds / 1e9);
        } else {
            print_message(" %9s", "");
        }
        print_message("  %s\n", row->implementation);
    }
}

static int print_group(const pld_profile *profile, pld_profile_level level, pld_profile_grouping grouping,
                       const network_total *totals, size_t total_count) {
    pld_error error = {0};
    pld_profile_row *rows = NULL;
    size_t count = 0;
    if (pld_profile_summarise(profile, level, grouping, &rows, &count, &error) != PLD_OK) {
        return message_error(&error);
    }
    bool layers = grouping == PLD_PROFILE_BY_LAYER;
    print_rows(rows, layers && count > MOST_LAYERS ? MOST_LAYERS : count, layers, totals, total_count);
    pld_profile_rows_free(&rows);
    return EXIT_DONE;
}

int profile_table_print(const pld_profile *profile) {
    network_total totals[MOST_NETWORKS];
    size_t count = sum_networks(profile, totals);
    print_message("\n%-22s %8s %10s\n", "network", "times", "seconds");
    for (size_t i = 0; i < count; i++) {
        print_message("%-22s %8zu %10.4f\n", totals[i].name, totals[i].count, totals[i].seconds);
    }
    int code = print_group(profile, PLD_PROFILE_OPERATOR, PLD_PROFILE_BY_KIND, totals, count);
    if (code == EXIT_DONE) {
        code = print_group(profile, PLD_PROFILE_OPERATOR, PLD_PROFILE_BY_LAYER, totals, count);
    }
    return code;
}

int profile_table_save(const pld_profile *profile, const char *path) {
    pld_error error = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (pld_profile_encode_trace(profile, &bytes, &size, &error) != PLD_OK) {
        return message_error(&error);
    }
    int code = whole_file_write(path, bytes, size);
    pld_bytes_free(&bytes);
    return code;
}
