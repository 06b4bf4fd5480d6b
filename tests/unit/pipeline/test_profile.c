/* SPDX-License-Identifier: Apache-2.0 */
/** A profile tells the truth: spans lie nested in each other, every evaluation is there, sums agree with the
 * spans, shapes and work are those of the layers, the trace is JSON, and the picture is the one without it.
 */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/memory.h"
#include "pladis/pladis.h"
#include "temporary_folder.h"

#define MODEL PLADIS_TEST_DATA "/reference/models/sd15"
enum { STEPS = 3 };

static pld_engine *engine;
static pld_model *model;
static pld_session *session;

static pld_image draw(pld_profile *profile) {
    pld_error error = {0};
    pld_image image;
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a red fox";
    options.steps = STEPS;
    options.sampling_method = "euler";
    options.profile = profile;
    assert_int_equal(pld_generate(session, &options, &image, NULL, &error), PLD_OK);
    return image;
}

static pld_profile *drawn_profile(void) {
    pld_error error = {0};
    pld_profile *profile;
    assert_int_equal(pld_profile_create(&profile, &error), PLD_OK);
    pld_image image = draw(profile);
    pld_image_free(&image);
    assert_int_equal(pld_profile_lost(profile), 0);
    return profile;
}

static void test_same_picture(void **state) {
    (void)state;
    pld_error error = {0};
    pld_profile *profile;
    assert_int_equal(pld_profile_create(&profile, &error), PLD_OK);
    pld_image with = draw(profile), without = draw(NULL);
    assert_memory_equal(with.pixels, without.pixels, (size_t)(3 * with.width * with.height));
    pld_image_free(&with);
    pld_image_free(&without);
    pld_profile_destroy(&profile);
    assert_null(profile);
}

/** Operators between two evaluations lie inside the second and take no more than its time. */
static void test_spans_nest(void **state) {
    (void)state;
    pld_profile *profile = drawn_profile();
    const size_t count = pld_profile_span_count(profile);
    size_t evaluations = 0, stages = 0, operators = 0;
    double inside = 0, earliest = 1e9, latest = 0;
    for (size_t i = 0; i < count; i++) {
        const pld_profile_span *span = pld_profile_span_at(profile, i);
        assert_true(span->begin >= 0 && span->seconds >= 0);
        if (span->level == PLD_PROFILE_OPERATOR) {
            inside += span->seconds;
            earliest = span->begin < earliest ? span->begin : earliest;
            latest = span->begin + span->seconds;
            operators++;
        } else if (span->level == PLD_PROFILE_NETWORK) {
            assert_true(operators > 0);
            assert_true(earliest >= span->begin && latest <= span->begin + span->seconds);
            assert_true(inside <= span->seconds);
            evaluations += strcmp(span->name, "unet") == 0;
            inside = 0;
            earliest = 1e9;
            operators = 0;
        } else if (span->level == PLD_PROFILE_STAGE) {
            stages++;
        }
    }
    assert_int_equal(evaluations, STEPS);
    assert_int_equal(stages, 4);
    assert_null(pld_profile_span_at(profile, count));
    pld_profile_clear(profile);
    assert_int_equal(pld_profile_span_count(profile), 0);
    pld_profile_destroy(&profile);
}

static const pld_profile_row *find_row(const pld_profile_summary *summary, const char *kind,
                                       const char *name) {
    for (size_t i = 0; i < summary->count; i++) {
        const pld_profile_row *row = summary->rows[i];
        if (strcmp(row->network, "unet") == 0 && (!kind || strcmp(row->kind, kind) == 0) &&
            (!name || strcmp(row->name, name) == 0)) {
            return row;
        }
    }
    return NULL;
}

