/* SPDX-License-Identifier: Apache-2.0 */
/** FLUX, Stable Diffusion 3.5 and Z-Image as their users hold them: files of one network in its authors' names, whole models, and
 *  text encoders, against diffusers and transformers on the same weights. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "captions.h"
#include "core/memory.h"
#include "models/layouts/layouts.h"
#include "suites.h"

/** The forward case whose inputs `c` takes: itself where it names none. */
static void open_inputs(const parity_case *c, parity_case *inputs) {
    const char *from = json_text(c->info, "inputs_from");
    const char *name = from ? from : c->name;
    pld_error error = {0};
    case_open_tensors(reference_path(c->root, "cases/%s/tensors.safetensors", name), name, inputs);
    inputs->root = c->root;
    check_status(pld_json_load(reference_path(c->root, "cases/%s/case.json", name), 0, &inputs->info, &error),
                 &error);
}

/** One evaluation of an open denoiser on the inputs of `c`, against its tensor `output`. */
static void compare_forward(const parity_case *c, const network *n, const json_t *pladis, const char *output,
                            double tolerance) {
    parity_case inputs;
    open_inputs(c, &inputs);
    if (has_captions(&inputs)) {
        captions_compare(&(captions_request){.inputs = &inputs,
                                             .network = n,
                                             .pladis = pladis,
                                             .outputs = c,
                                             .output = output,
                                             .tolerance = tolerance});
        case_close(&inputs);
        return;
    }
    denoiser_fixture f = {.c = &inputs, .network = *n};
    denoiser_prepare(&f);
    denoiser_set_pladis(&f, pladis);
    f.c = c;
    denoiser_compare(&f, output, output, tolerance);
    denoiser_drop(&f);
    case_close(&inputs);
}

/** States and, if there is a tensor of them, pooled embeddings of texts, against `states` and `pooled`. CLIP's states are those
 * in front of the last layer. */
static void compare_texts(const parity_case *c, const network *n, const char *ids, const char *states,
                          const char *pooled) {
    const pld_stored_tensor *shape = case_tensor(c, ids);
    const bool clip = case_has(c, pooled);
    size_t count = 0;
    float *values = case_values(c, ids, &count);
    int32_t *tokens = pld_allocate(count, sizeof *tokens);
    assert_non_null(tokens);
    for (size_t i = 0; i < count; i++) {
        tokens[i] = (int32_t)values[i];
    }
    for (int part = 0; part < 1 + clip; part++) {
        const pld_text_request request = {.batch = shape->shape[0],
                                          .tokens = shape->shape[1],
                                          .skip = clip && part == 0,
                                          .final_norm = !clip || part == 1,
                                          .pooled = part == 1,
                                          .plain_pooled = true};
        pld_plan plan;
        pld_text_values found;
        text_encoder_run(n, &request, tokens, NULL, &plan, &found);
        check_value(c, part ? pooled : states, &plan, part ? found.pooled : found.states,
                    part ? pooled : states, 5e-6);
        pld_plan_free(&plan);
    }
    pld_free(tokens);
    pld_free(values);
}

/** Whatever of the case's results one file can give: its transformer, dense and with PLADIS, and its text encoders. */
static int compare_file(const parity_case *c, const json_t *file, double tolerance) {
    const char *outputs = json_text(file, "outputs");
    parity_case one = *c;
    network n;
    char name[96], pooled[96], ids[64];
    int compared = 0;
    one.info = json_deep_copy(c->info);
    assert_int_equal(json_object_set(one.info, "file", json_object_get(file, "file")), 0);
    for (int sparse = 0; sparse < 2; sparse++) {
        snprintf(name, sizeof name, "output.%s%s", outputs, sparse ? ".pladis" : "");
        const bool unet = access(case_model_path(c, "unet/config.json"), R_OK) == 0;
        if (case_has(c, name) && network_open(&one, unet ? "unet" : "transformer", &n)) {
            compare_forward(c, &n, sparse ? json_object_get(c->info, "pladis") : NULL, name, tolerance);
            network_close(&n);
            compared++;
        }
    }
    static const char *const parts[] = {"text_encoder", "text_encoder_2", "text_encoder_3"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *part = parts[i];
        snprintf(ids, sizeof ids, "input_ids.%s", part);
        snprintf(name, sizeof name, "text.%s.%s", outputs, part);
        snprintf(pooled, sizeof pooled, "pooled.%s.%s", outputs, part);
        if (case_has(c, name) && network_open(&one, part, &n)) {
            compare_texts(c, &n, ids, name, pooled);
            network_close(&n);
            compared++;
        }
    }
    json_decref(one.info);
    return compared;
}

