/* SPDX-License-Identifier: Apache-2.0 */
/** One group of parity tests, on the path that the environment asks for (forced_path.h).
 *  usage: parity GROUP */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "forced_path.h"
#include "suites.h"

static const struct {
    const char *name;
    int (*run)(void);
} groups[] = {
    {"attention_maps", parity_attention_maps},
    {"autoencoders", parity_autoencoders},
    {"conditioners", parity_conditioners},
    {"denoisers", parity_denoisers},
    {"generations", parity_generations},
    {"guidance", parity_guidance},
    {"loras", parity_loras},
    {"model_files", parity_model_files},
    {"pictures", parity_pictures},
    {"prompts", parity_prompts},
    {"split_files", parity_split_files},
    {"text_encoders", parity_text_encoders},
};

int main(int count, char **arguments) {
    for (size_t i = 0; count == 2 && i < sizeof groups / sizeof *groups; i++) {
        if (strcmp(groups[i].name, arguments[1]) == 0) {
            forced_kernels(); /* says so and exits where this CPU lacks the instruction set */
            const int failed = groups[i].run();
            forced_path_close();
            report_errors();
            return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    fprintf(stderr, "usage: parity GROUP, one of");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        fprintf(stderr, " %s", groups[i].name);
    }
    fprintf(stderr, "\n");
    return EXIT_FAILURE;
}
