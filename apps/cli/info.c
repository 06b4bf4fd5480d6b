/* SPDX-License-Identifier: Apache-2.0 */
/** pladis info: what a model is. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "commands.h"
#include "json_output.h"
#include "message.h"
#include "model_path.h"
#include "options.h"
#include "picture_info.h"

typedef struct info_request {
    bool json;
} info_request;

static const option rows[] = {
    {.kind = OPTION_FLAG, .name = "json", .offset = offsetof(info_request, json), .help = "print JSON"},
};

static const option_set set = {
    .usage = "pladis info [MODEL|PICTURE.png] [--json]",
    .summary = "What a model is: family, layout, types, parameters by part, attention sites;\nor what a "
               "picture was drawn with.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .examples = "  pladis info ./stable-diffusion-v1-5\n  pladis info demo --json\n  pladis info fox.png\n",
    .most_positionals = 1,
};

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

static void print_table(const pld_model_info *info) {
    printf("%s\n", info->path);
    printf("  family      %s\n", info->family);
    printf("  layout      %s\n", info->layout);
    printf("  prediction  %s (%s)\n", info->prediction_type, info->prediction_reason);
    printf("  defaults    %d x %d, %d steps, CFG scale %g, PLADIS scale %g, sampler %s\n",
           info->default_width, info->default_height, info->default_steps, info->default_cfg_scale,
           info->default_pladis_scale, info->scheduler);
    printf("  sizes       multiples of %d pixels; %d latent channels; %d text positions\n", info->size_factor,
           info->latent_channels, info->positions);
    printf("\n%-16s %-22s %-5s %12s %10s %6s\n", "part", "kind", "type", "parameters", "size", "files");
    for (size_t i = 0; i < info->part_count; i++) {
        const pld_model_part *part = &info->parts[i];
        char parameters[32];
        format_count(part->parameters, parameters, sizeof parameters);
        printf("%-16s %-22s %-5s %12s %7.1f MB %6d\n", part->name, part->kind, part->dtype, parameters,
               (double)part->bytes / 1e6, part->files);
    }
    size_t cross = 0;
    for (size_t i = 0; i < info->site_count; i++) {
        cross += strcmp(info->sites[i].kind, "cross") == 0;
    }
    printf("\n%zu attention sites, %zu of them cross-attention where PLADIS acts\n", info->site_count, cross);
    for (size_t i = 0; i < info->site_count; i++) {
        const pld_attention_site *site = &info->sites[i];
        printf("  %-5s  %2d heads of %3d  %s\n", site->kind, site->heads, site->head_size, site->name);
    }
}

static json_t *make_json(const pld_model_info *info) {
    json_t *parts = json_object(), *sites = json_array();
    for (size_t i = 0; i < info->part_count; i++) {
        const pld_model_part *part = &info->parts[i];
        json_object_set_new(parts, part->name,
                            json_pack("{s:s, s:s, s:I, s:I, s:i}", "kind", part->kind, "dtype", part->dtype,
                                      "parameters", (json_int_t)part->parameters, "bytes",
                                      (json_int_t)part->bytes, "files", part->files));
    }
    for (size_t i = 0; i < info->site_count; i++) {
        const pld_attention_site *site = &info->sites[i];
        json_array_append_new(sites, json_pack("{s:s, s:s, s:i, s:i}", "name", site->name, "kind", site->kind,
                                               "heads", site->heads, "head_size", site->head_size));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:i, s:i, s:i, s:f, s:f}, s:i, s:i, s:i, s:o, s:o, s:{}}", "path",
        info->path, "layout", info->layout, "family", info->family, "prediction_type", info->prediction_type,
        "reason", info->prediction_reason, "scheduler", info->scheduler, "defaults", "width",
        info->default_width, "height", info->default_height, "steps", info->default_steps, "cfg_scale",
        info->default_cfg_scale, "pladis_scale", info->default_pladis_scale, "size_factor", info->size_factor,
        "latent_channels", info->latent_channels, "positions", info->positions, "parts", parts,
        "attention_sites", sites, "metadata");
}

/** Open the model, print, and close again. */
static int print_info(const char *path, bool json) {
    pld_error error = {0};
    pld_engine_options engine_options;
    pld_engine_options_init(&engine_options);
    engine_options.log = message_log;
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    pld_model_info info = {.struct_size = sizeof info};
    int code = EXIT_DONE;
    if (pld_engine_create(&engine_options, &engine, &error) != PLD_OK ||
        pld_model_open(engine, path, &model, &error) != PLD_OK ||
        pld_model_get_info(model, &info, &error) != PLD_OK) {
        code = message_error(&error);
    } else if (json) {
        code = json_output_print(make_json(&info));
    } else {
        print_table(&info);
    }
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return code;
}

int command_info(int argc, char **argv) {
    info_request request = {0};
    const char *name = "demo";
    size_t count = 0;
    options_result result = options_parse(&set, argc, argv, &request, &name, &count);
    if (result != OPTIONS_RUN) {
        return result == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    }
    char path[PATH_MAX];
    if (!model_path_find(name, path, sizeof path)) {
        return EXIT_FAILED;
    }
    return picture_info_is_png(path) ? picture_info_print(path, request.json)
                                     : print_info(path, request.json);
}
