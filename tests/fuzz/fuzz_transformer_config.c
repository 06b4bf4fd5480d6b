/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of a transformer of each class: whatever is accepted is written down and laid out, alone, for branches that
 * share rows, and with what a text gives. */
#include <math.h>

#include "core/memory.h"
#include "fuzz.h"
#include "io/json/read.h"
#include "models/denoiser.h"
#include "models/families/rows.h"
#include "nn/attention_variant.h"

enum { TOKENS = 3, MOST_VALUES = 2000, MOST_TOLD = 1 << 15 };

static void check_facts(const pld_denoiser_facts *facts) {
    /* that the prediction has the sample's channels is for the model to check, with the autoencoder's */
    FUZZ_REQUIRE(facts->channels >= 1 && facts->output_channels >= 1);
    FUZZ_REQUIRE(facts->multiple >= 1 && facts->state_width >= 1 && facts->state_width_field);
    FUZZ_REQUIRE(facts->perturbed[0] && facts->told >= 0 && facts->told <= MOST_TOLD);
    FUZZ_REQUIRE(isfinite(facts->timestep_scale) && isfinite(facts->distilled_guidance));
}

/** The output has the latents' size, and every value a place inside the plan's memory. */
static void check_plan(pld_plan *plan, const pld_denoiser_facts *facts, const pld_denoiser_values *values) {
    pld_error error = {0};
    const pld_value *in = &plan->values[values->sample];
    const pld_value *out = &plan->values[values->output];
    FUZZ_REQUIRE(out->height == in->height && out->width == in->width &&
                 out->channels == facts->output_channels);
    if (plan->value_count <= MOST_VALUES && pld_plan_layout(plan, &error) == PLD_OK) {
        for (size_t i = 0; i < plan->value_count; i++) {
            FUZZ_REQUIRE(plan->values[i].offset + pld_value_floats(&plan->values[i]) <= plan->memory_floats);
        }
    }
}

/** What the text and the picture give is what the evaluation takes. */
static void build_condition(const pld_part_class *class, const void *config, const pld_denoiser_facts *facts,
                            const pld_plan *network) {
    pld_plan plan;
    pld_error error = {0};
    pld_condition_values values;
    const pld_condition_request request = {facts->text_joins_sample ? 1 : TOKENS, network->sites,
                                           network->site_count};
    pld_plan_init(&plan, NULL);
    FUZZ_REQUIRE(class->denoiser->condition(&plan, config, &request, &values, &error) == PLD_OK);
    FUZZ_REQUIRE((int)plan.offer_count == network->outside_count);
    FUZZ_REQUIRE(plan.values[values.states].channels == facts->state_width);
    FUZZ_REQUIRE((values.told != PLD_NO_VALUE) == (facts->told > 0));
    if (facts->told > 0) {
        const pld_picture_facts picture = {.width = 64, .height = 96, .distilled_guidance = 4.5};
        static const float pooled[MOST_TOLD];
        static float told[MOST_TOLD];
        FUZZ_REQUIRE(plan.values[values.told].channels == facts->told);
        class->denoiser->tell(config, pooled, &picture, told);
        for (int64_t i = 0; i < facts->told; i++) {
            FUZZ_REQUIRE(isfinite(told[i]));
        }
    }
    pld_plan_free(&plan);
}

/** The same network for three branches that share rows up to where texts or attention differ. */
static void build_shared(const pld_part_class *class, const void *config, const pld_denoiser_facts *facts,
                         const pld_plan *network, int64_t side) {
    static const pld_branch branches[] = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL,
                                          PLD_BRANCH_IDENTITY};
    const pld_attention_effect effect = {
        .variant = "identity", .layers = facts->perturbed, .branches = PLD_BRANCH_BIT(PLD_BRANCH_IDENTITY)};
    pld_variant_table table;
    pld_row_sharing sharing;
    pld_denoiser_values values;
    pld_plan plan;
    pld_error error = {0};
    int sites = 0; /* a network without such a site refuses it */
    FUZZ_REQUIRE(pld_variant_table_init(&table, network->sites, network->site_count, &error) == PLD_OK);
    (void)pld_variant_table_add_effect(&table, &effect, "fuzz", &sites, &error);
    const pld_row_sharing_request request = {.branches = branches,
                                             .rows = 3,
                                             .tables = {&table, &table},
                                             .text_joins_time = facts->text_joins_time};
    FUZZ_REQUIRE(pld_row_sharing_init(&sharing, &request, &error) == PLD_OK);
    const pld_denoiser_shape shape = {3, side, side, &sharing, 1};
    pld_plan_init(&plan, NULL);
    FUZZ_REQUIRE(class->denoiser->build(&plan, config, &shape, &values, &error) == PLD_OK);
    FUZZ_REQUIRE(plan.values[values.output].batch >= plan.values[values.sample].batch);
    check_plan(&plan, facts, &values);
    pld_plan_free(&plan);
    pld_row_sharing_free(&sharing);
    pld_variant_table_free(&table);
}

static void try_class(const pld_part_class *class, const char *file) {
    pld_error error = {0};
    pld_plan plan;
    pld_denoiser_facts facts;
    pld_denoiser_values values;
    void *config = pld_allocate(1, class->config_bytes);
    FUZZ_REQUIRE(config);
    if (pld_json_read_file(file, class->read, config, &error) != PLD_OK) {
        FUZZ_REQUIRE(error.message[0]);
        pld_free(config);
        return;
    }
    class->denoiser->facts(config, &facts);
    check_facts(&facts);
    int64_t side = 3 * facts.multiple;
    while (side < facts.least_side) {
        side += facts.multiple;
    }
    const pld_denoiser_shape shape = {2, side, side, NULL, 1};
    pld_plan_init(&plan, NULL);
    if (class->denoiser->build(&plan, config, &shape, &values, &error) == PLD_OK) {
        check_plan(&plan, &facts, &values);
        build_condition(class, config, &facts, &plan);
        build_shared(class, config, &facts, &plan, side);
    } else {
        FUZZ_REQUIRE(error.message[0]); /* more than can be counted */
    }
    pld_plan_free(&plan);
    pld_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const pld_part_class *const classes[] = {&pld_class_pixart, &pld_class_sana,   &pld_class_cosmos,
                                                    &pld_class_flux,   &pld_class_zimage, &pld_class_flux2,
                                                    &pld_class_sd3};
    const char *file = fuzz_file(data, size);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        try_class(classes[i], file);
    }
    return 0;
}
