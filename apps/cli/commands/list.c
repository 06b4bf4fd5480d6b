/* SPDX-License-Identifier: Apache-2.0 */
/** pladis list: the registries of the library. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options/options.h"
#include "terminal/message.h"
#include "terminal/output.h"

static const struct {
    const char *name;
    pld_list_kind kind;
} lists[] = {
    {"samplers", PLD_LIST_SAMPLERS}, {"schedulers", PLD_LIST_SCHEDULERS},
    {"spacings", PLD_LIST_SPACINGS}, {"guidance", PLD_LIST_GUIDANCE},
    {"variants", PLD_LIST_VARIANTS}, {"families", PLD_LIST_FAMILIES},
    {"presets", PLD_LIST_PRESETS},   {"isa", PLD_LIST_ISA},
};
enum { LIST_COUNT = sizeof lists / sizeof lists[0] };

#define LISTS "samplers schedulers spacings guidance variants families isa presets"

const option_set list_options = {
    .command = "list",
    .brief = "list samplers, schedulers, guidance methods, presets and the like",
    .usage = "pladis list [samplers|schedulers|spacings|guidance|variants|families|isa|presets]",
    .summary =
        "List the names that the options of generate accept, one per line; without an argument, every list.",
    .examples = "  pladis list samplers\n",
    .words = LISTS,
    .most_positionals = 1,
};

/** Range and default of an option of a method. */
static void print_guidance_key(const pld_guidance_key *key, const char *indent) {
    print_output("%s    %-9s %s (", indent, key->name, key->help);
    if (key->kind != PLD_GUIDANCE_LAYERS) {
        print_output("%g to %g%s; ", key->minimum, key->maximum, key->takes_infinity ? " or inf" : "");
    }
    if (key->fallback_text != NULL) {
        print_output("default: %s)\n", key->fallback_text);
    } else {
        print_output("default: %g)\n", key->fallback);
    }
}

static void print_guidance(const char *indent) {
    pld_guidance_info info = {.struct_size = sizeof info};
    for (size_t i = 0; pld_guidance_describe(i, &info); i++) {
        print_output("%s%-10s %s\n", indent, info.name, info.description);
        if (info.paper != NULL) {
            print_output("%s    %s\n", indent, info.paper);
        }
        print_output("%s    evaluations per step: %s\n", indent, info.evaluations);
        for (size_t j = 0; j < info.key_count; j++) {
            pld_guidance_key key = {.struct_size = sizeof key};
            pld_guidance_describe_key(i, j, &key);
            print_guidance_key(&key, indent);
        }
    }
}

static void print_list(pld_list_kind kind, const char *indent) {
    const char *name = NULL, *description = NULL;
    if (kind == PLD_LIST_GUIDANCE) {
        print_guidance(indent);
        return;
    }
    for (size_t i = 0; pld_list(kind, i, &name, &description); i++) {
        if (description != NULL && description[0] != '\0') {
            print_output("%s%-16s %s\n", indent, name, description);
        } else {
            print_output("%s%s\n", indent, name);
        }
    }
}

static int print_lists(const char *wanted) {
    bool found = wanted == NULL;
    for (size_t i = 0; i < LIST_COUNT; i++) {
        if (wanted == NULL) {
            print_output("%s%s\n", i > 0 ? "\n" : "", lists[i].name);
            print_list(lists[i].kind, "  ");
        } else if (strcmp(wanted, lists[i].name) == 0) {
            print_list(lists[i].kind, "");
            found = true;
        }
    }
    return found ? EXIT_DONE : message_usage("list: found \"%s\", expected one of: " LISTS, wanted);
}

int command_list(int argc, char **argv) {
    pld_options *values = NULL;
    const char *wanted = NULL;
    size_t count = 0;
    options_result result = options_read(&list_options, argc, argv, &values, NULL, &wanted, &count);
    pld_options_destroy(&values);
    return result == OPTIONS_RUN ? print_lists(wanted) : options_exit_code(result);
}
