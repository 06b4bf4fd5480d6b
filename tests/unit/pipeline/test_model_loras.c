/* SPDX-License-Identifier: Apache-2.0 */
/** Models with LoRAs: what is shared with the base, what malformed files are told, and memory that runs out.
 *  That the changes are right is tests/parity/loras.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "pipeline/session/session.h"

#define SD15  PLADIS_TEST_DATA "/reference/models/sd15"
#define LORAS PLADIS_TEST_DATA "/loras"

static pld_engine *engine;
static pld_model *base;

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
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
    const pld_lora lora = {sizeof lora, LORAS "/files/diffusers.safetensors", 1};
    const int64_t norm = 32;
    const int64_t conv[] = {32, 4, 3, 3};
    assert_int_equal(pld_model_with_loras(base, &(const pld_lora *){&lora}, 1, &model, NULL), PLD_OK);
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
        {"adapter-bias", "field 'unet.bias': biases are replaced"},
        {"adapter-initialised", "field 'unet.init_lora_weights'"},
        {"adapter-kind", "field 'unet.peft_type': the adapter is of the kind VERA"},
        {"adapter-mixed", "of different kinds"},
        {"adapter-rank", "states rank 4 for module"},
        {"adapter-saved", "field 'unet.modules_to_save'"},
        {"alpha-infinite", "alpha is inf"},
        {"alpha-list", "expected a single number, found shape [3]"},
        {"alpha-nan", "alpha is nan"},
        {"alpha-zero", "alpha is 0"},
        {"dora-denied", "has a magnitude"},
        {"dora-half", "half of a DoRA"},
        {"loha-missing", "has no hada_w2_b"},
        {"lokr-sizes", "expected sizes that divide"},
        {"lokr-t1", "lokr_t1' belongs to module"},
        {"magnitude-alone", "has no lora_down"},
        {"magnitude-bias", "a magnitude without a change"},
        {"magnitude-inputs", "expected shape [32] to fit this model, found [1, 4, 1, 1]"},
        {"magnitude-size", "found [33, 1]"},
        {"magnitude-twice", "two magnitudes"},
        {"magnitude-vector", "a DoRA of a vector"},
        {"metadata-alpha", "lora_adapter_metadata': field 'unet.lora_alpha': expected a number"},
        {"metadata-json", "lora_adapter_metadata': line 1"},
        {"metadata-list", "lora_adapter_metadata': expected an object"},
        {"metadata-pattern", "unet.alpha_pattern.attn1.to_q"},
        {"missing-down", "has no lora_down"},
        {"missing-up", "has no lora_up"},
        {"mixture", "mixes factors of several kinds"},
        {"only-alpha", "has no lora_down"},
        {"module-scalar", "scalar' belongs to module"},
        {"module-scale", "lora_A.weight_scale' belongs to module"},
        {"orthogonal", "orthogonal fine-tuning (OFT), which cannot be applied"},
        {"pattern-endless", "unet.alpha_pattern': the key '(([a-z._]|[0-9a-z_.])+)+[!?]' cannot be matched "
                            "as a regular expression"
                            ": matching it takes too many steps"},
        {"pattern-flat", "whose name has no dots"},
        {"pattern-foreign",
         "unet.rank_pattern': the key 'to_\\Kq' cannot be matched as a regular expression: found "
         "\\K"},
        {"pattern-open", "unet.alpha_pattern': the key 'to_(q' cannot be matched as a regular expression"},
        {"rank-mismatch", "expected shape [32, 2] to fit this model, found [32, 3]"},
        {"truncated", "cut short or damaged"},
        {"twice", "both the same factor of one module"},
        {"vector", "expected a matrix [rank, …], found shape [32]"},
        {"whole-numbers", "expected a floating-point type, found i32"},
        {"wrong-shape", "found [2, 33]"},
        {"zero-size", "expected at least one element"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[1024];
        pld_error error = {0};
        pld_model *model = NULL;
        snprintf(path, sizeof path, LORAS "/malformed/%s.safetensors", rows[i].file);
        const pld_lora lora = {sizeof lora, path, 1};
        assert_int_not_equal(pld_model_with_loras(base, &(const pld_lora *){&lora}, 1, &model, &error),
                             PLD_OK);
        assert_null(model);
        if (!strstr(error.message, rows[i].says) || !strstr(error.message, path)) {
            fail_msg("%s: the message does not say '%s': %s", rows[i].file, rows[i].says, error.message);
        }
    }
}

/** A configuration beside the weights counts, and is named in what is said of it. */
static void malformed_configurations(void **state) {
    (void)state;
    static const struct {
        const char *folder, *says;
    } rows[] = {
        {"config-json", "config-json/adapter_config.json: line "},
        {"config-kind", "config-kind/adapter_config.json: field 'peft_type': the adapter is of the kind OFT"},
        {"config-alpha", "config-alpha/adapter_config.json: field 'lora_alpha': expected a number"},
        {"config-second",
         "config-second/adapter_config.json: field 'auto_mapping': it is for the second text encoder"},
        {"../case.json", "case.json"},
        {"..",
         "..: the folder contains neither adapter_model.safetensors nor pytorch_lora_weights.safetensors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[1024];
        pld_error error = {0};
        pld_model *model = NULL;
        snprintf(path, sizeof path, LORAS "/malformed/%s", rows[i].folder);
        const pld_lora lora = {sizeof lora, path, 1};
        assert_int_not_equal(pld_model_with_loras(base, &(const pld_lora *){&lora}, 1, &model, &error),
                             PLD_OK);
        if (!strstr(error.message, rows[i].says)) {
            fail_msg("%s: the message does not say '%s': %s", rows[i].folder, rows[i].says, error.message);
        }
    }
}

/** What is said of a file, by whether an alpha is known for its modules. */
static void unknown_alphas_are_told(void **state) {
    (void)state;
    static const struct {
        const char *file;
        size_t unscaled;
    } rows[] = {{"diffusers.safetensors", 10},
                {"kohya.safetensors", 0},
                {"diffusers-bare.safetensors", 0},
                {"peft-folder", 0},
                {"peft-lokr-whole", 0},
                {"norm.safetensors", 0},
                {"processors.safetensors", 4},
                {"dora-peft.safetensors", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[1024];
        pld_error error = {0};
        pld_lora_file *file = NULL;
        snprintf(path, sizeof path, LORAS "/files/%s", rows[i].file);
        if (pld_lora_file_open(path, &file, &error) != PLD_OK) {
            fail_msg("%s", error.message);
        }
        assert_int_equal(pld_lora_file_unscaled_count(file), rows[i].unscaled);
        pld_file_info *info = NULL;
        bool noted = false;
        assert_int_equal(pld_file_inspect(path, NULL, &info, &error), PLD_OK);
        for (size_t j = 0; j < info->note_count; j++) {
            noted = noted || strstr(info->notes[j], "have no alpha");
        }
        assert_true(noted == (rows[i].unscaled > 0));
        assert_string_equal(info->lora->kind, pld_lora_file_kind(file));
        pld_file_info_destroy(&info);
        pld_lora_file_close(&file);
    }
}

static void kinds_are_named(void **state) {
    (void)state;
    static const struct {
        const char *file, *kind;
    } rows[] = {{"kohya", "LoRA"}, {"dora-peft", "DoRA"}, {"dora-ai-toolkit", "DoRA"}, {"loha", "LoHa"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[1024];
        pld_lora_file *file = NULL;
        snprintf(path, sizeof path, LORAS "/files/%s.safetensors", rows[i].file);
        assert_int_equal(pld_lora_file_open(path, &file, NULL), PLD_OK);
        assert_string_equal(pld_lora_file_kind(file), rows[i].kind);
        pld_lora_file_close(&file);
    }
}

static void other_family(void **state) {
    (void)state;
    pld_error error = {0};
    pld_model *model = NULL;
    const pld_lora lora = {sizeof lora, LORAS "/files/other.safetensors", 1};
    assert_int_equal(pld_model_with_loras(base, &(const pld_lora *){&lora}, 1, &model, &error),
                     PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "its 1 modules do not exist in"));
    assert_non_null(strstr(error.message, "made for FLUX"));
    const pld_lora wild = {sizeof wild, LORAS "/files/kohya.safetensors", 1e9};
    assert_int_equal(pld_model_with_loras(base, &(const pld_lora *){&wild}, 1, &model, &error),
                     PLD_ERROR_ARGUMENT);
}

/** Every allocation fails once: an error without a crash, then success. */
static void memory_runs_out(void **state) {
    (void)state;
    const pld_lora peft = {sizeof peft, LORAS "/files/peft-folder", 1};
    const pld_lora partial = {sizeof partial, LORAS "/files/partial.safetensors", 0.5};
    const pld_lora *const loras[] = {&peft, &partial};
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
    pld_prompt_loras *taken = NULL;
    pld_error error = {0};
    assert_int_equal(pld_prompt_take_loras("a <lora:kohya:-0.5>b<lora:peft>", LORAS "/files", &taken, &error),
                     PLD_OK);
    assert_string_equal(taken->prompt, "a b");
    assert_int_equal(taken->count, 2);
    assert_true(taken->loras[0]->weight == -0.5 && taken->loras[1]->weight == 1);
    assert_non_null(strstr(taken->loras[0]->path, "/files/kohya.safetensors"));
    pld_prompt_loras_free(&taken);
    assert_int_equal(pld_prompt_take_loras("<lora:files/kohya.safetensors>", LORAS, &taken, &error), PLD_OK);
    pld_prompt_loras_free(&taken);
    assert_int_equal(pld_prompt_take_loras("no tag, (a < b)", NULL, &taken, &error), PLD_OK);
    assert_string_equal(taken->prompt, "no tag, (a < b)");
    pld_prompt_loras_free(&taken);
    static const char *const refused[] = {
        "<lora:../files/kohya>", "<lora:/tmp/x>", "<lora:a/../b>", "<lora:>",      "<lora:x:>",
        "<lora:x:nan>",          "<lora:x\\y>",   "<lora:x",       "<lora:files/>"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(pld_prompt_take_loras(refused[i], LORAS, &taken, &error), PLD_ERROR_ARGUMENT);
        assert_null(taken);
    }
    assert_int_equal(pld_prompt_take_loras("<lora:files>", LORAS, &taken, &error), PLD_ERROR_MISSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untouched_weights_are_shared),
        cmocka_unit_test(malformed),
        cmocka_unit_test(malformed_configurations),
        cmocka_unit_test(unknown_alphas_are_told),
        cmocka_unit_test(kinds_are_named),
        cmocka_unit_test(other_family),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(tags_of_prompts),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
