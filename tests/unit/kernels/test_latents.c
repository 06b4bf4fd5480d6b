/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures and latents on their way to and from networks, number by number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/latents.h"

enum { CHANNELS = 3, PLACES = 4, COUNT = CHANNELS * PLACES };

static const float scale[CHANNELS] = {0.5F, 2, 0.25F};
static const float shift[CHANNELS] = {1, -0.5F, 0};
static const pld_latent_scaling scaling = {scale, shift};

/** Numbers of which every sum and product below is exact. */
static void fill(float *x, int count) {
    for (int i = 0; i < count; i++) {
        x[i] = (float)(i - 5) * 0.5F;
    }
}

static void test_scaling_has_a_way_back(void **state) {
    float x[COUNT], known[COUNT], back[COUNT];
    (void)state;
    fill(x, COUNT);
    fill(known, COUNT);
    pld_latents_scale(known, CHANNELS, PLACES, &scaling);
    assert_true(known[0] == 0.5F * (-2.5F - 1));
    assert_true(known[PLACES] == 2 * (-0.5F + 0.5F));
    assert_true(known[COUNT - 1] == 0.25F * 3);
    pld_latents_unscale(known, CHANNELS, PLACES, &scaling, back);
    assert_memory_equal(back, x, sizeof x);
}

/** A log-variance of 2·log(2) is a deviation of 2; one beyond the limits is one of 30 or 20. */
static void test_moments_are_drawn(void **state) {
    float moments[2 * COUNT], noise[COUNT], drawn[COUNT];
    (void)state;
    fill(moments, COUNT);
    for (int i = 0; i < COUNT; i++) {
        noise[i] = i % 2 ? 1.0F : -1.0F;
        moments[COUNT + i] = i == 0 ? -1000.0F : i == 1 ? 1000.0F : (float)(2 * log(2));
    }
    pld_latents_draw(moments, noise, CHANNELS, PLACES, &scaling, drawn);
    assert_true(fabs((double)drawn[0] - 0.5 * (-2.5 - exp(-15) - 1)) < 1e-6);
    assert_true(fabs((double)drawn[1] / (0.5 * (-2 + exp(10) - 1)) - 1) < 1e-6);
    for (int i = 2; i < COUNT; i++) {
        const double at = (double)moments[i] + 2 * (double)noise[i];
        const double expected = (double)scale[i / PLACES] * (at - (double)shift[i / PLACES]);
        assert_true(fabs((double)drawn[i] - expected) < 1e-5);
    }
}

static void test_pictures_are_cut_off(void **state) {
    float x[] = {-2, -1, -0.5F, 0.25F, 1, 1.5F, NAN, INFINITY};
    (void)state;
    pld_clamp_picture(x, 8);
    assert_true(x[0] == -1 && x[1] == -1 && x[2] == -0.5F && x[3] == 0.25F && x[4] == 1 && x[5] == 1);
    assert_true(isnan(x[6]) && x[7] == 1);
}

static void test_kept_places_are_kept(void **state) {
    static const bool redrawn[PLACES] = {true, false, false, true};
    float latents[COUNT], kept[COUNT];
    (void)state;
    fill(latents, COUNT);
    pld_scale_floats(latents, -2, COUNT, kept);
    pld_latents_keep(latents, kept, redrawn, CHANNELS, PLACES);
    for (int i = 0; i < COUNT; i++) {
        const float before = (float)(i - 5) * 0.5F;
        assert_true(latents[i] == (redrawn[i % PLACES] ? before : -2 * before));
    }
}

static void test_first_not_finite(void **state) {
    float x[COUNT];
    (void)state;
    fill(x, COUNT);
    assert_int_equal(pld_first_not_finite(x, COUNT), COUNT);
    assert_int_equal(pld_first_not_finite(x, 0), 0);
    x[7] = NAN;
    x[9] = INFINITY;
    assert_int_equal(pld_first_not_finite(x, COUNT), 7);
    x[2] = -INFINITY;
    assert_int_equal(pld_first_not_finite(x, COUNT), 2);
}

static void test_bytes_have_a_way_back(void **state) {
    enum { LEVELS = 256 };
    uint8_t bytes[3 * LEVELS], back[3 * LEVELS];
    float picture[3 * LEVELS];
    (void)state;
    for (int i = 0; i < 3 * LEVELS; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    pld_picture_from_bytes(bytes, LEVELS, picture);
    pld_picture_to_bytes(picture, LEVELS, back);
    assert_memory_equal(bytes, back, sizeof bytes);
    assert_true(picture[0] == -1 && bytes[0] == 0);
    /* 2.5 and 3.5 of 255 go to the even neighbour; what lies outside is clamped */
    const float halves[3] = {(float)(2.5 / 255 * 2 - 1), 1.5F, -7};
    pld_picture_to_bytes(halves, 1, back);
    assert_true(back[0] == 2 && back[1] == 255 && back[2] == 0);
}

static void test_colours(void **state) {
    static const double factors[CHANNELS + 1][3] = {{1, 0, 0}, {0, 0.5, 0}, {0, 0, -1}, {0, 0.25, 0}};
    static const float latents[CHANNELS * 2] = {1, -1, 0.5F, -3, 0, 1};
    uint8_t rgb[6];
    (void)state;
    pld_latents_colour(factors, latents, CHANNELS, 2, rgb);
    static const uint8_t expected[6] = {255, 191, 128, 0, 0, 0}; /* 0.5·0.5 + 0.25 is level 191.25 */
    assert_memory_equal(rgb, expected, sizeof rgb);
    /* two deviations on each side; a channel that does not vary is grey; of two channels the last serves twice */
    static const float two[4] = {-1, 1, 3, 3};
    pld_latents_colour_blindly(two, 2, 2, rgb);
    static const uint8_t blind[6] = {64, 128, 128, 191, 128, 128};
    assert_memory_equal(rgb, blind, sizeof rgb);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaling_has_a_way_back),
        cmocka_unit_test(test_moments_are_drawn),
        cmocka_unit_test(test_pictures_are_cut_off),
        cmocka_unit_test(test_kept_places_are_kept),
        cmocka_unit_test(test_first_not_finite),
        cmocka_unit_test(test_bytes_have_a_way_back),
        cmocka_unit_test(test_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
