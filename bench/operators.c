/* SPDX-License-Identifier: Apache-2.0 */
/* Each different operator of a model's networks, one at a time, at the shape it has there.
 *
 *  The networks are written down by the model code itself. An operator is then run in a copy of its plan in
 * which it is alone: values that live when it runs keep their size, the others shrink to one number, so
 * whatever the operator reads or writes is there. Weights are the model's, and only those of the operators
 * that run are packed. */
#include <stdio.h>
#include <string.h>

#include "bench/measure.h"
#include "core/memory.h"
#include "models/text/clip_text.h"
#include "nn/operators/operators.h"
#include "pipeline/internal.h"

enum { CONTEXT_TOKENS = 77 };

/** What an operator may need from outside, enough for one row of any network here. */
typedef struct surroundings {
    pld_onednn *dnn;
    float *text;         /* keys and values of one site [CONTEXT_TOKENS, widest] */
    const float **sites; /* [cross sites], all the same */
    pld_context context;
    const pld_context *contexts[1];
    pld_variant_table variants;
    pld_branch branch;
    float timestep;
    int32_t *ids;
} surroundings;

/** One operator on its own. */
typedef struct lone_operator {
    pld_plan plan;
    pld_run run;
} lone_operator;

/** Copy the plan with nothing but operator `index`. */
static pld_status isolate(const bench_run *bench, const pld_plan *network, int index, surroundings *s,
                          lone_operator *lone, pld_error *error) {
    pld_plan *plan = &lone->plan;
    pld_plan_init(plan, network->parameters);
    plan->values = pld_allocate(network->value_count, sizeof *plan->values);
    plan->operators = pld_allocate(1, sizeof *plan->operators);
    plan->sites = pld_allocate(network->site_count, sizeof *plan->sites);
    if (!plan->values || !plan->operators || !plan->sites) {
        return pld_fail_memory(error, network->value_count * sizeof *plan->values, "plan");
    }
    plan->value_count = network->value_count;
    plan->site_count = network->site_count;
    plan->operator_count = 1;
    plan->operators[0] = network->operators[index];
    memcpy(plan->sites, network->sites, network->site_count * sizeof *plan->sites);
    for (size_t i = 0; i < plan->value_count; i++) {
        const pld_value *value = &network->values[i];
        const bool lives = value->first <= index && index <= value->last;
        plan->values[i] = lives ? *value : (pld_value){1, 1, 1, 1, PLD_VALUE_TEMPORARY, false, index, index, 0};
        plan->values[i].life = lives ? PLD_VALUE_KEPT : PLD_VALUE_TEMPORARY;
    }
    pld_product_settings settings = bench->engine->settings;
    settings.bf16 = bench->bf16 && strcmp(network->name, "unet") == 0;
    lone->run = (pld_run){.plan = plan,
                          .dnn = s->dnn,
                          .kernels = bench->kernels,
                          .threads = bench->threads,
                          .settings = settings,
                          .variants = s->variants.choices ? &s->variants : NULL,
                          .branch_of_row = &s->branch,
                          .contexts = s->contexts,
                          .ids = s->ids,
                          .timesteps = &s->timestep};
    return pld_plan_prepare(&lone->run, error);
}

static void fill_values(pld_plan *plan) {
    float *numbers = bench_numbers(4096, 1);
    for (size_t i = 0; numbers && i < plan->memory_floats; i++) {
        plan->memory[i] = numbers[i % 4096];
    }
    pld_free(numbers);
}

/** "unet conv": what profiles call it, and the network. */
static void describe(const bench_model *model, const lone_operator *lone, const pld_plan *network, int width,
                     int height, bench_result *result) {
    const pld_operator *op = &lone->plan.operators[0];
    char shape[96];
    snprintf(result->name, sizeof result->name, "%s %dx%d %s, %s%s%s", model->name, width, height,
             network->name, pld_operator_label(&lone->plan, op),
             op->problem.out_channels && op->problem.accumulate ? " into" : "", op->silu ? " silu" : "");
    snprintf(result->shape, sizeof result->shape, "%s",
             pld_operator_shape(&lone->run, op, shape, sizeof shape));
    snprintf(result->implementation, sizeof result->implementation, "%s", pld_operator_implementation(op));
    result->operations = pld_operator_work(&lone->run, op);
}

