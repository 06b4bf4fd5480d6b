/* SPDX-License-Identifier: Apache-2.0 */
#include "request/generate_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "files/output_name.h"
#include "request/given.h"
#include "request/recall.h"
#include "terminal/message.h"
#include "terminal/picture.h"
#include "values/number.h"

#define FIELD(name, field)                                                                                   \
    { (name), offsetof(generate_request, field) }

/** Options that the program itself looks at; all others go to the library as they are. */
static const option_field fields[] = {
    FIELD("model", model),
    FIELD("config", config),
    FIELD("unet", unet),
    FIELD("vae", vae),
    FIELD("text-encoder", text_encoder),
    FIELD("text-encoder-2", text_encoder_2),
    FIELD("text-encoder-3", text_encoder_3),
    FIELD("tokenizer", tokenizer),
    FIELD("prompt", prompt),
    FIELD("negative-prompt", negative_prompt),
    FIELD("prompt-file", prompt_file),
    FIELD("output", output),
    FIELD("literal-prompt", literal_prompt),
    FIELD("sheet", sheet),
    FIELD("no-metadata", no_metadata),
    FIELD("no-pladis", no_pladis),
    FIELD("dump-steps", dump_steps),
    FIELD("quiet", quiet),
    FIELD("verbose", verbose),
    FIELD("columns", columns),
    FIELD("zoom", zoom),
    FIELD("clip-skip", clip_skip),
    FIELD("width", width),
    FIELD("height", height),
    FIELD("steps", steps),
    FIELD("seed", seed),
    FIELD("batch-count", batch_count),
    FIELD("cfg-scale", cfg_scale),
    FIELD("cfg-rescale", cfg_rescale),
    FIELD("sampling-method", sampling_method),
    FIELD("spacing", spacing),
    FIELD("timesteps", timestep_count),
    FIELD("guidance", guidance_count),
    FIELD("pladis", pladis_scale),
    FIELD("pladis-alpha", pladis_alpha),
    FIELD("pladis-blocks", pladis_blocks),
    FIELD("pladis-start", pladis_start),
    FIELD("pladis-end", pladis_end),
    FIELD("lora-dir", lora_dir),
    FIELD("init-img", init_img),
    FIELD("mask", mask),
    FIELD("init-noise", init_noise),
    FIELD("prompt-embeds", prompt_embeds),
    FIELD("dump", dump),
    FIELD("attention-stats", attention_stats),
    FIELD("report", report),
    FIELD("profile", profile),
    FIELD("attention-maps", attention_maps),
    FIELD("attention-maps-output", attention_maps_output),
    FIELD("attention-maps-blocks", attention_maps_blocks),
    FIELD("attention-maps-start", attention_maps_start),
    FIELD("attention-maps-end", attention_maps_end),
    FIELD("preview", preview),
    FIELD("preview-file", preview_file),
    FIELD("from", from),
    FIELD("from-picture", from_picture),
    FIELD("compare", compare),
};

const option_set generate_options = {
    .command = "generate",
    .brief = "draw pictures from a prompt",
    .usage = "pladis generate -p PROMPT [-m MODEL] [-o OUT.png] [options]",
    .summary = "Draw pictures from text, with sparse cross-attention (PLADIS) unless told otherwise.",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .store = generate_options_store,
    .examples =
        "  pladis generate -p \"a large red star above a small blue ring\" -o star.png\n"
        "  pladis generate -m ./stable-diffusion-v1-5 -p \"a red fox in the snow\" -s -1 -b 4 -o fox-%d.png\n"
        "  pladis generate -p \"two green hearts\" --compare -o compare.png\n"
        "  pladis generate -p \"two green hearts\" --compare cfg-scale=1,3,7 -o compare.png\n"
        "  pladis generate -p \"a red star and a blue ring\" --attention-maps star,ring -o rings.png\n"
        "  pladis generate --from rings.png -s 43 -o another.png\n"
        "  pladis generate --prompt-file prompts.txt --sheet --columns 3 -o grid.png\n"
        "  pladis generate -p \"a blue ring\" --guidance pag:scale=3,layers=mid --guidance rescale\n"
        "  pladis generate -p \"a blue ring\" --sampling-method dpm++2m --scheduler karras --steps 20\n",
};

const option *generate_options_row(const char *name) {
    const option *row = pld_option_find("generate", name);
    return row != NULL && row->type < PLD_OPTION_HABIT ? row : NULL;
}

