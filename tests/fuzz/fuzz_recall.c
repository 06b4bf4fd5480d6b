/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of a picture that shall be drawn again: nothing but options of pictures is ever set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/metadata.h>

#include "fuzz.h"
#include "request/recall.h"

static bool is_set(const generate_request *request, const char *name) {
    return pld_options_get(request->values, NULL, name)->is_set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static generate_request request;
    fuzz_quiet(); /* a line for every refusal */
    char *text = malloc(size + 1);
    FUZZ_REQUIRE(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    FUZZ_REQUIRE(generate_options_defaults(&request));
    generate_request untouched = request;
    options_result result = recall_text("fuzz.png", text, 1, &request);
    FUZZ_REQUIRE(result == OPTIONS_RUN || result == OPTIONS_WRONG || result == OPTIONS_FAILED);
    FUZZ_REQUIRE(request.output == untouched.output && request.report == NULL && request.dump == NULL &&
                 request.prompt_file == NULL && request.from == NULL && !is_set(&request, "threads"));
    FUZZ_REQUIRE(strchr(request.model, '/') == NULL);
    generate_options_free(&request);
    char *pairs[] = {"parameters", text, NULL}; /* another program's text */
    pld_metadata *found = NULL;
    if (pld_metadata_read(pairs, "fuzz.png", &found, NULL) == PLD_OK) {
        FUZZ_REQUIRE(found->program != NULL && strstr(found->settings, "\"pictures\"") != NULL);
    }
    pld_metadata_free(&found);
    free(text);
    return 0;
}
