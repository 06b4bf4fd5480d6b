/* SPDX-License-Identifier: Apache-2.0 */
/** pladis convert: write a model in another layout or type. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "files/model_path.h"
#include "files/output_format.h"
#include "options/options.h"
#include "terminal/cancel.h"
#include "terminal/message.h"
#include "terminal/progress.h"

typedef struct convert_request {
    const char *output, *layout, *type;
    const char *config, *unet, *vae, *text_encoder, *text_encoder_2, *text_encoder_3, *tokenizer;
    bool overwrite, quiet;
} convert_request;

static const option_field fields[] = {
    {"output", offsetof(convert_request, output)},
    {"layout", offsetof(convert_request, layout)},
    {"type", offsetof(convert_request, type)},
    {"overwrite", offsetof(convert_request, overwrite)},
    {"quiet", offsetof(convert_request, quiet)},
    {"vae", offsetof(convert_request, vae)},
    {"unet", offsetof(convert_request, unet)},
    {"tokenizer", offsetof(convert_request, tokenizer)},
    {"config", offsetof(convert_request, config)},
    {"text-encoder", offsetof(convert_request, text_encoder)},
    {"text-encoder-2", offsetof(convert_request, text_encoder_2)},
    {"text-encoder-3", offsetof(convert_request, text_encoder_3)},
};

const option_set convert_options = {
    .command = "convert",
    .brief = "write a model in another layout or type",
    .usage = "pladis convert MODEL -o PATH [--layout diffusers|single|denoiser] [--type TYPE]",
    .summary =
        "Write a model in another layout or type. Weights are streamed, so little memory is needed, and\n"
        "the result appears whole or not at all.",
    .details = "If the tensors of a single file do not tell everything about the model (an unusual network, "
               "another tokenizer or schedule), the file must be opened with --config; a warning says so "
               "when it is written.",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .examples = "  pladis convert model.safetensors -o model/\n"
                "  pladis convert ./stable-diffusion-v1-5 -o model.safetensors --type f16\n"
                "  pladis convert ./FLUX.1-dev -o flux1-dev-Q4_K.gguf --type q4_k\n"
                "  pladis convert merge.safetensors --vae vae.safetensors -o whole.safetensors\n",
    .most_positionals = 1,
};

static void show(void *user, uint64_t done, uint64_t all) {
    (void)user;
    progress_show_part(all > 0 ? (double)done / (double)all : 1);
}

/** Whether the folder or file at `path` is `inside` the one at `outer`, or the same. */
static bool is_inside(const char *path, const char *outer) {
    char *whole = realpath(path, NULL), *around = realpath(outer, NULL);
    const size_t length = around != NULL ? strlen(around) : 0;
    bool inside = whole != NULL && around != NULL && strncmp(whole, around, length) == 0 &&
                  (whole[length] == '/' || whole[length] == '\0');
    free(whole);
    free(around);
    return inside;
}

/** What is replaced must not take with it what the model is made of; the model itself may be replaced. */
static int check_inputs(const char *path, const convert_request *request) {
    const struct {
        const char *option, *path;
    } inputs[] = {{"vae", request->vae},
                  {"text-encoder", request->text_encoder},
                  {"text-encoder-2", request->text_encoder_2},
                  {"text-encoder-3", request->text_encoder_3},
                  {"unet", request->unet},
                  {"tokenizer", request->tokenizer},
                  {"config", request->config}};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (inputs[i].path != NULL && is_inside(inputs[i].path, request->output)) {
            return message_usage("--output: replacing %s would delete what --%s reads; choose another name",
                                 request->output, inputs[i].option);
        }
    }
    struct stat facts;
    bool same = is_inside(path, request->output) && is_inside(request->output, path);
    if (!same && is_inside(path, request->output) && stat(request->output, &facts) == 0) {
        return message_usage(
            "--output: replacing %s would delete the model %s inside it; choose another name",
            request->output, path);
    }
    return EXIT_DONE;
}

