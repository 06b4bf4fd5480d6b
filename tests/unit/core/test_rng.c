/* SPDX-License-Identifier: Apache-2.0 */
/* The generator against recorded draws of torch's (tools/reference/rng_cases.py packs them). */
#include "core/rng.h"
#include "io/json/read.h"
#include "sampling_data.h"

enum { LONGEST = 256, SHORT_DRAW = 16 };

/** Number `index` of a draw written as 8 hex digits each. */
static float decode(const char *digits, size_t index) {
    char text[9] = {0};
    float value = 0;
    memcpy(text, digits + 8 * index, 8);
    uint32_t bits = (uint32_t)strtoul(text, NULL, 16);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/** Check one draw: uniform numbers and short normal draws to the bit (one unit in the last place where the
 *  mathematics library rounds differently), long normal ones to 1e-6, for torch's vectorised log and cos.
 *  Returns the largest difference. */
static double check_draw(pld_rng *rng, bool normal, const char *digits, uint64_t seed) {
    float values[LONGEST];
    size_t count = strlen(digits) / 8;
    double largest = 0;
    assert_true(count <= LONGEST);
    if (normal) {
        pld_rng_normal(rng, values, count);
    } else {
        pld_rng_uniform(rng, values, count);
    }
    for (size_t i = 0; i < count; i++) {
        float expected = decode(digits, i);
        double difference = fabs((double)values[i] - (double)expected);
        double unit = (double)(nextafterf(fabsf(expected), INFINITY) - fabsf(expected));
        double tolerance = !normal ? 0 : count < SHORT_DRAW ? unit : 1e-6;
        if (!(difference <= tolerance)) {
            fail_msg("seed %llu, draw of %zu, number %zu: %.9g, expected %.9g", (unsigned long long)seed,
                     count, i, (double)values[i], (double)expected);
        }
        largest = difference > largest ? difference : largest;
    }
    return largest;
}

static void draws_equal_torch(void **state) {
    (void)state;
    pld_error error = {0};
    json_t *document = NULL;
    double largest = 0;
    require_ok(pld_json_load(PLADIS_TEST_DATA "/rng/torch_cpu.json", 0, &document, &error), &error);
    const pld_json rows = {.value = document, .file = "torch_cpu.json"};
    for (size_t i = 0; i < json_array_size(document); i++) {
        pld_json row;
        pld_rng rng;
        int64_t seed = 0;
        const char *kind = NULL;
        const char *draws[8];
        size_t count = 0;
        pld_json_element(&rows, i, &row);
        require_ok(pld_json_get_integer(&row, "seed", PLD_JSON_REQUIRED, 0, INT64_MAX, &seed, &error),
                   &error);
        require_ok(pld_json_get_string(&row, "kind", PLD_JSON_REQUIRED, &kind, &error), &error);
        require_ok(pld_json_get_strings(&row, "draws", PLD_JSON_REQUIRED, 8, draws, &count, &error), &error);
        pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, (uint64_t)seed);
        for (size_t draw = 0; draw < count; draw++) {
            double found = check_draw(&rng, strcmp(kind, "normal") == 0, draws[draw], (uint64_t)seed);
            largest = found > largest ? found : largest;
        }
    }
    print_message("%zu rows, largest difference %.2g\n", json_array_size(document), largest);
    json_decref(document);
}

static void only_the_low_half_of_a_seed_counts(void **state) {
    (void)state;
    float low[20];
    float high[20];
    pld_rng rng;
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, 42);
    pld_rng_normal(&rng, low, 20);
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, 42 + (UINT64_C(7) << 32));
    pld_rng_normal(&rng, high, 20);
    assert_memory_equal(low, high, sizeof low);
}

static void a_copy_continues_alike(void **state) {
    (void)state;
    float first[700];
    float second[700];
    pld_rng rng;
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, 7);
    pld_rng_normal(&rng, first, 3); /* leaves a spare number behind */
    pld_rng copy = rng;
    pld_rng_normal(&rng, first, 700);
    pld_rng_normal(&copy, second, 700);
    assert_memory_equal(first, second, sizeof first);
    pld_rng_normal(&rng, first, 2);
    pld_rng_normal(&copy, second, 2);
    assert_memory_equal(first, second, 2 * sizeof *first);
}

static void nothing_is_drawn_for_nothing(void **state) {
    (void)state;
    pld_rng rng;
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, 1);
    pld_rng before = rng;
    pld_rng_normal(&rng, NULL, 0);
    pld_rng_uniform(&rng, NULL, 0);
    assert_memory_equal(&before, &rng, sizeof rng);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_equal_torch),
        cmocka_unit_test(only_the_low_half_of_a_seed_counts),
        cmocka_unit_test(a_copy_continues_alike),
        cmocka_unit_test(nothing_is_drawn_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
