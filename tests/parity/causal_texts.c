/* SPDX-License-Identifier: Apache-2.0 */
/** Causal text encoders, Gemma 2 and Qwen3, against every state that transformers computed. */
#include "causal_texts.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

/* Split operands have 16 bits of mantissa, so each is rounded by up to 2^-17. In networks of many layers these add up: four
 * times as much is allowed (measured: 1.4e-5 after 29). */
static const double deep_split_tolerance = 4.0 / (1 << 17);
enum { DEEP_LAYERS = 9 };

static double tolerance_of(const network *n, double tolerance) {
    pld_text_encoder_facts facts;
    n->class->text_encoder->facts(n->config, &facts);
    return forced_settings().split && facts.layers >= DEEP_LAYERS ? deep_split_tolerance : tolerance;
}

/** One text of a case, whose tensors are PREFIX.NAME [texts, tokens, width] or NAME.SUFFIX [tokens, width]. */
typedef struct case_text {
    const parity_case *c;
    const char *prefix, *suffix;
    int64_t row;    /* of the texts */
    int64_t tokens; /* that are computed */
    int64_t live;   /* of them, where the others are padding; 0: all are */
    double tolerance;
    int compared;
} case_text;

static const char *full_name(const case_text *text, const char *name) {
    static char full[96];
    snprintf(full, sizeof full, "%s%s%s", text->prefix, name, text->suffix);
    return full;
}

/** Rows of the text's tokens in one of the case's tensors; the caller frees them. NULL: the case has none of this name. */
static float *expected_rows(const case_text *text, const char *name) {
    const char *full = full_name(text, name);
    const pld_stored_tensor *tensor = case_has(text->c, full) ? case_tensor(text->c, full) : NULL;
    if (!tensor) {
        return NULL;
    }
    const size_t width = (size_t)tensor->shape[tensor->rank - 1];
    const int64_t length = tensor->shape[tensor->rank - 2];
    float *all = case_values(text->c, full, NULL);
    float *rows = pld_allocate((size_t)text->tokens, width * sizeof *rows);
    assert_non_null(rows);
    assert_true(text->tokens <= length);
    memcpy(rows, all + (size_t)(text->row * length) * width, (size_t)text->tokens * width * sizeof *rows);
    pld_free(all);
    return rows;
}

/** A state inside the network against the case's of its name. */
static void watch_state(void *user, const char *name, const pld_value *v, const float *data) {
    case_text *text = user;
    float *expected = expected_rows(text, name);
    if (expected) {
        check_error(text->c->name, full_name(text, name), relative_error(data, expected, pld_value_floats(v)),
                    text->tolerance);
        text->compared++;
    }
    pld_free(expected);
}

/** Run the encoder on one text, of whose tokens `live` are keys (0: all); its states, which the caller frees. `watched`: NULL,
 * or the text whose inner states are compared. */
static float *encode(const network *n, const int32_t *ids, int64_t live, pld_text_request request,
                     case_text *watched, size_t *count) {
    pld_error error = {0};
    pld_plan plan;
    pld_text_values values;
    request.batch = 1;
    request.live = live;
    pld_plan_init(&plan, n->parameters);
    check_status(n->class->text_encoder->build(&plan, n->config, &request, &values, &error), &error);
    pld_run run = forced_run(&plan);
    run.ids = ids;
    run.tap = watched ? watch_state : NULL;
    run.tap_user = watched;
    check_status(pld_plan_prepare(&run, &error), &error);
    check_status(pld_plan_run(&run, &error), &error);
    *count = pld_value_floats(&plan.values[values.states]);
    float *states = pld_allocate(*count, sizeof *states);
    assert_non_null(states);
    memcpy(states, pld_plan_map(&plan, values.states), *count * sizeof *states);
    text_encoder_check_streamed(n, &request, ids, states);
    pld_plan_free(&plan);
    return states;
}

