/* SPDX-License-Identifier: Apache-2.0 */
/* Every network of every family, at full size, on the backend that checks plans and computes nothing; and plans with a
 * mistake, which it must find. Weights are random ones, of which none is made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/executor.h"
#include "backends/null/null.h"
#include "pipeline/model/model.h"

/** A model's sizes, and the work of its networks as PyTorch's FlopCounterMode counts that of diffusers' and transformers'
 * on the same configurations, one text and one picture. The counter knows no masks: of causal encoders it takes whole maps.
 * Left out is what diffusers computes and a plan need not: the column of ones beside the values of a linear attention, which
 * gives the sum that its rows are divided by; the taps of Qwen-Image's autoencoder that see no frame; angles of rotations;
 * Z-Image's last layer for the caption's tokens, 512·3840·64 products. */
typedef struct sized_model {
    const char *path;
    int64_t latents; /* side */
    int64_t tokens;
    double denoiser, decoder, encoder;
    double texts[PLD_MAX_TEXT_ENCODERS];
    double conditioner; /* for states of as many tokens as the text has */
} sized_model;

static const sized_model models[] = {
    {PLADIS_BENCH_DATA "/sd15", 64, 77, 803273441280, 2514518933504, 1116658466816, {13298503680}, 0},
    {PLADIS_BENCH_DATA "/sdxl",
     128,
     77,
     6761236398080,
     10470392594432,
     4878950727680,
     {13298503680, 97863106560},
     0},
    {PLADIS_BENCH_DATA "/pixart-sigma",
     128,
     300,
     6633579773952,
     10470392594432,
     4878950727680,
     {2813696409600},
     0},
    {PLADIS_BENCH_DATA "/sana-1.6b",
     32,
     300,
     2966477660160,
     8368284499968,
     5179271282688,
     {1233734860800},
     0},
    {PLADIS_BENCH_DATA "/sana-sprint-0.6b",
     32,
     300,
     1121359233024,
     8368284499968,
     5179271282688,
     {1233734860800},
     0},
    {PLADIS_BENCH_DATA "/anima",
     128,
     512,
     17921207173120,
     4710245335040,
     2851824730112,
     {511101108224},
     117037858816},
    {PLADIS_BENCH_DATA "/sd35-medium",
     128,
     333,
     11249573707776,
     10472204009472,
     4882572509184,
     {13299683328, 97863106560, 3127524065280},
     0},
    {PLADIS_BENCH_DATA "/flux-dev",
     128,
     512,
     74384653418496,
     10472204009472,
     4882572509184,
     {4844723109888, 13298503680},
     0},
    {PLADIS_BENCH_DATA "/z-image",
     128,
     512,
     62506121691136,
     10472204009472,
     4882572509184,
     {3875134242816},
     0},
    {PLADIS_BENCH_DATA "/flux2-klein-4b",
     64,
     512,
     34820178051072,
     10474653483008,
     4887538565120,
     {3875134242816},
     0},
};
/* Small ones, for what the others have not: sizes that the denoiser is told of, predictions of velocity, configurations of
 * the tiny models of the newer families. */
static const char *const small[] = {
    PLADIS_TEST_DATA "/reference/models/pixart-alpha", PLADIS_TEST_DATA "/reference/models/sd21",
    PLADIS_TEST_DATA "/reference/models/sana-text",    PLADIS_TEST_DATA "/reference/models/sana-sprint",
    PLADIS_TEST_DATA "/reference/models/anima",        PLADIS_TEST_DATA "/reference/models/flux-dev",
    PLADIS_TEST_DATA "/reference/models/flux-schnell", PLADIS_TEST_DATA "/reference/models/z-image",
    PLADIS_TEST_DATA "/reference/models/flux2-klein",  PLADIS_TEST_DATA "/reference/models/sd35"};

static pld_device *open_device(void) {
    const pld_device_options options = {.threads = 1};
    pld_device *device = NULL;
    assert_int_equal(pld_backend_null.open(&options, &device, NULL), PLD_OK);
    return device;
}

static void check(pld_status status, const pld_error *error) {
    if (status != PLD_OK) {
        fail_msg("%s", error->message);
    }
}

/** Prepare and run a plan; the work that it is. */
static double work_of(pld_device *device, pld_run run) {
    pld_error error = {0};
    const pld_null_counts before = pld_null_counts_of(device);
    run.device = device;
    check(pld_plan_prepare(&run, &error), &error);
    check(pld_plan_run(&run, &error), &error);
    const pld_null_counts after = pld_null_counts_of(device);
    assert_int_equal(after.operators - before.operators, run.plan->operator_count);
    return after.work - before.work;
}

