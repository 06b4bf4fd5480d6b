/* SPDX-License-Identifier: Apache-2.0 */
/** What is drawn, and from what. */
#include <string.h>

#include "core/status.h"
#include "core/text.h"
#include "pipeline/options/row.h"

#define DRAWING .commands = "generate grid evaluate"
#define WHAT    .group = "what to draw"
#define PICTURE .group = "starting from a picture"
#define FROM_NOISE                                                                                           \
    {                                                                                                        \
        { "evaluate", "captions are drawn from noise, not from a picture" }                                  \
    }

pld_status pld_lora_parse(const char *text, size_t *path_length, double *weight, pld_error *error) {
    PLD_NEED(text);
    PLD_NEED(path_length);
    PLD_NEED(weight);
    const char *colon = strrchr(text, ':'), *end = NULL;
    const double written = colon ? pld_parse_real(colon + 1, &end) : 1;
    const bool number = colon && end != colon + 1 && *end == '\0';
    if (colon && !number && !strchr(colon, '.') && !strchr(colon, '/')) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "found \"%.100s\" after the colon of \"%.300s\", expected a number: FILE:WEIGHT",
                        colon + 1, text);
    }
    *weight = number ? written : 1;
    *path_length = number ? (size_t)(colon - text) : strlen(text);
    return *path_length > 0 && *weight >= -1000 && *weight <= 1000
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT,
                          "found \"%.300s\", expected FILE or FILE:WEIGHT with a weight from -1000 to 1000",
                          text);
}

static pld_status check_lora(const char *text, pld_error *error) {
    size_t length = 0;
    double weight = 0;
    return pld_lora_parse(text, &length, &weight, error);
}