bool generate_options_store(void *target, const option *row, const char *value) {
    given_take_place(target, row);
    return generate_options_put(target, row, value);
}

bool generate_options_put(generate_request *request, const option *row, const char *value) {
    if (strcmp(row->name, "lora") == 0) { /* one that is given replaces a recorded one of its name */
        return lora_choices_add(&request->loras, row->name, value);
    }
    return options_store(&generate_options, row, value, request->values, request);
}

bool generate_options_defaults(generate_request *request) {
    pld_error error = {0};
    *request = (generate_request){.values = NULL};
    if (pld_options_create(&request->values, &error) != PLD_OK) {
        message_error(&error);
        return false;
    }
    options_take(&generate_options, NULL, request->values, request);
    return true;
}

void generate_options_free(generate_request *request) {
    recalled_free(&request->recalled);
    pld_options_destroy(&request->values);
}

bool generate_options_copy(const generate_request *request, generate_request *copy) {
    pld_error error = {0};
    *copy = *request;
    if (pld_options_copy(request->values, &copy->values, &error) != PLD_OK) {
        message_error(&error);
        return false;
    }
    return true;
}

void generate_options_free_copy(generate_request *copy) {
    pld_options_destroy(&copy->values);
}

static bool is_given(const generate_request *request, const char *name) {
    return pld_options_get(request->values, NULL, name)->is_set;
}

/** An option that was given and says how attention maps are made; NULL: none. */
static const char *given_map_option(const generate_request *request) {
    static const char *const names[] = {"attention-maps-output", "attention-maps-blocks",
                                        "attention-maps-start", "attention-maps-end"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_given(request, names[i])) {
            return names[i];
        }
    }
    return NULL;
}

bool generate_options_check(const generate_request *request) {
    if (request->prompt == NULL && request->prompt_file == NULL && request->prompt_embeds == NULL) {
        message_usage("expected a prompt, found none: give -p TEXT or --prompt-file FILE");
    } else if (request->prompt != NULL && request->prompt_file != NULL) {
        message_usage("--prompt and --prompt-file cannot be used together; leave one out");
    } else if (request->quiet && request->verbose) {
        message_usage("--quiet and --verbose cannot be used together; leave one out");
    } else if (request->compare != NULL && request->compare[0] == '\0' && request->pladis_scale == 0) {
        message_usage(
            "--compare shows PLADIS off and on, but PLADIS is off; leave out --no-pladis and --pladis 0");
    } else if (request->pladis_scale != 0 && request->pladis_start >= request->pladis_end) {
        message_usage("--pladis-start: found %g, expected less than --pladis-end, which is %g; use "
                      "--no-pladis to turn PLADIS off",
                      request->pladis_start, request->pladis_end);
    } else if (request->dump_steps && request->dump == NULL) {
        message_usage("--dump-steps needs --dump FILE");
    } else if (request->timestep_count > 0 && request->steps > 0 &&
               request->timestep_count != (size_t)request->steps) {
        message_usage("--steps: found %d, but --timesteps lists %zu; leave out --steps", (int)request->steps,
                      request->timestep_count);
    } else if (request->sampling_method != NULL && strcmp(request->sampling_method, "ddim_trailing") == 0 &&
               request->spacing != NULL && strcmp(request->spacing, "trailing") != 0) {
        message_usage(
            "--spacing: found \"%s\", expected trailing, because --sampling-method is ddim_trailing",
            request->spacing);
    } else if (request->negative_prompt != NULL && !request->literal_prompt &&
               strstr(request->negative_prompt, "<lora:") != NULL) {
        message_usage("--negative-prompt: found <lora:...>, which belongs in the prompt, because a LoRA "
                      "changes the whole model");
    } else if (request->sheet && request->compare != NULL) {
        message_usage("--sheet and --compare cannot be used together; leave one out");
    } else if (request->init_img == NULL && (request->mask != NULL || is_given(request, "strength"))) {
        message_usage("--%s needs --init-img FILE", request->mask != NULL ? "mask" : "strength");
    } else if (request->attention_maps == NULL && given_map_option(request) != NULL) {
        message_usage("--%s needs --attention-maps WORD", given_map_option(request));
    } else if (request->attention_maps != NULL && request->attention_maps_output == NULL &&
               (strcmp(request->output, "-") == 0 || output_name_is_special(request->output))) {
        message_usage("--attention-maps needs --attention-maps-output FILE, because --output is %s",
                      request->output);
    } else if (request->attention_maps_start >= request->attention_maps_end) {
        message_usage(
            "--attention-maps-start: found %g, expected less than --attention-maps-end, which is %g",
            request->attention_maps_start, request->attention_maps_end);
    } else if (request->preview != NULL && request->preview[0] != '\0' &&
               !terminal_graphics_named(request->preview, &(terminal_graphics){0})) {
        message_usage("--preview: found \"%.200s\", expected one of: auto kitty sixel blocks",
                      request->preview);
    } else if (request->columns > 0 && !request->sheet) {
        message_usage("--columns needs --sheet");
    } else if (request->zoom > 1 && request->attention_maps == NULL && !request->together &&
               !request->sheet && request->compare == NULL) {
        message_usage("--zoom needs --sheet, --compare or --attention-maps");
    } else {
        return true;
    }
    return false;
}

