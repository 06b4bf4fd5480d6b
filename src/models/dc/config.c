/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "models/classes.h"
#include "models/dc/dc.h"
#include "models/families/rows.h"

typedef const char *level_names[PLD_DC_MOST_LEVELS];

/** A name for each level: a list, or one for all of them. Absent: those that are there already. */
static pld_status read_names(const pld_json *top, const char *field, int64_t levels, level_names names,
                             pld_error *error) {
    pld_json child;
    size_t count = 0;
    PLD_TRY(pld_json_field(top, field, PLD_JSON_OPTIONAL, &child, error));
    if (!child.value) {
        return PLD_OK;
    }
    if (json_is_string(child.value)) {
        for (int64_t i = 0; i < levels; i++) {
            names[i] = json_string_value(child.value);
        }
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_strings(top, field, PLD_JSON_REQUIRED, PLD_DC_MOST_LEVELS, names, &count, error));
    return (int64_t)count == levels
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: field '%s': expected a name for each of %lld levels, found %zu", top->file,
                          field, (long long)levels, count);
}

/** Index of a name in a NULL-terminated list. */
static pld_status choose(const pld_json *top, const char *field, const char *name, const char *const *choices,
                         int *index, pld_error *error) {
    for (*index = 0; choices[*index]; ++*index) {
        if (strcmp(choices[*index], name) == 0) {
            return PLD_OK;
        }
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: field '%s': expected %s%s%s, found '%.60s'", top->file,
                    field, choices[0], choices[1] ? " or " : "", choices[1] ? choices[1] : "", name);
}

static pld_status choose_field(const pld_json *top, const char *field, const char *const *choices, int *index,
                               pld_error *error) {
    const char *name = choices[*index];
    PLD_TRY(pld_json_get_string(top, field, PLD_JSON_OPTIONAL, &name, error));
    return choose(top, field, name, choices, index, error);
}

/** "encoder_block_types" of half "encoder" and so on. */
static const char *field_of(const char *half, const char *what, char field[64]) {
    snprintf(field, 64, "%s%s", half, what);
    return field;
}

/** Widths, numbers of layers and kinds of blocks. `*levels`: 0, or what they must be. */
static pld_status read_levels(const pld_json *top, const char *half, int64_t *levels, pld_dc_level *level,
                              pld_error *error) {
    static const char *const kinds[] = {"ResBlock", "EfficientViTBlock", NULL};
    char field[64];
    int64_t widths[PLD_DC_MOST_LEVELS], layers[PLD_DC_MOST_LEVELS];
    level_names names = {0};
    size_t count = 0;
    field_of(half, "_block_out_channels", field);
    PLD_TRY(pld_json_get_integers(top, field, PLD_JSON_REQUIRED, 1, 1 << 14, PLD_DC_MOST_LEVELS, widths,
                                  &count, error));
    if (count < 2 || (*levels && (int64_t)count != *levels)) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: field '%s': expected as many levels as the encoder has, and two at least, found %zu",
            top->file, field, count);
    }
    *levels = (int64_t)count;
    PLD_TRY(pld_json_get_integer_or_list(top, field_of(half, "_layers_per_block", field), PLD_JSON_REQUIRED,
                                         0, 64, count, layers, error));
    for (size_t i = 1; i < count; i++) {
        if (layers[i] == 0) {
            return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                            "%s: field '%s[%zu]': expected layers in every level but the finest, found none",
                            top->file, field, i);
        }
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = kinds[0];
    }
    PLD_TRY(read_names(top, field_of(half, "_block_types", field), *levels, names, error));
    for (size_t i = 0; i < count; i++) {
        int kind = 0;
        PLD_TRY(choose(top, field, names[i], kinds, &kind, error));
        level[i] = (pld_dc_level){
            .width = widths[i], .layers = layers[i], .attends = kind == 1, .activation = PLD_SILU};
    }
    return PLD_OK;
}

/** qkv_multiscales: of each level a list of sides. */
static pld_status read_scales(const pld_json *top, const char *half, int64_t levels, pld_dc_level *level,
                              pld_error *error) {
    char field[64];
    pld_json list, inner;
    PLD_TRY(pld_json_array(top, field_of(half, "_qkv_multiscales", field), PLD_JSON_REQUIRED, &list, error));
    if ((int64_t)json_array_size(list.value) != levels) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field '%s': expected a list for each of %lld levels, found %zu", top->file,
                        field, (long long)levels, json_array_size(list.value));
    }
    for (int64_t i = 0; i < levels; i++) {
        pld_json_element(&list, (size_t)i, &inner);
        const size_t count = json_array_size(inner.value);
        if (!json_is_array(inner.value) || count > PLD_DC_MOST_SCALES) {
            return pld_json_mismatch(&inner, "a list of at most 4 sides of filters", error);
        }
        level[i].scale_count = level[i].attends ? (int64_t)count : 0;
        for (size_t j = 0; j < count; j++) {
            pld_json side;
            pld_json_element(&inner, j, &side);
            const json_int_t value = json_is_integer(side.value) ? json_integer_value(side.value) : 0;
            if (value != 3 && value != 5) {
                return pld_json_mismatch(&side, "a side of 3 or 5", error);
            }
            level[i].scales[j] = level[i].attends ? value : 0;
        }
    }
    return PLD_OK;
}

