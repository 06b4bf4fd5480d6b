/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options as a client or a picture writes them. The first byte is the scope, the rest a JSON object: what is
 * taken is within the scope, can be saved, and is loaded again as it was. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pladis/options.h"

static void check_scope(const pld_options *options, pld_options_scope scope) {
    for (size_t i = 0; pld_option_at(i); i++) {
        const pld_option *option = pld_option_at(i);
        const pld_option_value *value = pld_options_value(options, option);
        const bool brought = strcmp(option->name, "scheduler") == 0; /* by a sampler */
        if (!value->is_set || brought) {
            continue;
        }
        FUZZ_REQUIRE(scope != PLD_OPTIONS_OF_PICTURE || option->of_picture);
        FUZZ_REQUIRE(scope != PLD_OPTIONS_REMOTE || option->remote == PLD_REMOTE_VALUE ||
                     option->remote == PLD_REMOTE_NAME);
        FUZZ_REQUIRE(scope == PLD_OPTIONS_ALL || !option->is_file || !value->text ||
                     !strchr(value->text, '/'));
        for (size_t j = 0; scope != PLD_OPTIONS_ALL && option->is_file && j < value->count; j++) {
            FUZZ_REQUIRE(!strchr(value->texts[j], '/') && strncmp(value->texts[j], "..:", 3) != 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pld_options *options = NULL, *again = NULL;
    pld_error error = {0};
    char *saved = NULL, *same = NULL;
    if (size == 0) {
        return 0;
    }
    const pld_options_scope scope = (pld_options_scope)(data[0] % 3);
    char *text = malloc(size);
    FUZZ_REQUIRE(text);
    memcpy(text, data + 1, size - 1);
    FUZZ_REQUIRE(pld_options_create(&options, NULL) == PLD_OK && pld_options_create(&again, NULL) == PLD_OK);
    if (pld_options_load(options, NULL, text, size - 1, scope, &error) == PLD_OK) {
        pld_generate_options filled;
        check_scope(options, scope);
        pld_generate_options_init(&filled, sizeof filled);
        pld_options_generate(options, &filled);
        FUZZ_REQUIRE(pld_options_save(options, NULL, &saved, &error) == PLD_OK);
        FUZZ_REQUIRE(pld_options_load(again, NULL, saved, strlen(saved), PLD_OPTIONS_ALL, &error) == PLD_OK);
        FUZZ_REQUIRE(pld_options_save(again, NULL, &same, &error) == PLD_OK && strcmp(saved, same) == 0);
    } else {
        FUZZ_REQUIRE(error.message[0]);
    }
    pld_string_free(&same);
    pld_string_free(&saved);
    pld_options_destroy(&again);
    pld_options_destroy(&options);
    free(text);
    return 0;
}
