/* SPDX-License-Identifier: Apache-2.0 */
#include "generate_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "given.h"
#include "message.h"
#include "number.h"
#include "output_name.h"
#include "recall.h"
#include "terminal_picture.h"

/** --timesteps: numbers that fall, commas between. */
static bool accept_timesteps(void *target, const option *row, const char *value) {
    generate_request *request = target;
    request->timestep_count = 0;
    for (const char *at = value;;) {
        char piece[32];
        size_t length = strcspn(at, ",");
        double number = -1;
        if (length < sizeof piece) {
            memcpy(piece, at, length);
            piece[length] = '\0';
        }
        size_t count = request->timestep_count;
        if (length >= sizeof piece || !number_real(piece, &number) || number < 0 || number > 1000) {
            message_usage(
                "--%s: found \"%.*s\" in \"%s\", expected numbers from 0 to 1000 separated by commas",
                row->name, (int)length, at, value);
            return false;
        }
        if (count == MOST_TIMESTEPS || (count > 0 && number >= request->timesteps[count - 1])) {
            message_usage(
                "--%s: found \"%s\", expected at most %d numbers, each smaller than the one before it",
                row->name, value, MOST_TIMESTEPS);
            return false;
        }
        request->timesteps[request->timestep_count++] = number;
        if (at[length] == '\0') {
            return true;
        }
        at += length + 1;
    }
}

enum { LARGEST_SIDE = 16384 };

/** --original-size, --target-size: WIDTHxHEIGHT. */
static bool accept_size(void *target, const option *row, const char *value) {
    int64_t *pair = (int64_t *)((char *)target + row->offset);
    if (!number_pair(value, 'x', 1, LARGEST_SIDE, pair)) {
        message_usage("--%s: found \"%s\", expected WIDTHxHEIGHT, each from 1 to %d", row->name, value,
                      LARGEST_SIDE);
        return false;
    }
    return true;
}

/** --crop: LEFT,TOP. */
static bool accept_crop(void *target, const option *row, const char *value) {
    int64_t *pair = (int64_t *)((char *)target + row->offset);
    if (!number_pair(value, ',', 0, LARGEST_SIDE, pair)) {
        message_usage("--%s: found \"%s\", expected LEFT,TOP, each from 0 to %d", row->name, value,
                      LARGEST_SIDE);
        return false;
    }
    return true;
}

/** --guidance: a method and its options, checked by the library. */
static bool accept_guidance(void *target, const option *row, const char *value) {
    generate_request *request = target;
    double number = 0;
    pld_error error = {0};
    if (number_real(value, &number)) {
        message_usage("--%s: found \"%s\", expected a method (see pladis list guidance): an embedded "
                      "guidance scale belongs "
                      "to distilled transformers, which this version does not run; use --cfg-scale",
                      row->name, value);
        return false;
    }
    if (pld_guidance_check(value, &error) != PLD_OK) {
        message_usage("--%s: found \"%s\"; %s", row->name, value, error.message);
        return false;
    }
    if (request->guidance_count == MOST_GUIDANCE) {
        message_usage("--%s: expected at most %d methods", row->name, MOST_GUIDANCE);
        return false;
    }
    request->guidance[request->guidance_count++] = value;
    return true;
}

static bool accept_lora(void *target, const option *row, const char *value) {
    generate_request *request = target;
    return lora_choices_add(&request->loras, row->name, value);
}

/** An option of which this version has a single value, its default. `choices` is that value. */
static bool accept_only_default(void *target, const option *row, const char *value) {
    (void)target;
    if (strcmp(value, row->choices) != 0) {
        message_usage("--%s: found \"%s\", expected %s: this version supports no other", row->name, value,
                      row->choices);
        return false;
    }
    return true;
}

#define AT(field)           .offset = offsetof(generate_request, field)
#define RANGE(least, most)  .minimum = (least), .maximum = (most)
#define NAMED(kind_, name_) .kind = OPTION_##kind_, .name = (name_)
#define OF_PICTURE          .of_picture = true
#define SECTION(title)                                                                                       \
    { .kind = OPTION_SECTION, .help = (title) }
#define LATER(name_, why)                                                                                    \
    { .kind = OPTION_REFUSED, .name = (name_), .help = "not available in this version: " why }

