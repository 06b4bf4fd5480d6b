/* SPDX-License-Identifier: Apache-2.0 */
/** Text encoders and denoisers of transformers, whatever their class, against what transformers and diffusers computed on
 *  the same weights: kinds "text_encoder" and "transformer_forward" of the reference cases.
 *
 *  Tolerances are those of the reference README: text 5e-6, one forward 2e-5 (float32 against float64 was measured at
 *  1e-6 there). With bfloat16 products (PLADIS_TEST_DTYPE=bf16) one forward may be 2.5e-2 off; text encoders never run so,
 *  but with split operands, which keep their tolerance.
 */
#include "reference.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "models/denoiser.h"
#include "models/text_encoder.h"
#include "pipeline/model/model.h"

static const double text_tolerance = 5e-6;
static const double forward_tolerance = 2e-5;
static const double bf16_tolerance = 2.5e-2;

enum { MOST_ROWS = 2 };

/** A part of a case's model, opened by its class. */
typedef struct opened_part {
    const pld_part_class *class;
    void *config;
    pld_parameters *parameters;
} opened_part;

static pld_status read_class(void *target, const pld_json *top, pld_error *error) {
    const pld_part_class **class = target;
    const char *name = NULL;
    pld_json list, first;
    PLD_TRY(pld_json_get_string(top, "_class_name", PLD_JSON_OPTIONAL, &name, error));
    if (!name) {
        PLD_TRY(pld_json_array(top, "architectures", PLD_JSON_REQUIRED, &list, error));
        pld_json_element(&list, 0, &first);
        name = json_string_value(first.value);
    }
    *class = name ? pld_part_class_find(name) : NULL;
    return PLD_OK;
}

/** False: its class is not one of this program's. */
static bool open_part(const char *model, const char *part, const char *stem, opened_part *opened) {
    pld_error error = {0};
    pld_weight_files *files = NULL;
    *opened = (opened_part){0};
    const char *config = reference_path("models/%s/%s/config.json", model, part);
    check_status(pld_json_read_file(config, read_class, &opened->class, &error), &error);
    if (!opened->class) {
        return false;
    }
    opened->config = pld_allocate(1, opened->class->config_bytes);
    assert_non_null(opened->config);
    check_status(pld_json_read_file(config, opened->class->read, opened->config, &error), &error);
    check_status(pld_weight_files_open(reference_path("models/%s/%s", model, part), stem, &files, &error),
                 &error);
    check_status(pld_parameters_create(files, &reference_device()->weights, &opened->parameters, &error),
                 &error);
    return true;
}

static void close_part(opened_part *opened) {
    pld_parameters_destroy(&opened->parameters);
    pld_free(opened->config);
}

static pld_run new_run(pld_plan *plan) {
    return (pld_run){.plan = plan, .device = reference_device(), .settings = reference_settings()};
}

/* ---- text encoders ---- */

/** Rows [first, first + count) of row `row` of a case's tensor [rows, tokens, width]. */
static float *rows_of(const reference_case *c, const char *name, int64_t row, int64_t count) {
    const pld_stored_tensor *tensor = reference_tensor(c, name);
    const size_t width = (size_t)tensor->shape[2];
    float *all = reference_values(c, name, NULL);
    float *rows = pld_allocate((size_t)count, width * sizeof *rows);
    assert_non_null(rows);
    memcpy(rows, all + (size_t)(row * tensor->shape[1]) * width, (size_t)count * width * sizeof *rows);
    pld_free(all);
    return rows;
}

/** The states of one text of `tokens` tokens; the caller frees them. */
static float *encode(const opened_part *opened, const int32_t *ids, int64_t tokens, size_t *count) {
    pld_error error = {0};
    pld_plan plan;
    pld_text_values values;
    const pld_text_request request = {.batch = 1, .tokens = tokens, .final_norm = true};
    pld_plan_init(&plan, opened->parameters);
    check_status(opened->class->text_encoder->build(&plan, opened->config, &request, &values, &error),
                 &error);
    pld_run run = new_run(&plan);
    run.settings.split = reference_split(); /* text encoders never run in bfloat16 */
    run.ids = ids;
    check_status(pld_plan_prepare(&run, &error), &error);
    check_status(pld_plan_run(&run, &error), &error);
    *count = pld_value_floats(&plan.values[values.states]);
    float *states = pld_allocate(*count, sizeof *states);
    assert_non_null(states);
    memcpy(states, pld_plan_map(&plan, values.states), *count * sizeof *states);
    pld_plan_free(&plan);
    return states;
}

