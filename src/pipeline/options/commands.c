/* SPDX-License-Identifier: Apache-2.0 */
/** Options that one command has alone. */
#include "pipeline/options/row.h"

#define GRID     .commands = "grid", .group = "what to vary"
#define SUBJECT  .commands = "evaluate", .group = "what to evaluate"
#define RESULTS  .commands = "evaluate", .group = "results"
#define CONVERT  .commands = "convert", .group = "output"
#define JSON_OUT .group = "output"

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(TEXT, "x"), GRID, .argument = "NAME=A,B,...",
               .help = "option of generate to vary from left to right, and its values; A..B and A..B:STEP "
                       "are ranges; separate values that contain commas by semicolons"}},
    {.about = {PLD_OPTION(TEXT, "y"), GRID, .argument = "NAME=A,B,...", .otherwise = "one row",
               .help = "the same from top to bottom"}},
    {.about = {PLD_OPTION(TEXT, "csv"), GRID, .argument = "FILE", .is_file = true, .is_output = true,
               .otherwise = "next to --output", .help = "table of the pictures"}},

    {.about = {PLD_OPTION(TEXT, "prompts"), .commands = "evaluate score", .group = "what to evaluate",
               .argument = "FILE", .is_file = true,
               .help =
                   "captions of the demo world, one per line, as text or as JSON objects with \"caption\"",
               .details =
                   "Without it, evaluate uses the model's own, and score uses one caption for all pictures. "
                   "Captions that do not follow the grammar are refused, with the word and its position."}},
    {.about = {PLD_OPTION(CHOICE, "split"), SUBJECT, .argument = "NAME", .choices = "heldout development",
               .otherwise = "heldout", .help = "which of the model's own prompts to use"}},
    {.about = {PLD_OPTION(INTEGER, "each"), SUBJECT, .argument = "N", PLD_RANGE(1, 1e6), .otherwise = "all",
               .help = "use only the first N prompts of each category"}},
    {.about = {PLD_OPTION(INTEGER, "seeds"), SUBJECT, .argument = "N", PLD_RANGE(1, 250), .fallback = "1",
               .help = "pictures per prompt and setting"}},
    {.about = {PLD_OPTION(TEXTS, "grid"), SUBJECT, .argument = "\"NAME=A,B NAME=C,D\"", .maximum = 8,
               .help =
                   "options of generate and their values, in all combinations; separate values that contain "
                   "commas by semicolons; repeatable: a setting that several grids share is drawn once",
               .details = "The same holds for settings that differ only in options without effect, such as "
                          "--pladis-alpha when --pladis is 0."}},
    {.about = {PLD_OPTION(TEXT, "output"), .letter = 'o', RESULTS, .argument = "FOLDER", .is_file = true,
               .is_output = true, .fallback = "evaluation",
               .help = "folder for the results; the same command continues an unfinished run there",
               .details =
                   "Each picture adds a line to results.jsonl as soon as it is drawn. If a run is killed, "
                   "the same command continues it; a folder with another evaluation, or a file with damaged "
                   "lines, is refused. At the end there are results.csv, summary.csv, cost.csv, "
                   "results.json, summary.md, and for each grid a plot (SVG) and a contact sheet (PNG)."}},
    {.about = {PLD_OPTION(TEXT, "select"), RESULTS, .argument = "NAME",
               .help = "at the end, print this option's value in the best setting"}},
    {.about = {PLD_OPTION(FLAG, "keep-pictures"), RESULTS,
               .help = "keep every picture, not only those of the contact sheets"}},
    {.about = {PLD_OPTION(INTEGER, "resamples"), RESULTS, .argument = "N", PLD_RANGE(1, 1e6),
               .help = "accepted without effect: the intervals need no resampling"}},
    {.about = {PLD_OPTION(INTEGER, "jobs"), .letter = 'j', RESULTS, .argument = "N", PLD_RANGE(1, 256),
               .fallback = "1",
               .help = "pictures to draw at the same time, sharing the threads; for small models, the number "
                       "of cores is best"}},

    {.about = {PLD_OPTION(TEXT, "prompt"), .letter = 'p', .commands = "score", .group = "what to evaluate",
               .argument = "CAPTION", .help = "what the pictures should show"}},
    {.about = {PLD_OPTION(FLAG, "json"), .commands = "score info tokenize", JSON_OUT, .help = "print JSON",
               .details = "score prints one object per picture, each on its own line."}},
    {.about = {PLD_OPTION(FLAG, "raw"), .aliases = "literal-prompt", .commands = "tokenize", JSON_OUT,
               .help = "take the text literally: one list of tokens, cut as the model would cut it"}},

    {.about = {PLD_OPTION(TEXT, "output"), .letter = 'o', CONVERT, .argument = "PATH", .is_file = true,
               .is_output = true, .help = "folder, or .safetensors or .gguf file, to write"}},
    {.about = {PLD_OPTION(CHOICE, "layout"), CONVERT, .argument = "NAME",
               .choices = "diffusers single denoiser",
               .otherwise = "denoiser if the output ends in .gguf, single if in .safetensors, else diffusers",
               .help = "a diffusers folder, a single file with the family's original names, or a file of the "
                       "denoiser alone"}},
    {.about =
         {PLD_OPTION(CHOICE, "type"), .aliases = "dtype", CONVERT, .argument = "TYPE",
          .choices = "f32 f16 bf16 q8_0 q6_k q5_k q4_k q4_0 int8", .otherwise = "each tensor keeps its own",
          .help = "type of the weights; those that begin with q go into .gguf files, int8 into .safetensors",
          .details =
              "Types of 8 bits or fewer are for the matrices of linear layers; first and last layers and "
              "what else there is stay in 16 bits or float32."}},
    {.about = {PLD_OPTION(FLAG, "overwrite"), CONVERT, .help = "replace an existing output"}},
};

const pld_option_rows pld_rows_of_commands = PLD_ROWS(rows);
