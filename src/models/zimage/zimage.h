/* SPDX-License-Identifier: Apache-2.0 */
/** The denoiser of Z-Image, diffusers' ZImageTransformer2DModel (Z-Image Team 2025, arXiv 2511.22699), in the manner of
 *  Lumina-Image 2.0 (Qin et al. 2025, arXiv 2503.21758): tokens of the picture and of its caption, refined by blocks of
 *  their own first, are one stream through all further blocks, whose attention is joint. Either kind is filled up with a learned
 *  token to a multiple of 32, which counts like any other. */
#ifndef PLD_MODELS_ZIMAGE_H
#define PLD_MODELS_ZIMAGE_H

#include "models/denoiser.h"

enum {
    PLD_ZIMAGE_AXES =
        3, /**< of a token's place: one that counts the caption and then the picture, row, column */
    PLD_ZIMAGE_PATCH = 2,     /**< side of the patch of latents that is a token */
    PLD_ZIMAGE_MULTIPLE = 32, /**< of which the numbers of tokens of caption and picture are multiples */
    PLD_ZIMAGE_SINUSOIDS = 256,
    PLD_ZIMAGE_TIME_WIDTH = 1024, /**< inside the embedding of the timestep */
    PLD_ZIMAGE_TIME_MOST = 256    /**< width of that embedding, unless the network's is smaller */
};

/** config.json of a ZImageTransformer2DModel. */
typedef struct pld_zimage_config {
    int64_t channels;              /**< in_channels: of the latents */
    int64_t width;                 /**< dim */
    int64_t heads;                 /**< n_heads */
    int64_t layers;                /**< n_layers: blocks of both kinds of tokens */
    int64_t refiners;              /**< n_refiner_layers: blocks of either kind in front of those */
    int64_t text_width;            /**< cap_feat_dim: of the text states */
    double epsilon;                /**< norm_eps: of the norms of tokens */
    double theta;                  /**< rope_theta */
    double time_scale;             /**< t_scale: by which the time, 0 to 1, is multiplied */
    int64_t axes[PLD_ZIMAGE_AXES]; /**< axes_dims: numbers of a head that turn with each axis */
} pld_zimage_config;

/** A number of tokens, filled up. */
static inline int64_t pld_zimage_filled(int64_t tokens) {
    return (tokens + PLD_ZIMAGE_MULTIPLE - 1) / PLD_ZIMAGE_MULTIPLE * PLD_ZIMAGE_MULTIPLE;
}

static inline int64_t pld_zimage_time_width(const pld_zimage_config *c) {
    return c->width < PLD_ZIMAGE_TIME_MOST ? c->width : PLD_ZIMAGE_TIME_MOST;
}

/** Which tokens a block reads, and so where they stand: `image` tokens, filled up, of which the first are a picture of
 * rows · columns; then `text` tokens of a caption, filled up. Where there are no image tokens it is a caption alone, and where
 * `image_only` is set the caption's are left out. */
typedef struct pld_zimage_tokens {
    int64_t image, rows, columns;
    int64_t text;
    bool image_only;
} pld_zimage_tokens;

/** A block NAME over x [B, T, width], in its place; returns x, whose rows may have parted in its attention.
 *
 *      x += tanh(gate)·norm2(attention((1 + scale)·norm1(x))), then likewise with a gated feed-forward layer
 *
 * `time` [B, 1, time width] gives scales and gates; PLD_NO_VALUE: there are none. Attention is joint where there are tokens of
 * both kinds. */
pld_value_id pld_zimage_block(pld_builder *b, const pld_zimage_config *c, const char *name, pld_value_id x,
                              pld_value_id time, const pld_zimage_tokens *tokens);

/** Norm NAME of the heads of queries or keys x, and their rotation by the places of the tokens. Returns x. */
pld_value_id pld_zimage_rotate(pld_builder *b, const pld_zimage_config *c, const char *norm, pld_value_id x,
                               const pld_zimage_tokens *tokens);

/** A pld_json_reader that fills a pld_zimage_config. */
pld_status pld_zimage_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_denoiser.build */
pld_status pld_zimage_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                            pld_denoiser_values *values, pld_error *error);

/** pld_denoiser.condition: the caption's tokens as they enter the first block of both kinds. */
pld_status pld_zimage_condition_build(pld_plan *plan, const void *config,
                                      const pld_condition_request *request, pld_condition_values *values,
                                      pld_error *error);

#endif
