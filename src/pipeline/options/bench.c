/* SPDX-License-Identifier: Apache-2.0 */
/** Options of measuring. */
#include "pipeline/options/row.h"

#define BENCH .commands = "bench", .group = "measurement"

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(TEXTS, "model"), .letter = 'm', BENCH, .argument = "MODEL", .is_file = true,
               .maximum = 8, .otherwise = "demo; for operators and tune, random:sd15",
               .help = "what operators, stages and generate measure: a model as for generate, or "
                       "random:sd15, random:sdxl or random:FOLDER with random weights; repeatable"}},
    {.about = {PLD_OPTION(INTEGER, "repeats"), BENCH, .argument = "N", PLD_RANGE(1, 1000),
               .otherwise = "as many as fit in half a second, at least 3 to 5",
               .help = "how many times to measure each thing"}},
    {.about = {PLD_OPTION(TEXTS, "only"), BENCH, .argument = "TEXT", .maximum = 8,
               .help = "measure only results whose name contains TEXT, and what they need; repeatable"}},
    {.about =
         {PLD_OPTION(TEXT, "json"), BENCH, .argument = "FILE", .value_is_optional = true, .is_output = true,
          .choices = "kernels attention operators stages tune generate all",
          .help =
              "write the results as JSON; without FILE, or with -, to standard output instead of the table"}},
    {.about = {PLD_OPTION(TEXT, "compare"), BENCH, .argument = "OLD.json", .is_file = true,
               .help = "show the results next to those of an earlier --json; * marks differences beyond the "
                       "spread of both"}},
    {.about = {PLD_OPTION(CHOICE, "dtype"), .commands = "bench", .group = "machine", .argument = "TYPE",
               .choices = "auto f32 bf16 int8", .otherwise = "auto",
               .help = "type of the denoisers' products, as for generate"}},
};

const pld_option_rows pld_rows_of_bench = PLD_ROWS(rows);