/** Work of the condition on a text, whose plan becomes a context of the denoiser. */
static double condition(pld_device *device, const pld_model *model, const pld_plan *denoiser, int64_t tokens,
                        pld_plan *plan, pld_context *context) {
    pld_error error = {0};
    const pld_component *part = pld_denoiser_of(model);
    const pld_condition_request request = {tokens, denoiser->sites, denoiser->site_count};
    pld_condition_values values;
    pld_plan_init(plan, part->parameters);
    check(part->class->denoiser->condition(plan, part->config, &request, &values, &error), &error);
    assert_int_equal(plan->offer_count, denoiser->outside_count);
    *context = (pld_context){.tokens = tokens, .plan = plan};
    return work_of(device, (pld_run){.plan = plan});
}

/** A variant that parts a branch from the others: no maps in self-attentions, or another rule of joint ones. */
static const char *parting_variant(const pld_plan *plan) {
    bool joint = false;
    for (size_t i = 0; i < plan->site_count; i++) {
        joint = joint || plan->sites[i].kind == PLD_SITE_JOINT;
    }
    return joint ? "gag" : "identity";
}

/** Three branches that part: the second has another text, and the third other attentions. */
static void share_rows(const pld_model *model, const pld_plan *alone, pld_row_sharing *sharing) {
    static const pld_branch branches[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL,
                                          PLD_BRANCH_IDENTITY};
    const pld_attention_effect effect = {
        .variant = parting_variant(alone), .layers = "all", .branches = PLD_BRANCH_BIT(PLD_BRANCH_IDENTITY)};
    pld_error error = {0};
    pld_variant_table table;
    int sites = 0;
    check(pld_variant_table_init(&table, alone->sites, alone->site_count, &error), &error);
    check(pld_variant_table_add_effect(&table, &effect, "test", &sites, &error), &error);
    const pld_row_sharing_request request = {.branches = branches,
                                             .rows = 3,
                                             .tables = {&table, &table},
                                             .text_joins_time = model->denoiser_facts.text_joins_time};
    check(pld_row_sharing_init(sharing, &request, &error), &error);
    pld_variant_table_free(&table);
}

/** The denoiser with one row, and with three that share what is equal: the work of one row and of its text. */
static double run_denoiser(pld_device *device, const pld_model *model, int64_t side, int64_t tokens) {
    pld_error error = {0};
    const pld_component *part = pld_denoiser_of(model);
    pld_plan plan, texts[2], shared;
    pld_context contexts[2];
    pld_denoiser_values values;
    const int64_t second = model->denoiser_facts.text_joins_sample ? tokens : 1;
    pld_denoiser_shape shape = {1, side, side, NULL, tokens};
    pld_plan_init(&plan, part->parameters);
    check(part->class->denoiser->build(&plan, part->config, &shape, &values, &error), &error);
    const double text = condition(device, model, &plan, tokens, &texts[0], &contexts[0]);
    condition(device, model, &plan, second, &texts[1], &contexts[1]);
    const pld_context *rows[] = {&contexts[1], &contexts[0], &contexts[0]};
    const double work = work_of(device, (pld_run){.plan = &plan, .contexts = &rows[1]});

    pld_row_sharing sharing;
    share_rows(model, &plan, &sharing);
    shape = (pld_denoiser_shape){3, side, side, &sharing, tokens};
    pld_plan_init(&shared, part->parameters);
    check(part->class->denoiser->build(&shared, part->config, &shape, &values, &error), &error);
    const double together = work_of(device, (pld_run){.plan = &shared, .contexts = rows});
    assert_true(together > work && together < 3 * work);
    pld_row_sharing_free(&sharing);
    pld_plan_free(&shared);
    pld_plan_free(&plan);
    pld_plan_free(&texts[0]);
    pld_plan_free(&texts[1]);
    return work + text;
}

/** Half of the maps of causal attentions, which the counter takes whole. */
static double unseen_half(const pld_plan *plan) {
    double work = 0;
    for (size_t i = 0; i < plan->operator_count; i++) {
        const pld_operator *op = &plan->operators[i];
        const bool causal = op->kind == PLD_OPERATOR_ATTENTION && op->attention.as.causal;
        work += causal ? pld_operator_work(plan, op, (pld_text_lengths){0}) : 0;
    }
    return work;
}

