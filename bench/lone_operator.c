/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lone_operator.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "nn/build.h"
#include "pipeline/session/session.h"

enum { CONTEXT_TOKENS = 77 };

/** The same numbers in all memory of a prepared plan. */
static void fill_values(const pld_plan *plan) {
    float *numbers = bench_numbers(4096, 1), *memory = plan->executable->memory;
    for (size_t i = 0; numbers && i < plan->memory_floats; i++) {
        memory[i] = numbers[i % 4096];
    }
    pld_free(numbers);
}

/** A network alone says by its name what it is to a run. */
static pld_product_role role_of(const pld_plan *network) {
    return strstr(network->name, "text")  ? PLD_PRODUCTS_OF_TEXT
           : strstr(network->name, "vae") ? PLD_PRODUCTS_OF_AUTOENCODER
                                          : PLD_PRODUCTS_OF_DENOISER;
}

pld_product_settings bench_network_settings(const bench_run *bench, const pld_plan *network) {
    pld_product_settings settings = bench->engine->settings;
    pld_product_settings_set_type(&settings, bench->engine->device, bench->type, role_of(network));
    return settings;
}

pld_status bench_isolate(const bench_run *bench, const bench_network *of, int index, pld_conv_choice conv,
                         bench_lone_operator *lone, pld_error *error) {
    const pld_plan *network = of->plan;
    const bench_surroundings *s = of->around;
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
    if (network->site_count > 0) {
        memcpy(plan->sites, network->sites, network->site_count * sizeof *plan->sites);
    }
    plan->constants = pld_allocate(network->constant_count, sizeof *plan->constants);
    if (!plan->constants) {
        return pld_fail_memory(error, network->constant_count * sizeof *plan->constants, "plan");
    }
    if (network->constant_count > 0) {
        memcpy(plan->constants, network->constants, network->constant_count * sizeof *plan->constants);
    }
    plan->constant_count = network->constant_count;
    for (size_t i = 0; i < plan->value_count; i++) {
        const pld_value *value = &network->values[i];
        const bool lives = value->first <= index && index <= value->last;
        plan->values[i] = lives ? *value
                                : (pld_value){.batch = 1,
                                              .height = 1,
                                              .width = 1,
                                              .channels = 1,
                                              .first = index,
                                              .last = index,
                                              .held = index,
                                              .narrows = PLD_NO_VALUE};
        plan->values[i].life = lives ? PLD_VALUE_KEPT : PLD_VALUE_TEMPORARY;
    }
    pld_product_settings settings = bench_network_settings(bench, network);
    settings.conv = conv;
    lone->run = (pld_run){.plan = plan,
                          .device = bench->engine->device,
                          .settings = settings,
                          .variants = s->variants.choices ? &s->variants : NULL,
                          .branch_of_row = &s->branch,
                          .contexts = s->contexts,
                          .ids = s->ids,
                          .timesteps = &s->timestep};
    PLD_TRY(pld_plan_prepare(&lone->run, error));
    fill_values(plan);
    return PLD_OK;
}

const pld_product *bench_product(const pld_operator *op) {
    return op->kind == PLD_OPERATOR_LINEAR || op->kind == PLD_OPERATOR_CONV ? &op->product : NULL;
}

void bench_operator_name(const bench_network *network, int index, char name[BENCH_NAME]) {
    const pld_operator *op = &network->plan->operators[index];
    const pld_product *product = bench_product(op);
    const bool silu = op->kind == PLD_OPERATOR_GROUP_NORM && op->norm.silu;
    snprintf(name, BENCH_NAME, "%s %dx%d %s, %s%s%s%s", network->model->name, network->width, network->height,
             network->plan->name, op->label, product && product->residual != PLD_NO_VALUE ? " into" : "",
             silu ? " silu" : "", product && product->glu.on ? " geglu" : "");
}