/** The layout by the name of the output, and whether both fit. */
static int choose_layout(convert_request *request) {
    const char *output = request->output;
    struct stat facts;
    const char *promised = output_format_promised(output);
    const bool gguf = promised != NULL && strcmp(promised, output_gguf.title) == 0;
    const bool file = gguf || (promised != NULL && strcmp(promised, output_safetensors.title) == 0);
    const bool folder = stat(output, &facts) == 0 && S_ISDIR(facts.st_mode);
    if (promised != NULL && !file && !folder) {
        return message_usage(
            "--output: %s would be %s, judging by its name; expected a folder, or a file that ends "
            "in .safetensors or .gguf: this version writes no other format",
            output, promised);
    }
    if (request->layout == NULL) {
        request->layout = folder || !file ? "diffusers" : gguf ? "denoiser" : "single";
    }
    if (strcmp(request->layout, "diffusers") == 0 && file && !folder) {
        return message_usage("--output: %s has the name of a file, but --layout diffusers writes a folder; "
                             "leave out .%s",
                             output, gguf ? "gguf" : "safetensors");
    }
    return EXIT_DONE;
}

/** Open the model, or its denoiser, and write it. */
static pld_status open_and_write(pld_engine *engine, const char *path, const pld_model_options *files,
                                 const char *output, const pld_convert_options *options, pld_error *error) {
    pld_model *model = NULL;
    pld_status status = PLD_OK;
    const bool alone = strcmp(options->layout, "denoiser") == 0;
    if (!alone) {
        status = pld_model_open_with(engine, path, files, &model, error);
    }
    if (status == PLD_OK) {
        cancel_guard_begin(); /* a second Ctrl-C must not leave half a folder */
        status = alone ? pld_denoiser_convert(engine, path, files, output, options, error)
                       : pld_model_convert(model, output, options, error);
        cancel_guard_end();
        progress_clear();
    }
    pld_model_destroy(&model);
    return status;
}

static int convert(const char *path, const convert_request *request, const pld_options *values) {
    vocabularies found;
    pld_error error = {0};
    pld_engine_options engine_options;
    pld_model_options files;
    pld_convert_options options;
    pld_engine *engine = NULL;
    pld_engine_options_init(&engine_options, sizeof engine_options);
    engine_options.log = message_log;
    engine_options.log_level = message_log_level();
    pld_model_options_init(&files, sizeof files);
    pld_options_model(values, &files);
    vocabularies_offer(&found, &files);
    pld_convert_options_init(&options, sizeof options);
    options.layout = request->layout;
    options.dtype = request->type;
    options.overwrite = request->overwrite;
    options.progress = request->quiet ? NULL : show;
    options.cancel = cancel_flag();
    cancel_install();
    pld_status status = pld_engine_create(&engine_options, &engine, &error);
    if (status == PLD_OK) {
        status = open_and_write(engine, path, &files, request->output, &options, &error);
    }
    const int code = status == PLD_OK ? EXIT_DONE : message_error(&error);
    pld_engine_destroy(&engine);
    return code;
}

/** Check, then convert the model called `name`. */
static int run(const char *name, convert_request *request, const pld_options *values) {
    char path[PATH_MAX];
    if (name == NULL || request->output == NULL || request->output[0] == '\0') {
        return message_usage("convert: expected a model and -o PATH; found no %s",
                             name == NULL ? "model" : "output");
    }
    if (request->quiet) {
        message_set_verbosity(VERBOSITY_QUIET);
    }
    int code = choose_layout(request);
    if (code == EXIT_DONE && !model_path_find(name, path, sizeof path)) {
        code = EXIT_FAILED;
    }
    code = code == EXIT_DONE ? check_inputs(path, request) : code;
    if (code == EXIT_DONE && strcmp(request->layout, "diffusers") != 0 &&
        !output_format_ends_in(request->output, output_gguf.endings[0])) {
        output_format_note("output", request->output, &output_safetensors);
    }
    return code == EXIT_DONE ? convert(path, request, values) : code;
}

int command_convert(int argc, char **argv) {
    convert_request request = {0};
    pld_options *values = NULL;
    const char *name = NULL;
    size_t count = 0;
    options_result result = options_read(&convert_options, argc, argv, &values, &request, &name, &count);
    int code = result == OPTIONS_RUN ? run(name, &request, values) : options_exit_code(result);
    pld_options_destroy(&values);
    return code;
}
