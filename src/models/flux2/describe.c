/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/flux2/files.h"

enum { MOST_BLOCKS = 256 };

static const char guidance[] = "time_guidance_embed.guidance_embedder.linear_1.weight";

pld_status pld_flux2_describe(const pld_description *description, json_t **config, pld_error *error) {
    static const char input[] = "x_embedder.weight";
    static const char norm[] = "transformer_blocks.0.attn.norm_q.weight";
    static const char states[] = "context_embedder.weight";
    static const char time[] = "time_guidance_embed.timestep_embedder.linear_1.weight";
    static const char hidden[] = "transformer_blocks.0.ff.linear_out.weight";
    static const pld_needed_tensor wanted[] = {{input, 2}, {norm, 1}, {states, 2}, {time, 2}, {hidden, 2}};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    PLD_TRY(pld_describe_need(weights, wanted, sizeof wanted / sizeof *wanted, error));
    const int doubles =
        pld_count_numbered(weights, "transformer_blocks.", ".attn.norm_q.weight", MOST_BLOCKS);
    const int singles =
        pld_count_numbered(weights, "single_transformer_blocks.", ".attn.norm_q.weight", MOST_BLOCKS);
    const int64_t width = pld_shape_of(weights, 0, "%s", input), head = pld_shape_of(weights, 0, "%s", norm);
    const double ratio = (double)pld_shape_of(weights, 1, "%s", hidden) / (double)width;
    /* which numbers of a head turn with which coordinate, and how far, the published model states */
    json_t *document = json_pack(
        "{s:s, s:i, s:I, s:n, s:i, s:i, s:I, s:I, s:I, s:I, s:f, s:b}", "_class_name",
        "Flux2Transformer2DModel", "patch_size", 1, "in_channels",
        (json_int_t)pld_shape_of(weights, 1, "%s", input), "out_channels", "num_layers", doubles,
        "num_single_layers", singles, "attention_head_dim", (json_int_t)head, "num_attention_heads",
        (json_int_t)(width / head), "joint_attention_dim", (json_int_t)pld_shape_of(weights, 1, "%s", states),
        "timestep_guidance_channels", (json_int_t)pld_shape_of(weights, 1, "%s", time), "mlp_ratio", ratio,
        "guidance_embeds", (int)(pld_shape_of(weights, 0, "%s", guidance) > 0));
    return pld_describe_finish(&builder, document, description, config, error);
}

/** Whether a file calls itself a network that was not distilled: by its own title, or by its name where it has none. */
static bool is_base(const pld_weight_files *weights) {
    return pld_told_by_word(weights, "base") != NULL;
}

pld_status pld_flux2_recognise(const pld_weight_files *weights, const char **published, pld_error *error) {
    (void)error;
    *published = pld_shape_of(weights, 0, "%s", guidance) > 0 ? "flux2-dev"
                 : is_base(weights)                           ? "flux2-klein-base"
                                                              : "flux2-klein";
    return PLD_OK;
}
