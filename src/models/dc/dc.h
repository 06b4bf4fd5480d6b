/* SPDX-License-Identifier: Apache-2.0 */
/** The deep compression autoencoder of SANA (Chen et al. 2024, arXiv 2410.10733): diffusers' AutoencoderDC. */
#ifndef PLD_MODELS_DC_H
#define PLD_MODELS_DC_H

#include "models/autoencoder.h"

enum { PLD_DC_MOST_LEVELS = 8, PLD_DC_MOST_SCALES = 4 };

/** The blocks of one resolution: residual ones, or EfficientViT's with linear attention. */
typedef struct pld_dc_level {
    int64_t width, layers;     /**< layers: 0 of the finest level means that there is none of it */
    bool attends;              /**< EfficientViTBlock, else ResBlock */
    pld_activation activation; /**< of residual blocks */
    int64_t scale_count;
    int64_t scales
        [PLD_DC_MOST_SCALES]; /**< of attention: sides of the filters beside the plain queries, keys and values */
} pld_dc_level;

/** config.json of an AutoencoderDC. */
typedef struct pld_dc_config {
    int64_t levels;
    pld_dc_level encoder[PLD_DC_MOST_LEVELS], decoder[PLD_DC_MOST_LEVELS]; /**< from the finest */
    int64_t latent_channels;
    int64_t head_size;         /**< attention_head_dim */
    bool unshuffles, shuffles; /**< pixels become channels on the way down, channels pixels on the way up */
    bool out_shortcut, in_shortcut; /**< of encoder and decoder: beside the convolution from and to latents */
    pld_activation last_activation; /**< before the decoder's last convolution */
    double scaling_factor;
} pld_dc_config;

/** A pld_json_reader that fills a pld_dc_config. */
pld_status pld_dc_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_autoencoder_build for a pld_dc_config. */
pld_status pld_dc_decoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error);
pld_status pld_dc_encoder_build(pld_plan *plan, const void *config, int64_t batch, int64_t height,
                                int64_t width, pld_autoencoder_values *values, pld_error *error);

/** Block number `index` of a level, at the builder's scope: x [B, h, w, width] → the same, in the place of x. */
pld_value_id pld_dc_block(pld_builder *b, const pld_dc_config *config, const pld_dc_level *level,
                          int64_t index, pld_value_id x);

pld_status pld_dc_describe(const pld_description *description, json_t **config, pld_error *error);

#endif