static void compare_files(const parity_case *c, const parity_row *row, void *user) {
    (void)user;
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(c->info, "files"), i, file) {
        assert_true(compare_file(c, file, parity_forward_tolerance(row)) > 0);
    }
}

/** A GGUF file of one network, dense and with PLADIS. */
static void compare_gguf(const parity_case *c, const parity_row *row, void *user) {
    (void)user;
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(c->info, "files"), i, file) {
        json_t *outputs =
            json_string(strstr(json_text(file, "file"), "sdcpp") ? "sdcpp.Q4_0" : json_text(file, "kind"));
        assert_int_equal(json_object_set_new(file, "outputs", outputs), 0);
        assert_true(compare_file(c, file, parity_forward_tolerance(row)) > 0);
    }
}

static void gguf_files(void **state) {
    (void)state;
    compare_cases_of("gguf", "flux-gguf", compare_gguf, NULL);
    compare_cases_of("gguf", "sdxl", compare_gguf, NULL);
}

/** Blocks of each type, against the values that gguf gives them. */
static void gguf_blocks(void **state) {
    (void)state;
    parity_case c;
    int compared = 0;
    case_open_tensors(reference_path(reference_tree(), "gguf/blocks.safetensors"), "gguf", &c);
    for (pld_dtype dtype = PLD_DTYPE_Q8_0; dtype <= PLD_DTYPE_IQ4_NL; dtype++) {
        char blocks[32], values[32];
        snprintf(blocks, sizeof blocks, "%s.blocks", pld_dtype_stored_name(dtype));
        snprintf(values, sizeof values, "%s.values", pld_dtype_stored_name(dtype));
        const pld_stored_tensor *stored = case_tensor(&c, blocks);
        size_t count = 0;
        pld_error error = {0};
        float *expected = case_values(&c, values, &count), *found = pld_allocate(count, sizeof *found);
        unsigned char *bytes = pld_allocate(stored->bytes, 1);
        assert_non_null(found);
        assert_non_null(bytes);
        assert_int_equal(count, pld_dtype_elements(dtype, stored->bytes));
        check_status(pld_tensor_file_read(c.tensors, stored, 0, stored->bytes, bytes, &error), &error);
        pld_convert_to_f32(forced_kernels(), dtype, bytes, count, found);
        check_error("gguf", values, relative_error(found, expected, count), 1e-6);
        pld_free(bytes);
        pld_free(found);
        pld_free(expected);
        compared++;
    }
    assert_int_equal(compared, 11);
    case_close(&c);
}

static void files(void **state) {
    (void)state;
    compare_cases_of("single_file", "flux-dev", compare_files, NULL);
    compare_cases_of("single_file", "flux-schnell", compare_files, NULL);
    compare_cases_of("single_file", "flux2-klein", compare_files, NULL);
    compare_cases_of("single_file", "sd35", compare_files, NULL);
    compare_cases_of("single_file", "z-image", compare_files, NULL);
}

int parity_model_files(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(files), cmocka_unit_test(gguf_files),
                                       cmocka_unit_test(gguf_blocks)};
    return cmocka_run_group_tests_name("model_files", tests, NULL, NULL);
}
