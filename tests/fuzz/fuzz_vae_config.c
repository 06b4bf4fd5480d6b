/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of an autoencoder of each class: whatever is accepted is written down and laid out, both ways. */
#include <math.h>

#include "core/memory.h"
#include "fuzz.h"
#include "io/json/read.h"
#include "models/autoencoder.h"
#include "models/families/rows.h"

enum { LATENTS = 3 };

/** Build for inputs of side `from`; the output must have side `to` and `channels`. */
static void build(pld_autoencoder_build write_down, const void *config, int64_t from, int64_t to,
                  int64_t channels) {
    pld_plan plan;
    pld_autoencoder_values values;
    pld_error error = {0};
    pld_plan_init(&plan, NULL);
    if (write_down(&plan, config, 1, from, from, &values, &error) == PLD_OK) {
        const pld_value out = plan.values[values.out];
        FUZZ_REQUIRE(out.height == to && out.width == to && out.channels == channels);
        (void)pld_plan_layout(&plan, &error);
    } else {
        FUZZ_REQUIRE(error.message[0]); /* groups or heads that do not divide */
    }
    pld_plan_free(&plan);
}

static void try_class(const pld_part_class *class, const char *file) {
    pld_error error = {0};
    pld_autoencoder_facts facts;
    void *config = pld_allocate(1, class->config_bytes);
    FUZZ_REQUIRE(config);
    if (pld_json_read_file(file, class->read, config, &error) != PLD_OK) {
        FUZZ_REQUIRE(error.message[0]);
        pld_free(config);
        return;
    }
    class->autoencoder->facts(config, &facts);
    FUZZ_REQUIRE(facts.channels >= 1 && facts.channels <= PLD_MOST_LATENT_CHANNELS);
    for (int64_t i = 0; i < facts.channels; i++) {
        FUZZ_REQUIRE(isfinite(1 / facts.scale[i]) && isfinite(facts.shift[i]));
    }
    build(class->autoencoder->decoder, config, LATENTS, LATENTS * facts.factor, 3);
    build(class->autoencoder->encoder, config, LATENTS * facts.factor, LATENTS,
          facts.no_moments ? facts.channels : 2 * facts.channels);
    pld_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const pld_part_class *const classes[] = {&pld_class_kl, &pld_class_kl_flux2, &pld_class_dc,
                                                    &pld_class_qwen_vae};
    const char *file = fuzz_file(data, size);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        try_class(classes[i], file);
    }
    return 0;
}
