/* SPDX-License-Identifier: Apache-2.0 */
#include "info/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "files/json_output.h"
#include "info/tables.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

/** Print text on one line, cut at about `most` bytes, within `width` columns at least. */
static void print_cut(const char *text, int width, size_t most) {
    size_t length = strlen(text), end = length < most ? length : most;
    while (end < length && ((unsigned char)text[end] & 0xC0) == 0x80) { /* do not cut a letter in two */
        end++;
    }
    print_output("%-*.*s%s", end < length ? 0 : width, (int)end, text, end < length ? " …" : "");
}

static void print_lora(const pld_lora_facts *lora) {
    print_output("  style       %s, %s\n", lora->style, lora->kind);
    if (lora->most_rank) {
        print_output("  rank        %" PRId64, lora->least_rank);
        if (lora->most_rank != lora->least_rank) {
            print_output(" to %" PRId64, lora->most_rank);
        }
        print_output("\n  alpha/rank  %g", lora->least_scale);
        if (lora->most_scale > lora->least_scale) {
            print_output(" to %g", lora->most_scale);
        }
        print_output("\n");
    }
    for (size_t i = 0; i < lora->part_count; i++) {
        print_output("  %-11s %zu modules\n", lora->part_names[i], lora->part_modules[i]);
    }
}

static void print_metadata(const pld_file_info *info) {
    enum { LINE = 100, INDENT = 28 };
    if (info->metadata[0]) {
        print_output("\nmetadata\n");
    }
    for (size_t i = 0; info->metadata[i]; i += 2) {
        print_output("  ");
        print_cut(info->metadata[i], INDENT - 1, LINE);
        print_output(" ");
        print_cut(info->metadata[i + 1], 0, LINE);
        print_output("\n");
    }
    if (info->tag_count) {
        print_output("\nmost frequent training tags\n");
    }
    for (size_t i = 0; i < info->tag_count; i++) {
        print_output("  %6" PRIu64 "  ", info->tag_uses[i]);
        print_cut(info->tags[i], 0, LINE);
        print_output("\n");
    }
}

static void print_table(const pld_file_info *info) {
    print_output("%s\n", info->path);
    print_output("  kind        %s\n", info->kind);
    if (strcmp(info->title, info->kind) != 0) {
        print_output("  is          %s\n", info->title);
    }
    if (info->family) {
        print_output("  family      %s\n", info->family);
    }
    if (info->layout) {
        print_output("  layout      %s\n", info->layout);
    }
    if (info->prediction_type) {
        print_output("  prediction  %s (%s)\n", info->prediction_type, info->prediction_reason);
    }
    if (info->lora) {
        print_lora(info->lora);
    }
    for (size_t i = 0; i < info->note_count; i++) {
        print_output("  note        %s\n", info->notes[i]);
    }
    if (info->part_count) {
        info_print_parts(info->parts, info->part_count);
    }
    print_metadata(info);
    if (info->site_count) {
        info_print_sites(info->sites, info->site_count);
    }
}

static json_t *lora_json(const pld_lora_facts *lora) {
    json_t *modules = json_object();
    for (size_t i = 0; i < lora->part_count; i++) {
        json_object_set_new(modules, lora->part_names[i], json_integer((json_int_t)lora->part_modules[i]));
    }
    return json_pack("{s:s, s:s, s:[I, I], s:[o, o], s:o}", "style", lora->style, "kind", lora->kind, "rank",
                     (json_int_t)lora->least_rank, (json_int_t)lora->most_rank, "alpha_over_rank",
                     json_number(lora->least_scale), json_number(lora->most_scale), "modules", modules);
}

static json_t *make_json(const pld_file_info *info) {
    json_t *metadata = json_object();
    json_t *tags = json_array();
    json_t *notes = json_array();
    for (size_t i = 0; info->metadata[i]; i += 2) {
        json_object_set_new(metadata, info->metadata[i], json_text(info->metadata[i + 1]));
    }
    for (size_t i = 0; i < info->tag_count; i++) {
        json_array_append_new(tags,
                              json_pack("[o, I]", json_text(info->tags[i]), (json_int_t)info->tag_uses[i]));
    }
    for (size_t i = 0; i < info->note_count; i++) {
        json_array_append_new(notes, json_text(info->notes[i]));
    }
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "path", json_text(info->path),
        "kind", info->kind, "title", json_text(info->title), "family", json_text(info->family), "layout",
        json_text(info->layout), "prediction_type", json_text(info->prediction_type), "reason",
        json_text(info->prediction_reason), "parts", info_json_parts(info->parts, info->part_count),
        "attention_sites", info_json_sites(info->sites, info->site_count), "lora",
        info->lora ? lora_json(info->lora) : json_null(), "metadata", metadata, "tags", tags, "notes", notes);
}

int file_info_print(const char *path, const char *config, bool json) {
    pld_error error = {0};
    pld_file_info *info = NULL;
    if (pld_file_inspect(path, config, &info, &error) != PLD_OK) {
        return message_error(&error);
    }
    int code = EXIT_DONE;
    if (json) {
        code = json_output_print(make_json(info));
    } else {
        print_table(info);
    }
    pld_file_info_destroy(&info);
    return code;
}
