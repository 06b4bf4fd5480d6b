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

/** A model with its cases. */
typedef struct prompt_model {
    const char *path, *cases;
    int count;   /* of its cases */
    bool pooled; /* they hold pooled embeddings too */
    pld_model *model;
    pld_session *session;
    reference_case expected;
} prompt_model;

static prompt_model sd15 = {.path = "/reference/models/sd15", .cases = "/prompts", .count = 12};
static prompt_model sdxl = {
    .path = "/reference/models/sdxl", .cases = "/prompts_sdxl", .count = 2, .pooled = true};

static pld_engine *engine;
static char dump[] = "/tmp/pladis-prompts-XXXXXX";

static const char *text(const json_t *entry, const char *field) {
    return json_string_value(json_object_get(entry, field));
}

static void draw(const prompt_model *m, const char *prompt, const char *negative, int clip_skip) {
    pld_error error = {0};
    pld_generate_options options;
    pld_image image;
    pld_generate_options_init(&options, sizeof options);
    options.dtype = "f32";
    options.prompt = prompt;
    options.negative_prompt = negative;
    options.clip_skip = clip_skip;
    options.width = SIDE;
    options.height = SIDE;
    options.steps = 1;
    options.cfg_scale = 3;
    options.dump = dump;
    check_status(pld_generate(m->session, &options, &image, NULL, &error), &error);
    assert_non_null(image.pixels);
    pld_image_free(&image);
}

static void open_dump(reference_case *found) {
    pld_error error = {0};
    *found = (reference_case){.name = "dump"};
    check_status(pld_safetensors_open(dump, &found->tensors, &error), &error);
}

static void compare(const prompt_model *m, const char *name, const reference_case *found, const char *field) {
    char stored[96];
    size_t count = 0;
    size_t other = 0;
    snprintf(stored, sizeof stored, "%s.%s", name, field);
    float *a = reference_values(found, field, &other);
    float *b = reference_values(&m->expected, stored, &count);
    assert_int_equal(count, other);
    check_error(name, field, relative_error(a, b, count), tolerance);
    pld_free(a);
    pld_free(b);
}

static void states_equal_those_of_transformers(const prompt_model *m) {
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach(m->expected.info, index, entry) {
        reference_case found;
        const char *name = text(entry, "name");
        draw(m, text(entry, "prompt"), text(entry, "negative"),
             (int)json_integer_value(json_object_get(entry, "clip_skip")));
        open_dump(&found);
        compare(m, name, &found, "prompt_embeds");
        compare(m, name, &found, "negative_prompt_embeds");
        if (m->pooled) {
            compare(m, name, &found, "pooled_prompt_embeds");
            compare(m, name, &found, "negative_pooled_prompt_embeds");
        }
        reference_close(&found);
    }
    assert_int_equal(index, m->count);
}

static void sd15_states(void **state) {
    (void)state;
    states_equal_those_of_transformers(&sd15);
}

static void sdxl_states(void **state) {
    (void)state;
    states_equal_those_of_transformers(&sdxl);
}

static float *latents_of(const prompt_model *m, const char *prompt, const char *negative, size_t *count) {
    reference_case found;
    draw(m, prompt, negative, 1);
    open_dump(&found);
    float *values = reference_values(&found, "latents", count);
    reference_close(&found);
    return values;
}

/** What a prompt gives does not depend on what the session drew before, longer contexts included. */
static void other_chunk_counts_leave_nothing_behind(const prompt_model *m) {
    size_t count = 0;
    float *first = latents_of(m, "a (red:1.2) cat", "blue", &count);
    float *between = latents_of(m, "a BREAK red BREAK cat", "blue BREAK green", &count);
    float *again = latents_of(m, "a (red:1.2) cat", "blue", &count);
    assert_memory_equal(first, again, count * sizeof *first);
    assert_true(relative_error(between, first, count) > 1e-4);
    pld_free(first);
    pld_free(between);
    pld_free(again);
}

static void sd15_after_another(void **state) {
    (void)state;
    other_chunk_counts_leave_nothing_behind(&sd15);
}

static void sdxl_after_another(void **state) {
    (void)state;
    other_chunk_counts_leave_nothing_behind(&sdxl);
}

static bool open_cases(prompt_model *m) {
    char path[1024];
    snprintf(m->expected.name, sizeof m->expected.name, "%s", m->cases);
    snprintf(path, sizeof path, PLADIS_TEST_DATA "%s", m->path);
    bool ready = pld_model_open(engine, path, &m->model, NULL) == PLD_OK &&
                 pld_session_create(m->model, &m->session, NULL) == PLD_OK;
    snprintf(path, sizeof path, PLADIS_TEST_DATA "%s/cases.json", m->cases);
    ready = ready && pld_json_load(path, 0, &m->expected.info, NULL) == PLD_OK;
    snprintf(path, sizeof path, PLADIS_TEST_DATA "%s/tensors.safetensors", m->cases);
    return ready && pld_safetensors_open(path, &m->expected.tensors, NULL) == PLD_OK;
}

static void close_cases(prompt_model *m) {
    reference_close(&m->expected);
    pld_session_destroy(&m->session);
    pld_model_destroy(&m->model);
}

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.isa = pld_isa_name(reference_kernels()->isa);
    options.conv = reference_conv();
    options.low_memory = reference_low_memory();
    int file = mkstemp(dump);
    if (file < 0) {
        return -1;
    }
    close(file);
    return pld_engine_create(&options, &engine, NULL) == PLD_OK && open_cases(&sd15) && open_cases(&sdxl)
               ? 0
               : -1;
}

static int stop(void **state) {
    (void)state;
    unlink(dump);
    close_cases(&sd15);
    close_cases(&sdxl);
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sd15_states), cmocka_unit_test(sdxl_states),
                                       cmocka_unit_test(sd15_after_another),
                                       cmocka_unit_test(sdxl_after_another)};
    return cmocka_run_group_tests(tests, start, stop);
}
