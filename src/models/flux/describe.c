/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/flux/files.h"

enum { MOST_BLOCKS = 256 };

pld_status pld_flux_describe(const pld_description *description, json_t **config, pld_error *error) {
    static const char input[] = "x_embedder.weight";
    static const char norm[] = "transformer_blocks.0.attn.norm_q.weight";
    static const char states[] = "context_embedder.weight";
    static const char pooled[] = "time_text_embed.text_embedder.linear_1.weight";
    static const pld_needed_tensor wanted[] = {
        {input, 2}, {norm, 1}, {states, 2}, {pooled, 2}, {"proj_out.weight", 2}};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    PLD_TRY(pld_describe_need(weights, wanted, sizeof wanted / sizeof *wanted, error));
    const int doubles =
        pld_count_numbered(weights, "transformer_blocks.", ".norm1.linear.weight", MOST_BLOCKS);
    const int singles =
        pld_count_numbered(weights, "single_transformer_blocks.", ".norm.linear.weight", MOST_BLOCKS);
    const int64_t width = pld_shape_of(weights, 0, "%s", input), head = pld_shape_of(weights, 0, "%s", norm);
    const bool guided = pld_shape_of(weights, 0, "time_text_embed.guidance_embedder.linear_1.weight") > 0;
    /* which numbers of a head turn with which coordinate the published model states */
    json_t *document = json_pack(
        "{s:s, s:i, s:I, s:n, s:i, s:i, s:I, s:I, s:I, s:I, s:b}", "_class_name", "FluxTransformer2DModel",
        "patch_size", 1, "in_channels", (json_int_t)pld_shape_of(weights, 1, "%s", input), "out_channels",
        "num_layers", doubles, "num_single_layers", singles, "attention_head_dim", (json_int_t)head,
        "num_attention_heads", (json_int_t)(width / head), "joint_attention_dim",
        (json_int_t)pld_shape_of(weights, 1, "%s", states), "pooled_projection_dim",
        (json_int_t)pld_shape_of(weights, 1, "%s", pooled), "guidance_embeds", (int)guided);
    return pld_describe_finish(&builder, document, description, config, error);
}

/** Refuse a network that looks like FLUX.1 and is something else; `found` says what was found. */
static pld_status refuse(const pld_weight_files *weights, const char *what, const char *found,
                         pld_error *error) {
    return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: found %s (%.100s); expected FLUX.1 dev or schnell",
                    pld_weight_files_path(weights, 0), what, found);
}

/** Kontext has dev's tensors, and is told by what its file is called or says of itself. */
static pld_status refuse_kontext(const pld_weight_files *weights, pld_error *error) {
    static const char what[] = "FLUX Kontext, a network that edits pictures, which is not supported";
    const char *told = pld_told_by_word(weights, "kontext");
    return told ? refuse(weights, what, told, error) : PLD_OK;
}

pld_status pld_flux_recognise(const pld_weight_files *weights, const char **published, pld_error *error) {
    static const struct {
        int64_t inputs;
        const char *what, *found;
    } others[] = {
        {384, "the inpainting network FLUX Fill, which is not supported",
         "its img_in takes 384 numbers: latents, a masked picture and the mask"},
        {128, "FLUX Control, which is conditioned on edges or depth and not supported",
         "its img_in takes 128 numbers: latents and those of another picture"},
    };
    const int64_t inputs = pld_shape_of(weights, 1, "x_embedder.weight");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (inputs == others[i].inputs) {
            return refuse(weights, others[i].what, others[i].found, error);
        }
    }
    PLD_TRY(refuse_kontext(weights, error));
    *published = pld_shape_of(weights, 0, "time_text_embed.guidance_embedder.linear_1.weight")
                     ? "flux-dev"
                     : "flux-schnell";
    return PLD_OK;
}