static const option rows[] = {
    SECTION("what to draw"),
    {NAMED(TEXT, "model"), .letter = 'm', AT(model), .argument = "MODEL",
     .help = "diffusers folder, .safetensors checkpoint, or the name of a model\nthat ships (demo)"},
    {NAMED(TEXT, "prompt"), OF_PICTURE, .is_prose = true, .title = "", .letter = 'p', AT(prompt),
     .argument = "TEXT", .help = "what to draw; (word:1.2) and [word] weigh, BREAK starts a chunk"},
    {NAMED(TEXT, "negative-prompt"), OF_PICTURE, .is_prose = true, .letter = 'n', AT(negative_prompt),
     .argument = "TEXT", .help = "what to avoid; SDXL tells an empty one from none"},
    {NAMED(TEXT, "prompt-file"), AT(prompt_file), .argument = "FILE",
     .help = "one prompt a line, - is standard input"},
    {NAMED(FLAG, "literal-prompt"), OF_PICTURE, AT(literal_prompt),
     .help = "no weights, BREAK or chunks in the prompt"},
    {NAMED(INTEGER, "clip-skip"), OF_PICTURE, AT(clip_skip), .argument = "N", RANGE(1, 100),
     .help = "leave out N-1 more of the text encoders' last layers (1)"},
    {NAMED(INTEGER, "width"), OF_PICTURE, .letter = 'W', AT(width), .argument = "PIXELS", RANGE(1, 16384),
     .help = "width (the model's own)"},
    {NAMED(INTEGER, "height"), OF_PICTURE, .letter = 'H', AT(height), .argument = "PIXELS", RANGE(1, 16384),
     .help = "height (the model's own)"},
    {NAMED(CUSTOM, "original-size"), OF_PICTURE, AT(original_size), .argument = "WxH", .accept = accept_size,
     .help = "SDXL: the size that it shall believe the picture had before\nscaling (the picture's)"},
    {NAMED(CUSTOM, "crop"), OF_PICTURE, AT(crop), .argument = "X,Y", .accept = accept_crop,
     .help = "SDXL: what was cut off at the left and the top (0,0)"},
    {NAMED(CUSTOM, "target-size"), OF_PICTURE, AT(target_size), .argument = "WxH", .accept = accept_size,
     .help = "SDXL: the size after scaling and cutting (the picture's)"},
    {NAMED(INTEGER, "seed"), OF_PICTURE, .letter = 's', AT(seed), .argument = "N", RANGE(-1e18, 1e18),
     .help = "seed; negative: a random one (42)"},
    {NAMED(CUSTOM, "rng"), OF_PICTURE, .argument = "NAME", .choices = "cpu", .accept = accept_only_default,
     .help = "random generator: cpu, that of torch"},
    {NAMED(INTEGER, "batch-count"), .letter = 'b', AT(batch_count), .argument = "N", RANGE(1, 1000),
     .help = "pictures of each prompt, with seed, seed+1, ... (1)"},
    {NAMED(CUSTOM, "lora"), OF_PICTURE, .is_file = true, .argument = "FILE[:W]", .accept = accept_lora,
     .help = "change the model by a LoRA with weight W (1); any number of times"},
    {NAMED(TEXT, "lora-dir"), AT(lora_dir), .argument = "DIR",
     .help = "where <lora:NAME:W> in a prompt finds NAME.safetensors"},

    SECTION("files of the model"),
    {NAMED(TEXT, "vae"), AT(vae), .argument = "FILE",
     .help = "another autoencoder, file or folder (the model's own)"},
    {NAMED(TEXT, "unet"), AT(unet), .argument = "FILE",
     .help = "another denoising network, file or folder (the model's own)"},
    {NAMED(TEXT, "tokenizer"), AT(tokenizer), .argument = "PATH",
     .help = "tokenizer folder, or CLIP's bpe_simple_vocab_16e6.txt.gz (the\nmodel's own, else the one "
             "installed)"},
    {NAMED(TEXT, "config"), AT(config), .argument = "DIR",
     .help = "diffusers folder that describes an unusual single-file checkpoint"},

    SECTION("from a picture"),
    {NAMED(TEXT, "init-img"), OF_PICTURE, .is_file = true, .letter = 'i', .alias = "init-image", AT(init_img),
     .argument = "FILE", .help = "begin at this PNG, resized to width and height, instead of noise"},
    {NAMED(NUMBER, "strength"), OF_PICTURE, AT(strength), .argument = "PART", RANGE(0, 1),
     .above_minimum = true, .help = "how much of it is redrawn: part of the steps that are taken (0.75)"},
    {NAMED(TEXT, "mask"), OF_PICTURE, .is_file = true, AT(mask), .argument = "FILE",
     .help = "PNG, resized likewise: white is redrawn, black is kept"},

    SECTION("PLADIS, sparse cross-attention"),
    {NAMED(NUMBER, "pladis"), OF_PICTURE, .symbol = "λ", .title = "λ (PLADIS scale)", AT(pladis_scale),
     .argument = "SCALE", RANGE(-100, 100),
     .help = "lambda, how far to go from dense to sparse; 0 is off (2, or the model's own)"},
    {NAMED(NUMBER, "pladis-alpha"), OF_PICTURE, .symbol = "α", .title = "α (PLADIS sparsity)",
     AT(pladis_alpha), .argument = "ALPHA", RANGE(1, 2), .above_minimum = true,
     .help = "sparsity, above 1 to 2 (1.5)"},
    {NAMED(TEXT, "pladis-blocks"), OF_PICTURE, AT(pladis_blocks), .argument = "LIST",
     .help = "all, or down,mid,up or sites as info prints them (all)"},
    {NAMED(NUMBER, "pladis-start"), OF_PICTURE, AT(pladis_start), .argument = "FRACTION", RANGE(0, 1),
     .help = "first part of the steps without it (0)"},
    {NAMED(NUMBER, "pladis-end"), OF_PICTURE, AT(pladis_end), .argument = "FRACTION", RANGE(0, 1),
     .help = "where in the steps it ends (1)"},
    {NAMED(CHOICE, "pladis-sites"), OF_PICTURE, AT(pladis_sites), .argument = "KIND",
     .choices = "cross self all", .help = "attentions it acts on; self and all are ablations (cross)"},
    {NAMED(TEXT, "pladis-branches"), OF_PICTURE, AT(pladis_branches), .argument = "LIST",
     .help = "all, or unconditional,conditional,perturbed (all)"},
    {NAMED(NUMBER, "pladis-temperature"), OF_PICTURE, AT(pladis_temperature), .argument = "T", RANGE(0, 100),
     .help = "ablation: softmax(z / T) in place of entmax; 0 is entmax (0)"},
    {NAMED(FLAG, "no-pladis"), AT(no_pladis), .help = "the same as --pladis 0"},

    SECTION("sampling"),
    {NAMED(INTEGER, "steps"), OF_PICTURE, AT(steps), .argument = "N", RANGE(1, 1000),
     .help = "steps (the model's own)"},
    {NAMED(NUMBER, "cfg-scale"), OF_PICTURE, .title = "CFG scale", .alias = "guidance-scale", AT(cfg_scale),
     .argument = "SCALE", RANGE(0, 100), .help = "classifier-free guidance; 1 is off (the model's own)"},
    {NAMED(NUMBER, "cfg-rescale"), OF_PICTURE, .symbol = "φ", .title = "φ (CFG rescale)", AT(cfg_rescale),
     .argument = "PHI", RANGE(0, 1), .help = "rescaling of it (0)"},
    {NAMED(CUSTOM, "guidance"), OF_PICTURE, AT(guidance_count), .argument = "NAME[:KEY=VALUE,...]",
     .accept = accept_guidance,
     .help = "further guidance, repeatable, such as pag:scale=3,layers=mid;\nsee pladis list guidance"},
    {NAMED(LISTED, "sampling-method"), OF_PICTURE, .title = "", AT(sampling_method), .argument = "NAME",
     .list = PLD_LIST_SAMPLERS, .help = "see pladis list samplers (the model's own)"},
    {NAMED(LISTED, "scheduler"), OF_PICTURE, AT(scheduler), .argument = "NAME", .list = PLD_LIST_SCHEDULERS,
     .help = "sigma schedule, see pladis list schedulers (the model's own)"},
    {NAMED(LISTED, "spacing"), OF_PICTURE, AT(spacing), .argument = "NAME", .list = PLD_LIST_SPACINGS,
     .help = "see pladis list spacings (the model's own)"},
    {NAMED(CUSTOM, "timesteps"), OF_PICTURE, AT(timestep_count), .argument = "A,B,...",
     .accept = accept_timesteps, .help = "these timesteps, for example 999,749,499,249"},
    {NAMED(NUMBER, "eta"), OF_PICTURE, .symbol = "η", .title = "η", AT(eta), .argument = "ETA", RANGE(0, 1),
     .help = "noise of DDIM and TCD (the sampler's)"},
    {NAMED(CHOICE, "prediction"), OF_PICTURE, AT(prediction), .argument = "KIND", .choices = "eps v x0",
     .help = "what the network predicts (detected)"},
    {NAMED(LISTED, "preset"), OF_PICTURE, AT(preset), .argument = "NAME", .list = PLD_LIST_PRESETS,
     .choices = "auto none",
     .help = "how a distilled model is sampled, see pladis list presets; auto is\nwhat the model asks for, "
             "none its plain settings (auto)"},

    SECTION("output"),
    {NAMED(TEXT, "output"), .letter = 'o', AT(output), .argument = "FILE",
     .help = "PNG; - is standard output, %d the number of the picture\n(output.png)"},
    {NAMED(OPTIONAL, "compare"), AT(compare), .argument = "NAME=A,B,...",
     .help = "one seed without and with PLADIS, or with these values of an\noption, side by side in one PNG, "
             "with what differs"},
    {NAMED(TEXT, "attention-maps"), .is_prose = true, AT(attention_maps), .argument = "WORD,...",
     .help = "for words of the prompt, where in the picture they are attended\nto, dense and sparse, in a "
             "PNG of its own"},
    {NAMED(TEXT, "attention-maps-output"), AT(attention_maps_output), .argument = "FILE",
     .help = "that PNG (--output with \"-attention\")"},
    {NAMED(TEXT, "attention-maps-blocks"), AT(attention_maps_blocks), .argument = "LIST",
     .help = "layers to average over, as for --pladis-blocks (all)"},
    {NAMED(NUMBER, "attention-maps-start"), AT(attention_maps_start), .argument = "FRACTION", RANGE(0, 1),
     .help = "first part of the steps that is left out (0)"},
    {NAMED(NUMBER, "attention-maps-end"), AT(attention_maps_end), .argument = "FRACTION", RANGE(0, 1),
     .help = "where in the steps the average ends (1)"},
    {NAMED(OPTIONAL, "preview"), AT(preview), .argument = "KIND",
     .help = "show the picture as it forms, roughly, in the terminal: kitty, sixel,\nblocks, or auto, what "
             "the terminal can; nothing in a pipe"},
    {NAMED(TEXT, "preview-file"), AT(preview_file), .argument = "FILE",
     .help = "the same as a PNG that is written anew after each step"},
    {NAMED(FLAG, "sheet"), AT(sheet), .help = "all pictures in one labelled PNG"},
    {NAMED(INTEGER, "columns"), AT(columns), .argument = "N", RANGE(1, 100), .help = "columns of the sheet"},
    {NAMED(INTEGER, "zoom"), AT(zoom), .argument = "N", RANGE(1, 16),
     .help = "enlarge the pictures of a sheet N times (1)"},
    {NAMED(TEXT, "from"), AT(from), .argument = "PICTURE.png",
     .help = "draw the picture again that this PNG's metadata tells of;\nother options override"},
    {NAMED(INTEGER, "from-picture"), AT(from_picture), .argument = "N", RANGE(1, 1000000),
     .help = "which, where the PNG shows several"},
    {NAMED(FLAG, "no-metadata"), AT(no_metadata), .help = "no parameters inside the PNG"},
    {NAMED(TEXT, "report"), AT(report), .argument = "FILE", .help = "write parameters and figures as JSON"},
    {NAMED(TEXT, "profile"), AT(profile), .argument = "FILE",
     .help =
         "write where the time goes as a trace for a browser's viewer, and\nprint it by operator and layer"},
    {NAMED(TEXT, "init-noise"), OF_PICTURE, .is_file = true, AT(init_noise), .argument = "FILE",
     .help = "safetensors with latents_init instead of the seed's noise"},
    {NAMED(TEXT, "dump"), AT(dump), .argument = "FILE",
     .help = "write latents and embeddings as safetensors"},
    {NAMED(FLAG, "dump-steps"), AT(dump_steps), .help = "those of every step too"},
    {NAMED(TEXT, "attention-stats"), AT(attention_stats), .argument = "FILE",
     .help = "write zeros and entropies of attention, by site and head, as\nJSON or .csv (slower)"},
    {NAMED(FLAG, "quiet"), .letter = 'q', AT(quiet), .help = "print errors only"},
    {NAMED(FLAG, "verbose"), .letter = 'v', AT(verbose), .help = "print what happens"},

    SECTION("machine"),
    {NAMED(INTEGER, "threads"), .letter = 't', AT(threads), .argument = "N", RANGE(1, 1024),
     .help = "threads (the physical cores)"},
    {NAMED(LISTED, "isa"), AT(isa), .argument = "NAME", .list = PLD_LIST_ISA, .choices = "auto",
     .help = "highest instruction set, see pladis list isa (auto)"},
    {NAMED(CHOICE, "conv"), AT(conv), .argument = "NAME", .choices = "auto direct winograd",
     .help = "3x3 convolutions: auto, direct, winograd (auto)"},
    {NAMED(FLAG, "low-memory"), AT(low_memory), .help = "one network in memory at a time; the same picture"},
    {NAMED(CHOICE, "dtype"), OF_PICTURE, AT(dtype), .argument = "TYPE", .choices = "auto f32 bf16",
     .help = "type of products (denoiser, autoencoder): auto, f32, bf16; auto is bf16\nwhere the CPU is "
             "faster at it "
             "(auto)"},

    LATER("distilled-guidance", "guidance-distilled transformers are not run yet; use --cfg-scale"),
    LATER("vae-tiling", "the picture is decoded whole"),
};

