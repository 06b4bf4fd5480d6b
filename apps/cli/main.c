/* SPDX-License-Identifier: Apache-2.0 */
/** The pladis program: commands by their names. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <pladis/options.h>

#include "commands.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "terminal/standard_files.h"
#include "values/json_values.h"

static void print_help(void) {
    print_output("pladis %s: pictures from text with sparse cross-attention\n\n", pld_version());
    print_output("usage: pladis COMMAND [options]\n\n");
    for (size_t i = 0; commands[i].set != NULL; i++) {
        print_output("  %-10s %s\n", commands[i].set->command, commands[i].set->brief);
    }
    print_output("\n  pladis COMMAND --help   options of a command\n"
                 "  pladis --version        version\n"
                 "  Options without a command belong to generate.\n\n"
                 "example: pladis generate -p \"a large red star above a small blue ring\" -o star.png\n");
}

/** Whether an argument is an option of generate, with its value or without: it may stand without a command. */
static bool is_option_of_generate(const char *argument) {
    char name[64];
    if (argument[0] != '-' || argument[1] != '-') {
        return argument[0] == '-' && pld_option_find_letter("generate", argument[1]) != NULL;
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    return pld_option_find("generate", name) != NULL;
}

static int report_unknown(const char *name) {
    if (strchr(name, ' ') != NULL) {
        return message_usage("expected a command, found \"%s\"; to draw it: pladis generate -p \"%s\"", name,
                             name);
    }
    if (name[0] == '-') {
        const char *nearest = pld_option_nearest("generate", name + strspn(name, "-"));
        return message_usage("unknown option %s; %s%s%s", name, nearest != NULL ? "did you mean --" : "",
                             nearest != NULL ? nearest : "pladis --help lists the commands",
                             nearest != NULL ? "?" : "");
    }
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; commands[i].set != NULL; i++) {
        size_t distance = pld_name_distance(name, commands[i].set->command);
        if (distance < best) {
            best = distance;
            nearest = commands[i].set->command;
        }
    }
    if (nearest != NULL && pld_name_is_near(name, best)) {
        return message_usage("unknown command %s; did you mean %s?", name, nearest);
    }
    return message_usage("unknown command %s; pladis --help lists the commands", name);
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
    for (size_t i = 0; commands[i].set != NULL; i++) {
        if (strcmp(name, commands[i].set->command) == 0) {
            return message_finish_output(commands[i].run(argc - 2, argv + 2));
        }
    }
    if (is_option_of_generate(name)) {
        return message_finish_output(command_generate(argc - 1, argv + 1));
    }
    return message_finish_output(report_unknown(name));
}
