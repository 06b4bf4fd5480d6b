/* SPDX-License-Identifier: Apache-2.0 */
/** Options that one command has alone. */
#include "pipeline/options/row.h"

#define GRID     .commands = "grid", .group = "what is varied"
#define SUBJECT  .commands = "evaluate", .group = "what is evaluated"
#define RESULTS  .commands = "evaluate", .group = "results"
#define CONVERT  .commands = "convert", .group = "output"
#define JSON_OUT .group = "output"

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(TEXT, "x"), GRID, .argument = "NAME=A,B,...",
               .help =
                   "an option of generate and its values, from left to right; A..B and A..B:STEP count, ; "
                   "separates values that hold commas"}},
    {.about = {PLD_OPTION(TEXT, "y"), GRID, .argument = "NAME=A,B,...", .otherwise = "one row",
               .help = "the same from top to bottom"}},
    {.about = {PLD_OPTION(TEXT, "csv"), GRID, .argument = "FILE", .is_file = true, .is_output = true,
               .otherwise = "beside --output", .help = "table of the pictures"}},

    {.about =
         {PLD_OPTION(TEXT, "prompts"), .commands = "evaluate score", .group = "what is evaluated",
          .argument = "FILE", .is_file = true,
          .help = "captions of the demo world, one a line, as text or as JSON objects with \"caption\"",
          .details =
              "Without it evaluate takes the model's own, and score one caption for all pictures. Captions "
              "outside the grammar are refused with the word and its place."}},
    {.about = {PLD_OPTION(CHOICE, "split"), SUBJECT, .argument = "NAME", .choices = "heldout development",
               .otherwise = "heldout", .help = "which of the model's own prompts"}},
    {.about = {PLD_OPTION(INTEGER, "each"), SUBJECT, .argument = "N", PLD_RANGE(1, 1e6), .otherwise = "all",
               .help = "the first N prompts of each category"}},
    {.about = {PLD_OPTION(INTEGER, "seeds"), SUBJECT, .argument = "N", PLD_RANGE(1, 250), .fallback = "1",
               .help = "pictures of each prompt in each setting"}},
    {.about = {PLD_OPTION(TEXTS, "grid"), SUBJECT, .argument = "\"NAME=A,B NAME=C,D\"", .maximum = 8,
               .help = "options of generate and their values; all combinations are drawn. ; separates values "
                       "that hold "
                       "commas. May be repeated: a setting that several grids share is drawn once",
               .details =
                   "So are settings that differ only in options without effect, such as --pladis-alpha where "
                   "--pladis is 0."}},
    {.about =
         {PLD_OPTION(TEXT, "output"), .letter = 'o', RESULTS, .argument = "FOLDER", .is_file = true,
          .is_output = true, .fallback = "evaluation",
          .help = "where results go; the same command goes on with what is unfinished there",
          .details =
              "results.jsonl gets a line for each picture as it comes; a run that was killed goes on with "
              "the "
              "same command, and a folder with another evaluation, or a file with damaged lines, is refused. "
              "At the end there are results.csv, summary.csv, cost.csv, results.json, summary.md, and for "
              "each grid a plot (SVG) and a contact sheet (PNG)."}},
    {.about = {PLD_OPTION(TEXT, "select"), RESULTS, .argument = "NAME",
               .help = "at the end print the value of this option in the best setting"}},
    {.about = {PLD_OPTION(FLAG, "keep-pictures"), RESULTS,
               .help = "keep every picture, not only those of the contact sheets"}},
    {.about = {PLD_OPTION(INTEGER, "resamples"), RESULTS, .argument = "N", PLD_RANGE(1, 1e6),
               .help = "without effect: intervals are no longer a bootstrap's"}},
    {.about =
         {PLD_OPTION(INTEGER, "jobs"), .letter = 'j', RESULTS, .argument = "N", PLD_RANGE(1, 256),
          .fallback = "1",
          .help =
              "pictures drawn at the same time, sharing the threads; for small models the number of cores is "
              "best"}},

    {.about = {PLD_OPTION(TEXT, "prompt"), .letter = 'p', .commands = "score", .group = "what is evaluated",
               .argument = "CAPTION", .help = "what the pictures should show"}},
    {.about = {PLD_OPTION(FLAG, "json"), .commands = "score info tokenize", JSON_OUT,
               .help = "print JSON; of score one object a picture, each on a line"}},
    {.about = {PLD_OPTION(FLAG, "raw"), .aliases = "literal-prompt", .commands = "tokenize", JSON_OUT,
               .help = "take the text literally: one list, cut as the model would"}},

    {.about = {PLD_OPTION(TEXT, "output"), .letter = 'o', CONVERT, .argument = "PATH", .is_file = true,
               .is_output = true, .help = "folder or .safetensors file to write"}},
    {.about = {PLD_OPTION(CHOICE, "layout"), CONVERT, .argument = "NAME", .choices = "diffusers single",
               .otherwise = "single where the output ends in .safetensors, else diffusers",
               .help = "diffusers: a folder; single: one file with the family's original names"}},
    {.about = {PLD_OPTION(CHOICE, "dtype"), CONVERT, .argument = "TYPE", .choices = "f16 bf16 f32",
               .otherwise = "each tensor keeps its own", .help = "type of the weights"}},
    {.about = {PLD_OPTION(FLAG, "overwrite"), CONVERT, .help = "replace what is there"}},
};

const pld_option_rows pld_rows_of_commands = PLD_ROWS(rows);