static void test_sums(void **state) {
    (void)state;
    pld_profile *profile = drawn_profile();
    pld_error error = {0};
    const size_t count = pld_profile_span_count(profile);
    double all = 0;
    size_t operators = 0;
    for (size_t i = 0; i < count; i++) {
        const pld_profile_span *span = pld_profile_span_at(profile, i);
        all += span->level == PLD_PROFILE_OPERATOR ? span->seconds : 0;
        operators += span->level == PLD_PROFILE_OPERATOR;
    }
    for (int grouping = PLD_PROFILE_BY_KIND; grouping <= PLD_PROFILE_BY_SHAPE; grouping++) {
        pld_profile_summary *summary;
        size_t summed = 0;
        double seconds = 0;
        assert_int_equal(pld_profile_summarise(profile, PLD_PROFILE_OPERATOR, (pld_profile_grouping)grouping,
                                               &summary, &error),
                         PLD_OK);
        for (size_t i = 0; i < summary->count; i++) {
            assert_true(i == 0 || summary->rows[i]->seconds <= summary->rows[i - 1]->seconds);
            seconds += summary->rows[i]->seconds;
            summed += summary->rows[i]->count;
        }
        assert_int_equal(summed, operators);
        assert_true(fabs(seconds - all) < 1e-9);
        if (grouping == PLD_PROFILE_BY_KIND) {
            assert_non_null(find_row(summary, "cross_attention", NULL));
            assert_non_null(find_row(summary, "self_attention", NULL));
        } else if (grouping == PLD_PROFILE_BY_LAYER) {
            const pld_profile_row *row = find_row(summary, "conv", "conv_in");
            assert_non_null(row);
            assert_int_equal(row->count, STEPS);
            /* once for 2 branches, which are equal there; 3x3 taps, from the 4 channels of the latents */
            int height, width, channels;
            assert_int_equal(
                sscanf(row->shape, "[1, %dx%d, 4] -> [1, %*dx%*d, %d] 3x3", &height, &width, &channels), 3);
            assert_true(row->operations == 2.0 * STEPS * 9 * 4 * height * width * channels);
            assert_true(row->implementation[0] != 0);
        }
        pld_profile_summary_free(&summary);
        assert_null(summary);
    }
    pld_profile_destroy(&profile);
}

static void test_trace(void **state) {
    (void)state;
    assert_int_equal(make_temporary_folder(NULL), 0);
    pld_profile *profile = drawn_profile();
    pld_error error = {0};
    const size_t count = pld_profile_span_count(profile);
    const char *path = in_folder("trace.json");
    assert_int_equal(pld_profile_write_trace(profile, path, &error), PLD_OK);
    json_t *trace = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const json_t *events = json_object_get(trace, "traceEvents");
    assert_int_equal(json_array_size(events), count + 1);
    for (size_t i = 1; i <= count; i++) {
        const json_t *event = json_array_get(events, i);
        assert_string_equal(json_string_value(json_object_get(event, "ph")), "X");
        assert_true(json_is_real(json_object_get(event, "ts")) &&
                    json_is_real(json_object_get(event, "dur")));
    }
    json_decref(trace);
    assert_int_equal(pld_profile_write_trace(profile, in_folder("no/such/trace.json"), &error), PLD_ERROR_IO);
    assert_non_null(strstr(error.message, "no/such"));
    pld_profile_destroy(&profile);
    remove_temporary_folder(NULL);
}

/** Spans that have no room are counted; the picture is drawn. */
static void test_no_memory(void **state) {
    (void)state;
    pld_error error = {0};
    pld_profile *profile = NULL;
    pld_inject_allocation_failure(0);
    assert_int_equal(pld_profile_create(&profile, &error), PLD_ERROR_MEMORY);
    pld_inject_allocation_failure(-1);
    profile = drawn_profile();
    pld_profile_summary *summary;
    for (long countdown = 0; countdown < 4; countdown++) {
        pld_inject_allocation_failure(countdown);
        assert_int_equal(
            pld_profile_summarise(profile, PLD_PROFILE_OPERATOR, PLD_PROFILE_BY_KIND, &summary, &error),
            PLD_ERROR_MEMORY);
        pld_inject_allocation_failure(-1);
        assert_null(summary);
    }
    pld_profile_destroy(&profile);
}

static int set_up(void **state) {
    (void)state;
    pld_error error = {0};
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 1;
    return pld_engine_create(&options, &engine, &error) != PLD_OK ||
           pld_model_open(engine, MODEL, &model, &error) != PLD_OK ||
           pld_session_create(model, &session, &error) != PLD_OK;
}

static int tear_down(void **state) {
    (void)state;
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_picture), cmocka_unit_test(test_spans_nest), cmocka_unit_test(test_sums),
        cmocka_unit_test(test_trace),        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
