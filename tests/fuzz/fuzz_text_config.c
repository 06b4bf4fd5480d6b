/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of a text encoder of each class, and of the conditioner: whatever is accepted is written down and, when small,
 * laid out. */
#include "core/memory.h"
#include "fuzz.h"
#include "io/json/read.h"
#include "models/conditioner.h"
#include "models/families/rows.h"
#include "models/text_encoder.h"

enum { TOKENS = 5, MOST_LAYERS = 32 };

static void build_encoder(const pld_part_class *class, const void *config,
                          const pld_text_encoder_facts *facts, pld_text_request o) {
    pld_plan plan;
    pld_text_values values;
    pld_error error = {0};
    o.batch = 1;
    o.tokens = facts->positions ? facts->positions : TOKENS;
    pld_plan_init(&plan, NULL);
    FUZZ_REQUIRE(class->text_encoder->build(&plan, config, &o, &values, &error) == PLD_OK);
    const pld_value *states = &plan.values[values.states];
    FUZZ_REQUIRE(states->height == o.tokens && states->channels == facts->width);
    FUZZ_REQUIRE(!o.pooled || plan.values[values.pooled].channels == facts->projection);
    FUZZ_REQUIRE(plan.site_count == (size_t)(o.pooled ? facts->layers : facts->layers - o.skip));
    for (size_t i = 0; i < plan.site_count; i++) {
        const int64_t width = (int64_t)plan.sites[i].heads * plan.sites[i].head_size;
        FUZZ_REQUIRE(class == &pld_class_clip_text ? width == facts->width : width > 0);
    }
    if (facts->layers <= MOST_LAYERS) {
        FUZZ_REQUIRE(pld_plan_layout(&plan, &error) == PLD_OK);
    }
    pld_plan_free(&plan);
}

static void try_encoder(const pld_part_class *class, const void *config) {
    pld_text_encoder_facts facts;
    class->text_encoder->facts(config, &facts);
    FUZZ_REQUIRE(facts.vocabulary > 0 && facts.width > 0 && facts.layers > 0 && facts.positions >= 0);
    build_encoder(class, config, &facts, (pld_text_request){.final_norm = true});
    build_encoder(class, config, &facts, (pld_text_request){.skip = facts.layers - 1, .final_norm = true});
    if (facts.projection > 0) {
        build_encoder(class, config, &facts, (pld_text_request){.skip = 1, .pooled = true});
    }
}

static void try_conditioner(const pld_part_class *class, const void *config) {
    pld_conditioner_facts facts;
    class->conditioner->facts(config, &facts);
    FUZZ_REQUIRE(facts.vocabulary > 0 && facts.source_width > 0 && facts.width > 0 &&
                 facts.least_tokens >= 0);
    for (int64_t source = 0; source <= TOKENS; source += TOKENS) {
        pld_plan plan;
        pld_conditioner_values values;
        pld_error error = {0};
        const pld_conditioner_request request = {source, TOKENS + 1};
        pld_plan_init(&plan, NULL);
        FUZZ_REQUIRE(class->conditioner->build(&plan, config, &request, &values, &error) == PLD_OK);
        const pld_value *states = &plan.values[values.states];
        FUZZ_REQUIRE(states->height == request.tokens && states->channels == facts.width);
        FUZZ_REQUIRE((values.source == PLD_NO_VALUE) == (source == 0));
        FUZZ_REQUIRE(source == 0 || plan.values[values.source].channels == facts.source_width);
        FUZZ_REQUIRE(plan.site_count > MOST_LAYERS || pld_plan_layout(&plan, &error) == PLD_OK);
        pld_plan_free(&plan);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const pld_part_class *const classes[] = {&pld_class_clip_text, &pld_class_t5, &pld_class_gemma2,
                                                    &pld_class_qwen3, &pld_class_anima_conditioner};
    const char *file = fuzz_file(data, size);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        pld_error error = {0};
        void *config = pld_allocate(1, classes[i]->config_bytes);
        FUZZ_REQUIRE(config);
        if (pld_json_read_file(file, classes[i]->read, config, &error) != PLD_OK) {
            FUZZ_REQUIRE(error.message[0]);
        } else if (classes[i]->text_encoder) {
            try_encoder(classes[i], config);
        } else {
            try_conditioner(classes[i], config);
        }
        pld_free(config);
    }
    return 0;
}