void bench_describe_operator(const bench_network *network, int index, const bench_lone_operator *lone,
                             bench_result *result) {
    const pld_operator *op = &lone->plan.operators[0];
    char shape[96];
    bench_operator_name(network, index, result->name);
    snprintf(result->shape, sizeof result->shape, "%s",
             pld_run_operator_shape(&lone->run, op, shape, sizeof shape));
    snprintf(result->implementation, sizeof result->implementation, "%s",
             pld_operator_implementation(&lone->plan, op));
    result->operations = pld_run_operator_work(&lone->run, op);
}

/** Operators of a kind do the same to values of the same shapes. */
static bool same_numbers(const pld_operator *a, const pld_operator *b) {
    const pld_product *p = bench_product(a), *q = bench_product(b);
    if (a->kind != b->kind) {
        return false;
    }
    if (p) {
        return p->f32 == q->f32 && p->glu.on == q->glu.on && p->silu == q->silu &&
               (p->norm != NULL) == (q->norm != NULL) && (p->bias != NULL) == (q->bias != NULL) &&
               (p->residual == PLD_NO_VALUE) == (q->residual == PLD_NO_VALUE);
    }
    return a->kind == PLD_OPERATOR_ACTIVATION   ? a->activation == b->activation
           : a->kind == PLD_OPERATOR_GROUP_NORM ? a->norm.silu == b->norm.silu
                                                : true;
}

/** What tells operators apart: kind, shapes, and what else changes the work. */
static bool same_operator(const pld_plan *plan, const bench_surroundings *s, const pld_operator *a,
                          const pld_operator *b) {
    char shape_a[96], shape_b[96];
    pld_run run = {.plan = (pld_plan *)(uintptr_t)plan, .contexts = s->contexts};
    return same_numbers(a, b) && strcmp(a->label, b->label) == 0 &&
           strcmp(pld_run_operator_shape(&run, a, shape_a, sizeof shape_a),
                  pld_run_operator_shape(&run, b, shape_b, sizeof shape_b)) == 0;
}

int bench_times_in_network(const bench_network *network, int index) {
    const pld_plan *plan = network->plan;
    int times = 0;
    for (int i = 0; i < (int)plan->operator_count; i++) {
        if (same_operator(plan, network->around, &plan->operators[index], &plan->operators[i])) {
            if (i < index) {
                return 0;
            }
            times++;
        }
    }
    return times;
}

/** A plan that computes nothing and offers one value `count` times. */
static pld_status make_text(pld_device *device, size_t count, int64_t width, pld_plan *plan,
                            pld_error *error) {
    pld_builder b;
    pld_plan_init(plan, NULL);
    pld_builder_init(&b, plan, error);
    const pld_value_id text = pld_input(&b, 1, CONTEXT_TOKENS, 1, width);
    for (size_t i = 0; i < count; i++) {
        pld_offer(&b, text);
    }
    PLD_TRY(b.status);
    pld_run run = {.plan = plan, .device = device};
    PLD_TRY(pld_plan_prepare(&run, error));
    fill_values(plan);
    return PLD_OK;
}

static pld_status surround(const pld_model *model, bench_surroundings *s, pld_error *error) {
    enum { MOST_IDS = 4096 };
    const size_t outside = 2 * model->site_count + 1; /* as many as a network may take: two a site, and one */
    int64_t widest = 1;
    for (size_t i = 0; i < model->site_count; i++) {
        const int64_t width = (int64_t)model->sites[i].heads * model->sites[i].head_size;
        widest = width > widest ? width : widest;
    }
    *s = (bench_surroundings){.timestep = 500, .branch = PLD_BRANCH_CONDITIONAL};
    s->ids = pld_allocate(MOST_IDS, sizeof *s->ids);
    if (!s->ids) {
        return pld_fail_memory(error, MOST_IDS * sizeof *s->ids, "bench");
    }
    PLD_TRY(make_text(model->engine->device, outside, widest, &s->text, error));
    s->context = (pld_context){.tokens = CONTEXT_TOKENS, .plan = &s->text};
    s->contexts[0] = &s->context;
    const pld_pladis_request request = {.lambda = 2, .alpha = 1.5, .blocks = "all"};
    int sites;
    PLD_TRY(pld_variant_table_init(&s->variants, model->sites, model->site_count, error));
    PLD_TRY(pld_variant_table_add_pladis(&s->variants, &request, &sites, error));
    return PLD_OK;
}