_Static_assert(sizeof rows / sizeof rows[0] <= GENERATE_MOST_ROWS,
               "generate_request.recorded has a place for each");

static const option_set set = {
    .given = given_take_place,
    .usage = "pladis generate -p PROMPT [-m MODEL] [-o OUT.png] [options]",
    .summary = "Draw pictures from text, with sparse cross-attention (PLADIS) unless told otherwise.",
    .rows = rows,
    .count = sizeof rows / sizeof rows[0],
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
    for (size_t i = 0; i < set.count; i++) {
        const option *row = &set.rows[i];
        bool named = row->kind != OPTION_SECTION && row->kind != OPTION_REFUSED;
        if (named &&
            (strcmp(row->name, name) == 0 || (row->alias != NULL && strcmp(row->alias, name) == 0))) {
            return row;
        }
    }
    return NULL;
}

void generate_options_defaults(generate_request *request) {
    pld_generate_options defaults;
    pld_generate_options_init(&defaults, sizeof defaults);
    *request = (generate_request){
        .model = "demo",
        .output = "output.png",
        .clip_skip = defaults.clip_skip,
        .seed = defaults.seed,
        .batch_count = 1,
        .zoom = 1,
        .attention_maps_blocks = "all",
        .attention_maps_end = 1,
        .strength = NAN,
        .cfg_scale = NAN,
        .cfg_rescale = defaults.cfg_rescale,
        .eta = NAN,
        .pladis_scale = defaults.pladis_scale,
        .pladis_alpha = defaults.pladis_alpha,
        .pladis_blocks = defaults.pladis_blocks,
        .pladis_start = defaults.pladis_start,
        .pladis_end = defaults.pladis_end,
        .pladis_sites = defaults.pladis_sites,
        .pladis_branches = defaults.pladis_branches,
    };
}

