/* SPDX-License-Identifier: Apache-2.0 */
/** Anima as its users hold it: three files in its authors' names, and LoRAs in three styles, against the transformer and the
 *  conditioner of diffusers on the same weights. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "denoiser.h"
#include "drawing.h"
#include "pipeline/session/session.h"
#include "suites.h"

/** Tensors of another case that lies beside `c`. */
static void open_beside(const parity_case *c, const char *name, parity_case *beside) {
    case_open_tensors(reference_path(c->root, "cases/%s/tensors.safetensors", name), name, beside);
}

/** One evaluation of the model's own denoiser on the inputs of `inputs`, against its tensor `output`. */
static void compare_forward(const parity_case *inputs, const pld_model *model, const json_t *pladis,
                            const char *output) {
    const pld_component *part = pld_denoiser_of(model);
    denoiser_fixture f = {.c = inputs, .network = {part->class, part->config, part->parameters}};
    denoiser_prepare(&f);
    denoiser_set_pladis(&f, pladis);
    denoiser_compare(&f, output, output,
                     parity_forward_tolerance(parity_row_find("transformer_forward", "anima")));
    denoiser_drop(&f);
}

/** What the denoiser attends to of a prompt, against tensor `name`. */
static void compare_context(const parity_case *c, pld_model *model, const char *prompt, const char *name) {
    pld_error error = {0};
    pld_session *session = NULL;
    pld_prompt_states states = {0};
    pld_generate_options o;
    size_t count = 0;
    pld_generate_options_init(&o, sizeof o);
    float *expected = case_values(c, name, &count);
    check_status(pld_session_create(model, &session, &error), &error);
    check_status(pld_encode_prompt(session, prompt, NULL, &o, &states, &error), &error);
    assert_int_equal(states.tokens * model->denoiser_facts.state_width, count);
    assert_int_equal(states.tokens + states.zeros, 512);
    check_error(c->name, name, relative_error(states.states, expected, count),
                parity_row_find("conditioner", "anima")->tolerance);
    pld_prompt_states_free(&states);
    pld_session_destroy(&session);
    pld_free(expected);
}

/** A small picture with an empty negative prompt, which the caller frees. */
static void draw(pld_session *session, const char *empty_prompt, pld_image *image) {
    pld_error error = {0};
    pld_generate_options o;
    pld_generate_options_init(&o, sizeof o);
    o.prompt = "two cats";
    o.negative_prompt = "";
    o.width = 48;
    o.height = 32;
    o.steps = 2;
    o.empty_prompt = empty_prompt;
    check_status(pld_generate(session, &o, image, NULL, &error), &error);
}

static pld_model *open_split(const parity_case *c, const json_t *files) {
    pld_error error = {0};
    char paths[3][512];
    static const char *const names[] = {"dit", "vae", "text"};
    for (int i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", c->root, json_text(files, names[i]));
    }
    pld_model_options options;
    pld_model *model = NULL;
    pld_model_options_init(&options, sizeof options);
    options.vae = paths[1];
    options.text_encoder = paths[2];
    options.tokenizer = case_model_path(c, ""); /* its vocabularies are smaller than the installed ones */
    check_status(pld_model_open_with(forced_engine(), paths[0], &options, &model, &error), &error);
    return model;
}

/** The networks of the three files, and a picture: in files an empty prompt is read as ComfyUI reads it. */
static void compare_split(const parity_case *c, const parity_row *row, void *user) {
    (void)row;
    (void)user;
    parity_case inputs, texts;
    drawing folder, files = {0};
    pld_image a, b;
    pld_error error = {0};
    files.model = open_split(c, json_object_get(c->info, "files"));
    open_beside(c, json_text(c->info, "inputs_from"), &inputs);
    open_beside(c, "anima-conditioner", &texts);
    compare_forward(&inputs, files.model, json_object_get(c->info, "pladis"), "output.00");
    compare_context(&texts, files.model, "", "conditioned.comfy_empty");
    check_status(pld_session_create(files.model, &files.session, &error), &error);
    drawing_open(&folder, case_model_path(c, ""));
    compare_context(&texts, folder.model, "", "conditioned.0");
    draw(files.session, NULL, &a);
    draw(folder.session, "token", &b);
    assert_memory_equal(a.pixels, b.pixels, (size_t)(3 * a.width * a.height));
    pld_image_free(&b);
    draw(folder.session, NULL, &b);
    assert_memory_not_equal(a.pixels, b.pixels, (size_t)(3 * a.width * a.height));
    pld_image_free(&a);
    pld_image_free(&b);
    drawing_close(&folder);
    drawing_close(&files);
    case_close(&inputs);
    case_close(&texts);
}

static void split_files(void **state) {
    (void)state;
    compare_cases("split_files", compare_split, NULL);
}

/** A file of one style with one weight: the transformer, and the context, which conditioner and text encoder change too. */
static void compare_lora(const parity_case *c, pld_model *base, const char *style, const json_t *setting,
                         double weight) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_lora lora;
    char path[512], name[64];
    snprintf(path, sizeof path, "%s/%s", c->root, json_text(setting, "file"));
    pld_lora_init(&lora, sizeof lora);
    lora.path = path;
    lora.weight = weight;
    check_status(pld_model_with_loras(base, &(const pld_lora *){&lora}, 1, &model, &error), &error);
    assert_int_equal(model->loras[0].public.unmatched_count, 0);
    assert_int_equal(model->loras[0].public.applied_count, model->loras[0].public.module_count);
    snprintf(name, sizeof name, "output.%s.%.1f", style, weight);
    compare_forward(c, model, NULL, name);
    snprintf(name, sizeof name, "conditioned.%s.%.1f", style, weight);
    compare_context(c, model, json_text(c->info, "prompt"), name);
    pld_model_destroy(&model);
}

static void compare_loras(const parity_case *c, const parity_row *row, void *user) {
    (void)row;
    (void)user;
    pld_error error = {0};
    pld_model *base = NULL;
    const char *style;
    json_t *setting;
    int compared = 0;
    check_status(pld_model_open(forced_engine(), case_model_path(c, ""), &base, &error), &error);
    compare_forward(c, base, NULL, "output.base");
    compare_context(c, base, json_text(c->info, "prompt"), "conditioned.base");
    json_object_foreach(json_object_get(c->info, "settings"), style, setting) {
        size_t i;
        json_t *weight;
        json_array_foreach(json_object_get(setting, "scales"), i, weight) {
            compare_lora(c, base, style, setting, json_number_value(weight));
            compared++;
        }
    }
    assert_true(compared >= 6);
    pld_model_destroy(&base);
}

static void loras(void **state) {
    (void)state;
    compare_cases_of("lora", "anima", compare_loras, NULL);
}

int parity_split_files(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(split_files), cmocka_unit_test(loras)};
    return cmocka_run_group_tests_name("split_files", tests, NULL, NULL);
}
