/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options as lines NAME|COMMANDS|KIND, for manual.sh. */
#include <stdio.h>

#include <pladis/options.h>

int main(void) {
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const pld_option *row = pld_option_at(i);
        const char *kind = row->type == PLD_OPTION_HABIT                     ? "habit"
                           : row->type == PLD_OPTION_MISSING                 ? "missing"
                           : row->of_picture && row->type == PLD_OPTION_FLAG ? "picture-flag"
                           : row->of_picture                                 ? "picture"
                                                                             : "shown";
        printf("%s|%s|%s\n", row->name, row->type == PLD_OPTION_MISSING ? "" : row->commands, kind);
    }
    return 0;
}
