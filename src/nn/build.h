/* SPDX-License-Identifier: Apache-2.0 */
/** Writing a network down: each function appends an operator to the plan and returns the value it makes.
 *
 *  Names are relative to the builder's scope (pld_scope_enter), and together they are diffusers' module
 * paths, which name the weights too. The first failure is kept in the builder; after it every function does
 * nothing and returns PLD_NO_VALUE, so that a network reads without error handling and is checked once at its
 * end.
 */
#ifndef PLD_NN_BUILD_H
#define PLD_NN_BUILD_H

#include "nn/plan.h"
#include "nn/row_groups.h"

typedef struct pld_builder {
    pld_plan *plan;
    const pld_row_sharing *sharing; /**< rows that are computed once while they are equal; NULL: none */
    char scope[PLD_PLAN_NAME];      /**< "down_blocks.0.resnets.1" or "" */
    int block_count; /**< blocks of a transformer that were begun; 0: it has none with numbers */
    pld_status status;
    pld_error *error;
} pld_builder;

/** How a convolution reads beyond the edge: rows above and columns left, rows below and columns right. */
typedef struct pld_conv_geometry {
    int64_t kernel, stride, pad_before, pad_after;
} pld_conv_geometry;

#define PLD_CONV_3X3 ((pld_conv_geometry){3, 1, 1, 1})

void pld_builder_init(pld_builder *b, pld_plan *plan, pld_error *error);

/** Go into a module, "resnets.%d"; give back what pld_scope_leave needs. */
size_t pld_scope_enter(pld_builder *b, const char *format, ...) PLD_PRINTF(2, 3);
void pld_scope_leave(pld_builder *b, size_t mark);

/** A value that the caller fills: [batch, height, width, channels]; a row for each group where rows are
 * shared. */
pld_value_id pld_input(pld_builder *b, int64_t batch, int64_t height, int64_t width, int64_t channels);
/** Keep a value's memory to itself, so that it can be read after the run. */
void pld_keep(pld_builder *b, pld_value_id x);

/** What is computed with a linear layer or convolution, without a map of its own. Begin with PLD_BIAS, PLD_NO_BIAS or one of
 * the functions below. */
typedef struct pld_product_options {
    bool bias;
    pld_value_id residual; /**< [as the output], added */
    bool into_residual;    /**< the output takes the residual's place */
    pld_slice
        gate; /**< with into_residual: [channels], of each picture, by which what is added is multiplied first */
    /* of linear layers */
    bool f32; /**< in float32 also where a run has products of another type */
    bool
        above_8_bit; /**< of convolutions, too: never in 8 bits, as the first and the last layer of a network */
    bool narrow;     /**< to fewer channels, in the place of x where nothing reads x after it */
    bool glu;        /**< a layer to 2·channels (a, b), of which a·act(b) is taken */
    pld_activation activation;
    const char *
        gate_name; /**< b is a layer of this name, with a weight and without bias, as a is then, too; NULL: (a, b) are
                                columns of one weight */
    bool gate_first; /**< they are (b, a) there */
    int64_t row,
        all_rows; /**< without bias: the weight has `all_rows` rows, of which the layer's begin at `row`; 0 and 0:
                              it has the layer's alone */
    const int64_t *
        stored; /**< four axes as which the weight is stored, whose product is [channels, C]; NULL: those two */
    int64_t
        groups; /**< of the channels of x and of the output, each of which is a layer of its own, without bias: the
                                   weight is [channels, C/groups]; 0: all are one */
    /* of convolutions */
    int64_t
        steps; /**< the weight is that of a causal convolution over so many frames, [channels, C, steps, kernel,
                                   kernel], of which one frame sees the last step; 0: it is not */
    /* of 3×3 convolutions of stride 1 */
    pld_value_id factors; /**< of pld_group_norm_factors: the input is normalised, then SiLU */
    const char *norm;     /**< an RMS norm of the input, whose weight has this name, then SiLU; NULL: none */
    double norm_epsilon;
    bool silu;             /**< SiLU of the input */
    pld_value_id vector;   /**< [B, 1, channels], added to every pixel */
    int64_t height, width; /**< the input is enlarged to this first (nearest); 0: not */
} pld_product_options;