/** Every prompt of a case, with the tokens that its mask leaves, and without a mask all of them. */
static void compare_texts(const reference_case *c, const opened_part *opened) {
    const pld_stored_tensor *shape = reference_tensor(c, "input_ids");
    const int64_t length = shape->shape[1];
    float *ids = reference_values(c, "input_ids", NULL), *mask = reference_values(c, "attention_mask", NULL);
    int32_t *tokens = pld_allocate((size_t)length, sizeof *tokens);
    assert_non_null(tokens);
    for (int64_t row = 0; row < shape->shape[0]; row++) {
        int64_t live = 0;
        for (int64_t i = 0; i < length; i++) {
            tokens[i] = (int32_t)ids[row * length + i];
            live += mask[row * length + i] != 0;
        }
        for (int masked = 0; masked < 2; masked++) {
            const char *name = masked ? "hidden" : "hidden_unmasked";
            const int64_t used = masked ? live : length;
            size_t count = 0;
            float *found = encode(opened, tokens, used, &count), *expected = rows_of(c, name, row, used);
            check_error(c->name, name, relative_error(found, expected, count), text_tolerance);
            pld_free(found);
            pld_free(expected);
        }
    }
    pld_free(tokens);
    pld_free(ids);
    pld_free(mask);
}

static void text_case(const char *name, const json_t *info, void *user) {
    int *compared = user;
    reference_case c;
    opened_part opened;
    const char *part = json_string_value(json_object_get(info, "part"));
    assert_true(reference_open(name, &c));
    if (part && pld_safetensors_find(c.tensors, "hidden_unmasked") &&
        open_part(json_string_value(json_object_get(info, "model")), part, "model", &opened)) {
        compare_texts(&c, &opened);
        close_part(&opened);
        ++*compared;
    }
    reference_close(&c);
}

/* ---- denoisers ---- */

/** A denoiser with everything that an evaluation needs. */
typedef struct denoiser_fixture {
    reference_case c;
    opened_part opened;
    pld_denoiser_facts facts;
    pld_plan plan, conditions[MOST_ROWS];
    pld_context contexts[MOST_ROWS];
    const pld_context *rows[MOST_ROWS];
    pld_denoiser_values io;
    double timesteps[MOST_ROWS];
    pld_variant_table table;
    pld_run run;
    int compared; /* maps inside the network */
} denoiser_fixture;

static double tolerance_of_run(void) {
    return reference_bf16() ? bf16_tolerance : forward_tolerance;
}

/** A map [B, T, C] or [B, C, H, W] of the reference against what passes by. */
static void watch(void *user, const char *name, const pld_value *v, const float *data) {
    denoiser_fixture *f = user;
    const pld_stored_tensor *tensor = pld_safetensors_find(f->c.tensors, name);
    size_t count = 0;
    if (tensor && tensor->rank <= 3) {
        float *expected = reference_values(&f->c, name, &count);
        assert_int_equal(count, pld_value_floats(v));
        check_error(f->c.name, name, relative_error(data, expected, count), tolerance_of_run());
        pld_free(expected);
        f->compared++;
    }
}

/** Height and width of row `row`, where the network is told of them. */
static pld_picture_facts picture_of(const denoiser_fixture *f, int row) {
    pld_picture_facts picture = {0};
    if (f->facts.told) {
        float *resolution = reference_values(&f->c, "resolution", NULL);
        picture.height = (int64_t)resolution[2 * row];
        picture.width = (int64_t)resolution[2 * row + 1];
        pld_free(resolution);
    }
    return picture;
}

