/* SPDX-License-Identifier: Apache-2.0 */
/** Models with LoRAs against diffusers' networks with W + s · alpha/rank · B A, in every style of names.
 *
 *  Tolerance, from the reference README: SD 1.5 2e-5 (two float32 evaluations differ by up to 2e-6); text
 * 5e-6. */
#include "reference.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "pipeline/session/session.h"
#include "text/prompt/chunks.h"

static pld_engine *engine;

static double number(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/** One tensor of hidden states, awaited at a tap. */
typedef struct awaited {
    char tap[32];
    float *data; /* [floats] */
    size_t floats;
    bool seen;
} awaited;

static void watch(void *user, const char *name, const pld_value *value, const float *data) {
    awaited *wanted = user;
    if (strcmp(name, wanted->tap) == 0) {
        wanted->floats = pld_value_floats(value);
        memcpy(wanted->data, data, wanted->floats * sizeof *data);
        wanted->seen = true;
    }
}

/** The states of one text encoder for the case's prompts, against TEXT_ENCODER.TAG: those in front of the
 * final norm, in SDXL those of the last layer but one. All encoders get
 * the ids of the first tokenizer, as in the reference. */
static void compare_encoder(const reference_case *c, pld_session *session, int index, const char *tag) {
    pld_error error = {0};
    const pld_model *model = session->model;
    const pld_component *encoder = pld_text_encoder_of(model, index);
    const int layer = (int)encoder->text.layers - model->family->texts[index].skip;
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.dtype = "f32";
    char name[96];
    snprintf(name, sizeof name, "%s.%s", encoder->row->name, tag);
    size_t count = 0;
    size_t done = 0;
    float *expected = reference_values(c, name, &count);
    awaited wanted = {.data = pld_allocate(count, sizeof(float))};
    snprintf(wanted.tap, sizeof wanted.tap, "hidden_states.%02d", layer);
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(c->info, "prompts"), i, value) {
        const char *prompt = json_string_value(value);
        pld_prompt_states states = {0};
        pld_prompt_chunks chunks = {0};
        check_status(pld_encode_prompt(session, prompt, &options, &states, &error), &error);
        check_status(pld_prompt_chunks_literal(pld_text_encoder_of(model, 0)->tokenizer, prompt,
                                               strlen(prompt), (size_t)encoder->text.positions, &chunks,
                                               &error),
                     &error);
        pld_run run = pld_session_run(session, &session->text[index].plan, NULL);
        run.ids = chunks.chunks[0].ids;
        run.tap = watch;
        run.tap_user = &wanted;
        check_status(pld_plan_run(&run, &error), &error);
        assert_true(wanted.seen);
        check_error(c->name, name, relative_error(wanted.data, expected + done, wanted.floats), 5e-6);
        done += wanted.floats;
        pld_prompt_chunks_free(&chunks);
        pld_prompt_states_free(&states);
    }
    assert_int_equal(done, count);
    pld_free(wanted.data);
    pld_free(expected);
}

/** A row of the case's inputs through the U-Net as `branch`, under `table` → found [C, h, w]. */
static void evaluate_row(pld_session *session, pld_branch branch, const pld_variant_table *table,
                         const pld_stored_tensor *sample, const float *noise, double timestep, float *found) {
    pld_error error = {0};
    const pld_context *context = &session->contexts[branch].context;
    const int64_t area = sample->shape[2] * sample->shape[3];
    const pld_denoiser_request request = {.branches = PLD_BRANCH_BIT(branch),
                                          .height = sample->shape[2],
                                          .width = sample->shape[3],
                                          .tokens = context->tokens,
                                          .tables = {table, table}};
    check_status(pld_session_need_denoiser(session, &request, NULL, &error), &error);
    pld_denoiser_plan *unet = &session->denoisers[request.branches];
    engine->kernels->nchw_to_nhwc(noise, sample->shape[1], area,
                                  pld_plan_map(&unet->plan, unet->values.sample));
    pld_run run = pld_session_run(session, &unet->plan, NULL);
    run.variants = table;
    run.branch_of_row = &branch;
    run.contexts = &context;
    run.timesteps = &timestep;
    check_status(pld_plan_run(&run, &error), &error);
    engine->kernels->nhwc_to_nchw(pld_plan_map(&unet->plan, unet->values.output), sample->shape[1], area,
                                  found);
}

