/* SPDX-License-Identifier: Apache-2.0 */
/** Reference tokenizers and cases for the tests of prompts. Include after cmocka.h. */
#ifndef PLD_TESTS_TOKENIZER_DATA_H
#define PLD_TESTS_TOKENIZER_DATA_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "text/clip/tokenizer.h"
#include "text/tokenizer.h"

/** A path below tests/data/tokenizer (PLADIS_TEST_DATA in the environment moves tests/data). One of four
 *  rotating buffers. */
static inline const char *tokenizer_data(const char *name) {
    static char paths[4][1024];
    static int next;
    const char *base = getenv("PLADIS_TEST_DATA");
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/tokenizer/%s", base ? base : PLADIS_TEST_DATA, name);
    return path;
}

/** A reference tokenizer by the name of its folder, or by path. */
static inline pld_clip_tokenizer *open_reference(const char *name) {
    pld_clip_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    pld_status status =
        pld_clip_tokenizer_open(name[0] == '/' ? name : tokenizer_data(name), &tokenizer, &error);
    if (status != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return tokenizer;
}

/** The same as a tokenizer of any kind. */
static inline pld_tokenizer *open_reference_tokenizer(const char *name) {
    pld_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    pld_status status = pld_tokenizer_open(tokenizer_data(name), NULL, &tokenizer, &error);
    if (status != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return tokenizer;
}

/** The "cases" of a file; the document goes to `*document` for json_decref. Texts may hold NUL. */
static inline json_t *load_cases(const char *path, json_t **document) {
    json_error_t detail;
    *document = json_load_file(path, JSON_ALLOW_NUL, &detail);
    if (!*document) {
        fail_msg("%s: %s", path, detail.text);
    }
    json_t *cases = json_object_get(*document, "cases");
    assert_true(json_array_size(cases) > 0);
    return cases;
}

#endif