#define PLD_BIAS                                                                                             \
    ((pld_product_options){.bias = true,                                                                     \
                           .residual = PLD_NO_VALUE,                                                         \
                           .gate = PLD_NO_SLICE,                                                             \
                           .factors = PLD_NO_VALUE,                                                          \
                           .vector = PLD_NO_VALUE})
#define PLD_NO_BIAS pld_with_bias(PLD_BIAS, false)

static inline pld_product_options pld_with_bias(pld_product_options options, bool bias) {
    options.bias = bias;
    return options;
}

/** residual + the product. */
static inline pld_product_options pld_plus(pld_value_id residual) {
    pld_product_options options = PLD_BIAS;
    options.residual = residual;
    return options;
}

/** into += the product; what the layer returns is `into`. */
static inline pld_product_options pld_into(pld_value_id into, bool bias) {
    pld_product_options options = pld_with_bias(pld_plus(into), bias);
    options.into_residual = true;
    return options;
}

/** into += gate·the product. */
static inline pld_product_options pld_gated_into(pld_value_id into, pld_slice gate) {
    pld_product_options options = pld_into(into, true);
    options.gate = gate;
    return options;
}

/** In float32, whatever the run's type is. */
static inline pld_product_options pld_in_f32(bool bias) {
    pld_product_options options = pld_with_bias(PLD_BIAS, bias);
    options.f32 = true;
    return options;
}

/** `options` of the first or the last layer of a network. */
static inline pld_product_options pld_at_an_end(pld_product_options options) {
    options.above_8_bit = true;
    return options;
}

/** The layer of a fused weight whose rows begin at `row` of its `all_rows`. */
static inline pld_product_options pld_rows_of_weight(int64_t row, int64_t all_rows) {
    pld_product_options options = pld_with_bias(PLD_BIAS, false);
    options.row = row;
    options.all_rows = all_rows;
    return options;
}

/** `options` of a gated unit without bias whose weight has the columns (b, a), a·silu(b): SwiGLU, fused. */
static inline pld_product_options pld_swiglu(pld_product_options options) {
    options.bias = false;
    options.glu = options.gate_first = true;
    options.activation = PLD_SILU;
    return options;
}

/** Diffusers' GEGLU: the columns (a, b) of one weight, a·gelu(b). */
static inline pld_product_options pld_geglu(void) {
    pld_product_options options = PLD_BIAS;
    options.glu = true;
    options.activation = PLD_GELU;
    return options;
}

/** A gated unit of two weights without biases, x·NAMEᵀ · act(x·gateᵀ): T5's wi_1 and wi_0, SwiGLU's up_proj and
 * gate_proj. */
static inline pld_product_options pld_gated_by(const char *gate, pld_activation activation) {
    pld_product_options options = PLD_NO_BIAS;
    options.glu = true;
    options.activation = activation;
    options.gate_name = gate;
    return options;
}

/** [.., C] → [.., channels] with weight NAME.weight [channels, C]. */
pld_value_id pld_linear(pld_builder *b, const char *name, pld_value_id x, int64_t channels,
                        pld_product_options options);
/** [B, h, w, C] → [B, h', w', channels] with weight NAME.weight [channels, C, kernel, kernel]. */
pld_value_id pld_conv(pld_builder *b, const char *name, pld_value_id x, int64_t channels,
                      pld_conv_geometry geometry, pld_product_options options);
/** A tensor of the builder's scope that the network does not read. */
void pld_pass_over(pld_builder *b, const char *name);

pld_value_id pld_group_norm_of(pld_builder *b, const char *name, pld_value_id x, int64_t groups,
                               double epsilon, bool silu);
/** What a group norm multiplies and adds, [B, 2, 1, C]: scale, then shift. */
pld_value_id pld_group_norm_factors(pld_builder *b, const char *name, pld_value_id x, int64_t groups,
                                    double epsilon);
