/* SPDX-License-Identifier: Apache-2.0 */
/* Guidance texts, one a line: each is read by itself, then all together make a chain, which is asked what it
 * needs and combines predictions. */
#include <math.h>
#include <string.h>

#include "fuzz.h"
#include "sampling/guidance.h"

enum { MOST_LINES = 20, COUNT = 12, STEPS = 4 };

static void check_values(const pld_guidance *g) {
    for (size_t i = 0; i < g->method->key_count; i++) {
        const pld_guidance_key *key = &g->method->keys[i];
        if (key->kind == PLD_GUIDANCE_LAYERS) {
            FUZZ_REQUIRE(g->layers[0] && strlen(g->layers) < sizeof g->layers);
        } else if (g->given[i]) {
            FUZZ_REQUIRE((g->values[i] >= key->minimum && g->values[i] <= key->maximum) ||
                         (key->takes_infinity && isinf(g->values[i])));
        }
    }
}

static void run_chain(pld_guidance_chain *chain) {
    float predictions[PLD_BRANCH_COUNT][COUNT];
    float guided[COUNT];
    char text[256];
    for (int i = 0; i < PLD_BRANCH_COUNT * COUNT; i++) {
        predictions[i / COUNT][i % COUNT] = (float)(i * 7 % 13 - 6) / 8;
    }
    pld_guidance_chain_text(chain, text, sizeof text);
    FUZZ_REQUIRE(strlen(text) > 0);
    FUZZ_REQUIRE(pld_guidance_chain_begin(chain, COUNT, NULL) == PLD_OK);
    for (size_t i = 0; i < STEPS; i++) {
        const pld_branch_set branches = pld_guidance_chain_branches(chain, i, STEPS);
        pld_guidance_step step = {.step = i, .steps = STEPS, .count = COUNT, .guided = guided};
        FUZZ_REQUIRE(branches <= PLD_BRANCHES_ALL);
        for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
            step.predictions[branch] = branches & PLD_BRANCH_BIT(branch) ? predictions[branch] : NULL;
        }
        pld_guidance_chain_combine(chain, &step);
        for (int j = 0; j < COUNT; j++) {
            FUZZ_REQUIRE(isfinite(guided[j]));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char text[4096];
    const char *lines[MOST_LINES];
    size_t count = 0;
    if (size >= sizeof text) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = 0;
    for (char *line = text; line && count < MOST_LINES;) {
        char *end = strchr(line, '\n');
        if (end) {
            *end = 0;
        }
        pld_guidance g;
        pld_error error = {0};
        if (pld_guidance_parse(line, &g, &error) == PLD_OK) {
            check_values(&g);
        } else {
            FUZZ_REQUIRE(error.message[0]);
        }
        lines[count++] = line;
        line = end ? end + 1 : NULL;
    }
    for (int neutral = 0; neutral < 2; neutral++) {
        pld_guidance_chain chain;
        pld_error error = {0};
        const pld_guidance_request request = {.texts = lines,
                                              .count = count,
                                              .cfg_scale = NAN,
                                              .default_cfg_scale = 7.5,
                                              .default_block_scales = {{1.5F, 1.6F}, {0.9F, 0.2F}},
                                              .keep_neutral = neutral == 1};
        if (pld_guidance_chain_resolve(&chain, &request, NULL, &error) == PLD_OK) {
            run_chain(&chain);
        } else {
            FUZZ_REQUIRE(error.message[0]);
        }
        pld_guidance_chain_free(&chain);
    }
    return 0;
}
