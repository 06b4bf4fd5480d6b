/* SPDX-License-Identifier: Apache-2.0 */
/** Conditioners, between text encoders and denoisers, against what diffusers computed on the same weights from stored states of
 *  the text encoder. Like text encoders they never run in bfloat16. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "network.h"
#include "suites.h"

/** A conditioner, and the prompt of its case at hand. */
typedef struct conditioner_fixture {
    const parity_case *c;
    network network;
    char prompt[16]; /* the end of its tensors' names */
    double tolerance;
    int compared; /* maps inside the network */
} conditioner_fixture;

/** NAME.PROMPT, valid until the next call. */
static const char *name_of(const conditioner_fixture *f, const char *name) {
    static char whole[64];
    snprintf(whole, sizeof whole, "%s.%s", name, f->prompt);
    return whole;
}

static void watch_prompt(void *user, const char *name, const pld_value *v, const float *data) {
    conditioner_fixture *f = user;
    const char *whole = name_of(f, name);
    if (case_has(f->c, whole)) {
        check_error(f->c->name, whole, network_error(f->c, whole, v, data), f->tolerance);
        f->compared++;
    }
}

/** The ids of a tensor [*count]; the caller frees them. */
static int32_t *ids_of(const parity_case *c, const char *tensor, size_t *count) {
    float *values = case_values(c, tensor, count);
    int32_t *ids = pld_allocate(*count, sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < *count; i++) {
        ids[i] = (int32_t)values[i];
    }
    pld_free(values);
    return ids;
}

/** The prompt at hand, of whose states the first `source_tokens` count. */
static void compare_prompt(conditioner_fixture *f, const char *ids_tensor, int64_t source_tokens) {
    pld_error error = {0};
    pld_plan plan;
    pld_conditioner_values values;
    size_t tokens = 0;
    const network *n = &f->network;
    int32_t *ids = ids_of(f->c, ids_tensor, &tokens);
    const pld_conditioner_request request = {source_tokens, (int64_t)tokens};
    pld_plan_init(&plan, n->parameters);
    check_status(n->class->conditioner->build(&plan, n->config, &request, &values, &error), &error);
    pld_run run = forced_run(&plan);
    run.ids = ids;
    run.tap = watch_prompt;
    run.tap_user = f;
    check_status(pld_plan_prepare(&run, &error), &error);
    if (source_tokens > 0) {
        float *states = case_values(f->c, name_of(f, "qwen_states"), NULL);
        memcpy(pld_plan_map(&plan, values.source), states,
               pld_value_floats(&plan.values[values.source]) * sizeof *states);
        pld_free(states);
    }
    check_status(pld_plan_run(&run, &error), &error);
    const char *expected = name_of(f, "conditioned");
    check_value(f->c, expected, &plan, values.states, expected, f->tolerance);
    pld_plan_free(&plan);
    pld_free(ids);
}

/** How many numbers of a mask are not 0. */
static int64_t live_of(const parity_case *c, const char *mask) {
    size_t count = 0;
    int64_t live = 0;
    float *values = case_values(c, mask, &count);
    for (size_t i = 0; i < count; i++) {
        live += values[i] != 0;
    }
    pld_free(values);
    return live;
}

/** Every prompt, an empty one among them whose only state is masked, and that by the other rule, where it counts. */
static void compare_conditioner(const parity_case *c, const parity_row *row, void *user) {
    (void)user;
    conditioner_fixture f = {.c = c, .tolerance = row->tolerance};
    const int prompts = (int)json_array_size(json_object_get(c->info, "prompts"));
    const char *part = json_text(c->info, "part");
    assert_true(prompts > 0 && part);
    if (!network_open(c, part, &f.network)) {
        return;
    }
    for (int i = 0; i < prompts; i++) {
        char ids[32];
        snprintf(f.prompt, sizeof f.prompt, "%d", i);
        snprintf(ids, sizeof ids, "t5_ids.%d", i);
        compare_prompt(&f, ids, live_of(c, name_of(&f, "qwen_mask")));
    }
    assert_int_equal(f.compared, row->taps);
    char ids[32];
    snprintf(ids, sizeof ids, "t5_ids.%d", (int)json_field(c->info, "empty_prompt", 0));
    snprintf(f.prompt, sizeof f.prompt, "comfy_empty");
    compare_prompt(&f, ids, 1);
    network_close(&f.network);
}

static void conditioners(void **state) {
    (void)state;
    compare_cases("conditioner", compare_conditioner, NULL);
}

int parity_conditioners(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(conditioners)};
    return cmocka_run_group_tests_name("conditioners", tests, NULL, NULL);
}
