/* SPDX-License-Identifier: Apache-2.0 */
/** The list of branches on which PLADIS acts. */
#include <string.h>

#include "pipeline/generate/generation.h"

pld_status pld_pladis_branches(const char *text, pld_branch_set *branches, pld_error *error) {
    static const struct {
        const char *name;
        pld_branch_set branches;
    } rows[] = {{"all", PLD_BRANCHES_ALL},
                {"unconditional", PLD_BRANCH_BIT(PLD_BRANCH_UNCONDITIONAL)},
                {"conditional", PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) | PLD_BRANCH_BIT(PLD_BRANCH_NEGATIVE)},
                {"perturbed", PLD_BRANCHES_PERTURBED}};
    *branches = 0;
    for (const char *name = text ? text : "all";;) {
        const size_t length = strcspn(name, ",");
        size_t i = 0;
        while (i < sizeof rows / sizeof *rows &&
               (strlen(rows[i].name) != length || memcmp(rows[i].name, name, length) != 0)) {
            i++;
        }
        if (i == sizeof rows / sizeof *rows) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "pladis-branches: expected all or a comma list of unconditional, conditional, "
                            "perturbed; found '%.*s'",
                            (int)(length < 60 ? length : 60), name);
        }
        *branches |= rows[i].branches;
        if (name[length] == 0) {
            return PLD_OK;
        }
        name += length + 1;
    }
}
