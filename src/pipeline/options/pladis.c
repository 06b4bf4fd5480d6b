/* SPDX-License-Identifier: Apache-2.0 */
/** PLADIS. */
#include "pipeline/options/row.h"

#define PLADIS                                                                                               \
    .commands = "generate grid evaluate", .group = "PLADIS, sparse cross-attention", .of_picture = true,     \
    .remote = PLD_REMOTE_VALUE

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(NUMBER, "pladis"), PLADIS, .aliases = "lambda pladis-scale", .argument = "SCALE",
               PLD_RANGE(-100, 100), .symbol = "λ", .title = "λ (PLADIS scale)",
               .otherwise = "2, or the model's own",
               .help = "scale lambda, how far to go from dense to sparse attention; 0 turns it off"},
     PLD_GENERATE(pladis_scale)},
    {.about = {PLD_OPTION(NUMBER, "pladis-alpha"), PLADIS, .aliases = "alpha", .argument = "ALPHA",
               PLD_RANGE(1, 2), .above_minimum = true, .symbol = "α", .title = "α (PLADIS sparsity)",
               .fallback = "1.5", .help = "sparsity, above 1 and at most 2"},
     PLD_GENERATE(pladis_alpha)},
    {.about = {PLD_OPTION(TEXT, "pladis-blocks"), PLADIS, .argument = "LIST", .fallback = "all",
               .help = "all, or a comma-separated list of down, mid, up, numbers of blocks (0-9,12) and site "
                       "names as info prints them"},
     PLD_GENERATE(pladis_blocks)},
    {.about = {PLD_OPTION(NUMBER, "pladis-start"), PLADIS, .argument = "FRACTION", PLD_RANGE(0, 1),
               .fallback = "0", .help = "fraction of the steps at which it begins"},
     PLD_GENERATE(pladis_start)},
    {.about = {PLD_OPTION(NUMBER, "pladis-end"), PLADIS, .argument = "FRACTION", PLD_RANGE(0, 1),
               .fallback = "1", .help = "fraction of the steps at which it ends"},
     PLD_GENERATE(pladis_end)},
    {.about = {PLD_OPTION(CHOICE, "pladis-sites"), PLADIS, .argument = "KIND", .choices = "cross self all",
               .fallback = "cross", .help = "attentions that it acts on, where self and all are ablations"},
     PLD_GENERATE(pladis_sites)},
    {.about = {PLD_OPTION(TEXT, "pladis-branches"), PLADIS, .argument = "LIST", .fallback = "all",
               .help = "all, or a comma-separated list of unconditional, conditional and perturbed"},
     PLD_GENERATE(pladis_branches)},
    {.about = {PLD_OPTION(NUMBER, "pladis-temperature"), PLADIS, .argument = "T", PLD_RANGE(0, 100),
               .fallback = "0", .help = "ablation: softmax(z / T) instead of entmax; 0 is entmax"},
     PLD_GENERATE(pladis_temperature)},
    {.about = {PLD_OPTION(FLAG, "no-pladis"), .commands = "generate grid",
               .group = "PLADIS, sparse cross-attention", .remote = PLD_REMOTE_VALUE,
               .help = "same as --pladis 0"},
     .sets = "pladis",
     .sets_to = "0"},
};

const pld_option_rows pld_rows_of_pladis = PLD_ROWS(rows);
