/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/describe.h"
#include "io/json/build.h"
#include "models/zimage/files.h"

enum { MOST_BLOCKS = 256 };

pld_status pld_zimage_describe(const pld_description *description, json_t **config, pld_error *error) {
    static const char input[] = "all_x_embedder.2-1.weight";
    static const char norm[] = "layers.0.attention.norm_q.weight";
    static const char caption[] = "cap_embedder.1.weight";
    static const pld_needed_tensor wanted[] = {{input, 2}, {norm, 1}, {caption, 2}};
    const pld_weight_files *weights = description->weights;
    pld_json_builder builder = {0};
    PLD_TRY(pld_describe_need(weights, wanted, sizeof wanted / sizeof *wanted, error));
    static const char mark[] = ".attention.norm_q.weight";
    const int layers = pld_count_numbered(weights, "layers.", mark, MOST_BLOCKS);
    const int refiners = pld_count_numbered(weights, "noise_refiner.", mark, MOST_BLOCKS);
    const int64_t width = pld_shape_of(weights, 0, "%s", input), head = pld_shape_of(weights, 0, "%s", norm);
    const json_int_t heads = (json_int_t)(width / head);
    /* which numbers of a head turn with which coordinate the published model states */
    json_t *document = json_pack(
        "{s:s, s:[i], s:[i], s:I, s:I, s:i, s:i, s:I, s:I, s:f, s:b, s:I, s:n, s:f, s:f, s:[i,i,i]}",
        "_class_name", "ZImageTransformer2DModel", "all_patch_size", 2, "all_f_patch_size", 1, "in_channels",
        (json_int_t)(pld_shape_of(weights, 1, "%s", input) / 4), "dim", (json_int_t)width, "n_layers", layers,
        "n_refiner_layers", refiners, "n_heads", heads, "n_kv_heads", heads, "norm_eps", 1e-5, "qk_norm", 1,
        "cap_feat_dim", (json_int_t)pld_shape_of(weights, 1, "%s", caption), "siglip_feat_dim", "rope_theta",
        256.0, "t_scale", 1000.0, "axes_lens", 1024, 512, 512);
    return pld_describe_finish(&builder, document, description, config, error);
}

pld_status pld_zimage_recognise(const pld_weight_files *weights, const char **published, pld_error *error) {
    if (!pld_shape_of(weights, 1, "cap_pad_token")) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: found Lumina-Image 2.0 or a relative of it (no tensor 'cap_pad_token'), which is "
            "not supported; expected Z-Image or Z-Image-Turbo",
            pld_weight_files_path(weights, 0));
    }
    *published = pld_told_by_word(weights, "turbo") ? "z-image-turbo" : "z-image";
    return PLD_OK;
}