pld_value_id pld_layer_norm(pld_builder *b, const char *name, pld_value_id x, double epsilon);
/** RMS norm with a weight (Zhang & Sennrich 2019, arXiv 1910.07467). */
pld_value_id pld_rms_norm(pld_builder *b, const char *name, pld_value_id x, double epsilon);

typedef struct pld_rms_norm_options {
    bool plus_one;      /**< the weight is stored less one, as Gemma's */
    pld_value_id into;  /**< [as x], to which the norm is added; PLD_NO_VALUE: it makes a value of its own */
    const char *weight; /**< how the name of the weight ends, ".gamma"; NULL: ".weight" */
    bool bias;          /**< NAME.bias is added */
    bool activated;     /**< `activation` follows */
    pld_activation activation;
    pld_slice scale; /**< ·(1 + scale) after it, [C] of every picture; PLD_NO_SLICE: nothing */
    pld_slice gate;  /**< ·tanh(gate) after that, likewise */
} pld_rms_norm_options;

#define PLD_RMS_NORM                                                                                         \
    ((pld_rms_norm_options){.into = PLD_NO_VALUE, .scale = PLD_NO_SLICE, .gate = PLD_NO_SLICE})

pld_value_id pld_rms_norm_with(pld_builder *b, const char *name, pld_value_id x, double epsilon,
                               pld_rms_norm_options options);
/** Layer norm without weights, then ·(1 + scale) + shift, [C] each of every picture: adaptive layer norm (Peebles & Xie
 * 2023, arXiv 2212.09748). PLD_NO_SLICE: no shift. */
pld_value_id pld_layer_norm_modulated(pld_builder *b, pld_value_id x, double epsilon, pld_slice scale,
                                      pld_slice shift);
/** x·act(second), in the place of x; returns x. */
pld_value_id pld_gate_with(pld_builder *b, pld_value_id x, pld_value_id second, pld_activation activation);
/** x [B, 1, C] or [B, 1, rows·C] plus a weight NAME [rows, C] → [B, rows, C]. */
pld_value_id pld_add_table(pld_builder *b, const char *name, pld_value_id x, int64_t rows, int64_t channels);
/** The numbers of each row of x from `offset` on, as [B, height, width, channels]. */
pld_value_id pld_take(pld_builder *b, pld_value_id x, int64_t offset, int64_t height, int64_t width,
                      int64_t channels);
/** The channels of each token of x from `first` on → [B, T, channels]. */
pld_value_id pld_take_channels(pld_builder *b, pld_value_id x, int64_t first, int64_t channels);
/** x [B, T, C] += a table [T, C] that `fill` makes of its description (a struct of at most 64 bytes that holds no
 * pointers), once; returns x. */
pld_value_id pld_add_positions(pld_builder *b, pld_value_id x,
                               void (*fill)(const void *description, float *table), const void *description,
                               size_t description_bytes);
/** x [B, h, w, C] += the h × w rows in the middle of a weight NAME [1, side·side, C], the places of a square; returns x. */
pld_value_id pld_add_middle(pld_builder *b, const char *name, pld_value_id x, int64_t side);
/** x [B, h, w, C] → [B, h/p, w/p, C·p·p]: a token is a patch [p, p, C] with `channels_inner`, else [C, p, p]. */
pld_value_id pld_patchify_as(pld_builder *b, pld_value_id x, int patch, bool channels_inner);
/** The same of patches [C, p, p]. */
pld_value_id pld_patchify(pld_builder *b, pld_value_id x, int patch);
/** x [B, h, w, C] in patches of p × p through a convolution of that kernel and stride → [B, h/p, w/p, channels]. */
pld_value_id pld_patch_embed(pld_builder *b, const char *name, pld_value_id x, int64_t channels, int patch);
/** x [B, h, w, p·p·channels] → [B, h·p, w·p, channels]; a token is [p, p, channels] with `channels_inner`, else
 * [channels, p, p]. */
