/* SPDX-License-Identifier: Apache-2.0 */
/** pladis completion: what a shell needs to complete command lines, made from the table of options. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options/option_text.h"
#include "terminal/message.h"
#include "terminal/output.h"

#define SHELLS "bash zsh fish"

const option_set completion_options = {
    .command = "completion",
    .brief = "print the completion script for bash, zsh or fish",
    .usage = "pladis completion bash|zsh|fish",
    .summary = "Print a script by which the shell completes commands, options and their values.",
    .examples = "  source <(pladis completion bash)           # in ~/.bashrc; the same with zsh in ~/.zshrc\n"
                "  pladis completion fish > ~/.config/fish/completions/pladis.fish\n",
    .words = SHELLS,
    .most_positionals = 1,
};

/** Every spelling of an option with its dashes, `between` them. */
static void print_names(const option *row, const char *between) {
    print_output("--%s", row->name);
    for (const char *at = row->aliases; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        const int length = (int)strcspn(at, " ");
        print_output("%s--%.*s", between, length, at);
        at += length;
    }
    if (row->letter != '\0') {
        print_output("%s-%c", between, row->letter);
    }
}

/** The words that an option may be given, blanks behind. */
static void print_words(const option *row) {
    const char *name = NULL, *description = NULL;
    if (row->choices != NULL) {
        print_output("%s ", row->choices);
    }
    for (size_t i = 0; row->list != NULL && pld_list(row->list_kind, i, &name, &description); i++) {
        print_output("%s ", name);
    }
}

static bool has_words(const option *row) {
    return row->choices != NULL || row->list != NULL;
}

/** A folder is as good as a file to a shell: both are completed as names of files. */
static bool takes_file(const option *row) {
    return row->is_file || row->is_output;
}

static bool takes_value(const option *row) {
    return row->type != PLD_OPTION_FLAG;
}

/** Inside single quotes of a shell, on one line; `special` characters with a backslash before. */
static void print_quoted(const char *text, const char *special) {
    for (const char *at = text; *at != '\0';) {
        size_t plain = 0;
        while (at[plain] != '\0' && strchr("'\\", at[plain]) == NULL && strchr(special, at[plain]) == NULL) {
            plain++;
        }
        print_output("%.*s", (int)plain, at);
        at += plain;
        if (*at == '\'') {
            print_output("'\\''");
        } else if (*at != '\0') {
            print_output("\\%c", *at);
        }
        at += *at != '\0';
    }
}

static void print_command_names(void) {
    for (size_t i = 0; commands[i].set != NULL; i++) {
        print_output("%s ", commands[i].set->command);
    }
}

/** A line of a case statement of bash for each option of a command that has words, a file or another value. */
static void print_bash_values(const option_set *set) {
    print_output("        case $previous in\n");
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        if (!option_is_shown(row, set->command) || !takes_value(row)) {
            continue;
        }
        print_output("        ");
        print_names(row, "|");
        if (takes_file(row) && !has_words(row)) {
            print_output(") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n");
        } else if (has_words(row)) {
            print_output(") COMPREPLY=($(compgen -W '");
            print_words(row);
            print_output("' -- \"$word\")); return ;;\n");
        } else {
            print_output(") return ;;\n");
        }
    }
    print_output("        esac\n");
}

static void print_bash(void) {
    print_output("# bash completion of pladis\n"
                 "_pladis() {\n"
                 "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} "
                 "command=${COMP_WORDS[1]}\n"
                 "    COMPREPLY=()\n"
                 "    if [ \"$COMP_CWORD\" -eq 1 ] && [[ $word != -* ]]; then\n"
                 "        COMPREPLY=($(compgen -W '");
    print_command_names();
    print_output("' -- \"$word\"))\n"
                 "        return\n"
                 "    fi\n"
                 "    case $command in\n");
    for (size_t i = 0; commands[i].set != NULL; i++) {
        const option_set *set = commands[i].set;
        print_output("    %s%s)\n", set->command, i == 0 ? "|-*" : "");
        print_bash_values(set);
        print_output("        if [[ $word == -* ]]; then\n            COMPREPLY=($(compgen -W '");
        for (size_t j = 0; pld_option_at(j) != NULL; j++) {
            if (option_is_shown(pld_option_at(j), set->command)) {
                print_names(pld_option_at(j), " ");
                print_output(" ");
            }
        }
        print_output("--help ' -- \"$word\"))\n");
        if (set->words != NULL) {
            print_output("        else\n            COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n",
                         set->words);
        } else if (set->most_positionals > 0) {
            print_output("        else\n            COMPREPLY=($(compgen -f -- \"$word\"))\n");
        }
        print_output("        fi ;;\n");
    }
    print_output("    esac\n}\ncomplete -o filenames -o bashdefault -F _pladis pladis\n");
}

