/* SPDX-License-Identifier: Apache-2.0 */
/** What is written about a picture is read back as it was; what other programs write, as far as it goes. That the bytes are the
 *  program's: tests/cli/recall.sh. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "pladis/metadata.h"

static pld_options *make_options(void) {
    static const struct {
        const char *name, *value;
    } set[] = {{"prompt", "a (red:1.2) \"fox\", caf\xc3\xa9"},
               {"negative-prompt", "blur, \xff"},
               {"steps", "7"},
               {"seed", "123456789012345"},
               {"cfg-scale", "0.1"},
               {"pladis-alpha", "1.7"},
               {"lora", "/somewhere/ink.safetensors:0.3"},
               {"guidance", "pag:scale=3,layers=mid"},
               {"clip-skip", "2"},
               {"original-size", "64x32"}};
    pld_options *options = NULL;
    pld_error error = {0};
    assert_int_equal(pld_options_create(&options, &error), PLD_OK);
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        if (pld_options_set(options, NULL, set[i].name, set[i].value, &error) != PLD_OK) {
            fail_msg("%s", error.message);
        }
    }
    return options;
}

static pld_report make_report(void) {
    pld_report report = {
        .struct_size = sizeof report, .width = 64, .height = 32, .steps = 7, .cfg_scale = 0.1, .strength = 1};
    strcpy(report.sampling_method, "dpm++2m");
    strcpy(report.scheduler, "karras");
    strcpy(report.dtype, "f32");
    strcpy(report.guidance, "cfg (scale 0.1), pag (scale 3, layers mid)");
    return report;
}

static pld_drawn_with with(void) {
    pld_drawn_with made;
    pld_drawn_with_init(&made, sizeof made);
    made.model = "m: one";
    made.isa = "avx2";
    made.threads = 2;
    return made;
}

static void comes_back(void **state) {
    (void)state;
    static const char *const loras[] = {"/somewhere/ink.safetensors"};
    static const double weights[] = {0.3};
    pld_options *options = make_options(), *again = NULL;
    const pld_report report = make_report();
    const pld_drawn_with drawn_with = with();
    pld_drawn_picture picture;
    pld_error error = {0};
    char **text = NULL, *settings = NULL;
    pld_metadata *found = NULL;
    pld_drawn_picture_init(&picture, sizeof picture);
    picture.options = options;
    picture.report = &report;
    picture.pladis_scale = 2;
    picture.loras = loras;
    picture.lora_weights = weights;
    picture.lora_count = 1;
    const pld_drawn_picture *const all[] = {&picture};
    assert_int_equal(pld_metadata_write(all, 1, &drawn_with, &text, &error), PLD_OK);
    assert_string_equal(text[0], "parameters");
    assert_string_equal(
        text[1],
        "a (red:1.2) \"fox\", caf\xc3\xa9\nNegative prompt: blur, \xef\xbf\xbd\nSteps: 7, Sampler: DPM++ 2M, "
        "Schedule type: Karras, CFG scale: 0.1, Seed: 123456789012345, Size: 64x32, Model: \"m: one\", Clip "
        "skip: 2, Guidance: \"cfg (scale 0.1), pag (scale 3, layers mid)\", Lora 1: "
        "\"ink.safetensors:0.3\", PLADIS scale: 2, PLADIS alpha: 1.7, PLADIS blocks: all, PLADIS start: 0, "
        "PLADIS end: 1, Version: pladis 0.1.0");
    assert_string_equal(text[2], "pladis");
    assert_null(strstr(text[3], "somewhere"));
    assert_int_equal(pld_metadata_read(text, "x.png", &found, &error), PLD_OK);
    assert_null(found->program);
    assert_string_equal(found->settings, text[3]);
    pld_metadata_free(&found);
    assert_null(found);
    pld_text_free(&text);
    /* As options again, with the folders. */
    assert_int_equal(pld_metadata_parameters(&picture, true, &settings, &error), PLD_OK);
    assert_non_null(strstr(settings, "/somewhere/ink.safetensors:0.3"));
    assert_int_equal(pld_options_create(&again, &error), PLD_OK);
    assert_int_equal(pld_options_load(again, NULL, settings, strlen(settings), PLD_OPTIONS_ALL, &error),
                     PLD_OK);
    assert_true(pld_options_get(again, NULL, "cfg-scale")->number == 0.1);
    assert_true(pld_options_get(again, NULL, "pladis")->number == 2);
    assert_int_equal(pld_options_get(again, NULL, "seed")->integer, 123456789012345);
    assert_string_equal(pld_options_get(again, NULL, "sampling-method")->text, "dpm++2m");
    assert_string_equal(pld_options_get(again, NULL, "guidance")->texts[0], "pag:scale=3,layers=mid");
    pld_string_free(&settings);
    pld_options_destroy(&again);
    pld_options_destroy(&options);
}