pld_value_id pld_unpatchify(pld_builder *b, pld_value_id x, int64_t channels, int patch, bool channels_inner);
/** residual (PLD_NO_VALUE: nothing) + x [B, h, w, C], each channel repeated until there are factor²·channels of them,
 * which are opened into pixels → [B, factor·h, factor·w, channels], in the residual's place. */
pld_value_id pld_pixel_shuffle(pld_builder *b, pld_value_id x, int64_t factor, int64_t channels,
                               pld_value_id residual);
/** The other way: pixels of x become channels, of which `channels` means of neighbours are taken. */
pld_value_id pld_pixel_unshuffle(pld_builder *b, pld_value_id x, int64_t factor, int64_t channels,
                                 pld_value_id residual);
/** T5's biases of logits for texts of so many tokens, from a weight NAME.weight [buckets, heads]. */
pld_value_id pld_relative_bias(pld_builder *b, const char *name, int64_t tokens, int64_t buckets,
                               int64_t most_distance, int64_t heads);
/** A 3×3 filter NAME.weight [C, 1, 3, 3] for each channel of x [B, h, w, C], with bias → [B, h, w, C]; gated: of its
 * channels (a, b) a·silu(b) → [B, h, w, C/2]. */
pld_value_id pld_depthwise_conv(pld_builder *b, const char *name, pld_value_id x, bool gated);
/** Filters NAME.weight [C, 1, side, side] of a side of 3 or 5, neither with bias nor gated. */
pld_value_id pld_depthwise_plain(pld_builder *b, const char *name, pld_value_id x, int64_t side);
/** In place; returns x. */
pld_value_id pld_activate(pld_builder *b, pld_value_id x, pld_activation activation);
/** Attention at a new site of the builder's scope. The result is [B, T, heads·d]. */
pld_value_id pld_attend(pld_builder *b, pld_attention_description description);

/** Attention over the tokens of query [B, T, heads·d] among themselves. */
static inline pld_attention_description pld_self_attention(pld_value_id query, pld_value_id key,
                                                           pld_value_id value, int64_t heads) {
    pld_attention_description description = PLD_ATTENTION;
    description.kind = PLD_SITE_SELF;
    description.query = query;
    description.key = key;
    description.value = value;
    description.heads = (int)heads;
    return description;
}

/** The same without softmax. */
static inline pld_attention_description pld_linear_self_attention(pld_value_id query, pld_value_id key,
                                                                  pld_value_id value, int64_t heads) {
    pld_attention_description description = pld_self_attention(query, key, value, heads);
    description.kind = PLD_SITE_LINEAR;
    return description;
}

/** Likewise, of x [B, T, heads, 3, d]: of each head query, key and value beside each other. */
static inline pld_attention_description pld_linear_interleaved_attention(pld_value_id x, int64_t heads) {
    pld_attention_description description = pld_linear_self_attention(x, x, x, heads);
    description.interleaved = true;
    return description;
}

/** Attention of query [B, T, heads·d] to the text's keys and values [tokens, heads·d], which come from outside. */
static inline pld_attention_description pld_cross_attention(pld_value_id query, int64_t heads) {
    pld_attention_description description = pld_self_attention(query, PLD_NO_VALUE, PLD_NO_VALUE, heads);
    description.kind = PLD_SITE_CROSS;
    return description;
}

/** How queries or keys are prepared for attention. */
typedef struct pld_rotation_options {
    int64_t heads;
    const char *norm; /**< name of an RMS norm's weight before the rotation: [head_size]; NULL: none */
    bool norm_of_all; /**< the norm goes over all heads together, and the weight is [heads·head_size] */
    double epsilon;
    int64_t width; /**< numbers of each head that turn (Su et al. 2021, arXiv 2104.09864), even; 0: none */
    bool halves;   /**< number i turns with i + width/2, as in Qwen; else 2i with 2i + 1, as in FLUX */
    /** Fill [2, T, width/2], cosines and then sines of each token's angles, by a description (a struct of at most 64 bytes
     * that holds no pointers). */
    void (*fill)(const void *description, float *table);
    const void *description;
    size_t description_bytes;
} pld_rotation_options;

