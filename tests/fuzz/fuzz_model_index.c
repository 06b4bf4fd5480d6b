/* SPDX-License-Identifier: Apache-2.0 */
/* A model folder that holds nothing but an index, called model_index.json and then modular_model_index.json, and, after a
 * NUL byte in the input, pladis.json: opening it must fail with a message, whatever they say. */
#include <string.h>

#include "fuzz.h"
#include "models/families.h"
#include "pladis/pladis.h"

static pld_engine *shared_engine(void) {
    static pld_engine *engine;
    if (!engine) {
        pld_engine_options options;
        pld_engine_options_init(&options, sizeof options);
        options.threads = 1;
        FUZZ_REQUIRE(pld_engine_create(&options, &engine, NULL) == PLD_OK);
    }
    return engine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const size_t first = end ? (size_t)(end - data) : size;
    fuzz_write("pladis.json", end ? end + 1 : (const uint8_t *)"{}", end ? size - first - 1 : 2);
    for (int i = 0; i < PLD_INDEX_NAMES; i++) {
        pld_model *model = NULL;
        pld_error error = {0};
        fuzz_write(pld_index_names[i], data, first);
        pld_status status = pld_model_open(shared_engine(), fuzz_folder(), &model, &error);
        FUZZ_REQUIRE(status != PLD_OK && !model && error.message[0]);
        fuzz_remove(pld_index_names[i]);
    }
    return 0;
}
