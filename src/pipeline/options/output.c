/* SPDX-License-Identifier: Apache-2.0 */
/** Where pictures and figures go, and how they are shown. */
#include "pipeline/options/row.h"

#define GENERATE .commands = "generate"
#define DRAWING  .commands = "generate grid"
#define OUTPUT   .group = "output"
#define FILE_OUT .argument = "FILE", .is_file = true, .is_output = true

#define ONE_PICTURE(what) .refusals = {{"grid", "generate --" what " takes one picture"}}

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(TEXT, "output"), .letter = 'o', DRAWING, OUTPUT, FILE_OUT, .fallback = "output.png",
               .help = "PNG to write; - is standard output, %d the number of the picture",
               .details = "Without %d, a number is added if there are several pictures. A name that ends "
                          "like another format (.jpg, .webp) is refused; a name without a known ending is "
                          "used as it is, with a note."}},
    {.about = {PLD_OPTION(TEXT, "compare"), GENERATE, OUTPUT, .argument = "NAME=A,B,...",
               .value_is_optional = true,
               .help = "draw with one seed, without and with PLADIS or with these values of an option, side "
                       "by side in one PNG that also shows the differences",
               .details =
                   "If the pictures differ only in PLADIS, a line tells what it costs per picture, unless "
                   "noise dominates: in each half of each picture, three quarters of the network calls with "
                   "PLADIS must have taken longer than three quarters of those without."},
     .refusals = {{"grid", "a grid shows the values of --x and --y"}}},
    {.about = {PLD_OPTION(TEXT, "attention-maps"), GENERATE, OUTPUT, .argument = "WORD,...", .is_prose = true,
               .remote = PLD_REMOTE_VALUE,
               .help = "for words of the prompt, show in a separate PNG where in the picture they are "
                       "attended to, dense and sparse",
               .details = "The maps are averages over heads, steps and layers."},
     ONE_PICTURE("attention-maps")},
    {.about = {PLD_OPTION(TEXT, "attention-maps-output"), DRAWING, OUTPUT, FILE_OUT,
               .otherwise = "--output with \"-attention\" added", .help = "name of that PNG"}},
    {.about = {PLD_OPTION(TEXT, "attention-maps-blocks"), DRAWING, OUTPUT, .argument = "LIST",
               .remote = PLD_REMOTE_VALUE, .fallback = "all",
               .help = "layers to average over, as for --pladis-blocks"}},
    {.about = {PLD_OPTION(NUMBER, "attention-maps-start"), DRAWING, OUTPUT, .argument = "FRACTION",
               .remote = PLD_REMOTE_VALUE, PLD_RANGE(0, 1), .fallback = "0",
               .help = "fraction of the steps at which the average begins"}},
    {.about = {PLD_OPTION(NUMBER, "attention-maps-end"), DRAWING, OUTPUT, .argument = "FRACTION",
               .remote = PLD_REMOTE_VALUE, PLD_RANGE(0, 1), .fallback = "1",
               .help = "fraction of the steps at which the average ends"}},
    {.about = {PLD_OPTION(TEXT, "preview"), DRAWING, OUTPUT, .argument = "KIND", .value_is_optional = true,
               .choices = "auto kitty sixel blocks",
               .help = "show a rough preview in the terminal as the picture forms: kitty, sixel, blocks, or "
                       "auto for what the terminal supports; no preview in a pipe"}},
    {.about = {PLD_OPTION(TEXT, "preview-file"), DRAWING, OUTPUT, FILE_OUT,
               .help = "write the preview to a PNG, again after each step"}},
    {.about = {PLD_OPTION(FLAG, "sheet"), GENERATE, OUTPUT, .help = "put all pictures in one labelled PNG"},
     .refusals = {{"grid", "a grid is one picture"}}},
    {.about = {PLD_OPTION(INTEGER, "columns"), GENERATE, OUTPUT, .argument = "N", PLD_RANGE(1, 100),
               .otherwise = "about as many as rows", .help = "columns of the sheet"},
     .refusals = {{"grid", "each value of --x has a column"}}},
    {.about = {PLD_OPTION(INTEGER, "zoom"), DRAWING, OUTPUT, .argument = "N", PLD_RANGE(1, 16),
               .fallback = "1", .help = "enlarge the pictures of a sheet N times"}},
    {.about =
         {PLD_OPTION(TEXT, "from"), DRAWING, OUTPUT, .argument = "PICTURE.png", .is_file = true,
          .help = "draw the picture again that this PNG's metadata describes; other options override it",
          .details =
              "The same model and instruction set give the same bytes, whatever the number of threads. Only "
              "the names of the files that were used are recorded; they are looked for in the "
              "current folder. DRAWING AGAIN tells how options given with it take effect."}},
    {.about = {PLD_OPTION(INTEGER, "from-picture"), DRAWING, OUTPUT, .argument = "N", PLD_RANGE(1, 1000000),
               .help = "which picture, if the PNG shows several"}},
    {.about = {PLD_OPTION(FLAG, "no-metadata"), DRAWING, OUTPUT, .help = "write no parameters into the PNG"}},
    {.about = {PLD_OPTION(TEXT, "report"), DRAWING, OUTPUT, FILE_OUT,
               .help = "write parameters and measurements as JSON"}},
    {.about = {PLD_OPTION(TEXT, "profile"), .commands = "generate grid bench", OUTPUT, FILE_OUT,
               .help = "write where the time goes as a trace for a browser's trace viewer, and print it by "
                       "operator and layer",
               .details = "With bench, it covers the stages."}},
    {.about = {PLD_OPTION(TEXT, "init-noise"), .commands = "generate grid evaluate", OUTPUT,
               .argument = "FILE", .is_file = true, .of_picture = true, .remote = PLD_REMOTE_UPLOAD,
               .help = "safetensors file whose latents_init replaces the seed's noise"},
     PLD_GENERATE(init_noise)},
    {.about = {PLD_OPTION(TEXT, "prompt-embeds"), .commands = "generate grid evaluate", OUTPUT,
               .argument = "FILE", .is_file = true, .of_picture = true, .remote = PLD_REMOTE_UPLOAD,
               .help = "safetensors file with the prompt as a text encoder makes it",
               .details = "It has the tensors of a dump: prompt_embeds, and for models that take one "
                          "pooled_prompt_embeds; with "
                          "negative_ in front those of the negative prompt, which is encoded where they are "
                          "missing. Models "
                          "whose text encoder is not supported, such as FLUX.2 dev, need it."},
     PLD_GENERATE(prompt_embeds)},
    {.about = {PLD_OPTION(TEXT, "dump"), GENERATE, OUTPUT, FILE_OUT,
               .help = "write latents and embeddings as safetensors"},
     PLD_GENERATE(dump),
     ONE_PICTURE("dump")},
    {.about = {PLD_OPTION(FLAG, "dump-steps"), GENERATE, OUTPUT,
               .help = "dump the tensors of every step, too"},
     PLD_GENERATE(dump_steps),
     ONE_PICTURE("dump")},
    {.about = {PLD_OPTION(TEXT, "attention-stats"), GENERATE, OUTPUT, FILE_OUT,
               .help = "write zeros and entropies of attention by site and head, as JSON, or as CSV if the "
                       "name ends in .csv (slower)"},
     PLD_GENERATE(attention_statistics),
     ONE_PICTURE("attention-stats")},
};

const pld_option_rows pld_rows_of_output = PLD_ROWS(rows);
