/* SPDX-License-Identifier: Apache-2.0 */
#include "models/unet/config.h"

#include <string.h>

#include "core/memory.h"
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"

static const pld_fixed_field fixed_fields[] = {
    {"act_fn", "\"silu\"", false},
    {"attention_type", "\"default\"", true},
    {"center_input_sample", "false", true},
    {"class_embed_type", "null", true},
    {"conv_in_kernel", "3", false},
    {"conv_out_kernel", "3", false},
    {"cross_attention_norm", "null", true},
    {"downsample_padding", "1", false},
    {"dual_cross_attention", "false", true},
    {"encoder_hid_dim", "null", true},
    {"encoder_hid_dim_type", "null", true},
    {"mid_block_only_cross_attention", "null", true},
    {"mid_block_scale_factor", "1", false},
    {"num_attention_heads", "null", true},
    {"num_class_embeds", "null", true},
    {"only_cross_attention", "false", false},
    {"resnet_out_scale_factor", "1", true},
    {"resnet_skip_time_act", "false", true},
    {"resnet_time_scale_shift", "\"default\"", false},
    {"reverse_transformer_layers_per_block", "null", true},
    {"time_cond_proj_dim", "null", true},
    {"time_embedding_act_fn", "null", true},
    {"time_embedding_dim", "null", true},
    {"time_embedding_type", "\"positional\"", false},
    {"timestep_post_act", "null", true},
};

/** A list of block types: which of them attend. */
static pld_status read_blocks(const pld_json *top, const char *field, const char *plain,
                              const char *attending, size_t levels, bool *attends, pld_error *error) {
    const char *names[PLD_UNET_MAX_LEVELS] = {0};
    size_t count = 0;
    PLD_TRY(pld_json_get_strings(top, field, PLD_JSON_REQUIRED, PLD_UNET_MAX_LEVELS, names, &count, error));
    if (count != levels) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field '%s': expected %zu blocks as in block_out_channels, found %zu", top->file,
                        field, levels, count);
    }
    for (size_t i = 0; i < count; i++) {
        attends[i] = strcmp(names[i], attending) == 0;
        if (!attends[i] && strcmp(names[i], plain) != 0) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: field '%s': expected %s or %s, found '%.60s'",
                            top->file, field, plain, attending, names[i]);
        }
    }
    return PLD_OK;
}

/** What is in the middle. null is no middle block (as in BK-SDM and Segmind's tiny-sd), absence the usual
 * one. */
static pld_status read_mid(const pld_json *top, pld_unet_config *c, pld_error *error) {
    static const struct {
        const char *name;
        pld_unet_mid mid;
    } kinds[] = {{"UNetMidBlock2DCrossAttn", PLD_UNET_MID_ATTENDS}, {"UNetMidBlock2D", PLD_UNET_MID_RESNET}};
    const char *name = kinds[0].name;
    if (pld_json_is_null(top, "mid_block_type")) {
        c->mid = PLD_UNET_MID_NONE;
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_string(top, "mid_block_type", PLD_JSON_OPTIONAL, &name, error));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            c->mid = kinds[i].mid;
            return PLD_OK;
        }
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: field 'mid_block_type': expected UNetMidBlock2DCrossAttn, UNetMidBlock2D or null, "
                    "found '%.60s'",
                    top->file, name);
}

static pld_status read_levels(const pld_json *top, pld_unet_config *c, pld_error *error) {
    size_t levels = 0;
    PLD_TRY(pld_json_get_integers(top, "block_out_channels", PLD_JSON_REQUIRED, 1, 1 << 14,
                                  PLD_UNET_MAX_LEVELS, c->widths, &levels, error));
    if (levels == 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'block_out_channels' is empty", top->file);
    }
    c->levels = (int64_t)levels;
    for (size_t i = 0; i < levels; i++) {
        c->layers[i] = 2;
        c->heads[i] = 8;
        c->depths[i] = 1;
    }
    PLD_TRY(read_blocks(top, "down_block_types", "DownBlock2D", "CrossAttnDownBlock2D", levels,
                        c->down_attention, error));
    PLD_TRY(read_blocks(top, "up_block_types", "UpBlock2D", "CrossAttnUpBlock2D", levels, c->up_attention,
                        error));
    PLD_TRY(pld_json_get_integer_or_list(top, "layers_per_block", PLD_JSON_OPTIONAL, 1, 16, levels, c->layers,
                                         error));
    PLD_TRY(pld_json_get_integer_or_list(top, "attention_head_dim", PLD_JSON_OPTIONAL, 1, 1024, levels,
                                         c->heads, error));
    return pld_json_get_integer_or_list(top, "transformer_layers_per_block", PLD_JSON_OPTIONAL, 1, 64, levels,
                                        c->depths, error);
}

