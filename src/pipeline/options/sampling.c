/* SPDX-License-Identifier: Apache-2.0 */
/** How the noise becomes a picture: steps, guidance, samplers. */
#include "core/status.h"
#include "core/text.h"
#include "pipeline/options/row.h"

#define SAMPLING                                                                                             \
    .commands = "generate grid evaluate", .group = "sampling", .of_picture = true, .remote = PLD_REMOTE_VALUE
#define OWN .otherwise = "the model's own"

/** A method and its options, or a number. */
static pld_status check_guidance(const char *text, pld_error *error) {
    const char *end = NULL;
    pld_error detail = {0};
    pld_parse_real(text, &end);
    if (end != text && *end == '\0') { /* the scale of --distilled-guidance, which the model may refuse */
        return PLD_OK;
    }
    return pld_guidance_check(text, &detail) == PLD_OK
               ? PLD_OK
               : pld_fail(error, detail.status, "found \"%.200s\"; %.700s", text, detail.message);
}

static const pld_option_row rows[] = {
    {.about = {PLD_OPTION(INTEGER, "steps"), .commands = "generate grid evaluate bench", .group = "sampling",
               .of_picture = true, .remote = PLD_REMOTE_VALUE,
               .aliases = "num-inference-steps sampling-steps", .argument = "N", PLD_RANGE(1, 1000), OWN,
               .help = "number of steps"},
     PLD_GENERATE(steps),
     PLD_IN_FORCE(steps)},
    {.about = {PLD_OPTION(NUMBER, "cfg-scale"), SAMPLING, .aliases = "guidance-scale", .argument = "SCALE",
               PLD_RANGE(0, 100), .title = "CFG scale", OWN,
               .help = "scale of classifier-free guidance; 1 turns it off"},
     PLD_GENERATE(cfg_scale),
     PLD_IN_FORCE(cfg_scale)},
    {.about = {PLD_OPTION(NUMBER, "cfg-rescale"), SAMPLING, .aliases = "guidance-rescale", .argument = "PHI",
               PLD_RANGE(0, 1), .symbol = "φ", .title = "φ (CFG rescale)", .fallback = "0",
               .help = "rescaling of classifier-free guidance; 0 turns it off"},
     PLD_GENERATE(cfg_rescale)},
    {.about = {PLD_OPTION(NUMBER, "distilled-guidance"), SAMPLING, .argument = "SCALE", PLD_RANGE(0, 100),
               .title = "distilled guidance", OWN,
               .help = "guidance scale that a guidance-distilled model is told (SANA-Sprint: 4.5)",
               .details = "It costs no evaluation. Models that are not told of one use --cfg-scale."},
     PLD_GENERATE(distilled_guidance)},
    {.about = {PLD_OPTION(TEXTS, "guidance"), SAMPLING, .argument = "NAME[:KEY=VALUE,...]", .maximum = 16,
               .help = "another guidance method, such as pag:scale=3,layers=mid; repeatable; see pladis list "
                       "guidance",
               .details = "A bare number is the scale of --distilled-guidance, as in stable-diffusion.cpp."},
     PLD_GENERATE_LIST(guidance, guidance_count),
     .check = check_guidance},
    {.about = {PLD_OPTION(CHOICE, "sampling-method"), SAMPLING, .aliases = "sampler sampling",
               .argument = "NAME", .title = "", PLD_LIST_OF("samplers", PLD_LIST_SAMPLERS), OWN,
               .help = "sampler",
               .details = "Names from other programs are accepted, too, also with a schedule after them: "
                          "\"DPM++ 2M Karras\", \"Euler a\", dpmpp_2m."},
     PLD_GENERATE(sampling_method),
     PLD_IN_FORCE(sampling_method),
     .joined = "scheduler"},
    {.about = {PLD_OPTION(CHOICE, "scheduler"), SAMPLING, .aliases = "schedule", .argument = "NAME",
               PLD_LIST_OF("schedulers", PLD_LIST_SCHEDULERS), OWN, .help = "sigma schedule"},
     PLD_GENERATE(scheduler),
     PLD_IN_FORCE(scheduler)},
    {.about = {PLD_OPTION(CHOICE, "spacing"), SAMPLING, .argument = "NAME",
               PLD_LIST_OF("spacings", PLD_LIST_SPACINGS), OWN, .help = "spacing of the timesteps"},
     PLD_GENERATE(spacing),
     PLD_IN_FORCE(spacing)},
    {.about = {PLD_OPTION(NUMBERS, "timesteps"), SAMPLING, .argument = "A,B,...", PLD_RANGE(0, 1000),
               .help = "use exactly these timesteps, for example 999,749,499,249"},
     PLD_GENERATE_LIST(timesteps, timestep_count)},
    {.about = {PLD_OPTION(NUMBER, "eta"), SAMPLING, .argument = "ETA", PLD_RANGE(0, 1), .symbol = "η",
               .title = "η", .otherwise = "the sampler's", .help = "how much noise DDIM and TCD add"},
     PLD_GENERATE(eta)},
    {.about = {PLD_OPTION(NUMBER, "shift"), SAMPLING, .aliases = "flow-shift", .argument = "S",
               PLD_RANGE(1e-6, 1e6), OWN,
               .help = "shift of the noise levels of flow models towards more noise"},
     PLD_GENERATE(shift)},
    {.about = {PLD_OPTION(CHOICE, "prediction"), SAMPLING, .argument = "KIND",
               .choices = "eps v x0 flow trigflow", .otherwise = "detected",
               .help = "what the network predicts"},
     PLD_GENERATE(prediction),
     PLD_IN_FORCE(prediction_type),
     .synonyms = {{"epsilon", "eps"}, {"v_prediction", "v"}, {"sample", "x0"}, {"flow_prediction", "flow"}}},
    {.about = {PLD_OPTION(CHOICE, "preset"), SAMPLING, .argument = "NAME", .choices = "auto none",
               PLD_LIST_OF("presets", PLD_LIST_PRESETS), .otherwise = "auto",
               .help = "how to sample a distilled model; auto does what the model asks for, none uses its "
                       "plain settings",
               .details = "auto does what a LoRA's name, the folder's scheduler, the metadata or the name of "
                          "the file asks for (Turbo, Lightning, Hyper, DMD2, LCM), and says so in a notice. "
                          "Other options take precedence over the preset."},
     PLD_GENERATE(preset),
     PLD_IN_FORCE(preset),
     .none_word = "none"},
};

const pld_option_rows pld_rows_of_sampling = PLD_ROWS(rows);
