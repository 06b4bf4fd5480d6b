/* SPDX-License-Identifier: Apache-2.0 */
#include "run/outputs.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "files/output_format.h"
#include "files/output_set.h"
#include "pages/attention_picture.h"
#include "run/picture_file.h"
#include "terminal/message.h"

/** Standard output takes one picture, and no terminal wants one. */
static int check_standard_output(const generate_request *request, const picture_list *pictures) {
    const bool dash = strcmp(request->output, "-") == 0;
    if ((dash || strcmp(request->output, "/dev/stdout") == 0) && isatty(STDOUT_FILENO)) {
        return message_usage(
            "--output: %s would write a PNG to the terminal; redirect standard output or name a file",
            request->output);
    }
    if (dash && pictures->count > 1 && !picture_file_is_sheet(request)) {
        return message_usage("--output: - takes one picture, found %zu; use --sheet or a file name",
                             pictures->count);
    }
    return EXIT_DONE;
}

/** Look at the endings of all names, which are patterns still: refuse, or with `note` say what is
 * unusual. */
static int check_endings(const generate_request *request, const char *table, bool note) {
    const struct {
        const char *option, *path;
        const output_format *format;
    } rows[] = {{"output", request->output, &output_png},
                {"attention-maps-output", request->attention_maps_output, &output_png},
                {"preview-file", request->preview_file, &output_png},
                {"dump", request->dump, &output_safetensors},
                {"attention-stats", request->attention_stats, &output_statistics},
                {"report", request->report, &output_json},
                {"profile", request->profile, &output_json},
                {"csv", table, &output_csv}};
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].path != NULL && note) {
            output_format_note(rows[i].option, rows[i].path, rows[i].format);
        } else if (rows[i].path != NULL) {
            code = output_format_check(rows[i].option, rows[i].path, rows[i].format);
        }
    }
    return code;
}

/** Files that the pictures of one variant are made from. */
static bool add_inputs_of(const generate_request *settings, output_set *set) {
    bool done = true;
    for (size_t i = 0; done && pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        done = !row->of_picture || !row->is_file ||
               output_set_add_input(set, row->name, pld_options_value(settings->values, row)->text);
    }
    for (size_t i = 0; done && i < settings->loras.count; i++) {
        char path[PATH_MAX];
        const lora_choice *lora = &settings->loras.items[i];
        if (lora->path_length < sizeof path) {
            memcpy(path, lora->text, lora->path_length);
            path[lora->path_length] = '\0';
            done = output_set_add_input(set, "lora", path);
        }
    }
    return done;
}

static bool add_inputs(const generate_request *request, const picture_list *pictures, output_set *set) {
    bool done = output_set_add_input(set, "model", request->model) &&
                output_set_add_input(set, "unet", request->unet) &&
                output_set_add_input(set, "vae", request->vae) &&
                output_set_add_input(set, "text-encoder", request->text_encoder) &&
                output_set_add_input(set, "text-encoder-2", request->text_encoder_2) &&
                output_set_add_input(set, "text-encoder-3", request->text_encoder_3) &&
                output_set_add_input(set, "tokenizer", request->tokenizer) &&
                output_set_add_input(set, "prompt-file", request->prompt_file) &&
                output_set_add_input(set, "from", request->from);
    for (size_t i = 0; done && i < pictures->variant_count; i++) {
        done = add_inputs_of(&pictures->variants[i].settings, set);
    }
    return done;
}

/** Files of an option that writes one for each picture. */
static int add_side_files(const char *option_name, const char *pattern, const picture_list *pictures,
                          output_set *set) {
    char name[PATH_MAX];
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && pattern != NULL && i < pictures->count; i++) {
        code = picture_file_side_name(option_name, pattern, pictures, i, name, sizeof name)
                   ? output_set_add(set, option_name, name)
                   : EXIT_USAGE;
    }
    return code;
}

static int add_pictures(const generate_request *request, const picture_list *pictures, output_set *set) {
    char name[PATH_MAX];
    const size_t files = picture_file_is_sheet(request) ? 1 : pictures->count;
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < files; i++) {
        code =
            picture_file_name(request, pictures, i, name) ? output_set_add(set, "output", name) : EXIT_USAGE;
    }
    for (size_t i = 0; code == EXIT_DONE && request->attention_maps != NULL && i < pictures->count; i++) {
        code = attention_picture_name(request, i, pictures->count, name, sizeof name)
                   ? output_set_add(set, "attention-maps-output", name)
                   : EXIT_USAGE;
    }
    return code;
}

static int add_outputs(const generate_request *request, const picture_list *pictures, const char *table,
                       output_set *set) {
    const struct {
        const char *option, *path;
    } single[] = {{"preview-file", request->preview_file},
                  {"report", request->report},
                  {"profile", request->profile},
                  {"csv", table}};
    int code = add_pictures(request, pictures, set);
    code = code == EXIT_DONE ? add_side_files("dump", request->dump, pictures, set) : code;
    code =
        code == EXIT_DONE ? add_side_files("attention-stats", request->attention_stats, pictures, set) : code;
    for (size_t i = 0; code == EXIT_DONE && i < sizeof single / sizeof *single; i++) {
        code = single[i].path != NULL ? output_set_add(set, single[i].option, single[i].path) : EXIT_DONE;
    }
    return code;
}

int run_outputs_check(const generate_request *request, const picture_list *pictures, const char *table) {
    output_set set = {0};
    int code = check_standard_output(request, pictures);
    code = code == EXIT_DONE ? check_endings(request, table, false) : code;
    if (code == EXIT_DONE) {
        code =
            add_inputs(request, pictures, &set) ? add_outputs(request, pictures, table, &set) : EXIT_FAILED;
    }
    code = code == EXIT_DONE ? output_set_check(&set) : code;
    output_set_free(&set);
    return code == EXIT_DONE ? check_endings(request, table, true) : code;
}