bool generate_options_check(const generate_request *request) {
    if (request->prompt == NULL && request->prompt_file == NULL) {
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
    } else if (request->init_img == NULL && (request->mask != NULL || !isnan(request->strength))) {
        message_usage("--%s needs --init-img FILE", request->mask != NULL ? "mask" : "strength");
    } else if (request->attention_maps == NULL && request->attention_maps_output != NULL) {
        message_usage("--attention-maps-output needs --attention-maps WORD");
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
        message_usage("--preview: found \"%s\", expected one of: auto kitty sixel blocks", request->preview);
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
        request->seed = drawn;
    }
    return true;
}

const option_set *generate_options_set(void) {
    return &set;
}

/** "-" is standard output in every option that writes a file, as in --output. */
static void name_standard_output(generate_request *request) {
    const char **const paths[] = {
        &request->report,       &request->profile,         &request->dump,
        &request->preview_file, &request->attention_stats, &request->attention_maps_output};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (*paths[i] != NULL && strcmp(*paths[i], "-") == 0) {
            *paths[i] = "/dev/stdout";
        }
    }
}

bool generate_options_settle(generate_request *request) {
    name_standard_output(request);
    request->pladis_scale = request->no_pladis ? 0 : request->pladis_scale;
    if (!generate_options_check(request) || !draw_seed(request)) {
        return false;
    }
    message_set_verbosity(request->quiet     ? VERBOSITY_QUIET
                          : request->verbose ? VERBOSITY_VERBOSE
                                             : VERBOSITY_NORMAL);
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
    generate_options_defaults(request);
    options_result result = options_parse(options, argc, argv, target, NULL, &positional_count);
    if (result == OPTIONS_RUN && request->from_picture > 0 && request->from == NULL) {
        message_usage("--from-picture needs --from PICTURE.png");
        result = OPTIONS_WRONG;
    }
    if (result != OPTIONS_RUN || request->from == NULL) {
        return result;
    }
    const char *from = request->from;
    const int64_t number = request->from_picture;
    generate_options_defaults(request);
    result = recall_picture(from, number, request);
    if (result == OPTIONS_RUN) {
        result = options_parse(options, argc, argv, target, NULL, &positional_count);
    }
    return result == OPTIONS_RUN && !given_settle(request) ? OPTIONS_WRONG : result;
}

