/* SPDX-License-Identifier: Apache-2.0 */
/** The pladis program: a table of commands. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <pladis/pladis.h>

#include "commands.h"
#include "generate_options.h"
#include "json_values.h"
#include "message.h"
#include "number.h"
#include "output.h"
#include "standard_files.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"generate", command_generate, "draw pictures from a prompt"},
    {"grid", command_grid, "draw a grid of pictures, one for each value of one or two options"},
    {"info", command_info, "show what a model or another file is: family, types, sizes, attention sites"},
    {"convert", command_convert, "write a model in another layout or type"},
    {"tokenize", command_tokenize, "show the tokens, weights and chunks of a prompt"},
    {"evaluate", command_evaluate,
     "measure how well pictures follow their prompts, in every setting of a grid"},
    {"score", command_score, "judge whether pictures of the demo world show what their captions say"},
    {"bench", command_bench, "measure kernels, operators, stages and whole generations"},
    {"list", command_list, "list samplers, schedulers, guidance methods, presets and the like"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(void) {
    print_output("pladis %s: pictures from text with sparse cross-attention\n\n", pld_version());
    print_output("usage: pladis COMMAND [options]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        print_output("  %-10s %s\n", commands[i].name, commands[i].help);
    }
    print_output("\n  pladis COMMAND --help   options of a command\n"
                 "  pladis --version        version\n\n"
                 "example: pladis generate -p \"a large red star above a small blue ring\" -o star.png\n");
}

/** Whether an argument is an option of generate, with its value or without. */
static bool is_option_of_generate(const char *argument) {
    const option_set *set = generate_options_set();
    const char *name = argument + strspn(argument, "-");
    const size_t length = strcspn(name, "=");
    for (size_t i = 0; i < set->count; i++) {
        const option *row = &set->rows[i];
        const char *spellings[] = {row->name, row->alias};
        if (argument[1] != '-' && row->letter != '\0' && row->letter == argument[1]) {
            return true;
        }
        for (size_t j = 0; argument[1] == '-' && row->kind != OPTION_SECTION && j < 2; j++) {
            if (spellings[j] != NULL && strlen(spellings[j]) == length &&
                strncmp(spellings[j], name, length) == 0) {
                return true;
            }
        }
    }
    return false;
}

static int report_unknown(const char *name) {
    if (name[0] == '-' && is_option_of_generate(name)) {
        return message_usage("expected a command before %s, as in: pladis generate %s ...", name, name);
    }
    if (strchr(name, ' ') != NULL) {
        return message_usage("expected a command, found \"%s\"; to draw it: pladis generate -p \"%s\"", name,
                             name);
    }
    size_t nearest = 0, best = SIZE_MAX;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t distance = name_distance(name, commands[i].name);
        if (distance < best) {
            best = distance;
            nearest = i;
        }
    }
    const char *what = name[0] == '-' ? "option" : "command";
    if (name_is_near(name, best)) {
        return message_usage("unknown %s %s; did you mean %s?", what, name, commands[nearest].name);
    }
    return message_usage("unknown %s %s; pladis --help lists the commands", what, name);
}

int main(int argc, char **argv) {
    standard_files_open();
    /* Numbers and letters as C has them, in all that is printed, written and read, whatever is loaded. */
    setlocale(LC_ALL, "C");
    json_watch_memory();
    /* A reader that goes away and a file at its limit are reported as failed writes. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    const char *name = argc > 1 ? argv[1] : "--help";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return message_finish_output(EXIT_DONE);
    }
    if (strcmp(name, "--version") == 0) {
        print_output("pladis %s\n", pld_version());
        return message_finish_output(EXIT_DONE);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return message_finish_output(commands[i].run(argc - 2, argv + 2));
        }
    }
    return message_finish_output(report_unknown(name));
}
