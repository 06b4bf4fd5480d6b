/* SPDX-License-Identifier: Apache-2.0 */
/** Models with LoRAs against diffusers' networks with W + s · alpha/rank · B A, in every style of names. */
#include <stdio.h>
#include <string.h>

#include "captions.h"
#include "core/memory.h"
#include "pipeline/session/session.h"
#include "suites.h"
#include "text/prompt/chunks.h"

/** What one text encoder gives for the case's prompts, against TEXT_ENCODER.TAG or with `pooled` TEXT_ENCODER.pooled.TAG: the
 * pooled embedding, or the states in front of the final norm, in SDXL those of the last layer but one. Of an encoder that
 * only gives a pooled embedding, too, the case has the last but one. */
static void compare_encoder_part(const parity_case *c, const pld_model *model, int index, const char *tag,
                                 bool pooled) {
    pld_error error = {0};
    const pld_component *encoder = pld_text_encoder_of(model, index);
    const network n = {encoder->class, encoder->config, encoder->parameters};
    const bool pooled_only = model->family->texts[index].pooled_only;
    const pld_text_request request = {.batch = 1,
                                      .tokens = encoder->text.positions,
                                      .skip = pooled_only ? 1 : model->family->texts[index].skip,
                                      .pooled = pooled};
    const pld_tokenizer *tokenizer = (pooled_only ? encoder : pld_text_encoder_of(model, 0))->tokenizer;
    char name[96];
    snprintf(name, sizeof name, "%s.%s%s", encoder->row->name, pooled ? "pooled." : "", tag);
    if (pooled && !case_has(c, name)) {
        return;
    }
    size_t count = 0, done = 0, i;
    float *expected = case_values(c, name, &count);
    json_t *value;
    json_array_foreach(json_object_get(c->info, "prompts"), i, value) {
        const char *prompt = json_string_value(value);
        pld_prompt_chunks chunks = {0};
        pld_plan plan;
        pld_text_values values;
        check_status(pld_prompt_chunks_literal(tokenizer, prompt, strlen(prompt),
                                               (size_t)encoder->text.positions, &chunks, &error),
                     &error);
        text_encoder_run(&n, &request, chunks.chunks[0].ids, NULL, &plan, &values);
        const pld_value_id found = pooled ? values.pooled : values.states;
        const size_t floats = pld_value_floats(&plan.values[found]);
        check_error(c->name, name, relative_error(pld_plan_map(&plan, found), expected + done, floats), 5e-6);
        done += floats;
        pld_plan_free(&plan);
        pld_prompt_chunks_free(&chunks);
    }
    assert_int_equal(done, count);
    pld_free(expected);
}

static void compare_encoder(const parity_case *c, const pld_model *model, int index, const char *tag) {
    compare_encoder_part(c, model, index, tag, false);
    compare_encoder_part(c, model, index, tag, true);
}

/** The model's networks with the case's inputs and PLADIS, against OUTPUT.TAG and TEXT_ENCODER.TAG. */
static void compare_model(const parity_case *c, const pld_model *model, const char *tag, double tolerance) {
    const pld_component *part = pld_denoiser_of(model);
    denoiser_fixture f = {.c = c, .network = {part->class, part->config, part->parameters}};
    char name[96];
    snprintf(name, sizeof name, "output.%s", tag);
    denoiser_prepare(&f);
    denoiser_set_pladis(&f, json_object_get(c->info, "pladis"));
    denoiser_compare(&f, name, name, tolerance);
    denoiser_drop(&f);
    snprintf(name, sizeof name, "text_encoder.%s", tag);
    for (int i = 0; case_has(c, name) && i < model->family->text_count; i++) {
        compare_encoder(c, model, i, tag);
    }
}

/** The denoiser with the inputs of the case that it names, against OUTPUT.TAG of its own. */
static void compare_output(const parity_case *c, const pld_model *model, const char *tag, double tolerance) {
    const pld_component *part = pld_denoiser_of(model);
    parity_case inputs;
    char name[96];
    case_open_tensors(
        reference_path(c->root, "cases/%s/tensors.safetensors", json_text(c->info, "inputs_from")), c->name,
        &inputs);
    denoiser_fixture f = {.c = &inputs, .network = {part->class, part->config, part->parameters}};
    snprintf(name, sizeof name, "output.%s", tag);
    if (has_captions(&inputs)) {
        captions_compare(&(captions_request){.inputs = &inputs,
                                             .network = &f.network,
                                             .pladis = json_object_get(c->info, "pladis"),
                                             .outputs = c,
                                             .output = name,
                                             .tolerance = tolerance});
    } else {
        denoiser_prepare(&f);
        f.c = c;
        denoiser_set_pladis(&f, json_object_get(c->info, "pladis"));
        denoiser_compare(&f, name, name, tolerance);
        denoiser_drop(&f);
    }
    case_close(&inputs);
    for (int i = 0; i < model->family->text_count; i++) {
        snprintf(name, sizeof name, "%s.%s", model->family->texts[i].part, tag);
        if (case_has(c, name)) {
            compare_encoder(c, model, i, tag);
        }
    }
}

enum { MOST_LORAS = 4 };

/** The LoRAs of a setting: `file` with `scale`, or `files` with `scales`. */
static size_t loras_of(const json_t *setting, const char *root, pld_lora loras[MOST_LORAS],
                       char paths[MOST_LORAS][512]) {
    const json_t *files = json_object_get(setting, "files");
    const size_t count = files ? json_array_size(files) : 1;
    assert_in_range(count, 1, MOST_LORAS);
    for (size_t i = 0; i < count; i++) {
        const char *file = files ? json_string_value(json_array_get(files, i)) : json_text(setting, "file");
        snprintf(paths[i], 512, "%s/%s", root, file);
        pld_lora_init(&loras[i], sizeof loras[i]);
        loras[i].path = paths[i];
        loras[i].weight = files ? json_number_value(json_array_get(json_object_get(setting, "scales"), i))
                                : json_field(setting, "scale", 0);
    }
    return count;
}

