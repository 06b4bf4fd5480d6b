/* SPDX-License-Identifier: Apache-2.0 */
#include "info/tables.h"

#include "terminal/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/** "859.5 M", or the number itself where it is small. */
static void format_count(uint64_t count, char *text, size_t size) {
    if (count >= 1000000) {
        snprintf(text, size, "%.1f M", (double)count / 1e6);
    } else if (count >= 10000) {
        snprintf(text, size, "%.1f k", (double)count / 1e3);
    } else {
        snprintf(text, size, "%" PRIu64, count);
    }
}

void info_print_parts(const pld_model_part *const *parts, size_t count) {
    print_output("\n%-16s %-27s %-7s %12s %10s %6s\n", "part", "kind", "type", "parameters", "size", "files");
    for (size_t i = 0; i < count; i++) {
        char parameters[32];
        format_count(parts[i]->parameters, parameters, sizeof parameters);
        print_output("%-16s %-27s %-7s %12s %7.1f MB %6zu\n", parts[i]->name, parts[i]->kind, parts[i]->dtype,
                     parameters, (double)parts[i]->bytes / 1e6, parts[i]->files);
    }
}

void info_print_sites(const pld_attention_site *const *sites, size_t count) {
    size_t cross = 0, joint = 0;
    for (size_t i = 0; i < count; i++) {
        cross += strcmp(sites[i]->kind, "cross") == 0;
        joint += strcmp(sites[i]->kind, "joint") == 0;
    }
    print_output("\n%zu attention sites, %zu of them %s, where PLADIS acts\n", count, joint ? joint : cross,
                 joint ? "joint attention of text and picture" : "cross-attention");
    for (size_t i = 0; i < count; i++) {
        print_output("  %-6s  %2d heads of %3d  %s\n", sites[i]->kind, sites[i]->heads, sites[i]->head_size,
                     sites[i]->name);
    }
}

json_t *info_json_parts(const pld_model_part *const *parts, size_t count) {
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(object, parts[i]->name,
                            json_pack("{s:s, s:s, s:I, s:I, s:I}", "kind", parts[i]->kind, "dtype",
                                      parts[i]->dtype, "parameters", (json_int_t)parts[i]->parameters,
                                      "bytes", (json_int_t)parts[i]->bytes, "files",
                                      (json_int_t)parts[i]->files));
    }
    return object;
}

json_t *info_json_sites(const pld_attention_site *const *sites, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i}", "name", sites[i]->name, "kind",
                                              sites[i]->kind, "heads", sites[i]->heads, "head_size",
                                              sites[i]->head_size));
    }
    return list;
}
