/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/sd3/sd3.h"

static pld_status read_integers(pld_sd3_config *c, int64_t *out_channels, int64_t *caption_width,
                                const pld_json *top, pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"in_channels", PLD_JSON_OPTIONAL, 1, 256, &c->channels},
        {"out_channels", PLD_JSON_NULLABLE, 1, 256, out_channels},
        {"patch_size", PLD_JSON_OPTIONAL, 1, 16, &c->patch},
        {"sample_size", PLD_JSON_OPTIONAL, 1, 4096, &c->sample_size},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"attention_head_dim", PLD_JSON_OPTIONAL, 1, 1024, &c->head_size},
        {"num_layers", PLD_JSON_OPTIONAL, 1, PLD_SD3_MOST_LAYERS, &c->layers},
        {"joint_attention_dim", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->text_width},
        {"caption_projection_dim", PLD_JSON_OPTIONAL, 1, 1 << 18, caption_width},
        {"pooled_projection_dim", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->pooled_width},
        {"pos_embed_max_size", PLD_JSON_OPTIONAL, 1, 4096, &c->places},
    };
    return pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error);
}

/** "dual_attention_layers": numbers of blocks. */
static pld_status read_dual_layers(pld_sd3_config *c, const pld_json *top, pld_error *error) {
    int64_t layers[PLD_SD3_MOST_LAYERS];
    size_t count = 0;
    PLD_TRY(pld_json_get_integers(top, "dual_attention_layers", PLD_JSON_OPTIONAL, 0, c->layers - 1,
                                  PLD_SD3_MOST_LAYERS, layers, &count, error));
    for (size_t i = 0; i < count; i++) {
        c->dual[layers[i]] = true;
    }
    return PLD_OK;
}

/** "qk_norm": null in Stable Diffusion 3.0. */
static pld_status read_norm(pld_sd3_config *c, const pld_json *top, pld_error *error) {
    const char *norm = NULL;
    PLD_TRY(pld_json_get_string(top, "qk_norm", PLD_JSON_NULLABLE, &norm, error));
    c->norms_heads = norm != NULL;
    return !norm || strcmp(norm, "rms_norm") == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: field 'qk_norm': expected \"rms_norm\" or null, found '%.40s'", top->file,
                          norm);
}

static pld_status check_values(const pld_sd3_config *c, int64_t out_channels, int64_t caption_width,
                               const pld_json *top, pld_error *error) {
    const int64_t width = pld_sd3_width(c);
    if (caption_width != width) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'caption_projection_dim': expected %lld, as num_attention_heads times "
                        "attention_head_dim, found %lld",
                        top->file, (long long)width, (long long)caption_width);
    }
    PLD_TRY(pld_check_channels(top, c->channels, out_channels, "a network that takes more than the latents",
                               error));
    return c->sample_size % c->patch == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: field 'sample_size': expected a multiple of patch_size (%lld), found %lld",
                          top->file, (long long)c->patch, (long long)c->sample_size);
}

pld_status pld_sd3_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_sd3_config *c = target;
    int64_t out_channels = 16, caption_width = 1152;
    /* diffusers' defaults for what a file leaves out */
    *c = (pld_sd3_config){.channels = 16,
                          .patch = 2,
                          .sample_size = 128,
                          .heads = 18,
                          .head_size = 64,
                          .layers = 18,
                          .text_width = 4096,
                          .pooled_width = 2048,
                          .places = 96};
    PLD_TRY(pld_class_check_config(top, &pld_class_sd3, error));
    PLD_TRY(read_integers(c, &out_channels, &caption_width, top, error));
    out_channels = pld_json_is_null(top, "out_channels") ? c->channels : out_channels;
    PLD_TRY(read_dual_layers(c, top, error));
    PLD_TRY(read_norm(c, top, error));
    return check_values(c, out_channels, caption_width, top, error);
}