static void others_are_read(void **state) {
    (void)state;
    char key[] = "parameters";
    char a1111[] = "a fox\nNegative prompt: blur\nSteps: 5, Sampler: DPM++ 2M Karras, CFG scale: 5.5, Seed: "
                   "7, Size: 16x32, Model: "
                   "\"m, n\", Hires prompt: \"a, b: c\"";
    char comfy[] = "{\"1\": {\"class_type\": \"KSampler\"}}", prompt[] = "prompt";
    char damaged[] = "{\"pictures\": [", own[] = "pladis";
    char *texts[][3] = {{key, a1111, NULL}, {prompt, comfy, NULL}, {own, damaged, NULL}, {NULL}};
    static const pld_status expected[] = {PLD_OK, PLD_ERROR_UNSUPPORTED, PLD_ERROR_FORMAT, PLD_ERROR_MISSING};
    pld_metadata *found = NULL;
    for (size_t i = 0; i < 4; i++) {
        pld_error error = {0};
        assert_int_equal(pld_metadata_read(texts[i], "x.png", &found, &error), expected[i]);
        assert_true(expected[i] == PLD_OK || strstr(error.message, "x.png"));
        if (found) {
            assert_non_null(strstr(found->settings, "\"scheduler\":\"karras\""));
            assert_non_null(strstr(found->settings, "\"model\":\"m, n\""));
            assert_int_equal(found->left_out_count, 1);
            assert_string_equal(found->left_out[0], "Hires prompt a, b: c");
        }
        pld_metadata_free(&found);
    }
    assert_string_equal(pld_metadata_program(texts[1]), "ComfyUI");
    assert_null(pld_metadata_program(texts[3]));
}

/** Memory that runs out is a status, and nothing is left. */
static void without_memory(void **state) {
    (void)state;
    pld_options *options = make_options();
    const pld_report report = make_report();
    const pld_drawn_with drawn_with = with();
    pld_drawn_picture picture;
    pld_drawn_picture_init(&picture, sizeof picture);
    picture.options = options;
    picture.report = &report;
    const pld_drawn_picture *const all[] = {&picture};
    pld_status status = PLD_ERROR_MEMORY;
    for (long i = 0; status != PLD_OK; i++) {
        char **text = NULL;
        pld_error error = {0};
        pld_inject_allocation_failure(i);
        status = pld_metadata_write(all, 1, &drawn_with, &text, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !text && error.message[0]));
        pld_text_free(&text);
    }
    pld_options_destroy(&options);
}

static void wrong_calls(void **state) {
    (void)state;
    pld_drawn_picture picture;
    pld_error error = {0};
    char **text = NULL, *json = NULL;
    const pld_drawn_with drawn_with = with();
    pld_drawn_picture_init(&picture, sizeof picture);
    const pld_drawn_picture *const all[] = {&picture};
    assert_int_equal(pld_metadata_write(all, 1, &drawn_with, &text, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_metadata_write(all, 0, &drawn_with, &text, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_metadata_parameters(NULL, false, &json, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_metadata_read(NULL, "x", NULL, &error), PLD_ERROR_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back), cmocka_unit_test(others_are_read),
                                       cmocka_unit_test(without_memory), cmocka_unit_test(wrong_calls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
