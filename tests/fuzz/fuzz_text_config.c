/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of a CLIP text encoder: whatever is accepted is written down and, when small, laid out. */
#include "fuzz.h"
#include "models/clip/clip.h"

static void build(const pld_clip_config *c, const pld_text_request *o) {
    pld_plan plan;
    pld_text_values values;
    pld_error error = {0};
    pld_plan_init(&plan, NULL);
    FUZZ_REQUIRE(pld_clip_build(&plan, c, o, &values, &error) == PLD_OK);
    const pld_value *states = &plan.values[values.states];
    FUZZ_REQUIRE(states->height == c->positions && states->channels == c->width);
    FUZZ_REQUIRE(!o->pooled || plan.values[values.pooled].channels == c->projection);
    FUZZ_REQUIRE(plan.site_count == (size_t)(o->pooled ? c->layers : c->layers - o->skip));
    for (size_t i = 0; i < plan.site_count; i++) {
        FUZZ_REQUIRE((int64_t)plan.sites[i].heads * plan.sites[i].head_size == c->width);
    }
    if (c->layers <= 32) {
        FUZZ_REQUIRE(pld_plan_layout(&plan, &error) == PLD_OK);
    }
    pld_plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pld_clip_config config;
    pld_error error = {0};
    if (pld_clip_config_read(fuzz_file(data, size), &config, &error) != PLD_OK) {
        FUZZ_REQUIRE(error.message[0]);
        return 0;
    }
    build(&config, &(pld_text_request){.batch = 1, .tokens = config.positions, .final_norm = true});
    build(&config,
          &(pld_text_request){
              .batch = 1, .tokens = config.positions, .skip = config.layers - 1, .final_norm = true});
    build(&config, &(pld_text_request){.batch = 1, .tokens = config.positions, .skip = 1, .pooled = true});
    return 0;
}