/** Its work as the counter has it. */
static double run_text(pld_device *device, const pld_model *model, int index, int64_t tokens) {
    pld_error error = {0};
    const pld_component *part = pld_text_encoder_of(model, index);
    const int64_t positions = part->text.positions; /* 0: of any number */
    const pld_text_request request = {.batch = 1,
                                      .tokens = positions ? positions : tokens,
                                      .final_norm = true,
                                      .pooled = model->family->texts[index].pooled};
    pld_plan plan;
    pld_text_values values;
    pld_plan_init(&plan, part->parameters);
    check(part->class->text_encoder->build(&plan, part->config, &request, &values, &error), &error);
    const double work = work_of(device, (pld_run){.plan = &plan}) + unseen_half(&plan);
    pld_plan_free(&plan);
    return work;
}

static double run_conditioner(pld_device *device, const pld_model *model, int64_t source_tokens,
                              int64_t tokens) {
    pld_error error = {0};
    const pld_component *part = pld_conditioner_of(model);
    const pld_conditioner_request request = {source_tokens, tokens};
    pld_plan plan;
    pld_conditioner_values values;
    pld_plan_init(&plan, part->parameters);
    check(part->class->conditioner->build(&plan, part->config, &request, &values, &error), &error);
    assert_int_equal(plan.values[values.states].channels, model->conditioner_facts.width);
    assert_true((values.source == PLD_NO_VALUE) == (source_tokens == 0));
    const double work = work_of(device, (pld_run){.plan = &plan});
    pld_plan_free(&plan);
    return work;
}

/** `side`: of latents for the decoder, of a picture for the encoder. */
static double run_half(pld_device *device, const pld_model *model, pld_autoencoder_build build,
                       int64_t side) {
    pld_error error = {0};
    pld_plan plan;
    pld_autoencoder_values values;
    pld_plan_init(&plan, pld_autoencoder_of(model)->parameters);
    check(build(&plan, pld_autoencoder_of(model)->config, 1, side, side, &values, &error), &error);
    const double work = work_of(device, (pld_run){.plan = &plan});
    pld_plan_free(&plan);
    return work;
}

static void check_work(const sized_model *m, const char *what, double found, double expected) {
    if (m->denoiser > 0 && found != expected) {
        fail_msg("%s: %s does %.0f operations, not %.0f", m->path, what, found, expected);
    }
}

static void run_model(pld_engine *engine, pld_device *device, const sized_model *m) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.random_weights = true;
    check(pld_model_open_with(engine, m->path, &options, &model, &error), &error);
    const pld_autoencoder *autoencoder = pld_autoencoder_of(model)->class->autoencoder;
    const int64_t pixels = m->latents * model->autoencoder_facts.factor;
    check_work(m, "the denoiser", run_denoiser(device, model, m->latents, m->tokens), m->denoiser);
    check_work(m, "the decoder", run_half(device, model, autoencoder->decoder, m->latents), m->decoder);
    check_work(m, "the encoder", run_half(device, model, autoencoder->encoder, pixels), m->encoder);
    for (int i = 0; i < model->family->text_count; i++) {
        check_work(m, "a text encoder", run_text(device, model, i, m->tokens), m->texts[i]);
    }
    if (model->family->conditioner) {
        const double alone = run_conditioner(device, model, 0, m->tokens);
        const double work = run_conditioner(device, model, m->tokens, m->tokens);
        check_work(m, "the conditioner", work, m->conditioner);
        assert_true(alone < work); /* nothing to attend to */
    }
    pld_model_destroy(&model);
}

static void every_network_is_sound(void **state) {
    (void)state;
    pld_error error = {0};
    pld_engine *engine = NULL;
    pld_device *device = open_device();
    check(pld_engine_create(NULL, &engine, &error), &error);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        run_model(engine, device, &models[i]);
    }
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        run_model(engine, device, &(sized_model){.path = small[i], .latents = 8, .tokens = 20});
    }
    pld_engine_destroy(&engine);
    device->backend->close(&device);
}

/* ---- mistakes ---- */

/** x → two layers and their sum, with an attention to a text beside them. */
typedef struct small_plan {
    pld_plan plan;
    pld_value_id x, first, second, out;
    pld_device *device;
    pld_error error;
} small_plan;

enum { FIRST, SECOND, ATTEND, SUM };