static void print_fish(void) {
    print_output("# fish completion of pladis\ncomplete -c pladis -f\n");
    for (size_t i = 0; commands[i].set != NULL; i++) {
        const option_set *set = commands[i].set;
        print_output("complete -c pladis -n __fish_use_subcommand -a %s -d '", set->command);
        print_quoted(set->brief, "");
        print_output("'\n");
        if (set->words != NULL) {
            print_output("complete -c pladis -n '__fish_seen_subcommand_from %s' -a '%s'\n", set->command,
                         set->words);
        } else if (set->most_positionals > 0) {
            print_output("complete -c pladis -n '__fish_seen_subcommand_from %s' -F\n", set->command);
        }
        for (size_t j = 0; pld_option_at(j) != NULL; j++) {
            const option *row = pld_option_at(j);
            char text[OPTION_TEXT];
            if (!option_is_shown(row, set->command)) {
                continue;
            }
            print_output("complete -c pladis -n '__fish_seen_subcommand_from %s' -l %s", set->command,
                         row->name);
            for (const char *at = row->aliases; at != NULL && *at != '\0'; at += strspn(at, " ")) {
                print_output(" -l %.*s", (int)strcspn(at, " "), at);
                at += strcspn(at, " ");
            }
            if (row->letter != '\0') {
                print_output(" -s %c", row->letter);
            }
            if (takes_value(row) && !row->value_is_optional) {
                print_output("%s", takes_file(row) ? " -r -F" : " -x");
            }
            if (has_words(row)) {
                print_output(" -a '");
                print_words(row);
                print_output("'");
            }
            option_text(row, text);
            print_output(" -d '");
            print_quoted(text, "");
            print_output("'\n");
        }
    }
}

/** One specification of _arguments for a spelling of an option. */
static void print_zsh_spec(const option *row, const char *dashes, const char *name, int length) {
    print_output("            '*%s%.*s%s[", dashes, length, name,
                 takes_value(row) && dashes[1] == '-' ? "="
                 : takes_value(row)                   ? "+"
                                                      : "");
    print_quoted(row->help, "[]:");
    print_output("]");
    if (takes_value(row)) {
        print_output("%s", row->value_is_optional ? "::" : ":");
        print_quoted(row->argument, "[]:");
        print_output(":");
        if (has_words(row)) {
            print_output("(");
            print_words(row);
            print_output(")");
        } else if (takes_file(row)) {
            print_output("_files");
        }
    }
    print_output("' \\\n");
}

static void print_zsh(void) {
    print_output("#compdef pladis\n"
                 "_pladis() {\n"
                 "    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
                 "        local -a names=(\n");
    for (size_t i = 0; commands[i].set != NULL; i++) {
        print_output("            '%s:", commands[i].set->command);
        print_quoted(commands[i].set->brief, "[]:");
        print_output("'\n");
    }
    print_output("        )\n"
                 "        _describe command names\n"
                 "        return\n"
                 "    fi\n"
                 "    local chosen=$words[2]\n"
                 "    if [[ $chosen != -* ]]; then\n"
                 "        shift words\n"
                 "        (( CURRENT-- ))\n"
                 "    fi\n"
                 "    case $chosen in\n");
    for (size_t i = 0; commands[i].set != NULL; i++) {
        const option_set *set = commands[i].set;
        print_output("    %s%s)\n        _arguments \\\n", set->command, i == 0 ? "|-*" : "");
        for (size_t j = 0; pld_option_at(j) != NULL; j++) {
            const option *row = pld_option_at(j);
            if (!option_is_shown(row, set->command)) {
                continue;
            }
            print_zsh_spec(row, "--", row->name, (int)strlen(row->name));
            for (const char *at = row->aliases; at != NULL && *at != '\0'; at += strspn(at, " ")) {
                print_zsh_spec(row, "--", at, (int)strcspn(at, " "));
                at += strcspn(at, " ");
            }
            if (row->letter != '\0') {
                print_zsh_spec(row, "-", &row->letter, 1);
            }
        }
        if (set->words != NULL) {
            print_output("            '*:word:(%s)' \\\n", set->words);
        } else if (set->most_positionals > 0) {
            print_output("            '*:file:_files' \\\n");
        }
        print_output("            '--help[this text]' ;;\n");
    }
    print_output("    esac\n}\n"
                 "if [ \"$funcstack[1]\" = _pladis ]; then\n    _pladis \"$@\"\nelse\n    compdef _pladis "
                 "pladis\nfi\n");
}

int command_completion(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    pld_options *values = NULL;
    const char *wanted = NULL;
    size_t count = 0;
    options_result result = options_read(&completion_options, argc, argv, &values, NULL, &wanted, &count);
    pld_options_destroy(&values);
    if (result != OPTIONS_RUN) {
        return options_exit_code(result);
    }
    for (size_t i = 0; wanted != NULL && i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(wanted, shells[i].name) == 0) {
            shells[i].print();
            return EXIT_DONE;
        }
    }
    return message_usage("completion: found \"%s\", expected one of: " SHELLS, wanted != NULL ? wanted : "");
}