static pld_status time_operator(bench_run *bench, lone_operator *lone, bench_samples *samples,
                                pld_error *error) {
    fill_values(&lone->plan);
    const double start = bench_now(bench->threads);
    PLD_TRY(pld_plan_run(&lone->run, error));
    const int repeats = bench_repeats(bench, bench_now(bench->threads) - start, 5);
    for (int i = 0; i < repeats; i++) {
        PLD_TRY(bench_check_cancel(bench, error));
        const double begin = bench_now(bench->threads);
        PLD_TRY(pld_plan_run(&lone->run, error));
        bench_add_sample(samples, bench_now(bench->threads) - begin);
    }
    return PLD_OK;
}

/** What tells operators apart: kind, shapes, and what else changes the work. */
static bool same_operator(const pld_plan *plan, const surroundings *s, const pld_operator *a,
                          const pld_operator *b) {
    char shape_a[96], shape_b[96];
    pld_run run = {.plan = (pld_plan *)(uintptr_t)plan, .contexts = s->contexts};
    return a->kind == b->kind && a->silu == b->silu && a->activation == b->activation &&
           a->problem.accumulate == b->problem.accumulate && a->problem.bias == b->problem.bias &&
           strcmp(pld_operator_label(plan, a), pld_operator_label(plan, b)) == 0 &&
           strcmp(pld_operator_shape(&run, a, shape_a, sizeof shape_a),
                  pld_operator_shape(&run, b, shape_b, sizeof shape_b)) == 0;
}

/** How often operator `index` and its equals run in the network; 0 when an equal one came before it. */
static int times_in_network(const pld_plan *plan, const surroundings *s, int index) {
    int times = 0;
    for (int i = 0; i < (int)plan->operator_count; i++) {
        if (same_operator(plan, s, &plan->operators[index], &plan->operators[i])) {
            if (i < index) {
                return 0;
            }
            times++;
        }
    }
    return times;
}

static pld_status measure_network(bench_run *bench, const bench_model *model, const pld_plan *network,
                                  surroundings *s, int width, int height, pld_error *error) {
    for (int i = 0; i < (int)network->operator_count; i++) {
        const pld_operator *op = &network->operators[i];
        char name[BENCH_NAME];
        snprintf(name, sizeof name, "%s %dx%d %s, %s", model->name, width, height, network->name,
                 pld_operator_label(network, op));
        const int times =
            op->kind == &pld_operator_tap || !bench_wanted(bench, name) ? 0 : times_in_network(network, s, i);
        if (times == 0) {
            continue;
        }
        lone_operator lone;
        bench_samples samples = {.count = 0};
        pld_status status = isolate(bench, network, i, s, &lone, error);
        if (status == PLD_OK) {
            status = time_operator(bench, &lone, &samples, error);
        }
        if (status == PLD_OK) {
            bench_result result = bench_figures("operators", &samples, "s");
            describe(model, &lone, network, width, height, &result);
            result.count = times;
            status = bench_add(bench, &result, error);
        }
        pld_plan_free(&lone.plan);
        PLD_TRY(status);
    }
    return PLD_OK;
}

static pld_status surround(const pld_model *model, surroundings *s, pld_error *error) {
    int64_t widest = 1;
    for (size_t i = 0; i < model->site_count; i++) {
        const int64_t width = (int64_t)model->sites[i].heads * model->sites[i].head_size;
        widest = width > widest ? width : widest;
    }
    *s = (surroundings){.timestep = 500, .branch = PLD_BRANCH_CONDITIONAL};
    s->text = bench_numbers((size_t)(CONTEXT_TOKENS * widest), 1);
    s->sites = pld_allocate(model->cross_count, sizeof *s->sites);
    s->ids = pld_allocate(4096, sizeof *s->ids);
    if (!s->text || !s->sites || !s->ids) {
        return pld_fail_memory(error, (size_t)(CONTEXT_TOKENS * widest) * sizeof(float), "bench");
    }
    for (size_t i = 0; i < model->cross_count; i++) {
        s->sites[i] = s->text;
    }
    s->context =
        (pld_context){.tokens = CONTEXT_TOKENS, .keys = s->sites, .values = s->sites, .added = s->text};
    s->contexts[0] = &s->context;
    const pld_pladis_request request = {.lambda = 2, .alpha = 1.5, .blocks = "all"};
    int sites;
    PLD_TRY(pld_variant_table_init(&s->variants, model->sites, model->site_count, error));
    PLD_TRY(pld_variant_table_add_pladis(&s->variants, &request, &sites, error));
    return pld_onednn_create(&s->dnn, error);
}

