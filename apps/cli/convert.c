/* SPDX-License-Identifier: Apache-2.0 */
/** pladis convert: write a model in another layout or type. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cancel.h"
#include "commands.h"
#include "message.h"
#include "model_path.h"
#include "options.h"
#include "progress.h"

typedef struct convert_request {
    const char *output, *layout, *dtype;
    const char *config, *unet, *vae, *tokenizer;
    bool overwrite, quiet;
} convert_request;

#define AT(field) .offset = offsetof(convert_request, field)

static const option rows[] = {
    {.kind = OPTION_TEXT,
     .name = "output",
     .letter = 'o',
     AT(output),
     .argument = "PATH",
     .help = "folder or .safetensors file to write"},
    {.kind = OPTION_CHOICE,
     .name = "layout",
     AT(layout),
     .argument = "NAME",
     .choices = "diffusers single",
     .help =
         "diffusers: a folder; single: one file with the family's\noriginal names (single where the output "
         "ends in .safetensors)"},
    {.kind = OPTION_CHOICE,
     .name = "dtype",
     AT(dtype),
     .argument = "TYPE",
     .choices = "f16 bf16 f32",
     .help = "type of the weights (each tensor keeps its own)"},
    {.kind = OPTION_FLAG, .name = "overwrite", AT(overwrite), .help = "replace what is there"},
    {.kind = OPTION_TEXT,
     .name = "vae",
     AT(vae),
     .argument = "FILE",
     .help = "another autoencoder, file or folder (the model's own)"},
    {.kind = OPTION_TEXT,
     .name = "unet",
     AT(unet),
     .argument = "FILE",
     .help = "another denoising network, file or folder (the model's own)"},
    {.kind = OPTION_TEXT,
     .name = "tokenizer",
     AT(tokenizer),
     .argument = "PATH",
     .help = "tokenizer folder, or CLIP's bpe_simple_vocab_16e6.txt.gz"},
    {.kind = OPTION_TEXT,
     .name = "config",
     AT(config),
     .argument = "DIR",
     .help = "diffusers folder that describes an unusual single-file checkpoint"},
    {.kind = OPTION_FLAG, .name = "quiet", .letter = 'q', AT(quiet), .help = "print errors only"},
};

static const option_set set = {
    .usage = "pladis convert MODEL -o PATH [--layout diffusers|single] [--dtype f16|bf16|f32]",
    .summary =
        "Write a model in another layout or type. Weights are streamed, so little memory is needed, and\n"
        "the result appears whole or not at all.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
    .examples = "  pladis convert model.safetensors -o model/\n"
                "  pladis convert ./stable-diffusion-v1-5 -o model.safetensors --dtype f16\n"
                "  pladis convert merge.safetensors --vae vae.safetensors -o whole.safetensors\n",
    .most_positionals = 1,
};

static void show(void *user, uint64_t done, uint64_t all) {
    (void)user;
    enum { PARTS = 1000 };
    const uint64_t part = all ? (done < all ? done : all) * PARTS / all : PARTS;
    progress_show_count((size_t)part, PARTS, -1);
}

static bool ends_in(const char *text, const char *end) {
    const size_t length = strlen(text);
    const size_t tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/** Open the model and write it. */
static int convert(const char *path, const convert_request *request) {
    char vocabulary[PATH_MAX];
    pld_error error = {0};
    pld_engine_options engine_options;
    pld_model_options files;
    pld_convert_options options;
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    pld_engine_options_init(&engine_options);
    engine_options.log = message_log;
    pld_model_options_init(&files);
    files.config = request->config;
    files.unet = request->unet;
    files.vae = request->vae;
    files.tokenizer = request->tokenizer;
    files.vocabulary = vocabulary_find(vocabulary, sizeof vocabulary);
    pld_convert_options_init(&options);
    options.layout = request->layout;
    options.dtype = request->dtype;
    options.overwrite = request->overwrite;
    options.progress = request->quiet ? NULL : show;
    options.cancel = cancel_flag();
    cancel_install();
    int code = EXIT_DONE;
    if (pld_engine_create(&engine_options, &engine, &error) != PLD_OK ||
        pld_model_open_with(engine, path, &files, &model, &error) != PLD_OK) {
        code = message_error(&error);
    } else {
        cancel_guard_begin(); /* a second Ctrl-C must not leave half a folder */
        pld_status status = pld_model_convert(model, request->output, &options, &error);
        cancel_guard_end();
        progress_clear();
        code = status == PLD_OK ? EXIT_DONE : message_error(&error);
    }
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return code;
}

int command_convert(int argc, char **argv) {
    convert_request request = {0};
    const char *name = NULL;
    size_t count = 0;
    options_result result = options_parse(&set, argc, argv, &request, &name, &count);
    if (result != OPTIONS_RUN) {
        return result == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
    }
    if (count == 0 || request.output == NULL || request.output[0] == '\0') {
        return message_usage("convert: expected a model and -o PATH; found no %s",
                             count == 0 ? "model" : "output");
    }
    if (request.layout == NULL) {
        request.layout = ends_in(request.output, ".safetensors") ? "single" : "diffusers";
    }
    if (request.quiet) {
        message_set_verbosity(VERBOSITY_QUIET);
    }
    char path[PATH_MAX];
    return model_path_find(name, path, sizeof path) ? convert(path, &request) : EXIT_FAILED;
}
