/* SPDX-License-Identifier: Apache-2.0 */
/** Weights that no plan holds are dropped when memory is short, and made again: the picture stays the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "pipeline/session/session.h"

enum { SIDE = 64, PIXELS = SIDE * SIDE };

static pld_engine *engine;
static pld_model *model;

static pld_session *new_session(void) {
    pld_session *session = NULL;
    assert_int_equal(pld_session_create(model, &session, NULL), PLD_OK);
    return session;
}

static bool release_text_encoders;
static int64_t release_denoiser;

static void draw(pld_session *session, const char *prompt, uint8_t pixels[3 * PIXELS]) {
    pld_error error = {0};
    pld_image image;
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = prompt;
    options.width = SIDE;
    options.height = SIDE;
    options.steps = 2;
    options.release_text_encoders = release_text_encoders;
    options.release_denoiser = release_denoiser;
    if (pld_generate(session, &options, &image, NULL, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    memcpy(pixels, image.pixels, 3 * PIXELS);
    pld_image_free(&image);
}

static pld_parameters *parameters_of(pld_part_role role) {
    return pld_model_parameters(model, role);
}

static size_t held_of(pld_part_role role) {
    return pld_parameters_resident_bytes(parameters_of(role));
}

static void what_is_dropped_is_made_again(void **state) {
    (void)state;
    static uint8_t first[3 * PIXELS];
    static uint8_t again[3 * PIXELS];
    pld_session *session = new_session();
    draw(session, "a red fox", first);
    const size_t text = held_of(PLD_ROLE_TEXT_ENCODER);
    const size_t denoiser = held_of(PLD_ROLE_DENOISER);
    const size_t vae = held_of(PLD_ROLE_AUTOENCODER);
    assert_true(text > 0 && denoiser > 0 && vae > 0);

    assert_true(pld_session_make_room(session, parameters_of(PLD_ROLE_DENOISER)) > text + vae);
    assert_int_equal(held_of(PLD_ROLE_TEXT_ENCODER), 0);
    assert_int_equal(held_of(PLD_ROLE_AUTOENCODER), 0);
    assert_int_equal(held_of(PLD_ROLE_DENOISER), denoiser);
    draw(session, "another prompt, so that the text encoders are wanted", again);
    draw(session, "a red fox", again);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(held_of(PLD_ROLE_TEXT_ENCODER), text);

    assert_true(pld_session_make_room(session, parameters_of(PLD_ROLE_AUTOENCODER)) > denoiser);
    assert_int_equal(held_of(PLD_ROLE_DENOISER), 0);
    assert_int_equal(held_of(PLD_ROLE_AUTOENCODER), vae);
    draw(session, "a red fox", again);
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(held_of(PLD_ROLE_DENOISER), denoiser);
    pld_session_destroy(&session);
}

static void text_encoders_are_given_back(void **state) {
    (void)state;
    static uint8_t kept[3 * PIXELS];
    static uint8_t released[3 * PIXELS];
    pld_session *session = new_session();
    draw(session, "a green fox", kept);
    const size_t text = held_of(PLD_ROLE_TEXT_ENCODER);
    const size_t denoiser = held_of(PLD_ROLE_DENOISER);
    assert_true(text > 0);
    release_text_encoders = true;
    draw(session, "another prompt, so that the text encoders are wanted", released);
    draw(session, "a green fox", released);
    release_text_encoders = false;
    assert_memory_equal(kept, released, sizeof kept);
    assert_int_equal(held_of(PLD_ROLE_TEXT_ENCODER), 0);
    assert_int_equal(held_of(PLD_ROLE_DENOISER), denoiser);
    draw(session, "a third prompt", released);
    assert_int_equal(held_of(PLD_ROLE_TEXT_ENCODER), text);
    pld_session_destroy(&session);
}

static void denoiser_is_given_back(void **state) {
    (void)state;
    static uint8_t kept[3 * PIXELS];
    static uint8_t released[3 * PIXELS];
    pld_session *session = new_session();
    draw(session, "a grey fox", kept);
    const size_t denoiser = held_of(PLD_ROLE_DENOISER);
    release_denoiser = 1;
    draw(session, "a grey fox", released);
    assert_memory_equal(kept, released, sizeof kept);
    assert_int_equal(held_of(PLD_ROLE_DENOISER), 0);
    draw(session, "a grey fox", released);
    release_denoiser = 0;
    assert_memory_equal(kept, released, sizeof kept);
    draw(session, "a grey fox", released);
    assert_int_equal(held_of(PLD_ROLE_DENOISER), denoiser);
    pld_session_destroy(&session);
}

/** A second session, and a prompt of another length, take the same packed weights. */
static void weights_are_held_once(void **state) {
    (void)state;
    static uint8_t pixels[3 * PIXELS];
    pld_session *one = new_session();
    draw(one, "a red fox", pixels);
    const size_t denoiser = held_of(PLD_ROLE_DENOISER);
    const size_t text = held_of(PLD_ROLE_TEXT_ENCODER);
    pld_session *other = new_session();
    draw(other, "a blue hare BREAK in the snow", pixels);
    assert_int_equal(held_of(PLD_ROLE_DENOISER), denoiser);
    assert_int_equal(held_of(PLD_ROLE_TEXT_ENCODER), text);
    pld_session_destroy(&other);
    pld_session_destroy(&one);
}

static void what_another_session_holds_stays(void **state) {
    (void)state;
    static uint8_t pixels[3 * PIXELS];
    pld_session *one = new_session();
    pld_session *other = new_session();
    draw(one, "a red fox", pixels);
    draw(other, "a red fox", pixels);
    const size_t text = held_of(PLD_ROLE_TEXT_ENCODER);
    assert_int_equal(pld_session_make_room(one, parameters_of(PLD_ROLE_DENOISER)), 0);
    assert_int_equal(held_of(PLD_ROLE_TEXT_ENCODER), text);
    pld_session_destroy(&other);
    assert_true(pld_session_make_room(one, parameters_of(PLD_ROLE_DENOISER)) >= text);
    assert_int_equal(held_of(PLD_ROLE_TEXT_ENCODER), 0);
    pld_session_destroy(&one);
}

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 1;
    return pld_engine_create(&options, &engine, NULL) == PLD_OK &&
                   pld_model_open(engine, PLADIS_TEST_DATA "/reference/models/sdxl", &model, NULL) == PLD_OK
               ? 0
               : -1;
}

static int stop(void **state) {
    (void)state;
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_dropped_is_made_again), cmocka_unit_test(text_encoders_are_given_back),
        cmocka_unit_test(denoiser_is_given_back), cmocka_unit_test(weights_are_held_once),
        cmocka_unit_test(what_another_session_holds_stays)};
    return cmocka_run_group_tests(tests, start, stop);
}