/** What joins the time embedding: nothing, or text_time. */
static pld_status read_addition(const pld_json *top, pld_unet_config *c, pld_error *error) {
    const char *type = NULL;
    int64_t input = 0;
    PLD_TRY(pld_json_get_string(top, "addition_embed_type", PLD_JSON_NULLABLE, &type, error));
    if (!type) {
        return PLD_OK;
    }
    if (strcmp(type, "text_time") != 0) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: field 'addition_embed_type' is \"%.60s\"; only null and \"text_time\" are supported",
            top->file, type);
    }
    PLD_TRY(pld_json_get_integer(top, "addition_time_embed_dim", PLD_JSON_REQUIRED, 1, 1 << 14,
                                 &c->time_id_width, error));
    PLD_TRY(pld_json_get_integer(top, "projection_class_embeddings_input_dim", PLD_JSON_REQUIRED, 1, 1 << 18,
                                 &input, error));
    c->pooled_width = input - PLD_UNET_TIME_IDS * c->time_id_width;
    return c->pooled_width > 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: field 'projection_class_embeddings_input_dim': expected more than %d times "
                          "addition_time_embed_dim (%lld), found %lld",
                          top->file, PLD_UNET_TIME_IDS, (long long)c->time_id_width, (long long)input);
}

/** The frequencies of sinusoids divide by half their width less the shift, in float32. */
static pld_status check_shift(const pld_json *top, const pld_unet_config *c, pld_error *error) {
    int64_t half = c->widths[0] / 2;
    if (c->pooled_width && c->time_id_width / 2 < half) {
        half = c->time_id_width / 2;
    }
    return c->frequency_shift >= 0 && (float)c->frequency_shift < (float)half
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'freq_shift': found %g, out of range",
                          top->file, c->frequency_shift);
}

static pld_status read_fields(void *target, const pld_json *top, pld_error *error) {
    pld_unet_config *c = target;
    PLD_TRY(pld_class_check_config(top, &pld_class_unet, error));
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_levels(top, c, error));
    PLD_TRY(read_mid(top, c, error));
    PLD_TRY(read_addition(top, c, error));
    PLD_TRY(pld_json_get_integer(top, "in_channels", PLD_JSON_OPTIONAL, 1, 64, &c->in_channels, error));
    PLD_TRY(pld_json_get_integer(top, "out_channels", PLD_JSON_OPTIONAL, 1, 64, &c->out_channels, error));
    PLD_TRY(pld_json_get_integer(top, "cross_attention_dim", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->context_width,
                                 error));
    PLD_TRY(pld_json_get_integer(top, "norm_num_groups", PLD_JSON_OPTIONAL, 1, 1024, &c->groups, error));
    PLD_TRY(pld_json_get_integer(top, "sample_size", PLD_JSON_NULLABLE, 1, 4096, &c->sample_size, error));
    PLD_TRY(pld_json_get_flag(top, "use_linear_projection", &c->linear_projection, error));
    PLD_TRY(pld_json_get_flag(top, "flip_sin_to_cos", &c->flip_sin_to_cos, error));
    PLD_TRY(pld_json_get_number(top, "freq_shift", PLD_JSON_OPTIONAL, &c->frequency_shift, error));
    PLD_TRY(pld_json_get_number(top, "norm_eps", PLD_JSON_OPTIONAL, &c->epsilon, error));
    if (!((float)c->epsilon > 0 && c->epsilon < 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'norm_eps': expected a number in (0, 1), found %g", top->file, c->epsilon);
    }
    return check_shift(top, c, error);
}

pld_status pld_unet_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_unet_config *config = target;
    *config = (pld_unet_config){.in_channels = 4,
                                .out_channels = 4,
                                .context_width = 1280,
                                .groups = 32,
                                .epsilon = 1e-5,
                                .flip_sin_to_cos = true};
    return read_fields(config, top, error);
}

pld_status pld_unet_config_read(const char *file, pld_unet_config *config, pld_error *error) {
    return pld_json_read_file(file, pld_unet_config_parse, config, error);
}