static const char *const activation_names[] = {"silu", "relu", NULL};
static const pld_activation activations[] = {PLD_SILU, PLD_RELU};

/** What the decoder has and the encoder has not. */
static pld_status read_decoder(const pld_json *top, pld_dc_config *c, pld_error *error) {
    static const char *const norms[] = {"rms_norm", NULL};
    level_names norm_names = {0}, act_names = {0};
    int index = 0;
    for (int64_t i = 0; i < c->levels; i++) {
        norm_names[i] = norms[0];
        act_names[i] = activation_names[0];
    }
    PLD_TRY(read_names(top, "decoder_norm_types", c->levels, norm_names, error));
    PLD_TRY(read_names(top, "decoder_act_fns", c->levels, act_names, error));
    for (int64_t i = 0; i < c->levels; i++) {
        PLD_TRY(choose(top, "decoder_norm_types", norm_names[i], norms, &index, error));
        PLD_TRY(choose(top, "decoder_act_fns", act_names[i], activation_names, &index, error));
        c->decoder[i].activation = activations[index];
    }
    index = 1; /* "relu" */
    PLD_TRY(choose_field(top, "decoder_conv_act_fn", activation_names, &index, error));
    c->last_activation = activations[index];
    return PLD_OK;
}

/** Widths that heads, or pixels that become channels, divide. */
static pld_status check_widths(const pld_json *top, const pld_dc_config *c, pld_error *error) {
    for (int64_t i = 0; i < c->levels; i++) {
        const pld_dc_level *levels[] = {&c->encoder[i], &c->decoder[i]};
        for (int half = 0; half < 2; half++) {
            const int64_t unit = levels[half]->attends ? c->head_size : 1;
            if (levels[half]->width % unit != 0) {
                return pld_fail(
                    error, PLD_ERROR_FORMAT,
                    "%s: field 'attention_head_dim': %lld does not divide the width %lld of level %lld",
                    top->file, (long long)unit, (long long)levels[half]->width, (long long)i);
            }
        }
        if (i > 0 && c->unshuffles && c->encoder[i].width % 4 != 0) {
            return pld_fail(
                error, PLD_ERROR_FORMAT,
                "%s: field 'encoder_block_out_channels[%lld]': expected a multiple of 4, found %lld",
                top->file, (long long)i, (long long)c->encoder[i].width);
        }
    }
    return PLD_OK;
}

static pld_status read_fields(const pld_json *top, pld_dc_config *c, pld_error *error) {
    static const char *const downs[] = {"pixel_unshuffle", "conv", NULL};
    static const char *const ups[] = {"pixel_shuffle", "interpolate", NULL};
    int64_t colours = 3;
    int way = 0;
    PLD_TRY(pld_class_check_config(top, &pld_class_dc, error));
    PLD_TRY(pld_json_get_integer(top, "in_channels", PLD_JSON_OPTIONAL, 3, 3, &colours, error));
    PLD_TRY(pld_json_get_integer(top, "latent_channels", PLD_JSON_OPTIONAL, 1, PLD_MOST_LATENT_CHANNELS,
                                 &c->latent_channels, error));
    PLD_TRY(
        pld_json_get_integer(top, "attention_head_dim", PLD_JSON_OPTIONAL, 1, 1024, &c->head_size, error));
    PLD_TRY(read_levels(top, "encoder", &c->levels, c->encoder, error));
    PLD_TRY(read_levels(top, "decoder", &c->levels, c->decoder, error));
    PLD_TRY(read_scales(top, "encoder", c->levels, c->encoder, error));
    PLD_TRY(read_scales(top, "decoder", c->levels, c->decoder, error));
    PLD_TRY(read_decoder(top, c, error));
    PLD_TRY(choose_field(top, "downsample_block_type", downs, &way, error));
    c->unshuffles = way == 0;
    way = 0;
    PLD_TRY(choose_field(top, "upsample_block_type", ups, &way, error));
    c->shuffles = way == 0;
    PLD_TRY(pld_json_get_flag(top, "encoder_out_shortcut", &c->out_shortcut, error));
    PLD_TRY(pld_json_get_flag(top, "decoder_in_shortcut", &c->in_shortcut, error));
    PLD_TRY(pld_json_get_number(top, "scaling_factor", PLD_JSON_OPTIONAL, &c->scaling_factor, error));
    if (!(c->scaling_factor > 1e-6 && c->scaling_factor < 1e6)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'scaling_factor': expected a positive number, found %g", top->file,
                        c->scaling_factor);
    }
    return check_widths(top, c, error);
}

pld_status pld_dc_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_dc_config *config = target;
    *config = (pld_dc_config){.latent_channels = 32,
                              .head_size = 32,
                              .out_shortcut = true,
                              .in_shortcut = true,
                              .scaling_factor = 1};
    return read_fields(top, config, error);
}
