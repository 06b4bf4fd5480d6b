/* SPDX-License-Identifier: Apache-2.0 */
/** The type of products: which operators have it, what it costs in memory, and that a session
 * which changes it draws what a fresh one draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/session/session.h"

#define MODEL PLADIS_TEST_DATA "/reference/models/"
enum { SIDE = 128, PIXELS = SIDE * SIDE }; /* so that no level is a single pixel */

static pld_engine *engine;

static pld_model *open_model(const char *path) {
    pld_error error = {0};
    pld_model *model = NULL;
    if (pld_model_open(engine, path, &model, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return model;
}

static pld_session *new_session(pld_model *model) {
    pld_session *session = NULL;
    assert_int_equal(pld_session_create(model, &session, NULL), PLD_OK);
    return session;
}

static void draw(pld_session *session, const char *dtype, pld_profile *profile, uint8_t pixels[3 * PIXELS]) {
    pld_error error = {0};
    pld_image image;
    pld_report report = {.struct_size = sizeof report};
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a red fox";
    options.width = SIDE;
    options.height = SIDE;
    options.steps = 2;
    options.dtype = dtype;
    options.profile = profile;
    if (pld_generate(session, &options, &image, &report, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    assert_string_equal(report.dtype, dtype);
    memcpy(pixels, image.pixels, (size_t)3 * PIXELS);
    pld_image_free(&image);
}

static void sessions_change_it(void **state) {
    (void)state;
    static uint8_t f32[3 * PIXELS], bf16[3 * PIXELS], int8[3 * PIXELS], again[3 * PIXELS];
    pld_model *model = open_model(MODEL "sd15");
    pld_session *session = new_session(model);
    draw(session, "f32", NULL, f32);
    pld_session_destroy(&session);
    session = new_session(model);
    draw(session, "bf16", NULL, bf16);
    assert_memory_not_equal(f32, bf16, sizeof f32);
    draw(session, "f32", NULL, again);
    assert_memory_equal(f32, again, sizeof f32);
    draw(session, "int8", NULL, int8);
    assert_memory_not_equal(f32, int8, sizeof f32);
    assert_memory_not_equal(bf16, int8, sizeof bf16);
    draw(session, "bf16", NULL, again);
    assert_memory_equal(bf16, again, sizeof bf16);
    draw(session, "int8", NULL, again);
    assert_memory_equal(int8, again, sizeof int8);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
}

/** Stored in two bytes each, weights are held so in both types, and none beside them: little more than half
 * of float32. */
static void weights_take_half(void **state) {
    (void)state;
    static uint8_t pixels[3 * PIXELS];
    for (int bf16 = 0; bf16 < 2; bf16++) {
        pld_model *model = open_model(MODEL "sd15");
        pld_session *session = new_session(model);
        draw(session, bf16 ? "bf16" : "f32", NULL, pixels);
        pld_parameters *parameters = pld_model_parameters(model, PLD_ROLE_DENOISER);
        const double held = (double)pld_parameters_resident_bytes(parameters);
        const double all =
            sizeof(float) * (double)pld_weight_files_elements(pld_parameters_files(parameters));
        if (!(held > 0 &&
              held <
                  0.65 * all)) { /* padded panels and biases: more of this tiny network than of real ones */
            fail_msg("%s: %.0f bytes held, %.0f would be float32", bf16 ? "bf16" : "f32", held, all);
        }
        pld_session_destroy(&session);
        pld_model_destroy(&model);
    }
}

static bool contains(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static bool is_of(const pld_profile_span *span, const char *way) {
    return strcmp(span->implementation, way) == 0;
}

/** Whether a product was computed in a type. */
static bool has_type(const pld_profile_span *span, const char *dtype) {
    return strcmp(dtype, "int8") == 0 ? is_of(span, "int8") || is_of(span, "direct int8")
                                      : is_of(span, dtype);
}

/** Products of the denoiser have it but for embeddings of time and sizes, convolutions of latents and what
 * the logits of cross-attention are made of; those of the autoencoder but for convolutions of latents and of
 * the picture, if it is not int8; those of text encoders do not. */
static void products_of(const char *path, const char *dtype) {
    static uint8_t pixels[3 * PIXELS];
    pld_error error = {0};
    pld_profile *profile = NULL;
    pld_model *model = open_model(path);
    pld_session *session = new_session(model);
    assert_int_equal(pld_profile_create(&profile, &error), PLD_OK);
    const bool decodes = strcmp(dtype, "int8") != 0;
    draw(session, dtype, profile, pixels);
    const size_t count = pld_profile_span_count(profile);
    size_t products = 0;
    for (size_t i = 0; i < count; i++) {
        const pld_profile_span *span = pld_profile_span_at(profile, i);
        if (span->level != PLD_PROFILE_OPERATOR ||
            (strcmp(span->kind, "linear") != 0 && strcmp(span->kind, "conv") != 0)) {
            continue;
        }
        const bool network =
            strcmp(span->network, "unet") == 0 || (decodes && strcmp(span->network, "vae_decoder") == 0);
        const bool embeds = contains(span->name, "time_emb") || contains(span->name, "add_embedding");
        const bool latents = contains(span->name, "conv_in") || contains(span->name, "conv_out");
        const bool logits = contains(span->name, "attn2.to_q") || contains(span->name, "attn2.to_k") ||
                            contains(span->name, "attn2.to_v");
        const bool wanted = network && !embeds && !latents && !logits;
        /* where it is faster, and more exact */
        const bool winograd =
            strcmp(span->kind, "conv") == 0 && strcmp(span->implementation, "winograd") == 0;
        if (has_type(span, dtype) != wanted && !(wanted && winograd)) {
            fail_msg("%s: %s, %s: computed by %s", dtype, span->network, span->name, span->implementation);
        }
        products += wanted;
    }
    assert_true(products > 100);
    pld_profile_destroy(&profile);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
}

static void networks_that_have_it(void **state) {
    (void)state;
    static const char *const types[] = {"bf16", "int8"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        products_of(MODEL "sd15", types[i]);
        products_of(MODEL "sd21", types[i]);
        products_of(MODEL "sdxl", types[i]);
    }
}

static void unknown_ones_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "f16", "BF16", "bf16 "};
    pld_model *model = open_model(MODEL "sd15");
    pld_session *session = new_session(model);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pld_error error = {0};
        pld_image image;
        pld_generate_options options;
        pld_generate_options_init(&options, sizeof options);
        options.prompt = "a red fox";
        options.dtype = wrong[i];
        assert_int_equal(pld_generate(session, &options, &image, NULL, &error), PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "dtype: expected auto, f32, bf16 or int8"));
    }
    pld_session_destroy(&session);
    pld_model_destroy(&model);
}

int main(void) {
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 2;
    if (pld_engine_create(&options, &engine, NULL) != PLD_OK) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_change_it),
        cmocka_unit_test(weights_take_half),
        cmocka_unit_test(networks_that_have_it),
        cmocka_unit_test(unknown_ones_are_refused),
    };
    const int failures = cmocka_run_group_tests(tests, NULL, NULL);
    pld_engine_destroy(&engine);
    return failures;
}