/** Norm and rotation of the heads of x [B, T, heads·head_size], in its place; returns x. */
pld_value_id pld_rotate_heads(pld_builder *b, pld_value_id x, const pld_rotation_options *options);
pld_value_id pld_concat(pld_builder *b, pld_value_id x, pld_value_id second);
/** The tokens of x, and behind them those of `second`, of as many rows and channels → [B, T, C]. */
pld_value_id pld_concat_tokens(pld_builder *b, pld_value_id x, pld_value_id second);
/** The tokens of x, and behind them `count` times a learned one, the weight NAME [1, C] → [B, T + count, C]. With a count of 0
 * that is x. */
pld_value_id pld_pad_tokens(pld_builder *b, const char *name, pld_value_id x, int64_t count);
/** x with `count` more channels of zeros behind its own. */
pld_value_id pld_zero_channels(pld_builder *b, pld_value_id x, int64_t count);
/** FreeU of up block `stage` (0 or 1) on a backbone and the skip that is about to join it; both in place. */
void pld_freeu(pld_builder *b, pld_value_id x, pld_value_id skip, int stage);
pld_value_id pld_upsample(pld_builder *b, pld_value_id x, int64_t height, int64_t width);
pld_value_id pld_copy(pld_builder *b, pld_value_id x);
/** x with a row for each that `other` has, whose rows have parted as far or further: x itself, or a copy. */
pld_value_id pld_rows_like(pld_builder *b, pld_value_id x, pld_value_id other);
/** x, of the picture's tokens where the text's are another value, with the rows that those have after the last site
 * (pld_row_sharing.picture_groups): x itself, or a copy without rows that are equal. */
pld_value_id pld_rows_of_pictures(pld_builder *b, pld_value_id x);
/** x with the rows of `other`, of which some may be one where x has two that are equal: x itself, or a copy. */
pld_value_id pld_rows_as(pld_builder *b, pld_value_id x, pld_value_id other);
/** At the beginning of a block: x without the rows that leave it out, as a value of its own; x itself where none does. */
pld_value_id pld_rows_inside(pld_builder *b, pld_value_id x);
/** Behind a block: x, and of `before` the rows that left it out; x itself where none did. */
pld_value_id pld_rows_rejoined(pld_builder *b, pld_value_id x, pld_value_id before);
/** Token ids of the run → [B, T, channels], token plus position embedding; `positions` NULL: without. */
pld_value_id pld_embed(pld_builder *b, const char *tokens, const char *positions, int64_t batch,
                       int64_t count, int64_t vocabulary, int64_t channels);
/** The same without positions, times a scale. */
pld_value_id pld_embed_scaled(pld_builder *b, const char *tokens, double scale, int64_t batch, int64_t count,
                              int64_t vocabulary, int64_t channels);
/** Timesteps of the run → sinusoids [B, 1, channels]. */
pld_value_id pld_timestep(pld_builder *b, int64_t batch, int64_t channels, bool flip_sin_to_cos,
                          double shift);
/** The same of the timesteps times a number, in float32, cosines first. */
pld_value_id pld_timestep_scaled(pld_builder *b, int64_t batch, int64_t channels, double scale);
/** x [B, 1, C] += a value [C] from outside, each row's own, in place; returns x. */
pld_value_id pld_add_outside(pld_builder *b, pld_value_id x);
/** A value [tokens, channels] from outside, each row's own → [B, tokens, channels], which the plan may change. */
pld_value_id pld_take_outside(pld_builder *b, int64_t batch, int64_t tokens, int64_t channels);
/** Keep a value for another plan, which takes it as a value from outside. The order of offers and that in which they are
 * taken are the same. */
void pld_offer(pld_builder *b, pld_value_id x);
/** x [B, T, C] → [B, 1, C]: each text's state at its first id `token`, or at its largest id (PLD_LARGEST_ID).
 */
pld_value_id pld_pool(pld_builder *b, pld_value_id x, int32_t token);
/** Show a value to whoever watches the run, under a name that stands by itself. */
void pld_tap(pld_builder *b, const char *name, pld_value_id x);

#endif