static void part_surroundings(surroundings *s) {
    pld_variant_table_free(&s->variants);
    pld_onednn_destroy(&s->dnn);
    pld_free(s->text);
    pld_free(s->sites);
    pld_free(s->ids);
}

static pld_status measure_denoiser(bench_run *bench, const bench_model *row, pld_model *model,
                                   surroundings *s, int width, int height, pld_error *error) {
    const int factor = (int)pld_vae_factor(&model->vae);
    pld_plan plan;
    pld_unet_values values;
    pld_plan_init(&plan, pld_model_parameters(model, PLD_ROLE_DENOISER));
    pld_status status =
        pld_unet_build(&plan, &model->unet, 1, height / factor, width / factor, &values, error);
    if (status == PLD_OK) {
        status = measure_network(bench, row, &plan, s, width, height, error);
    }
    pld_plan_free(&plan);
    return status;
}

static pld_status measure_decoder(bench_run *bench, const bench_model *row, pld_model *model, surroundings *s,
                                  int width, int height, pld_error *error) {
    const int factor = (int)pld_vae_factor(&model->vae);
    pld_plan plan;
    pld_vae_values values;
    surroundings plain = *s; /* its attention is no site of the denoiser */
    plain.variants = (pld_variant_table){0};
    pld_plan_init(&plan, pld_model_parameters(model, PLD_ROLE_AUTOENCODER));
    pld_status status =
        pld_vae_decoder_build(&plan, &model->vae, 1, height / factor, width / factor, &values, error);
    if (status == PLD_OK) {
        status = measure_network(bench, row, &plan, &plain, width, height, error);
    }
    pld_plan_free(&plan);
    return status;
}

static pld_status measure_text(bench_run *bench, const bench_model *row, pld_model *model, surroundings *s,
                               int width, int height, pld_error *error) {
    surroundings plain = *s;
    plain.variants = (pld_variant_table){0};
    pld_status status = PLD_OK;
    for (int i = 0; status == PLD_OK && i < model->text_encoder_count; i++) {
        pld_plan plan;
        pld_clip_text_values values;
        pld_plan_init(&plan, model->parameters[model->text_encoders[i].part]);
        const pld_text_encoder *encoder = &model->text_encoders[i];
        const pld_clip_text_options options = {.batch = 1,
                                               .skip = model->family->text_skip,
                                               .final_norm = model->family->text_final_norm,
                                               .pooled = model->family->parts[encoder->part].pooled};
        status = pld_clip_text_build(&plan, &encoder->config, &options, &values, error);
        plan.name = model->family->parts[model->text_encoders[i].part].name;
        if (status == PLD_OK) {
            status = measure_network(bench, row, &plan, &plain, width, height, error);
        }
        pld_plan_free(&plan);
    }
    return status;
}

static pld_status measure_model(bench_run *bench, const bench_model *row, pld_error *error) {
    pld_model *model = NULL;
    pld_model_options options;
    pld_model_options_init(&options);
    options.random_weights = row->random;
    options.vocabulary = bench->options.vocabulary;
    PLD_TRY(pld_model_open_with(bench->engine, row->path, &options, &model, error));
    pld_model_info info = {.struct_size = sizeof info};
    surroundings s = {0};
    pld_status status = pld_model_get_info(model, &info, error);
    if (status == PLD_OK) {
        status = surround(model, &s, error);
    }
    const int width = bench->options.width ? bench->options.width : info.default_width;
    const int height = bench->options.height ? bench->options.height : info.default_height;
    if (status == PLD_OK && (width % info.size_factor || height % info.size_factor)) {
        status = pld_fail(error, PLD_ERROR_ARGUMENT, "size %d x %d: %s needs multiples of %d", width, height,
                          row->name, info.size_factor);
    }
    static pld_status (*const measures[])(bench_run *, const bench_model *, pld_model *, surroundings *, int,
                                          int,
                                          pld_error *) = {measure_text, measure_denoiser, measure_decoder};
    for (size_t i = 0; status == PLD_OK && i < sizeof measures / sizeof measures[0]; i++) {
        status = measures[i](bench, row, model, &s, width, height, error);
    }
    part_surroundings(&s);
    pld_model_destroy(&model);
    return status;
}

pld_status bench_operators(bench_run *run, pld_error *error) {
    pld_status status = PLD_OK;
    for (int i = 0; status == PLD_OK && i < run->options.model_count; i++) {
        status = measure_model(run, &run->options.models[i], error);
    }
    return status;
}
