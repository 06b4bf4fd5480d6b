/* SPDX-License-Identifier: Apache-2.0 */
/** pladis info: what a model is. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "commands.h"
#include "files/json_output.h"
#include "files/model_path.h"
#include "info/file.h"
#include "info/picture.h"
#include "info/tables.h"
#include "options/options.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

typedef struct info_request {
    bool json;
    const char *config;
} info_request;

static const option_field fields[] = {
    {"json", offsetof(info_request, json)},
    {"config", offsetof(info_request, config)},
};

const option_set info_options = {
    .command = "info",
    .brief = "show what a model or another file is: family, types, sizes, attention sites",
    .usage = "pladis info [MODEL|FILE.safetensors|PICTURE.png] [--json]",
    .summary = "Show what a model, a LoRA or any other file of weights is: family, layout, types,\n"
               "parameters by part, attention sites, metadata; or what a picture was drawn with.",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .examples = "  pladis info ./stable-diffusion-v1-5\n  pladis info model.safetensors\n  pladis info "
                "lora.safetensors --json\n  pladis info demo --json\n  pladis info star.png\n",
    .most_positionals = 1,
};

/** The words that the model was trained on, in lines. */
static void print_words(const pld_model_info *info) {
    enum { LINE = 96, MARGIN = 14 };
    int column = LINE;
    print_output("  words       %zu, the only ones that it was trained on:", info->trained_word_count);
    for (size_t i = 0; i < info->trained_word_count; i++) {
        const int length = (int)strlen(info->trained_words[i]) + 1;
        if (column + length > LINE) {
            print_output("\n%*s", MARGIN - 1, "");
            column = MARGIN;
        }
        print_output(" %s", info->trained_words[i]);
        column += length;
    }
    print_output("\n");
}

static json_t *json_words(const pld_model_info *info) {
    json_t *list = json_array();
    for (size_t i = 0; i < info->trained_word_count; i++) {
        json_array_append_new(list, json_text(info->trained_words[i]));
    }
    return list;
}

static void print_table(const pld_model_info *info) {
    print_output("%s\n", info->path);
    print_output("  family      %s\n", info->family);
    print_output("  layout      %s\n", info->layout);
    print_output("  prediction  %s (%s)\n", info->prediction_type, info->prediction_reason);
    print_output("  defaults    %d x %d, %d steps, CFG scale %g, PLADIS scale %g, sampler %s\n",
                 info->default_width, info->default_height, info->default_steps, info->default_cfg_scale,
                 info->default_pladis_scale, info->scheduler);
    if (info->default_preset[0] != '\0') {
        print_output("  preset      %s (see pladis list presets)\n", info->default_preset);
    }
    print_output("  sizes       multiples of %d pixels; %d latent channels; %d text positions\n",
                 info->size_factor, info->latent_channels, info->positions);
    if (info->trained_word_count > 0) {
        print_words(info);
    }
    info_print_parts(info->parts, info->part_count);
    info_print_sites(info->sites, info->site_count);
}

static json_t *make_json(const pld_model_info *info) {
    return json_pack(
        "{s:o, s:s, s:s, s:s, s:o, s:s, s:{s:s, s:i, s:i, s:i, s:o, s:o}, s:i, s:i, s:i, s:o, s:o, s:o, "
        "s:{}}",
        "path", json_text(info->path), "layout", info->layout, "family", info->family, "prediction_type",
        info->prediction_type, "reason", json_text(info->prediction_reason), "scheduler", info->scheduler,
        "defaults", "preset", info->default_preset, "width", info->default_width, "height",
        info->default_height, "steps", info->default_steps, "cfg_scale", json_number(info->default_cfg_scale),
        "pladis_scale", json_number(info->default_pladis_scale), "size_factor", info->size_factor,
        "latent_channels", info->latent_channels, "positions", info->positions, "parts",
        info_json_parts(info->parts, info->part_count), "attention_sites",
        info_json_sites(info->sites, info->site_count), "trained_words", json_words(info), "metadata");
}

/** Open the model, print, and close again. */
static int print_info(const char *path, bool json) {
    pld_error error = {0};
    pld_engine_options engine_options;
    pld_engine_options_init(&engine_options, sizeof engine_options);
    engine_options.log = message_log;
    engine_options.log_level = message_log_level();
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

static bool holds(const char *folder, const char *file) {
    char path[PATH_MAX];
    struct stat found;
    const int length = snprintf(path, sizeof path, "%s/%s", folder, file);
    return length > 0 && (size_t)length < sizeof path && stat(path, &found) == 0;
}

/** A folder that PEFT or diffusers wrote for a LoRA, and no model. */
static bool is_lora_folder(const char *path) {
    return !holds(path, "model_index.json") && !holds(path, "modular_model_index.json") &&
           (holds(path, "adapter_model.safetensors") || holds(path, "pytorch_lora_weights.safetensors"));
}

static int print(const info_request *request, const char *name) {
    char path[PATH_MAX];
    if (!model_path_find(name, path, sizeof path)) {
        return EXIT_FAILED;
    }
    if (picture_info_is_png(path)) {
        return picture_info_print(path, request->json);
    }
    struct stat found;
    const bool folder = stat(path, &found) == 0 && S_ISDIR(found.st_mode) && !is_lora_folder(path);
    return folder ? print_info(path, request->json) : file_info_print(path, request->config, request->json);
}

int command_info(int argc, char **argv) {
    info_request request = {0};
    pld_options *values = NULL;
    const char *name = "demo";
    size_t count = 0;
    options_result result = options_read(&info_options, argc, argv, &values, &request, &name, &count);
    int code = result == OPTIONS_RUN ? print(&request, name) : options_exit_code(result);
    pld_options_destroy(&values);
    return code;
}
