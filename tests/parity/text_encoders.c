/* SPDX-License-Identifier: Apache-2.0 */
/** Text encoders against what transformers computed on the same weights. They never run in bfloat16, but with split
 *  operands, which keep their tolerance. */
#include <stdio.h>
#include <string.h>

#include "causal_texts.h"
#include "core/memory.h"
#include "network.h"
#include "suites.h"

/** How a model uses a text encoder. */
typedef struct text_use {
    const char *model, *part;
    pld_text_request request; /* batch and tokens are the case's */
    int taps;                 /* maps that the case has of such a run; 0: it has none */
    bool causal;              /* causal_texts.h */
    bool filled;              /* and rows of padding are compared, too */
} text_use;

static const text_use uses[] = {
    {.model = "sd15", .part = "text_encoder", .request = {.final_norm = true}, .taps = 4},
    {.model = "sd21", .part = "text_encoder", .request = {.final_norm = true}, .taps = 4},
    {.model = "sdxl", .part = "text_encoder", .request = {.final_norm = true}, .taps = 4},
    {.model = "sdxl", .part = "text_encoder", .request = {.skip = 1}, .taps = 3},
    {.model = "sdxl", .part = "text_encoder_2", .request = {.skip = 1, .pooled = true}, .taps = 5},
    {.model = "pixart", .part = "text_encoder", .request = {.final_norm = true}},
    {.model = "pixart-alpha", .part = "text_encoder", .request = {.final_norm = true}},
    {.model = "flux-dev", .part = "text_encoder_2", .request = {.final_norm = true}},
    {.model = "flux-schnell", .part = "text_encoder_2", .request = {.final_norm = true}},
    {.model = "sd35", .part = "text_encoder", .request = {.skip = 1, .pooled = true}, .taps = 5},
    {.model = "sd35", .part = "text_encoder_2", .request = {.skip = 1, .pooled = true}, .taps = 5},
    {.model = "sd35", .part = "text_encoder_3", .request = {.final_norm = true}},
    {.model = "sana-text", .part = "text_encoder", .causal = true},
    {.model = "sana-sprint", .part = "text_encoder", .causal = true},
    {.model = "anima", .part = "text_encoder", .causal = true},
    {.model = "z-image", .part = "text_encoder", .causal = true},
    {.model = "flux2-klein", .part = "text_encoder", .causal = true, .filled = true},
    {.model = "flux2-klein-base", .part = "text_encoder", .causal = true, .filled = true},
};
enum { USES = sizeof uses / sizeof *uses };

/** Ids of a case [rows, tokens]; the caller frees them. */
static int32_t *ids_of(const parity_case *c) {
    size_t count = 0;
    float *values = case_values(c, "input_ids", &count);
    int32_t *ids = pld_allocate(count, sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < count; i++) {
        ids[i] = (int32_t)values[i];
    }
    pld_free(values);
    return ids;
}

/** All texts at once, each of as many tokens as there are positions: taps, and the states that the pipeline takes, against
 * the entry of hidden_states (or last_hidden_state) that they are. */
static void compare_full_texts(const parity_case *c, const network *n, const text_use *use,
                               double tolerance) {
    const pld_stored_tensor *shape = case_tensor(c, "input_ids");
    pld_text_request request = use->request;
    pld_text_encoder_facts facts;
    pld_plan plan;
    pld_text_values values;
    watcher w = {c, tolerance, tolerance, 0};
    char name[32] = "last_hidden_state";
    request.batch = shape->shape[0];
    request.tokens = shape->shape[1];
    int32_t *ids = ids_of(c);
    text_encoder_run(n, &request, ids, &w, &plan, &values);
    assert_int_equal(w.compared, use->taps);
    n->class->text_encoder->facts(n->config, &facts);
    if (!request.final_norm) {
        snprintf(name, sizeof name, "hidden_states.%02d", (int)(facts.layers - request.skip));
    }
    check_value(c, name, &plan, values.states, "states taken", tolerance);
    text_encoder_check_streamed(n, &request, ids, pld_plan_map(&plan, values.states));
    pld_plan_free(&plan);
    pld_free(ids);
}

/** Each text by itself, with the tokens that its mask leaves, and without a mask all of them. */
static void compare_masked_texts(const parity_case *c, const network *n, const text_use *use,
                                 double tolerance) {
    const pld_stored_tensor *shape = case_tensor(c, "input_ids");
    int32_t *ids = ids_of(c);
    for (int64_t row = 0; row < shape->shape[0]; row++) {
        for (int masked = 0; masked < 2; masked++) {
            const char *name = masked ? "hidden" : "hidden_unmasked";
            pld_text_request request = use->request;
            pld_plan plan;
            pld_text_values values;
            request.batch = 1;
            request.tokens = masked ? case_live_tokens(c, "attention_mask", row) : shape->shape[1];
            text_encoder_run(n, &request, ids + row * shape->shape[1], NULL, &plan, &values);
            float *expected = case_rows(c, name, row, request.tokens);
            check_error(c->name, name,
                        relative_error(pld_plan_map(&plan, values.states), expected,
                                       pld_value_floats(&plan.values[values.states])),
                        tolerance);
            text_encoder_check_streamed(n, &request, ids + row * shape->shape[1],
                                        pld_plan_map(&plan, values.states));
            pld_free(expected);
            pld_plan_free(&plan);
        }
    }
    pld_free(ids);
}

/** Whether a case has what a comparison needs. */
static bool fits(const parity_case *c, const text_use *use) {
    static const char *const full[] = {"input_ids", "last_hidden_state", NULL};
    static const char *const masked[] = {"input_ids", "attention_mask", "hidden", "hidden_unmasked", NULL};
    return use->causal || case_has_all(c, case_has(c, "attention_mask") ? masked : full);
}

static void compare_text_encoder(const parity_case *c, const parity_row *row, void *user) {
    const char *part = json_text(c->info, "part");
    const bool has_mask = case_has(c, "attention_mask");
    int *compared = user;
    int used = 0;
    for (int i = 0; i < USES; i++) {
        network n;
        if (strcmp(uses[i].model, row->model) == 0 && part && strcmp(uses[i].part, part) == 0 &&
            fits(c, &uses[i]) && network_open(c, part, &n)) {
            if (uses[i].causal) {
                compare_causal_texts(c, &n, uses[i].filled, row->tolerance);
            } else {
                (has_mask ? compare_masked_texts : compare_full_texts)(c, &n, &uses[i], row->tolerance);
            }
            network_close(&n);
            used++;
        }
    }
    if (used == 0) {
        reference_pass_over(c->root, c->name, "this test knows no such text encoder");
    }
    *compared += used;
}

static void text_encoders(void **state) {
    (void)state;
    int compared = 0;
    compare_cases("text_encoder", compare_text_encoder, &compared);
    int here = 0;
    for (int i = 0; i < USES; i++) {
        here += parity_row_find("text_encoder", uses[i].model)->cases > 0;
    }
    assert_true(compared >= here);
}

int parity_text_encoders(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_encoders)};
    return cmocka_run_group_tests_name("text_encoders", tests, NULL, NULL);
}
