/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler_config.json: whatever is read is turned into every sampler, and three calls of each are made. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "fuzz.h"
#include "sampling/sampler.h"

enum { ELEMENTS = 20, STEPS = 5, CALLS = 3 };

/** Begin a run and make its first calls; nothing but the values may go wrong. */
static void run(pld_sampler *sampler) {
    const pld_schedule *schedule = pld_sampler_schedule(sampler);
    pld_error error = {0};
    pld_rng rng;
    float sample[ELEMENTS];
    float input[ELEMENTS];
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, 1);
    pld_rng_normal(&rng, sample, ELEMENTS);
    FUZZ_REQUIRE(schedule->calls > 0 && isfinite(schedule->init_noise_sigma));
    FUZZ_REQUIRE(pld_sampler_begin(sampler, 0, ELEMENTS, &error) == PLD_OK);
    for (size_t call = 0; call < schedule->calls; call++) {
        FUZZ_REQUIRE(isfinite(schedule->timesteps[call]));
        FUZZ_REQUIRE(pld_sampler_step_of_call(sampler, call) < schedule->steps);
    }
    for (size_t call = 0; call < schedule->calls && call < CALLS; call++) {
        pld_sampler_scale_model_input(sampler, call, sample, input, ELEMENTS);
        pld_sampler_convert_output(sampler, call, input, input, input, ELEMENTS);
        (void)pld_sampler_level(sampler, call);
        FUZZ_REQUIRE(isfinite(pld_sampler_network_timestep(sampler, call)));
        FUZZ_REQUIRE(pld_sampler_step(sampler, call, input, sample, &rng, sample, &error) == PLD_OK);
    }
}

/** Make a sampler of the configuration with these options. */
static void try_sampler(const pld_sampler_kind *kind, const pld_scheduler_config *stated,
                        const pld_sampling_options *options) {
    pld_sampler *sampler = NULL;
    pld_error error = {0};
    pld_status status = pld_sampler_create(kind, stated, options, NULL, &sampler, &error);
    FUZZ_REQUIRE((status == PLD_OK) == (sampler != NULL));
    FUZZ_REQUIRE(status == PLD_OK || error.message[0]);
    if (sampler) {
        run(sampler);
    }
    pld_sampler_destroy(&sampler);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const double timesteps[] = {999, 400, 1};
    char *text = pld_allocate(size, 1);
    pld_error error = {0};
    pld_scheduler_config stated;
    if (!text) {
        return 0;
    }
    memcpy(text, data, size);
    pld_status status =
        pld_scheduler_config_parse(text, size, "scheduler_config.json", NULL, &stated, &error);
    pld_free(text);
    if (status != PLD_OK) {
        FUZZ_REQUIRE(error.message[0]);
        return 0;
    }
    const pld_sampler_kind *kind = NULL;
    (void)pld_sampler_kind_for_config(&stated, &kind, &error);
    for (const pld_sampler_kind *const *row = pld_sampler_kinds(); *row; row++) {
        pld_sampling_options options = pld_sampling_options_default(STEPS);
        try_sampler(*row, &stated, &options);
        options.image_tokens = size;
        options.flow_rule = pld_flow_rules()[size % 6];
        options.schedule = pld_sigma_schedules()[size % 9];
        try_sampler(*row, &stated, &options);
        if (*row == kind) {
            options = pld_sampling_options_default(STEPS);
            options.eta = 1;
            options.schedule = pld_sigma_schedule_find("beta");
            try_sampler(*row, &stated, &options);
            options = pld_sampling_options_default(0);
            options.timesteps = timesteps;
            options.timesteps_count = sizeof timesteps / sizeof timesteps[0];
            try_sampler(*row, &stated, &options);
        }
    }
    pld_scheduler_config_clear(&stated);
    return 0;
}
