/* SPDX-License-Identifier: Apache-2.0 */
/** config.json of diffusers' UNet2DConditionModel. */
#ifndef PLD_MODELS_UNET_CONFIG_H
#define PLD_MODELS_UNET_CONFIG_H

#include "io/json/read.h"

enum {
    PLD_UNET_MAX_LEVELS = 8,
    PLD_UNET_TIME_IDS =
        6 /**< original height and width, crop from the top and left, target height and width */
};

/** The block between the ways down and up: mid_block_type. */
typedef enum pld_unet_mid {
    PLD_UNET_MID_NONE,   /**< null: the way up begins where the way down ends */
    PLD_UNET_MID_RESNET, /**< UNetMidBlock2D, which inside a UNet2DConditionModel is one resnet */
    PLD_UNET_MID_ATTENDS /**< UNetMidBlock2DCrossAttn: resnet, transformer, resnet */
} pld_unet_mid;

/** Arrays are by level, from the finest: [levels]. */
typedef struct pld_unet_config {
    int64_t levels;
    int64_t in_channels, out_channels;
    int64_t widths[PLD_UNET_MAX_LEVELS];      /**< block_out_channels */
    bool down_attention[PLD_UNET_MAX_LEVELS]; /**< CrossAttnDownBlock2D */
    bool up_attention[PLD_UNET_MAX_LEVELS];   /**< CrossAttnUpBlock2D, from the coarsest: as up_block_types */
    pld_unet_mid mid;
    int64_t layers[PLD_UNET_MAX_LEVELS]; /**< layers_per_block */
    int64_t heads[PLD_UNET_MAX_LEVELS];  /**< attention_head_dim, which means a number of heads here */
    int64_t depths[PLD_UNET_MAX_LEVELS]; /**< transformer_layers_per_block */
    int64_t context_width;               /**< cross_attention_dim */
    int64_t groups;                      /**< norm_num_groups */
    double epsilon;                      /**< norm_eps; of resnets and conv_norm_out */
    bool linear_projection;              /**< use_linear_projection */
    bool flip_sin_to_cos;
    double frequency_shift; /**< freq_shift */
    int64_t sample_size;    /**< latent side the model was trained at; 0: not stated */
    /** addition_embed_type text_time (SDXL; Podell et al. 2023, arXiv 2307.01952, section 2.2): the pooled
     * text embedding and sinusoids of PLD_UNET_TIME_IDS numbers join the time embedding. Both are 0 without
     * it. */
    int64_t pooled_width;
    int64_t time_id_width; /**< addition_time_embed_dim: sinusoids of each number */
} pld_unet_config;

/** Read and check FILE. Fields that would change the result and are not implemented are
 * PLD_ERROR_UNSUPPORTED. */
pld_status pld_unet_config_read(const char *file, pld_unet_config *config, pld_error *error);

/** The same from a parsed document: a pld_json_reader that fills a pld_unet_config. */
pld_status pld_unet_config_parse(void *target, const pld_json *top, pld_error *error);

#endif