/** All modules of LoRA `index` that case.json says the file holds. */
static size_t modules_of(const json_t *setting, size_t index) {
    const json_t *modules = json_object_get(setting, "modules");
    if (modules) {
        return (size_t)json_integer_value(json_array_get(modules, index));
    }
    size_t count = (size_t)json_field(setting, "unet_modules", 0);
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(setting, "text_modules"), i, value) {
        count += (size_t)json_integer_value(value);
    }
    return count;
}

static void compare_setting(const parity_case *c, pld_model *base, const json_t *setting, const char *root,
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
    compare_model(c, model, json_text(setting, "tag"), tolerance);
    pld_model_destroy(&model);
}

/** All settings of a case whose LoRA files lie below `root`; returns how many. */
static size_t compare_case(const parity_case *c, const char *root, const parity_row *row) {
    const double tolerance = parity_forward_tolerance(row);
    pld_error error = {0};
    pld_model *base = NULL;
    check_status(pld_model_open(forced_engine(), case_model_path(c, ""), &base, &error), &error);
    compare_model(c, base, "base", tolerance);
    size_t i;
    json_t *setting;
    json_array_foreach(json_object_get(c->info, "settings"), i, setting) {
        compare_setting(c, base, setting, root, tolerance);
    }
    compare_model(c, base, "base", tolerance); /* the base is what it was */
    pld_model_destroy(&base);
    return i;
}

#define LORAS PLADIS_TEST_DATA "/loras"

/** Every style and kind, on a dozen modules each. */
static void styles_and_kinds(void **state) {
    (void)state;
    parity_case c;
    case_open_table("loras", "case.json", "tensors.safetensors", &c);
    assert_true(compare_case(&c, LORAS, parity_row_find("lora", "sd15")) >= 28);
    case_close(&c);
}

/** Adapters of PEFT on transformers (tools/reference/pixart_cases.py, sana_cases.py). */
static void adapters(void **state) {
    (void)state;
    static const struct {
        const char *folder, *model;
    } rows[] = {{"pixart", "pixart"}, {"sana", "sana-text"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        parity_case c;
        case_open_table(rows[i].folder, "lora.json", "lora.safetensors", &c);
        const char *root = reference_path(PLADIS_TEST_DATA, "%s", rows[i].folder);
        assert_int_equal(compare_case(&c, root, parity_row_find("lora", rows[i].model)), 1);
        case_close(&c);
    }
}

/** A file with each of its weights, whose inputs are those of another case: the transformer, and the pooled text's encoder. */
static void compare_scales(const parity_case *c, pld_model *base, const json_t *setting, double tolerance) {
    size_t i;
    json_t *weight;
    json_array_foreach(json_object_get(setting, "scales"), i, weight) {
        pld_error error = {0};
        pld_model *model = NULL;
        pld_model_info info = {.struct_size = sizeof info};
        char path[512], tag[48];
        pld_lora lora;
        snprintf(path, sizeof path, "%s/%s", c->root, json_text(setting, "file"));
        snprintf(tag, sizeof tag, "%s.%.1f", json_text(setting, "style"), json_number_value(weight));
        pld_lora_init(&lora, sizeof lora);
        lora.path = path;
        lora.weight = json_number_value(weight);
        check_status(pld_model_with_loras(base, &(const pld_lora *){&lora}, 1, &model, &error), &error);
        check_status(pld_model_get_info(model, &info, &error), &error);
        assert_int_equal(info.loras[0]->unmatched_count, 0);
        assert_int_equal(info.loras[0]->applied_count, info.loras[0]->module_count);
        compare_output(c, model, tag, tolerance);
        pld_model_destroy(&model);
    }
}

/** Cases whose inputs are another's. */
static void compare_beside(const parity_case *c, const parity_row *row) {
    const double tolerance = parity_forward_tolerance(row);
    pld_error error = {0};
    pld_model *base = NULL;
    check_status(pld_model_open(forced_engine(), case_model_path(c, ""), &base, &error), &error);
    compare_output(c, base, "base", tolerance);
    size_t i;
    json_t *setting;
    json_array_foreach(json_object_get(c->info, "settings"), i, setting) {
        compare_scales(c, base, setting, tolerance);
    }
    assert_true(i > 0);
    pld_model_destroy(&base);
}

static void compare_whole(const parity_case *c, const parity_row *row, void *user) {
    (void)user;
    if (forced_bf16() && row->bf16 == 0) {
        reference_pass_over(c->root, c->name, "its model magnifies roundings too much for bfloat16");
        return;
    }
    if (strcmp(row->model, "anima") == 0) { /* split_files.c */
        return;
    }
    if (json_text(c->info, "inputs_from")) {
        compare_beside(c, row);
        return;
    }
    assert_true(compare_case(c, c->root, row) >= 6);
}

/** LoRAs of all modules, of which the tree has none. */
static void whole_models(void **state) {
    (void)state;
    compare_cases("lora", compare_whole, NULL);
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
    check_status(
        pld_model_open(forced_engine(), reference_path(reference_tree(), "models/sd15"), &base, &error),
        &error);
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

int parity_loras(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(styles_and_kinds), cmocka_unit_test(adapters),
                                       cmocka_unit_test(whole_models), cmocka_unit_test(sets_are_complete)};
    return cmocka_run_group_tests_name("loras", tests, NULL, NULL);
}
