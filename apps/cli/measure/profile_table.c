/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/profile_table.h"

#include <stdio.h>
#include <string.h>

#include "files/whole_file.h"
#include "terminal/message.h"
#include "terminal/output.h"

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
    const size_t span_count = pld_profile_span_count(profile);
    size_t count = 0;
    for (size_t i = 0; i < span_count; i++) {
        const pld_profile_span *span = pld_profile_span_at(profile, i);
        if (span->level != PLD_PROFILE_NETWORK) {
            continue;
        }
        size_t at = 0;
        while (at < count && strcmp(totals[at].name, span->name) != 0) {
            at++;
        }
        if (at == MOST_NETWORKS) {
            continue;
        }
        if (at == count) {
            totals[count++] = (network_total){.name = span->name};
        }
        totals[at].count++;
        totals[at].seconds += span->seconds;
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

static void print_rows(const pld_profile_row *const *rows, size_t count, bool layers,
                       const network_total *totals, size_t total_count) {
    print_message("\n%-22s %-*s %8s %10s %7s %9s  %s\n", "network", layers ? 64 : 18,
                  layers ? "layer" : "operator", "times", "seconds", "share", "GFLOP/s", "implementation");
    for (size_t i = 0; i < count; i++) {
        const pld_profile_row *row = rows[i];
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
    pld_profile_summary *summary = NULL;
    if (pld_profile_summarise(profile, level, grouping, &summary, &error) != PLD_OK) {
        return message_error(&error);
    }
    bool layers = grouping == PLD_PROFILE_BY_LAYER;
    print_rows(summary->rows, layers && summary->count > MOST_LAYERS ? MOST_LAYERS : summary->count, layers,
               totals, total_count);
    pld_profile_summary_free(&summary);
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