static void build_small(small_plan *s) {
    pld_builder b;
    *s = (small_plan){.device = open_device()};
    pld_plan_init(&s->plan, NULL);
    pld_builder_init(&b, &s->plan, &s->error);
    s->x = pld_input(&b, 1, 4, 4, 8);
    s->first = pld_linear(&b, "first", s->x, 8, PLD_BIAS);
    s->second = pld_linear(&b, "second", s->first, 8, PLD_BIAS);
    const pld_value_id text = pld_attend(&b, pld_cross_attention(s->second, 2));
    s->out = pld_linear(&b, "sum", text, 8, pld_plus(s->first));
    pld_keep(&b, s->out);
    check(b.status, &s->error);
    check(pld_plan_layout(&s->plan, &s->error), &s->error);
}

/** A text that offers `count` values [`tokens`, 8]. */
static void build_text(pld_plan *plan, pld_device *device, int count, int64_t tokens) {
    pld_error error = {0};
    pld_builder b;
    pld_plan_init(plan, NULL);
    pld_builder_init(&b, plan, &error);
    for (int i = 0; i < count; i++) {
        pld_offer(&b, pld_input(&b, 1, tokens, 1, 8));
    }
    check(b.status, &error);
    work_of(device, (pld_run){.plan = plan});
}

/** Prepare and run with a text that offers so much; the message of what is refused, "" if nothing is. */
static const char *refusal(small_plan *s, int offers, int64_t tokens) {
    pld_plan text;
    build_text(&text, s->device, offers, tokens);
    const pld_context context = {.tokens = 5, .plan = &text}, *contexts[] = {&context};
    pld_run run = {.plan = &s->plan, .device = s->device, .contexts = contexts};
    pld_status status = pld_plan_prepare(&run, &s->error);
    if (status == PLD_OK) {
        status = pld_plan_run(&run, &s->error);
    }
    assert_true(status == PLD_OK || status == PLD_ERROR_INTERNAL);
    pld_plan_free(&text);
    return status == PLD_OK ? "" : s->error.message;
}

static void close_small(small_plan *s) {
    pld_plan_free(&s->plan);
    s->device->backend->close(&s->device);
}

static void a_sound_plan_runs(void **state) {
    (void)state;
    small_plan s;
    build_small(&s);
    assert_string_equal(refusal(&s, 2, 5), "");
    assert_int_equal(pld_null_counts_of(s.device).operators, s.plan.operator_count);
    close_small(&s);
}

static void reading_before_writing_is_found(void **state) {
    (void)state;
    small_plan s;
    build_small(&s);
    const pld_operator first = s.plan.operators[FIRST];
    s.plan.operators[FIRST] = s.plan.operators[SECOND];
    s.plan.operators[SECOND] = first;
    assert_non_null(strstr(refusal(&s, 2, 5), "linear 'second', reads in"));
    close_small(&s);
}

static void values_on_each_other_are_found(void **state) {
    (void)state;
    small_plan s;
    build_small(&s);
    s.plan.values[s.second].offset = s.plan.values[s.first].offset; /* the sum still reads the first */
    assert_non_null(strstr(refusal(&s, 2, 5), "lie on each other"));
    close_small(&s);
    build_small(&s);
    s.plan.values[s.out].offset = s.plan.memory_floats - 1;
    assert_non_null(strstr(refusal(&s, 2, 5), "beyond the plan's memory"));
    close_small(&s);
}

static void shapes_that_do_not_fit_are_found(void **state) {
    (void)state;
    small_plan s;
    build_small(&s);
    s.plan.operators[SECOND].product.problem.in_channels = 16;
    assert_non_null(strstr(refusal(&s, 2, 5), "linear 'second': misfit of channels or rows"));
    close_small(&s);
    build_small(&s);
    s.plan.operators[ATTEND].attention.as.heads = 3;
    assert_non_null(strstr(refusal(&s, 2, 5), "misfit of query, heads or output"));
    close_small(&s);
    build_small(&s);
    s.plan.operators[SUM].product.gate = (pld_slice){s.x, 4 * 4 * 8 - 7};
    assert_non_null(strstr(refusal(&s, 2, 5), "linear 'sum': misfit of gate"));
    close_small(&s);
}

static void missing_values_from_outside_are_found(void **state) {
    (void)state;
    small_plan s;
    build_small(&s);
    assert_non_null(strstr(refusal(&s, 1, 5), "takes value 1 from outside, which is not there"));
    assert_non_null(strstr(refusal(&s, 2, 6), "value 0 from outside has another shape"));
    close_small(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_is_sound),
        cmocka_unit_test(a_sound_plan_runs),
        cmocka_unit_test(reading_before_writing_is_found),
        cmocka_unit_test(values_on_each_other_are_found),
        cmocka_unit_test(shapes_that_do_not_fit_are_found),
        cmocka_unit_test(missing_values_from_outside_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