void generate_options_free(generate_request *request) {
    recalled_free(&request->recalled);
}

options_result generate_options_parse(int argc, char **argv, generate_request *request) {
    options_result result = generate_options_read(&set, argc, argv, request);
    return result == OPTIONS_RUN && !generate_options_settle(request) ? OPTIONS_WRONG : result;
}

void generate_options_fill(const generate_request *request, const char *prompt, int64_t seed,
                           double pladis_scale, pld_generate_options *options) {
    pld_generate_options_init(options, sizeof *options);
    options->prompt = prompt;
    options->negative_prompt = request->negative_prompt;
    options->literal_prompt = request->literal_prompt;
    options->clip_skip = (int)request->clip_skip;
    options->width = (int)request->width;
    options->height = (int)request->height;
    options->original_width = (int)request->original_size[0];
    options->original_height = (int)request->original_size[1];
    options->crop_left = (int)request->crop[0];
    options->crop_top = (int)request->crop[1];
    options->target_width = (int)request->target_size[0];
    options->target_height = (int)request->target_size[1];
    options->preset = request->preset;
    options->steps = (int)request->steps;
    options->cfg_scale = request->cfg_scale;
    options->cfg_rescale = request->cfg_rescale;
    options->seed = seed;
    options->sampling_method = request->sampling_method;
    options->scheduler = request->scheduler;
    options->spacing = request->spacing;
    options->prediction = request->prediction;
    options->timesteps = request->timestep_count > 0 ? request->timesteps : NULL;
    options->timestep_count = request->timestep_count;
    options->eta = request->eta;
    options->pladis_scale = pladis_scale;
    options->pladis_alpha = request->pladis_alpha;
    options->pladis_blocks = request->pladis_blocks;
    options->pladis_start = request->pladis_start;
    options->pladis_end = request->pladis_end;
    options->pladis_sites = request->pladis_sites;
    options->pladis_branches = request->pladis_branches;
    options->pladis_temperature = request->pladis_temperature;
    options->guidance = request->guidance_count > 0 ? request->guidance : NULL;
    options->guidance_count = request->guidance_count;
    options->strength = isnan(request->strength) ? options->strength : request->strength;
    options->dtype = request->dtype;
    options->init_noise = request->init_noise;
    options->dump_steps = request->dump_steps;
}