/** What the text of row `row` gives: its live tokens alone. */
static void make_condition(denoiser_fixture *f, int row) {
    pld_error error = {0};
    pld_condition_values io;
    const pld_stored_tensor *shape = reference_tensor(&f->c, "encoder_hidden_states");
    float *mask = reference_values(&f->c, "encoder_attention_mask", NULL);
    int64_t tokens = 0;
    for (int64_t i = 0; i < shape->shape[1]; i++) {
        tokens += mask[row * shape->shape[1] + i] != 0;
    }
    float *states = rows_of(&f->c, "encoder_hidden_states", row, tokens);
    const pld_condition_request request = {tokens, f->plan.sites, f->plan.site_count};
    pld_plan *plan = &f->conditions[row];
    pld_plan_init(plan, f->opened.parameters);
    check_status(f->opened.class->denoiser->condition(plan, f->opened.config, &request, &io, &error), &error);
    assert_int_equal(plan->offer_count, f->plan.outside_count);
    pld_run run = new_run(plan);
    run.settings.bf16 = run.settings.split = reference_bf16();
    check_status(pld_plan_prepare(&run, &error), &error);
    memcpy(pld_plan_map(plan, io.states), states, (size_t)(tokens * shape->shape[2]) * sizeof *states);
    if (io.told != PLD_NO_VALUE) {
        const pld_picture_facts picture = picture_of(f, row);
        f->opened.class->denoiser->tell(f->opened.config, NULL, &picture, pld_plan_map(plan, io.told));
    }
    check_status(pld_plan_run(&run, &error), &error);
    f->contexts[row] = (pld_context){.tokens = tokens, .plan = plan};
    f->rows[row] = &f->contexts[row];
    pld_free(states);
    pld_free(mask);
}

/** Everything behind the case and the part. */
static void prepare_denoiser(denoiser_fixture *f) {
    static const pld_branch branches[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL};
    pld_error error = {0};
    const pld_denoiser *denoiser = f->opened.class->denoiser;
    denoiser->facts(f->opened.config, &f->facts);
    const pld_stored_tensor *sample = reference_tensor(&f->c, "sample");
    const int64_t batch = sample->shape[0], area = sample->shape[2] * sample->shape[3];
    assert_true(batch <= MOST_ROWS);
    const pld_denoiser_shape shape = {batch, sample->shape[2], sample->shape[3], NULL};
    pld_plan_init(&f->plan, f->opened.parameters);
    check_status(denoiser->build(&f->plan, f->opened.config, &shape, &f->io, &error), &error);
    float *time = reference_values(&f->c, "timestep", NULL), *noise = reference_values(&f->c, "sample", NULL);
    for (int row = 0; row < (int)batch; row++) {
        make_condition(f, row);
        f->timesteps[row] = time[row];
    }
    f->run = new_run(&f->plan);
    f->run.settings.bf16 = f->run.settings.split = reference_bf16();
    f->run.contexts = f->rows;
    f->run.timesteps = f->timesteps;
    f->run.branch_of_row = branches;
    f->run.variants = &f->table;
    check_status(pld_variant_table_init(&f->table, f->plan.sites, f->plan.site_count, &error), &error);
    check_status(pld_plan_prepare(&f->run, &error), &error);
    for (int64_t b = 0; b < batch; b++) {
        reference_kernels()->nchw_to_nhwc(noise + b * sample->shape[1] * area, sample->shape[1], area,
                                          pld_plan_map(&f->plan, f->io.sample) + b * sample->shape[1] * area);
    }
    pld_free(time);
    pld_free(noise);
}

/** False: the class is not one of this program's. */
static bool open_denoiser(denoiser_fixture *f, const char *name) {
    memset(f, 0, sizeof *f);
    assert_true(reference_open(name, &f->c));
    const char *model = json_string_value(json_object_get(f->c.info, "model"));
    if (!open_part(model, "transformer", "diffusion_pytorch_model", &f->opened)) {
        reference_close(&f->c);
        return false;
    }
    prepare_denoiser(f);
    return true;
}

static void drop_plans(denoiser_fixture *f) {
    pld_variant_table_free(&f->table);
    pld_plan_free(&f->plan);
    for (int i = 0; i < MOST_ROWS; i++) {
        pld_plan_free(&f->conditions[i]);
    }
}

static void close_denoiser(denoiser_fixture *f) {
    drop_plans(f);
    close_part(&f->opened);
    reference_close(&f->c);
}

/** One evaluation against the tensor `name` [B, C, H, W]. */
static void evaluate(denoiser_fixture *f, const char *name) {
    pld_error error = {0};
    size_t count = 0;
    check_status(pld_plan_run(&f->run, &error), &error);
    const pld_value *v = &f->plan.values[f->io.output];
    const size_t item = (size_t)(v->height * v->width * v->channels);
    float *expected = reference_values(&f->c, name, &count), *found = pld_allocate(count, sizeof *found);
    assert_non_null(found);
    assert_int_equal(count, pld_value_floats(v));
    for (size_t b = 0; b < (size_t)v->batch; b++) {
        reference_kernels()->nhwc_to_nchw(pld_plan_map(&f->plan, f->io.output) + b * item, v->channels,
                                          v->height * v->width, found + b * item);
    }
    check_error(f->c.name, name, relative_error(found, expected, count), tolerance_of_run());
    pld_free(expected);
    pld_free(found);
}

