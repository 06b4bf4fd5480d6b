/* SPDX-License-Identifier: Apache-2.0 */
/** Weighted, broken and long prompts against transformers (tools/reference/weighted_prompts.py): the text
 * states of both branches, as a generation uses them. Prompt and negative prompt differ in their number of
 * chunks. */
#include <stdio.h>

#include "core/memory.h"
#include "drawing.h"
#include "suites.h"

static const double tolerance = 5e-6; /* as the text encoder's own; the means are well conditioned */

enum { SIDE = 64 };

/** A model with its cases. */
typedef struct prompt_model {
    const char *model, *cases;
    int count;   /* of its cases */
    bool pooled; /* they hold pooled embeddings too */
    drawing drawing;
    parity_case expected;
} prompt_model;

static const prompt_model models[] = {{.model = "sd15", .cases = "prompts", .count = 12},
                                      {.model = "sdxl", .cases = "prompts_sdxl", .count = 2, .pooled = true}};
enum { MODELS = sizeof models / sizeof *models };

static void draw(prompt_model *m, const char *prompt, const char *negative, int clip_skip,
                 parity_case *found) {
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.dtype = "f32";
    options.prompt = prompt;
    options.negative_prompt = negative;
    options.clip_skip = clip_skip;
    options.width = SIDE;
    options.height = SIDE;
    options.steps = 1;
    options.cfg_scale = 3;
    drawing_make(&m->drawing, &options, NULL, NULL, found);
}

static void compare(const prompt_model *m, const char *name, const parity_case *found, const char *field) {
    char stored[96];
    snprintf(stored, sizeof stored, "%s.%s", name, field);
    check_error(name, field, case_error(found, field, &m->expected, stored), tolerance);
}

static void compare_states(prompt_model *m) {
    static const char *const fields[] = {"prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds",
                                         "negative_pooled_prompt_embeds"};
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach(m->expected.info, index, entry) {
        parity_case found;
        draw(m, json_text(entry, "prompt"), json_text(entry, "negative"),
             (int)json_field(entry, "clip_skip", 0), &found);
        for (int i = 0; i < (m->pooled ? 4 : 2); i++) {
            compare(m, json_text(entry, "name"), &found, fields[i]);
        }
        case_close(&found);
    }
    assert_int_equal(index, m->count);
}

static float *latents_of(prompt_model *m, const char *prompt, const char *negative, size_t *count) {
    parity_case found;
    draw(m, prompt, negative, 1, &found);
    float *values = case_values(&found, "latents", count);
    case_close(&found);
    return values;
}

/** What a prompt gives does not depend on what the session drew before, longer contexts included. */
static void compare_after_another(prompt_model *m) {
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

static void with_each_model(void (*test)(prompt_model *m)) {
    for (int i = 0; i < MODELS; i++) {
        prompt_model m = models[i];
        case_open_table(m.cases, "cases.json", "tensors.safetensors", &m.expected);
        drawing_open(&m.drawing, reference_path(reference_tree(), "models/%s", m.model));
        test(&m);
        drawing_close(&m.drawing);
        case_close(&m.expected);
    }
}

static void states_equal_those_of_transformers(void **state) {
    (void)state;
    with_each_model(compare_states);
}

static void other_chunk_counts_leave_nothing_behind(void **state) {
    (void)state;
    with_each_model(compare_after_another);
}

int parity_prompts(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(states_equal_those_of_transformers),
                                       cmocka_unit_test(other_chunk_counts_leave_nothing_behind)};
    return cmocka_run_group_tests_name("prompts", tests, NULL, NULL);
}
