/* SPDX-License-Identifier: Apache-2.0 */
/** Models with LoRAs: what is shared with the base, what malformed files are told, and memory that runs out.
 *  That the changes are right is tests/parity/test_loras.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "pipeline/internal.h"

#define SD15  PLADIS_TEST_DATA "/reference/models/sd15"
#define LORAS PLADIS_TEST_DATA "/loras"

static pld_engine *engine;
static pld_model *base;

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options);
    return pld_engine_create(&options, &engine, NULL) == PLD_OK &&
                   pld_model_open(engine, SD15, &base, NULL) == PLD_OK
               ? 0
               : -1;
}

static int stop(void **state) {
    (void)state;
    pld_model_destroy(&base);
    pld_engine_destroy(&engine);
    return 0;
}

/** The parameter of a model's U-Net that a plan would get. */
static pld_parameter *bind(const pld_model *model, const char *name, int rank, const int64_t *shape) {
    pld_parameter *parameter = NULL;
    pld_error error = {0};
    if (pld_parameters_bind(pld_model_parameters(model, PLD_ROLE_DENOISER), name, rank, shape, &parameter,
                            &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return parameter;
}

static void untouched_weights_are_shared(void **state) {
    (void)state;
    pld_model *model = NULL;
    const pld_lora lora = {LORAS "/files/diffusers.safetensors", 1};
    const int64_t norm = 32;
    const int64_t conv[] = {32, 4, 3, 3};
    assert_int_equal(pld_model_with_loras(base, &lora, 1, &model, NULL), PLD_OK);
    assert_ptr_equal(pld_model_parameters(model, PLD_ROLE_AUTOENCODER),
                     pld_model_parameters(base, PLD_ROLE_AUTOENCODER));
    assert_ptr_equal(pld_model_parameters(model, PLD_ROLE_TEXT_ENCODER),
                     pld_model_parameters(base, PLD_ROLE_TEXT_ENCODER));
    assert_ptr_not_equal(pld_model_parameters(model, PLD_ROLE_DENOISER),
                         pld_model_parameters(base, PLD_ROLE_DENOISER));
    assert_ptr_equal(bind(model, "conv_norm_out.weight", 1, &norm),
                     bind(base, "conv_norm_out.weight", 1, &norm));
    assert_ptr_equal(bind(model, "conv_in.bias", 1, &norm), bind(base, "conv_in.bias", 1, &norm));
    pld_parameter *changed = bind(model, "conv_in.weight", 4, conv);
    assert_ptr_not_equal(changed, bind(base, "conv_in.weight", 4, conv));
    const float *values = NULL;
    const float *before = NULL;
    assert_int_equal(pld_parameter_values(changed, &values, NULL), PLD_OK);
    assert_int_equal(pld_parameter_values(bind(base, "conv_in.weight", 4, conv), &before, NULL), PLD_OK);
    float part[5];
    assert_int_equal(pld_parameter_read(changed, 7, 5, part, NULL), PLD_OK);
    assert_memory_equal(part, values + 7, sizeof part);
    assert_memory_not_equal(values, before, 32 * 36 * sizeof *values);
    pld_model_destroy(&model);
}

static void malformed(void **state) {
    (void)state;
    static const struct {
        const char *file, *says;
    } rows[] = {
        {"alpha-infinite", "alpha is inf"},
        {"alpha-list", "expected a single number, found the shape [3]"},
        {"alpha-nan", "alpha is nan"},
        {"alpha-zero", "alpha is 0"},
        {"loha-missing", "has no hada_w2_b"},
        {"lokr-sizes", "expected sizes that divide"},
        {"magnitude-size", "found [33, 1]"},
        {"metadata-alpha", "lora_adapter_metadata': field 'unet.lora_alpha': expected a number"},
        {"metadata-json", "lora_adapter_metadata': line 1"},
        {"metadata-list", "lora_adapter_metadata': expected an object"},
        {"metadata-pattern", "unet.alpha_pattern.attn1.to_q"},
        {"missing-down", "has no lora_down"},
        {"missing-up", "has no lora_up"},
        {"mixture", "mixes factors of several kinds"},
        {"only-alpha", "has no lora_down"},
        {"orthogonal", "orthogonal fine-tuning (OFT), which cannot be applied"},
        {"rank-mismatch", "expected shape [32, 2] to fit this model, found [32, 3]"},
        {"truncated", "cut short or damaged"},
        {"twice", "both say the same of one module"},
        {"vector", "expected a matrix [rank, …], found the shape [32]"},
        {"whole-numbers", "expected a floating-point type, found i32"},
        {"wrong-shape", "found [2, 33]"},
        {"zero-size", "expected at least one element"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[1024];
        pld_error error = {0};
        pld_model *model = NULL;
        snprintf(path, sizeof path, LORAS "/malformed/%s.safetensors", rows[i].file);
        const pld_lora lora = {path, 1};
        assert_int_not_equal(pld_model_with_loras(base, &lora, 1, &model, &error), PLD_OK);
        assert_null(model);
        if (!strstr(error.message, rows[i].says) || !strstr(error.message, path)) {
            fail_msg("%s: the message does not say '%s': %s", rows[i].file, rows[i].says, error.message);
        }
    }
}

static void other_family(void **state) {
    (void)state;
    pld_error error = {0};
    pld_model *model = NULL;
    const pld_lora lora = {LORAS "/files/other.safetensors", 1};
    assert_int_equal(pld_model_with_loras(base, &lora, 1, &model, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "none of its 1 modules"));
    assert_non_null(strstr(error.message, "a transformer (FLUX"));
    const pld_lora wild = {LORAS "/files/kohya.safetensors", 1e9};
    assert_int_equal(pld_model_with_loras(base, &wild, 1, &model, &error), PLD_ERROR_ARGUMENT);
}

/** Every allocation fails once: an error without a crash, then success. */
static void memory_runs_out(void **state) {
    (void)state;
    const pld_lora loras[] = {{LORAS "/files/peft.safetensors", 1},
                              {LORAS "/files/partial.safetensors", 0.5}};
    pld_model *model = NULL;
    long countdown = 0;
    pld_status status = PLD_ERROR_MEMORY;
    for (; status != PLD_OK && countdown < 100000; countdown += countdown < 100 ? 1 : 37) {
        pld_error error = {0};
        pld_inject_allocation_failure(countdown);
        status = pld_model_with_loras(base, loras, 2, &model, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !model && error.message[0]));
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 100);
    pld_model_destroy(&model);
}

static void tags_of_prompts(void **state) {
    (void)state;
    pld_prompt_loras taken;
    pld_error error = {0};
    assert_int_equal(pld_prompt_take_loras("a <lora:kohya:-0.5>b<lora:peft>", LORAS "/files", &taken, &error),
                     PLD_OK);
    assert_string_equal(taken.prompt, "a b");
    assert_int_equal(taken.count, 2);
    assert_true(taken.loras[0].weight == -0.5 && taken.loras[1].weight == 1);
    assert_non_null(strstr(taken.loras[0].path, "/files/kohya.safetensors"));
    pld_prompt_loras_free(&taken);
    assert_int_equal(pld_prompt_take_loras("<lora:files/kohya.safetensors>", LORAS, &taken, &error), PLD_OK);
    pld_prompt_loras_free(&taken);
    assert_int_equal(pld_prompt_take_loras("no tag, (a < b)", NULL, &taken, &error), PLD_OK);
    assert_string_equal(taken.prompt, "no tag, (a < b)");
    pld_prompt_loras_free(&taken);
    static const char *const refused[] = {
        "<lora:../files/kohya>", "<lora:/tmp/x>", "<lora:a/../b>", "<lora:>",      "<lora:x:>",
        "<lora:x:nan>",          "<lora:x\\y>",   "<lora:x",       "<lora:files/>"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(pld_prompt_take_loras(refused[i], LORAS, &taken, &error), PLD_ERROR_ARGUMENT);
        assert_null(taken.prompt);
    }
    assert_int_equal(pld_prompt_take_loras("<lora:files>", LORAS, &taken, &error), PLD_ERROR_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untouched_weights_are_shared),
        cmocka_unit_test(malformed),
        cmocka_unit_test(other_family),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(tags_of_prompts),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
