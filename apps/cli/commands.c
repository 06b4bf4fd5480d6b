/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

const program_command commands[] = {
    {&generate_options, command_generate},
    {&grid_options, command_grid},
    {&info_options, command_info},
    {&convert_options, command_convert},
    {&tokenize_options, command_tokenize},
    {&evaluate_options, command_evaluate},
    {&score_options, command_score},
    {&serve_options, command_serve},
    {&bench_options_of_program, command_bench},
    {&list_options, command_list},
    {&completion_options, command_completion},
    {0},
};
