/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of a U-Net: whatever is accepted is written down and laid out, for two rows of small latents.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "models/unet/unet.h"

/** Operators grow with this; the largest real network has 12 layers and depths of 10. */
static bool is_small(const pld_unet_config *c) {
    int64_t blocks = 0;
    for (int64_t i = 0; i < c->levels; i++) {
        blocks += c->layers[i] * (1 + c->depths[i]);
    }
    return blocks <= 64;
}

static void check_config(const pld_unet_config *c) {
    FUZZ_REQUIRE(c->levels >= 1 && c->levels <= PLD_UNET_MAX_LEVELS);
    for (int64_t i = 0; i < c->levels; i++) {
        FUZZ_REQUIRE(c->widths[i] > 0 && c->heads[i] > 0 && c->layers[i] > 0 && c->depths[i] > 0);
    }
    FUZZ_REQUIRE((float)(c->widths[0] / 2) - (float)c->frequency_shift > 0);
    FUZZ_REQUIRE((c->pooled_width > 0) == (c->time_id_width > 0));
    FUZZ_REQUIRE(!c->pooled_width || (float)(c->time_id_width / 2) - (float)c->frequency_shift > 0);
}

/** The keys and values of a short prompt, and what joins the time embedding. */
static void build_context(const pld_unet_config *c, const pld_plan *unet) {
    pld_plan plan;
    pld_error error = {0};
    pld_condition_values values;
    const pld_condition_request request = {1, unet->sites, unet->site_count};
    pld_plan_init(&plan, NULL);
    FUZZ_REQUIRE(pld_unet_condition_build(&plan, c, &request, &values, &error) == PLD_OK);
    FUZZ_REQUIRE((int)plan.offer_count == unet->outside_count);
    FUZZ_REQUIRE((values.told != PLD_NO_VALUE) == (c->pooled_width > 0));
    if (c->pooled_width > 0) {
        FUZZ_REQUIRE(plan.values[plan.offers[0]].channels == 4 * c->widths[0]);
        FUZZ_REQUIRE(plan.values[values.told].channels ==
                     c->pooled_width + PLD_UNET_TIME_IDS * c->time_id_width);
    }
    pld_plan_free(&plan);
}

/** Values that are wanted at the same time lie apart. */
static void check_apart(const pld_plan *plan) {
    for (size_t i = 0; plan->value_count <= 300 && i < plan->value_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const pld_value *a = &plan->values[i], *b = &plan->values[j];
            const bool meet = (a->life == PLD_VALUE_KEPT || b->life == PLD_VALUE_KEPT) ||
                              (a->first <= b->last && b->first <= a->last);
            FUZZ_REQUIRE(!meet || a->offset >= b->offset + pld_value_floats(b) ||
                         b->offset >= a->offset + pld_value_floats(a));
        }
    }
}

/** The output has the latents' size, and every value a place inside the plan's memory. */
static void check_plan(pld_plan *plan, const pld_unet_config *c, const pld_denoiser_values *values) {
    pld_error error = {0};
    const pld_value *in = &plan->values[values->sample];
    const pld_value *out = &plan->values[values->output];
    FUZZ_REQUIRE(out->height == in->height && out->width == in->width && out->channels == c->out_channels);
    if (plan->value_count <= 1000 && pld_plan_layout(plan, &error) == PLD_OK) {
        for (size_t i = 0; i < plan->value_count; i++) {
            const size_t end = plan->values[i].offset + pld_value_floats(&plan->values[i]);
            FUZZ_REQUIRE(end <= plan->memory_floats);
        }
        check_apart(plan);
    }
}

/** The same network for four branches that share rows up to where their texts or attention differ. */
static void build_shared(const pld_unet_config *c, const pld_plan *unet, pld_denoiser_shape shape) {
    static const pld_branch branches[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL,
                                          PLD_BRANCH_IDENTITY, PLD_BRANCH_BLURRED};
    const pld_attention_effect effects[] = {
        {.variant = "identity", .layers = "mid", .branches = PLD_BRANCH_BIT(PLD_BRANCH_IDENTITY)},
        {.variant = "blur", .layers = "up", .branches = PLD_BRANCH_BIT(PLD_BRANCH_BLURRED), .sigma = 1}};
    pld_variant_table table;
    pld_row_sharing sharing;
    pld_denoiser_values values;
    pld_plan plan;
    pld_error error = {0};
    FUZZ_REQUIRE(pld_variant_table_init(&table, unet->sites, unet->site_count, &error) == PLD_OK);
    for (int i = 0; i < 2; i++) {
        int sites = 0; /* a network without such a site refuses it */
        (void)pld_variant_table_add_effect(&table, &effects[i], "fuzz", &sites, &error);
    }
    const pld_row_sharing_request request = {
        .branches = branches, .rows = 4, .tables = {&table, &table}, .text_joins_time = c->pooled_width > 0};
    FUZZ_REQUIRE(pld_row_sharing_init(&sharing, &request, &error) == PLD_OK);
    shape.batch = 4;
    shape.sharing = &sharing;
    pld_plan_init(&plan, NULL);
    FUZZ_REQUIRE(pld_unet_build(&plan, c, &shape, &values, &error) == PLD_OK);
    FUZZ_REQUIRE(plan.values[values.output].batch >= plan.values[values.sample].batch);
    check_plan(&plan, c, &values);
    pld_plan_free(&plan);
    pld_row_sharing_free(&sharing);
    pld_variant_table_free(&table);
}

static void build(const pld_unet_config *c) {
    pld_plan plan;
    pld_denoiser_values values;
    pld_error error = {0};
    const int64_t side = ((int64_t)1 << c->levels) + 1; /* odd: every halving rounds */
    const pld_denoiser_shape shape = {2, side, side, NULL, 1};
    pld_plan_init(&plan, NULL);
    if (pld_unet_build(&plan, c, &shape, &values, &error) == PLD_OK) {
        check_plan(&plan, c, &values);
        build_context(c, &plan);
        build_shared(c, &plan, shape);
    } else {
        FUZZ_REQUIRE(error.message[0]); /* heads or groups that do not divide */
    }
    pld_plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pld_unet_config config;
    pld_error error = {0};
    if (pld_unet_config_read(fuzz_file(data, size), &config, &error) != PLD_OK) {
        FUZZ_REQUIRE(error.message[0]);
        return 0;
    }
    check_config(&config);
    if (is_small(&config)) {
        build(&config);
    }
    return 0;
}