/** The states after every layer that the case has but the last, taken side by side. */
static void compare_side_by_side(const network *n, const case_text *text, const int32_t *ids) {
    enum { MOST = 32 };
    int64_t after[MOST];
    float *expected[MOST];
    pld_text_encoder_facts facts;
    pld_text_request request = {.tokens = text->tokens, .states_after = after};
    n->class->text_encoder->facts(n->config, &facts);
    for (int64_t layer = 0; layer < facts.layers && request.state_count < MOST; layer++) {
        char name[32];
        snprintf(name, sizeof name, "hidden_states.%02d", (int)layer);
        expected[request.state_count] = expected_rows(text, name);
        after[request.state_count] = layer;
        request.state_count += expected[request.state_count] != NULL;
    }
    if (request.state_count == 0) {
        return;
    }
    size_t count = 0;
    float *found = encode(n, ids, text->live, request, NULL, &count);
    const size_t width = (size_t)facts.width, step = width * (size_t)request.state_count;
    float *columns = pld_allocate((size_t)text->tokens, width * sizeof *columns);
    assert_non_null(columns);
    assert_int_equal(count, (size_t)text->tokens * step);
    for (int i = 0; i < request.state_count; i++) {
        for (size_t token = 0; token < (size_t)text->tokens; token++) {
            memcpy(columns + token * width, found + token * step + (size_t)i * width, width * sizeof *found);
        }
        check_error(text->c->name, "a state beside others",
                    relative_error(columns, expected[i], (size_t)text->tokens * width), text->tolerance);
        pld_free(expected[i]);
    }
    pld_free(columns);
    pld_free(found);
}

/** The first ids of a text; the caller frees them. `live`: as many as the mask leaves, else all. */
static int32_t *ids_of(case_text *text, bool live) {
    const char *name = full_name(text, "input_ids");
    const pld_stored_tensor *tensor = case_tensor(text->c, name);
    const int64_t length = tensor->shape[tensor->rank - 1];
    float *all = case_values(text->c, name, NULL);
    float *mask = live && case_has(text->c, full_name(text, "attention_mask"))
                      ? case_values(text->c, full_name(text, "attention_mask"), NULL)
                      : NULL;
    int32_t *ids = pld_allocate((size_t)length, sizeof *ids);
    assert_non_null(ids);
    text->tokens = 0;
    for (int64_t i = 0; i < length; i++) {
        ids[i] = (int32_t)all[text->row * length + i];
        text->tokens += !mask || mask[text->row * length + i] != 0;
    }
    pld_free(all);
    pld_free(mask);
    return ids;
}

/** What a pipeline takes of several layers, where the case has it. False: it has not. */
static bool compare_embeds(const network *n, const case_text *text, const int32_t *ids) {
    enum { MOST = 8 };
    int64_t after[MOST];
    pld_text_request request = {.tokens = text->tokens, .states_after = after};
    float *expected = expected_rows(text, "prompt_embeds");
    size_t index = 0, count = 0;
    json_t *layer = NULL;
    if (!expected) {
        return false;
    }
    json_array_foreach(json_object_get(text->c->info, "layers"), index, layer) {
        assert_true(index < MOST);
        after[request.state_count++] = json_integer_value(layer);
    }
    float *found = encode(n, ids, text->live, request, NULL, &count);
    check_error(text->c->name, "prompt_embeds", relative_error(found, expected, count), text->tolerance);
    pld_free(found);
    pld_free(expected);
    return true;
}

/** A text of a causal encoder: padding behind it changes nothing before it. Short ones have every state. With `filled` the
 * rows of padding, too, which see the text alone. */
static void compare_layers(const network *n, case_text text, bool filled) {
    size_t count = 0;
    int32_t *ids = ids_of(&text, true);
    if (filled) {
        text.live = text.tokens;
        pld_free(ids);
        ids = ids_of(&text, false);
    }
    if (text.tokens > 0) {
        pld_free(encode(n, ids, text.live, (pld_text_request){.tokens = text.tokens, .final_norm = true},
                        &text, &count));
        assert_true(compare_embeds(n, &text, ids) || text.compared >= 1);
        compare_side_by_side(n, &text, ids);
    }
    pld_free(ids);
}

void compare_causal_texts(const parity_case *c, const network *n, bool filled, double tolerance) {
    tolerance = tolerance_of(n, tolerance);
    const bool together = case_has(c, "input_ids");
    const int64_t rows = together ? case_tensor(c, "input_ids")->shape[0] : 0;
    for (int64_t row = 0; row < rows; row++) {
        compare_layers(n, (case_text){c, "", "", row, 0, 0, tolerance, 0}, filled);
    }
    for (int i = 0; !together; i++) {
        char suffix[16];
        snprintf(suffix, sizeof suffix, ".%d", i);
        const case_text text = {c, "", suffix, 0, 0, 0, tolerance, 0};
        if (!case_has(c, full_name(&text, "input_ids"))) {
            assert_true(i > 1);
            break;
        }
        compare_layers(n, text, filled);
    }
    if (case_has(c, "long.input_ids")) {
        compare_layers(n, (case_text){c, "long.", "", 0, 0, 0, tolerance, 0}, filled);
    }
}