/** A random seed short enough to be typed again. */
static bool draw_seed(generate_request *request) {
    uint32_t drawn = 0;
    if (request->seed < 0) {
        if (getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) {
            message_failure("--seed: the system provides no random numbers; give a seed");
            return false;
        }
        char text[NUMBER_TEXT];
        snprintf(text, sizeof text, "%" PRIu32, drawn);
        return options_store(&generate_options, generate_options_row("seed"), text, request->values, request);
    }
    return true;
}

/** "-" is standard output in every option that writes a file; --output itself knows it. */
static void name_standard_output(generate_request *request) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const option *row = generate_options_row(fields[i].name);
        const char **path = (const char **)(void *)((char *)request + fields[i].offset);
        if (row->is_output && strcmp(row->name, "output") != 0 && *path != NULL && strcmp(*path, "-") == 0) {
            *path = "/dev/stdout";
        }
    }
}

bool generate_options_settle(generate_request *request) {
    name_standard_output(request);
    if (request->no_pladis &&
        !options_store(&generate_options, generate_options_row("pladis"), "0", request->values, request)) {
        return false;
    }
    if (!generate_options_check(request) || !draw_seed(request)) {
        return false;
    }
    message_set_verbosity(request->quiet     ? VERBOSITY_QUIET
                          : request->verbose ? VERBOSITY_VERBOSE
                                             : VERBOSITY_NORMAL);
    options_note_habits(request->values);
    recall_note_program(request);
    if (request->pladis_scale < 0 || request->pladis_scale > 10) {
        message_note("--pladis %g is far outside the useful range, about 0 to 5; the picture may fall apart",
                     request->pladis_scale);
    }
    return true;
}

options_result generate_options_read(const option_set *options, int argc, char **argv, void *target) {
    generate_request *request = target;
    size_t positional_count = 0;
    if (!generate_options_defaults(request)) {
        return OPTIONS_FAILED;
    }
    options_result result =
        options_parse(options, argc, argv, request->values, target, NULL, &positional_count);
    if (result == OPTIONS_RUN && request->from_picture > 0 && request->from == NULL) {
        message_usage("--from-picture needs --from PICTURE.png");
        result = OPTIONS_WRONG;
    }
    if (result != OPTIONS_RUN || request->from == NULL) {
        return result;
    }
    char *from = strdup(request->from);
    const int64_t number = request->from_picture;
    generate_options_free(request);
    if (from == NULL || !generate_options_defaults(request)) {
        message_failure("out of memory for the options");
        free(from);
        return OPTIONS_FAILED;
    }
    result = recall_picture(from, number, request);
    free(from);
    if (result == OPTIONS_RUN) {
        result = options_parse(options, argc, argv, request->values, target, NULL, &positional_count);
    }
    return result == OPTIONS_RUN && !given_settle(request) ? OPTIONS_WRONG : result;
}

options_result generate_options_parse(int argc, char **argv, generate_request *request) {
    options_result result = generate_options_read(&generate_options, argc, argv, request);
    return result == OPTIONS_RUN && !generate_options_settle(request) ? OPTIONS_WRONG : result;
}

void generate_options_fill(const generate_request *request, const char *prompt, int64_t seed,
                           double pladis_scale, pld_generate_options *options) {
    pld_generate_options_init(options, sizeof *options);
    pld_options_generate(request->values, options);
    options->prompt = prompt;
    options->seed = seed;
    options->pladis_scale = pladis_scale;
    options->dump = NULL; /* the request has patterns of names */
    options->attention_statistics = NULL;
}