/** The U-Net on each row of the case's inputs, which differ in everything, against the tensor `output`. */
static void compare_unet(const reference_case *c, pld_session *session, const char *output,
                         double tolerance) {
    static const pld_branch branches[2] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL};
    pld_error error = {0};
    const pld_stored_tensor *sample = reference_tensor(c, "sample");
    const pld_stored_tensor *states = reference_tensor(c, "encoder_hidden_states");
    const int64_t picture = sample->shape[1] * sample->shape[2] * sample->shape[3];
    float *noise = reference_values(c, "sample", NULL);
    float *context = reference_values(c, "encoder_hidden_states", NULL);
    float *timesteps = reference_values(c, "timestep", NULL);
    size_t pooled_count = 0;
    size_t size_count = 0;
    const bool more = pld_safetensors_find(c->tensors, "time_ids") != NULL; /* SDXL */
    float *pooled = more ? reference_values(c, "text_embeds", &pooled_count) : NULL;
    float *sizes = more ? reference_values(c, "time_ids", &size_count) : NULL;
    size_t count = 0;
    float *expected = reference_values(c, output, &count);
    for (int row = 0; row < 2; row++) {
        const pld_prompt_states of_row = {.states = context + row * states->shape[1] * states->shape[2],
                                          .pooled = pooled ? pooled + (size_t)row * pooled_count / 2 : NULL,
                                          .tokens = states->shape[1]};
        const float *ids = sizes ? sizes + (size_t)row * size_count / 2 : NULL;
        const pld_picture_facts told = ids ? (pld_picture_facts){.original_height = (int64_t)ids[0],
                                                                 .original_width = (int64_t)ids[1],
                                                                 .crop_top = (int64_t)ids[2],
                                                                 .crop_left = (int64_t)ids[3],
                                                                 .target_height = (int64_t)ids[4],
                                                                 .target_width = (int64_t)ids[5]}
                                           : (pld_picture_facts){0};
        check_status(pld_session_set_context(session, branches[row], &of_row, &told, NULL, &error), &error);
    }
    const json_t *pladis = json_object_get(c->info, "pladis");
    const pld_pladis_request request = {.lambda = number(pladis, "lambda"),
                                        .alpha = number(pladis, "alpha"),
                                        .blocks = text(pladis, "blocks")};
    pld_variant_table table;
    int sites = 0;
    check_status(pld_variant_table_init(&table, session->model->sites, session->model->site_count, &error),
                 &error);
    check_status(pld_variant_table_add_pladis(&table, &request, &sites, &error), &error);
    float *found = pld_allocate(count, sizeof *found);
    for (int row = 0; row < 2; row++) {
        evaluate_row(session, branches[row], &table, sample, noise + row * picture, timesteps[row],
                     found + row * picture);
    }
    check_error(c->name, output, relative_error(found, expected, count), tolerance);
    pld_variant_table_free(&table);
    pld_free(found);
    pld_free(noise);
    pld_free(context);
    pld_free(timesteps);
    pld_free(pooled);
    pld_free(sizes);
    pld_free(expected);
}

static void compare_model(const reference_case *c, pld_model *model, const char *tag, double tolerance) {
    pld_error error = {0};
    pld_session *session = NULL;
    char output[96];
    snprintf(output, sizeof output, "output.%s", tag);
    check_status(pld_session_create(model, &session, &error), &error);
    compare_unet(c, session, output, tolerance);
    snprintf(output, sizeof output, "text_encoder.%s", tag);
    if (pld_safetensors_find(c->tensors, output)) {
        for (int i = 0; i < model->family->text_count; i++) {
            compare_encoder(c, session, i, tag);
        }
    }
    pld_session_destroy(&session);
}

enum { MOST_LORAS = 4 };

/** The LoRAs of a setting: `file` with `scale`, or `files` with `scales`. */
static size_t loras_of(const json_t *setting, const char *root, pld_lora loras[MOST_LORAS],
                       char paths[MOST_LORAS][512]) {
    const json_t *files = json_object_get(setting, "files");
    const size_t count = files ? json_array_size(files) : 1;
    assert_in_range(count, 1, MOST_LORAS);
    for (size_t i = 0; i < count; i++) {
        const char *file = files ? json_string_value(json_array_get(files, i)) : text(setting, "file");
        snprintf(paths[i], 512, "%s/%s", root, file);
        pld_lora_init(&loras[i], sizeof loras[i]);
        loras[i].path = paths[i];
        loras[i].weight = files ? json_number_value(json_array_get(json_object_get(setting, "scales"), i))
                                : number(setting, "scale");
    }
    return count;
}

/** All modules of LoRA `index` that case.json says the file holds. */
static size_t modules_of(const json_t *setting, size_t index) {
    const json_t *modules = json_object_get(setting, "modules");
    if (modules) {
        return (size_t)json_integer_value(json_array_get(modules, index));
    }
    size_t count = (size_t)number(setting, "unet_modules");
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(setting, "text_modules"), i, value) {
        count += (size_t)json_integer_value(value);
    }
    return count;
}

