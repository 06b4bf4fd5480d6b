/* SPDX-License-Identifier: Apache-2.0 */
#include "file_info.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "info_tables.h"
#include "json_output.h"
#include "message.h"

/** Print text from a stranger on one line, cut at `most` bytes. */
static void print_plain(const char *text, size_t most) {
    size_t i = 0;
    for (; text[i] && i < most; i++) {
        putchar((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i]);
    }
    while (i > 0 && ((unsigned char)text[i] & 0xC0) == 0x80) { /* do not cut a letter in two */
        putchar(text[i++]);
    }
    if (text[i]) {
        fputs(" …", stdout);
    }
}

static void print_lora(const pld_lora_facts *lora) {
    printf("  style       %s, %s\n", lora->style, lora->kind);
    if (lora->most_rank) {
        printf("  rank        %" PRId64, lora->least_rank);
        if (lora->most_rank != lora->least_rank) {
            printf(" to %" PRId64, lora->most_rank);
        }
        printf("\n  alpha/rank  %g", lora->least_scale);
        if (lora->most_scale > lora->least_scale) {
            printf(" to %g", lora->most_scale);
        }
        putchar('\n');
    }
    for (size_t i = 0; i < lora->part_count; i++) {
        printf("  %-11s %zu modules\n", lora->parts[i].name, lora->parts[i].modules);
    }
}

static void print_metadata(const pld_file_info *info) {
    enum { LINE = 100, INDENT = 28 };
    if (info->metadata[0]) {
        printf("\nmetadata\n");
    }
    for (size_t i = 0; info->metadata[i]; i += 2) {
        printf("  ");
        print_plain(info->metadata[i], LINE);
        const size_t length = strlen(info->metadata[i]);
        printf("%*s", length < INDENT ? (int)(INDENT - length) : 1, "");
        print_plain(info->metadata[i + 1], LINE);
        putchar('\n');
    }
    if (info->tag_count) {
        printf("\nmost frequent training tags\n");
    }
    for (size_t i = 0; i < info->tag_count; i++) {
        printf("  %6" PRIu64 "  ", info->tag_uses[i]);
        print_plain(info->tags[i], LINE);
        putchar('\n');
    }
}

static void print_table(const pld_file_info *info) {
    printf("%s\n", info->path);
    printf("  kind        %s\n", info->kind);
    if (strcmp(info->title, info->kind) != 0) {
        printf("  is          %s\n", info->title);
    }
    if (info->family) {
        printf("  family      %s\n", info->family);
    }
    if (info->layout) {
        printf("  layout      %s\n", info->layout);
    }
    if (info->prediction_type) {
        printf("  prediction  %s (%s)\n", info->prediction_type, info->prediction_reason);
    }
    if (info->lora) {
        print_lora(info->lora);
    }
    for (size_t i = 0; i < info->note_count; i++) {
        printf("  note        %s\n", info->notes[i]);
    }
    if (info->part_count) {
        info_print_parts(info->parts, info->part_count);
    }
    print_metadata(info);
    if (info->site_count) {
        info_print_sites(info->sites, info->site_count);
    }
}

static json_t *optional(const char *text) {
    return text ? json_string(text) : json_null();
}

static json_t *lora_json(const pld_lora_facts *lora) {
    json_t *modules = json_object();
    for (size_t i = 0; i < lora->part_count; i++) {
        json_object_set_new(modules, lora->parts[i].name, json_integer((json_int_t)lora->parts[i].modules));
    }
    return json_pack("{s:s, s:s, s:[I, I], s:[f, f], s:o}", "style", lora->style, "kind", lora->kind, "rank",
                     (json_int_t)lora->least_rank, (json_int_t)lora->most_rank, "alpha_over_rank",
                     lora->least_scale, lora->most_scale, "modules", modules);
}

static json_t *make_json(const pld_file_info *info) {
    json_t *metadata = json_object();
    json_t *tags = json_array();
    json_t *notes = json_array();
    for (size_t i = 0; info->metadata[i]; i += 2) {
        json_object_set_new(metadata, info->metadata[i], json_string(info->metadata[i + 1]));
    }
    for (size_t i = 0; i < info->tag_count; i++) {
        json_array_append_new(tags, json_pack("[s, I]", info->tags[i], (json_int_t)info->tag_uses[i]));
    }
    for (size_t i = 0; i < info->note_count; i++) {
        json_array_append_new(notes, json_string(info->notes[i]));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "path", info->path, "kind",
        info->kind, "title", info->title, "family", optional(info->family), "layout", optional(info->layout),
        "prediction_type", optional(info->prediction_type), "reason", optional(info->prediction_reason),
        "parts", info_json_parts(info->parts, info->part_count), "attention_sites",
        info_json_sites(info->sites, info->site_count), "lora",
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