static const pld_option_row rows[] = {
    {.about =
         {PLD_OPTION(TEXT, "model"), .letter = 'm', .commands = "generate grid evaluate tokenize", WHAT,
          .aliases = "diffusion-model", .argument = "MODEL", .is_file = true, .fallback = "demo",
          .remote = PLD_REMOTE_NAME,
          .help = "diffusers folder, .safetensors checkpoint, or name of a model that ships with the program",
          .details = "For tokenize, a tokenizer folder is enough."}},
    {.about = {PLD_OPTION(TEXT, "prompt"), .letter = 'p', .commands = "generate grid", WHAT,
               .argument = "TEXT", .of_picture = true, .is_prose = true, .title = "",
               .remote = PLD_REMOTE_VALUE,
               .help = "what to draw; (word:1.2) and [word] change weights, BREAK starts a chunk",
               .details = "Weights, BREAK and the treatment of commas near the end of a chunk work as in "
                          "A1111. Other syntax (prompt editing, alternation, AND, wildcards and so on) is "
                          "taken literally, and a warning names it. Bytes that are not UTF-8 are drawn and "
                          "recorded as U+FFFD. If a model lists the words that it was trained on, as demo "
                          "does, a warning names the words that are not among them."},
     PLD_GENERATE(prompt),
     .refusals = {{"evaluate", "the prompts come from --prompts FILE"}}},
    {.about = {PLD_OPTION(TEXT, "negative-prompt"), .letter = 'n', DRAWING, WHAT, .argument = "TEXT",
               .of_picture = true, .is_prose = true, .remote = PLD_REMOTE_VALUE, .help = "what to avoid",
               .details = "SDXL treats none as zeros, and encodes an empty one."},
     PLD_GENERATE(negative_prompt)},
    {.about = {PLD_OPTION(TEXT, "prompt-file"), .commands = "generate", WHAT, .argument = "FILE",
               .is_file = true, .help = "one prompt per line; - is standard input",
               .details =
                   "All prompts are checked before the first is drawn. This and every other text file may be "
                   "UTF-8, or UTF-16 or UTF-32 with a byte order mark, with the line endings of any system."},
     .refusals = {{"grid", "vary the prompt: --y 'prompt=a star;a ring'"}}},
    {.about = {PLD_OPTION(FLAG, "literal-prompt"), DRAWING, WHAT, .of_picture = true,
               .remote = PLD_REMOTE_VALUE, .help = "take the prompt literally: no weights, BREAK or chunks"},
     PLD_GENERATE(literal_prompt)},
    {.about = {PLD_OPTION(INTEGER, "clip-skip"), DRAWING, WHAT, .argument = "N", .of_picture = true,
               PLD_RANGE(1, 100), .fallback = "1", .remote = PLD_REMOTE_VALUE,
               .help = "leave out the last N-1 layers of the text encoders",
               .details = "SDXL counts from the penultimate layer, which it uses by default. -1 means the "
                          "default, as in stable-diffusion.cpp."},
     PLD_GENERATE(clip_skip),
     .synonyms = {{"-1", "1"}}},
    {.about =
         {PLD_OPTION(INTEGER, "max-tokens"), DRAWING, WHAT, .aliases = "max-sequence-length", .argument = "N",
          .of_picture = true, PLD_RANGE(1, 4096), .otherwise = "the model's own", .remote = PLD_REMOTE_VALUE,
          .help = "longest text in tokens; the rest is cut off",
          .details =
              "Only for models whose texts have no fixed length, such as PixArt's (300 tokens, or 120 for "
              "PixArt-alpha)."},
     PLD_GENERATE(max_tokens)},
    {.about = {PLD_OPTION(TEXT, "complex-instruction"), .commands = "generate grid evaluate tokenize", WHAT,
               .argument = "TEXT", .of_picture = true, .is_prose = true, .otherwise = "the model's own",
               .remote = PLD_REMOTE_VALUE, .help = "SANA: text in front of the prompt, or none",
               .details =
                   "SANA was trained with an instruction in front of every prompt, which asks for a more "
                   "detailed one. It is taken from complex_instruction.txt in the model's folder, or else "
                   "from what './dev setup' has fetched. Of its tokens the last and the first are shown to "
                   "the network. The negative prompt has none. Models of other families refuse it."},
     PLD_GENERATE(complex_instruction)},
    {.about = {PLD_OPTION(CHOICE, "empty-prompt"), DRAWING, WHAT, .argument = "RULE", .of_picture = true,
               .choices = "nothing token", .otherwise = "the model's own", .remote = PLD_REMOTE_VALUE,
               .help = "Anima: what an empty prompt is to its text encoder",
               .details = "diffusers gives it nothing; ComfyUI gives it a token of padding, which counts. "
                          "Without this option a folder is treated as diffusers would, and single files as "
                          "ComfyUI would."},
     PLD_GENERATE(empty_prompt)},
    {.about = {PLD_OPTION(INTEGER, "width"), .letter = 'W', .commands = "generate grid evaluate bench", WHAT,
               .argument = "PIXELS", .unit = "pixels", .of_picture = true, PLD_RANGE(1, 16384),
               .otherwise = "the model's own", .remote = PLD_REMOTE_VALUE, .help = "width of the picture"},
     PLD_GENERATE(width),
     PLD_IN_FORCE(width)},
    {.about = {PLD_OPTION(INTEGER, "height"), .letter = 'H', .commands = "generate grid evaluate bench", WHAT,
               .argument = "PIXELS", .unit = "pixels", .of_picture = true, PLD_RANGE(1, 16384),
               .otherwise = "the model's own", .remote = PLD_REMOTE_VALUE, .help = "height of the picture"},
     PLD_GENERATE(height),
     PLD_IN_FORCE(height)},
    {.about = {PLD_OPTION(PAIR, "original-size"), DRAWING, WHAT, .argument = "WxH", .unit = "pixels",
               .separator = 'x', .of_picture = true, PLD_RANGE(1, 16384), .otherwise = "the picture's own",
               .remote = PLD_REMOTE_VALUE,
               .help = "SDXL: tell the model that the picture had this size before scaling"},
     PLD_GENERATE(original_width)},
    {.about = {PLD_OPTION(PAIR, "crop"), DRAWING, WHAT, .argument = "X,Y", .unit = "pixels", .separator = ',',
               .of_picture = true, PLD_RANGE(0, 16384), .otherwise = "0,0", .remote = PLD_REMOTE_VALUE,
               .help = "SDXL: tell the model how much was cut off at the left and at the top"},
     PLD_GENERATE(crop_left)},
    {.about = {PLD_OPTION(PAIR, "target-size"), DRAWING, WHAT, .argument = "WxH", .unit = "pixels",
               .separator = 'x', .of_picture = true, PLD_RANGE(1, 16384), .otherwise = "the picture's own",
               .remote = PLD_REMOTE_VALUE,
               .help = "SDXL: tell the model the size after scaling and cropping"},
     PLD_GENERATE(target_width)},
    {.about = {PLD_OPTION(INTEGER, "seed"), .letter = 's', DRAWING, WHAT, .argument = "N", .of_picture = true,
               PLD_RANGE(-1e18, 1e18), .fallback = "42", .remote = PLD_REMOTE_VALUE,
               .help = "seed; a negative one means a random seed",
               .details = "The same seed gives the same picture."},
     PLD_GENERATE(seed)},
    {.about = {PLD_OPTION(CHOICE, "rng"), DRAWING, WHAT, .argument = "NAME", .of_picture = true,
               .choices = "cpu", .fallback = "cpu", .remote = PLD_REMOTE_VALUE,
               .help = "random number generator, the one that torch uses on this device"}},
    {.about = {PLD_OPTION(INTEGER, "batch-count"), .letter = 'b', .commands = "generate", WHAT,
               .argument = "N", PLD_RANGE(1, 1000), .fallback = "1", .remote = PLD_REMOTE_VALUE,
               .help = "pictures per prompt, with seed, seed+1 and so on"},
     .refusals = {{"grid", "vary the seed: --y seed=1..4"}}},
    {.about = {PLD_OPTION(TEXTS, "lora"), DRAWING, WHAT, .argument = "FILE[:W]", .of_picture = true,
               .is_file = true, .maximum = 32, .remote = PLD_REMOTE_NAME,
               .help = "apply a LoRA with weight W (1 if left out); repeatable",
               .details = "LoRA, LoHa, LoKr and DoRA files of kohya, diffusers, PEFT, LyCORIS and ai-toolkit "
                          "are supported. FILE may be a folder that PEFT or diffusers wrote; the "
                          "adapter_config.json next to PEFT's adapter_model.safetensors gives alpha."},
     .check = check_lora},
    {.about = {PLD_OPTION(TEXT, "lora-dir"), .aliases = "lora-model-dir", .commands = "generate grid", WHAT,
               .argument = "DIR", .is_file = true,
               .help = "folder in which <lora:NAME:W> in a prompt finds NAME.safetensors",
               .details = "Names that lead out of the folder are refused."}},
    {.about = {PLD_OPTION(TEXT, "init-img"), .letter = 'i', .aliases = "init-image",
               .commands = "generate grid", PICTURE, .argument = "FILE", .of_picture = true, .is_file = true,
               .remote = PLD_REMOTE_UPLOAD,
               .help = "start from this PNG, resized to width and height, instead of noise",
               .details =
                   "Every PNG that is read is rotated as the orientation in its EXIF or XMP data says."},
     .refusals = FROM_NOISE},
    {.about = {PLD_OPTION(NUMBER, "strength"), .aliases = "denoising-strength", .commands = "generate grid",
               PICTURE, .argument = "FRACTION", .of_picture = true, PLD_RANGE(0, 1), .above_minimum = true,
               .fallback = "0.75", .remote = PLD_REMOTE_VALUE,
               .help = "how much of that picture is redrawn, as the fraction of the steps that are taken"},
     PLD_GENERATE(strength),
     PLD_IN_FORCE(strength),
     .refusals = FROM_NOISE},
    {.about = {PLD_OPTION(TEXT, "mask"), .commands = "generate grid", PICTURE, .argument = "FILE",
               .of_picture = true, .is_file = true, .remote = PLD_REMOTE_UPLOAD,
               .help = "PNG, resized in the same way: white is redrawn, black is kept"},
     .refusals = FROM_NOISE},
};

const pld_option_rows pld_rows_of_picture = PLD_ROWS(rows);
