/* SPDX-License-Identifier: Apache-2.0 */
/* config.json of an autoencoder: whatever is accepted is written down and laid out, both ways. */
#include <math.h>

#include "fuzz.h"
#include "models/kl/kl.h"

enum { LATENTS = 3 };

/** Build for inputs of side `from`; the output must have side `to` and `channels`. */
static void build(pld_autoencoder_build write_down, const pld_kl_config *c, int64_t from, int64_t to,
                  int64_t channels) {
    pld_plan plan;
    pld_autoencoder_values values;
    pld_error error = {0};
    pld_plan_init(&plan, NULL);
    if (write_down(&plan, c, 1, from, from, &values, &error) == PLD_OK) {
        const pld_value out = plan.values[values.out];
        FUZZ_REQUIRE(out.height == to && out.width == to && out.channels == channels);
        (void)pld_plan_layout(&plan, &error);
    } else {
        FUZZ_REQUIRE(error.message[0]); /* groups that do not divide */
    }
    pld_plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pld_kl_config config;
    pld_error error = {0};
    if (pld_kl_config_read(fuzz_file(data, size), &config, &error) != PLD_OK) {
        FUZZ_REQUIRE(error.message[0]);
        return 0;
    }
    FUZZ_REQUIRE(config.levels >= 1 && config.levels <= PLD_KL_MAX_LEVELS);
    FUZZ_REQUIRE(isfinite(1 / (float)config.scaling_factor) && isfinite(config.shift_factor));
    const int64_t factor = (int64_t)1 << (config.levels - 1);
    build(pld_kl_decoder_build, &config, LATENTS, LATENTS * factor, 3);
    build(pld_kl_encoder_build, &config, LATENTS * factor, LATENTS, 2 * config.latent_channels);
    return 0;
}