static void set_pladis(denoiser_fixture *f, const json_t *setting) {
    pld_error error = {0};
    int sites = 0;
    const char *blocks = json_string_value(json_object_get(setting, "blocks"));
    const pld_pladis_request request = {.lambda = json_number_value(json_object_get(setting, "lambda")),
                                        .alpha = json_number_value(json_object_get(setting, "alpha")),
                                        .blocks = blocks ? blocks : "all"};
    pld_variant_table_free(&f->table);
    check_status(pld_variant_table_init(&f->table, f->plan.sites, f->plan.site_count, &error), &error);
    check_status(pld_variant_table_add_pladis(&f->table, &request, &sites, &error), &error);
    assert_true(sites > 0);
}

/** The dense forward with the maps inside it, then PLADIS at every setting of the case. */
static void forward_case(const char *name, const json_t *info, void *user) {
    int *compared = user;
    denoiser_fixture f;
    size_t i;
    json_t *setting;
    if (!open_denoiser(&f, name)) {
        return;
    }
    f.run.tap = watch;
    f.run.tap_user = &f;
    evaluate(&f, "output.dense");
    assert_true(f.compared >= 3); /* blocks at least */
    f.run.tap = NULL;
    json_array_foreach(json_object_get(info, "settings"), i, setting) {
        set_pladis(&f, setting);
        evaluate(&f, json_string_value(json_object_get(setting, "output")));
    }
    close_denoiser(&f);
    ++*compared;
}

/* ---- adapters of PEFT (tools/reference/pixart_cases.py) ---- */

/** One evaluation with PLADIS of the model's own denoiser. */
static void evaluate_model(pld_model *model, pld_safetensors *tensors, const char *output) {
    static const char setting[] = "{\"lambda\": 2.0, \"alpha\": 1.5}";
    const pld_component *part = pld_denoiser_of(model);
    denoiser_fixture f = {.c = {.name = "pixart-lora", .tensors = tensors},
                          .opened = {part->class, part->config, part->parameters}};
    json_t *pladis = json_loads(setting, 0, NULL);
    prepare_denoiser(&f);
    set_pladis(&f, pladis);
    evaluate(&f, output);
    drop_plans(&f);
    json_decref(pladis);
}

static void adapters(void **state) {
    (void)state;
    pld_error error = {0};
    pld_engine *engine = NULL;
    pld_engine_options options;
    pld_model *base = NULL, *adapted = NULL;
    pld_safetensors *tensors = NULL;
    const pld_lora lora = {sizeof lora, PLADIS_TEST_DATA "/pixart/lora", 1};
    pld_engine_options_init(&options, sizeof options);
    check_status(pld_engine_create(&options, &engine, &error), &error);
    check_status(pld_model_open(engine, reference_path("models/pixart"), &base, &error), &error);
    check_status(pld_model_with_loras(base, &(const pld_lora *){&lora}, 1, &adapted, &error), &error);
    check_status(pld_safetensors_open(PLADIS_TEST_DATA "/pixart/lora.safetensors", &tensors, &error), &error);
    assert_int_equal(adapted->loras[0].public.unmatched_count, 0);
    evaluate_model(base, tensors, "output.base");
    evaluate_model(adapted, tensors, "output.lora");
    pld_safetensors_close(&tensors);
    pld_model_destroy(&adapted);
    pld_model_destroy(&base);
    pld_engine_destroy(&engine);
}

/* ---- */

static const char *const models[] = {"pixart", "pixart-alpha"};
enum { MODELS = sizeof models / sizeof *models };

static void text_encoders(void **state) {
    (void)state;
    for (size_t i = 0; i < MODELS; i++) {
        int compared = 0;
        reference_each("text_encoder", models[i], text_case, &compared);
        assert_int_equal(compared, 1);
    }
}

static void denoisers(void **state) {
    (void)state;
    for (size_t i = 0; i < MODELS; i++) {
        int compared = 0;
        reference_each("transformer_forward", models[i], forward_case, &compared);
        assert_int_equal(compared, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_encoders), cmocka_unit_test(denoisers),
                                       cmocka_unit_test(adapters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