static void part_surroundings(bench_surroundings *s) {
    pld_variant_table_free(&s->variants);
    pld_plan_free(&s->text);
    pld_free(s->ids);
}

/** Visit a plan that was built with this outcome, and free it. */
static pld_status visit_plan(bench_run *bench, bench_network network, pld_plan *plan, pld_status built,
                             const bench_visitor *visitor, pld_error *error) {
    network.plan = plan;
    const pld_status status = built == PLD_OK ? visitor->visit(bench, &network, visitor->user, error) : built;
    pld_plan_free(plan);
    return status;
}

static pld_status visit_denoiser(bench_run *bench, pld_model *model, bench_network network,
                                 const bench_visitor *visitor, pld_error *error) {
    const pld_component *part = pld_denoiser_of(model);
    const int64_t factor = model->autoencoder_facts.factor;
    pld_plan plan;
    pld_denoiser_values values;
    pld_plan_init(&plan, part->parameters);
    const pld_denoiser_shape shape = {1, network.height / factor, network.width / factor, NULL,
                                      CONTEXT_TOKENS};
    const pld_status built = part->class->denoiser->build(&plan, part->config, &shape, &values, error);
    return visit_plan(bench, network, &plan, built, visitor, error);
}

static pld_status visit_decoder(bench_run *bench, pld_model *model, bench_network network,
                                const bench_visitor *visitor, pld_error *error) {
    const pld_component *part = pld_autoencoder_of(model);
    const int64_t factor = model->autoencoder_facts.factor;
    pld_plan plan;
    pld_autoencoder_values values;
    pld_plan_init(&plan, part->parameters);
    const pld_status built = part->class->autoencoder->decoder(
        &plan, part->config, 1, network.height / factor, network.width / factor, &values, error);
    return visit_plan(bench, network, &plan, built, visitor, error);
}

static pld_status visit_text(bench_run *bench, pld_model *model, bench_network network,
                             const bench_visitor *visitor, pld_error *error) {
    pld_status status = PLD_OK;
    for (int i = 0; status == PLD_OK && i < model->family->text_count; i++) {
        pld_plan plan;
        pld_text_values values;
        const pld_component *encoder = pld_text_encoder_of(model, i);
        const pld_text_use *use = &model->family->texts[i];
        pld_plan_init(&plan, encoder->parameters);
        const pld_text_request request = {.batch = 1,
                                          .tokens = encoder->text.positions,
                                          .skip = use->skip,
                                          .final_norm = use->final_norm,
                                          .pooled = use->pooled};
        const pld_status built =
            encoder->class->text_encoder->build(&plan, encoder->config, &request, &values, error);
        plan.name = encoder->row->name;
        status = visit_plan(bench, network, &plan, built, visitor, error);
    }
    return status;
}

pld_status bench_visit_networks(bench_run *bench, const bench_model *row, const bench_visitor *visitor,
                                pld_error *error) {
    pld_model *model = NULL;
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.random_weights = row->random;
    options.vocabulary = bench->options.vocabulary;
    PLD_TRY(pld_model_open_with(bench->engine, row->path, &options, &model, error));
    pld_model_info info = {.struct_size = sizeof info};
    bench_surroundings s = {0};
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
    bench_surroundings plain = s; /* of attention that is no site of the denoiser */
    plain.variants = (pld_variant_table){0};
    const struct {
        pld_status (*visit)(bench_run *, pld_model *, bench_network, const bench_visitor *, pld_error *);
        bench_surroundings *around;
    } networks[] = {{visit_text, &plain}, {visit_denoiser, &s}, {visit_decoder, &plain}};
    for (size_t i = 0; status == PLD_OK && i < sizeof networks / sizeof networks[0]; i++) {
        const bench_network network = {
            .model = row, .around = networks[i].around, .width = width, .height = height};
        status = networks[i].visit(bench, model, network, visitor, error);
    }
    part_surroundings(&s);
    pld_model_destroy(&model);
    return status;
}