static void compare_setting(const reference_case *c, pld_model *base, const json_t *setting, const char *root,
                            double tolerance) {
    pld_error error = {0};
    pld_lora loras[MOST_LORAS];
    const pld_lora *const list[MOST_LORAS] = {&loras[0], &loras[1], &loras[2], &loras[3]};
    char paths[MOST_LORAS][512];
    const size_t count = loras_of(setting, root, loras, paths);
    pld_model *model = NULL;
    pld_model_info info = {.struct_size = sizeof info};
    check_status(pld_model_with_loras(base, list, count, &model, &error), &error);
    check_status(pld_model_get_info(model, &info, &error), &error);
    assert_int_equal(info.lora_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(info.loras[i]->module_count, modules_of(setting, i));
        assert_int_equal(info.loras[i]->applied_count, modules_of(setting, i));
        assert_int_equal(info.loras[i]->unmatched_count, 0);
    }
    compare_model(c, model, text(setting, "tag"), tolerance);
    pld_model_destroy(&model);
}

/** All settings of an opened case whose LoRA files lie below `root`. */
static void compare_case(reference_case *c, const char *model, const char *root, double tolerance,
                         size_t least) {
    pld_error error = {0};
    pld_model *base = NULL;
    check_status(pld_model_open(engine, model, &base, &error), &error);
    compare_model(c, base, "base", tolerance);
    size_t i;
    json_t *setting;
    json_array_foreach(json_object_get(c->info, "settings"), i, setting) {
        compare_setting(c, base, setting, root, tolerance);
    }
    assert_true(i >= least);
    compare_model(c, base, "base", tolerance); /* the base is what it was */
    pld_model_destroy(&base);
    reference_close(c);
}

#define LORAS PLADIS_TEST_DATA "/loras"
#define SD15  PLADIS_TEST_DATA "/reference/models/sd15"

/** Every style and kind, on a dozen modules each. */
static void styles_and_kinds(void **state) {
    (void)state;
    pld_error error = {0};
    reference_case c = {.name = "loras"};
    check_status(pld_json_load(LORAS "/case.json", 0, &c.info, &error), &error);
    check_status(pld_safetensors_open(LORAS "/tensors.safetensors", &c.tensors, &error), &error);
    compare_case(&c, SD15, LORAS, 2e-5, 28);
}

/** Cases of the reference where it is there: LoRAs of all modules. */
static void whole_models(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double tolerance;
    } rows[] = {{"sd15-lora", 2e-5}, {"sdxl-lora", 5e-4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reference_case c;
        if (reference_open(rows[i].name, &c)) {
            char model[512];
            snprintf(model, sizeof model, "%s", reference_path("models/%s", text(c.info, "model")));
            compare_case(&c, model, reference_root(), rows[i].tolerance, 6);
        }
    }
}

/** A model with LoRAs outlives its base, and a set is not added to the one before. */
static void sets_are_complete(void **state) {
    (void)state;
    pld_error error = {0};
    pld_model *base = NULL;
    pld_model *first = NULL;
    pld_model *second = NULL;
    const pld_lora kohya = {sizeof kohya, LORAS "/files/kohya.safetensors", 1};
    const pld_lora partial = {sizeof partial, LORAS "/files/partial.safetensors", -1};
    const pld_lora *const loras[] = {&kohya, &partial};
    pld_model_info info = {.struct_size = sizeof info};
    check_status(pld_model_open(engine, SD15, &base, &error), &error);
    check_status(pld_model_with_loras(base, loras, 1, &first, &error), &error);
    check_status(pld_model_with_loras(first, loras + 1, 1, &second, &error), &error);
    pld_model_destroy(&base);
    pld_model_destroy(&first);
    check_status(pld_model_get_info(second, &info, &error), &error);
    assert_int_equal(info.lora_count, 1);
    assert_int_equal(info.loras[0]->module_count, 5);
    assert_int_equal(info.loras[0]->applied_count, 3);
    assert_int_equal(info.loras[0]->unmatched_count, 3); /* two modules, and a tensor that is none */
    pld_session *session = NULL;
    check_status(pld_session_create(second, &session, &error), &error);
    pld_session_destroy(&session);
    pld_model_destroy(&second);
}

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.isa = pld_isa_name(reference_kernels()->isa);
    return pld_engine_create(&options, &engine, NULL) == PLD_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(styles_and_kinds), cmocka_unit_test(whole_models),
                                       cmocka_unit_test(sets_are_complete)};
    return cmocka_run_group_tests(tests, start, stop);
}
