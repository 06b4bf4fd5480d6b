/* SPDX-License-Identifier: Apache-2.0 */
/** The commands of the program, each in a file of its name. They get the arguments after the command's name
 * and give the exit code. */
#ifndef PLADIS_CLI_COMMANDS_H
#define PLADIS_CLI_COMMANDS_H

int command_bench(int argc, char **argv);
int command_convert(int argc, char **argv);
int command_generate(int argc, char **argv);
int command_grid(int argc, char **argv);
int command_info(int argc, char **argv);
int command_tokenize(int argc, char **argv);
int command_list(int argc, char **argv);
int command_evaluate(int argc, char **argv);
int command_score(int argc, char **argv);

#endif
