/* SPDX-License-Identifier: Apache-2.0 */
/** The commands of the program, each in a file of its name. They get the arguments after the command's name
 * and give the exit code. */
#ifndef PLADIS_CLI_COMMANDS_H
#define PLADIS_CLI_COMMANDS_H

#include "options/options.h"

/** A command, and what people are told of it. */
typedef struct program_command {
    const option_set *set;
    int (*run)(int argc, char **argv);
} program_command;

/** In the order in which they are told of; one without a set ends them. */
extern const program_command commands[];

int command_bench(int argc, char **argv);
int command_completion(int argc, char **argv);
int command_convert(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_grid(int argc, char **argv);
int command_info(int argc, char **argv);
int command_list(int argc, char **argv);
int command_score(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_tokenize(int argc, char **argv);

extern const option_set bench_options_of_program, completion_options, convert_options, evaluate_options,
    generate_options, grid_options, info_options, list_options, score_options, serve_options,
    tokenize_options;

#endif
