/* SPDX-License-Identifier: Apache-2.0 */
/** Weighted, broken and long prompts against transformers (tools/reference/weighted_prompts.py): the text
 * states of both branches, as a generation uses them. Prompt and negative prompt differ in their number of
 * chunks. */
#define _GNU_SOURCE
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "pladis/pladis.h"

static const double tolerance = 5e-6; /* as the text encoder's own; the means are well conditioned */

enum { SIDE = 64 };

static pld_engine *engine;
static pld_model *model;
static pld_session *session;
static reference_case expected;
static char dump[] = "/tmp/pladis-prompts-XXXXXX";

static const char *text(const json_t *entry, const char *field) {
    return json_string_value(json_object_get(entry, field));
}

static void draw(const char *prompt, const char *negative, int clip_skip) {
    pld_error error = {0};
    pld_generate_options options;
    pld_image image;
    pld_generate_options_init(&options);
    options.prompt = prompt;
    options.negative_prompt = negative;
    options.clip_skip = clip_skip;
    options.width = SIDE;
    options.height = SIDE;
    options.steps = 1;
    options.cfg_scale = 3;
    options.dump = dump;
    check_status(pld_generate(session, &options, &image, NULL, &error), &error);
    assert_non_null(image.pixels);
    pld_image_free(&image);
}

static void open_dump(reference_case *found) {
    pld_error error = {0};
    *found = (reference_case){.name = "dump"};
    check_status(pld_safetensors_open(dump, &found->tensors, &error), &error);
}

static void compare(const char *name, const reference_case *found, const char *field) {
    char stored[96];
    size_t count = 0;
    size_t other = 0;
    snprintf(stored, sizeof stored, "%s.%s", name, field);
    float *a = reference_values(found, field, &other);
    float *b = reference_values(&expected, stored, &count);
    assert_int_equal(count, other);
    check_error(name, field, relative_error(a, b, count), tolerance);
    pld_free(a);
    pld_free(b);
}

static void states_equal_those_of_transformers(void **state) {
    (void)state;
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach(expected.info, index, entry) {
        reference_case found;
        draw(text(entry, "prompt"), text(entry, "negative"),
             (int)json_integer_value(json_object_get(entry, "clip_skip")));
        open_dump(&found);
        compare(text(entry, "name"), &found, "prompt_embeds");
        compare(text(entry, "name"), &found, "negative_prompt_embeds");
        reference_close(&found);
    }
    assert_int_equal(index, 12);
}

static float *latents_of(const char *prompt, const char *negative, size_t *count) {
    reference_case found;
    draw(prompt, negative, 1);
    open_dump(&found);
    float *values = reference_values(&found, "latents", count);
    reference_close(&found);
    return values;
}

/** What a prompt gives does not depend on what the session drew before, longer contexts included. */
static void other_chunk_counts_leave_nothing_behind(void **state) {
    (void)state;
    size_t count = 0;
    float *first = latents_of("a (red:1.2) cat", "blue", &count);
    float *between = latents_of("a BREAK red BREAK cat", "blue BREAK green", &count);
    float *again = latents_of("a (red:1.2) cat", "blue", &count);
    assert_memory_equal(first, again, count * sizeof *first);
    assert_true(relative_error(between, first, count) > 1e-4);
    pld_free(first);
    pld_free(between);
    pld_free(again);
}

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options);
    options.isa = pld_isa_name(reference_kernels()->isa);
    options.conv = reference_conv();
    options.low_memory = reference_low_memory();
    int file = mkstemp(dump);
    if (file < 0) {
        return -1;
    }
    close(file);
    snprintf(expected.name, sizeof expected.name, "prompts");
    bool ready = pld_engine_create(&options, &engine, NULL) == PLD_OK &&
                 pld_model_open(engine, PLADIS_TEST_DATA "/reference/models/sd15", &model, NULL) == PLD_OK &&
                 pld_session_create(model, &session, NULL) == PLD_OK &&
                 pld_json_load(PLADIS_TEST_DATA "/prompts/cases.json", 0, &expected.info, NULL) == PLD_OK &&
                 pld_safetensors_open(PLADIS_TEST_DATA "/prompts/tensors.safetensors", &expected.tensors,
                                      NULL) == PLD_OK;
    return ready ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    unlink(dump);
    reference_close(&expected);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(states_equal_those_of_transformers),
                                       cmocka_unit_test(other_chunk_counts_leave_nothing_behind)};
    return cmocka_run_group_tests(tests, start, stop);
}
