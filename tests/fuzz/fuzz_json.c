/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON layer: any text is parsed, and every getter is tried on every field of the objects found. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "fuzz.h"
#include "io/files/text_file.h"
#include "io/json/read.h"

enum { CAPACITY = 4 };

/** Ask `field` for every kind of value. */
static void try_getters(const pld_json *at, const char *field) {
    int64_t integers[CAPACITY] = {0};
    double numbers[CAPACITY] = {0};
    const char *texts[CAPACITY] = {0};
    bool flags[CAPACITY] = {0};
    size_t count = 0;
    pld_error error = {0};
    if (pld_json_get_integer(at, field, PLD_JSON_OPTIONAL, -3, 1000, integers, &error) == PLD_OK) {
        FUZZ_REQUIRE(integers[0] >= -3 && integers[0] <= 1000);
    }
    if (pld_json_get_number(at, field, PLD_JSON_REQUIRED, numbers, &error) == PLD_OK) {
        FUZZ_REQUIRE(isfinite(numbers[0]));
    }
    if (pld_json_get_number_or_infinity(at, field, PLD_JSON_OPTIONAL, numbers, &error) == PLD_OK) {
        FUZZ_REQUIRE(!isnan(numbers[0]));
    }
    (void)pld_json_get_string(at, field, PLD_JSON_OPTIONAL, texts, &error);
    (void)pld_json_get_bool(at, field, PLD_JSON_OPTIONAL, flags, &error);
    (void)pld_json_get_integer_or_list(at, field, PLD_JSON_OPTIONAL, 0, 9, CAPACITY, integers, &error);
    (void)pld_json_get_bool_or_list(at, field, PLD_JSON_OPTIONAL, CAPACITY, flags, &error);
    (void)pld_json_get_integers(at, field, PLD_JSON_OPTIONAL, 0, 9, CAPACITY, integers, &count, &error);
    (void)pld_json_get_numbers(at, field, PLD_JSON_OPTIONAL, CAPACITY, numbers, &count, &error);
    (void)pld_json_get_strings(at, field, PLD_JSON_OPTIONAL, CAPACITY, texts, &count, &error);
    FUZZ_REQUIRE(count <= CAPACITY);
}

static void visit(const pld_json *at) {
    const char *field = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)at->value, field, value) {
        pld_json child;
        pld_error error = {0};
        try_getters(at, field);
        if (pld_json_object(at, field, PLD_JSON_OPTIONAL, &child, &error) == PLD_OK && child.value) {
            visit(&child);
        }
        if (pld_json_array(at, field, PLD_JSON_OPTIONAL, &child, &error) == PLD_OK && child.value) {
            for (size_t i = 0; i < json_array_size(child.value); i++) {
                pld_json element;
                pld_json_element(&child, i, &element);
                visit(&element);
            }
        }
    }
}

/** Bytes of a file as text: without zero bytes and carriage returns, or refused. */
static void decode(const uint8_t *data, size_t size) {
    char *text = NULL;
    size_t length = 0;
    pld_error error = {0};
    if (pld_text_file_decode((const char *)data, size, "fuzz.json", &text, &length, &error) != PLD_OK) {
        FUZZ_REQUIRE(!text && error.message[0]);
        return;
    }
    FUZZ_REQUIRE(strlen(text) == length && !strchr(text, '\r'));
    pld_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *document = NULL;
    pld_error error = {0};
    decode(data, size);
    if (pld_json_parse((const char *)data, size, "fuzz.json", &document, &error) != PLD_OK) {
        FUZZ_REQUIRE(!document && error.message[0]);
        return 0;
    }
    pld_json top;
    if (pld_json_top(document, "fuzz.json", &top, &error) == PLD_OK) {
        visit(&top);
    }
    json_decref(document);
    return 0;
}
