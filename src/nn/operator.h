/* SPDX-License-Identifier: Apache-2.0 */
/** What an operator computes, described: its kind, the values that it reads and writes, its numbers and weights by name.
 * How it is computed is a backend's matter.
 *
 *  A kind is an enumerator, a row of the table in operator_kinds.c, and a member of the union unless `in` and `out` say all.
 */
#ifndef PLD_NN_OPERATOR_H
#define PLD_NN_OPERATOR_H

#include "nn/attention_description.h"
#include "nn/parameters.h"
#include "nn/value.h"

enum { PLD_PLAN_NAME = 96 };

typedef enum pld_operator_kind {
    PLD_OPERATOR_LINEAR,             /**< in [.., C] → out [.., N], or out += */
    PLD_OPERATOR_CONV,               /**< likewise, NHWC */
    PLD_OPERATOR_GROUP_NORM,         /**< over each picture's tokens, SiLU if asked */
    PLD_OPERATOR_GROUP_NORM_FACTORS, /**< its scale and shift alone, [B, 2, 1, C] */
    PLD_OPERATOR_LAYER_NORM,         /**< over channels */
    PLD_OPERATOR_RMS_NORM,           /**< likewise */
    PLD_OPERATOR_ROTATION,           /**< heads of queries or keys: an RMS norm and a rotation, in place */
    PLD_OPERATOR_ACTIVATION,         /**< out = act(in), in place */
    PLD_OPERATOR_GATE,               /**< out = in·act(second), in the place of in */
    PLD_OPERATOR_GATED_ADD,          /**< out += gate·in */
    PLD_OPERATOR_ATTENTION,          /**< in is the query */
    PLD_OPERATOR_LINEAR_ATTENTION,   /**< likewise, of kind linear */
    PLD_OPERATOR_DEPTHWISE,          /**< a filter for each channel of in [B, h, w, C] → out, NHWC */
    PLD_OPERATOR_CONCAT,             /**< channels of in, then of second, or zeros */
    PLD_OPERATOR_CONCAT_TOKENS,      /**< tokens of in, then of second */
    PLD_OPERATOR_PAD_TOKENS,         /**< tokens of in, then a learned one [1, C], repeated */
    PLD_OPERATOR_UPSAMPLE,           /**< nearest, to the size of out */
    PLD_OPERATOR_COPY,               /**< out = in */
    PLD_OPERATOR_COPY_ROWS,          /**< each row of out = the row of its group in `in` */
    PLD_OPERATOR_JOIN_ROWS, /**< each row of out = the row of its group in `in`, or where there is none in second */
    PLD_OPERATOR_TAKE,            /**< out = numbers of each row of in */
    PLD_OPERATOR_TAKE_CHANNELS,   /**< out = channels of each token of in */
    PLD_OPERATOR_PATCHIFY,        /**< in [B, h, w, C] → out [B, h/p, w/p, p²·C] */
    PLD_OPERATOR_UNPATCHIFY,      /**< the other way */
    PLD_OPERATOR_PIXEL_SHUFFLE,   /**< in [B, h, w, C] → out [B, f·h, f·w, N], channels repeated before */
    PLD_OPERATOR_PIXEL_UNSHUFFLE, /**< in [B, f·h, f·w, C] → out [B, h, w, N], means of channels after */
    PLD_OPERATOR_EMBED,           /**< ids of the run → rows of a table, plus positions */
    PLD_OPERATOR_TIMESTEP,        /**< timesteps of the run → sinusoids [B, 1, C] */
    PLD_OPERATOR_ADD_TABLE,       /**< out [B, rows, 1, C] = in, repeated, + weight [rows, C] */
    PLD_OPERATOR_ADD_CONSTANT,    /**< out [B, T, C] += a constant [T, C] */
    PLD_OPERATOR_ADD_MIDDLE,      /**< out [B, h, w, C] += the middle of a weight [1, side², C] */
    PLD_OPERATOR_ADD_OUTSIDE,     /**< out [B, 1, C] += a value from outside */
    PLD_OPERATOR_TAKE_OUTSIDE,    /**< out [B, T, C] = a value from outside */
    PLD_OPERATOR_RELATIVE_BIAS,   /**< T5's biases of logits, out [1, heads, 1, 2·T − 1] */
    PLD_OPERATOR_POOL,            /**< in [B, T, C] → out [B, 1, C], by the run's ids */
    PLD_OPERATOR_FREEU,           /**< changes in and skip, if the run asks for it */
    PLD_OPERATOR_TAP,             /**< shows in to the observer */
    PLD_OPERATOR_KINDS
} pld_operator_kind;

typedef enum pld_activation { PLD_SILU, PLD_GELU, PLD_GELU_TANH, PLD_QUICK_GELU, PLD_RELU } pld_activation;

/** A convolution out [B, Ho, Wo, N] of x [B, H, W, C] with weight [N, C, kernel, kernel], or, with kernel 0,
 * a linear layer: rows [B·H·W, C] times weight [N, C] transposed. */
typedef struct pld_product_problem {
    int64_t batch, height, width, in_channels; /**< H, W: after it was enlarged to them (nearest) */
    int64_t out_height, out_width, out_channels;
    int64_t kernel; /**< 0: linear */
    int64_t stride;
    int64_t pad_before, pad_after; /**< rows above and columns left; rows below and columns right */
    int64_t groups; /**< of as many channels each, which know nothing of each other; 0: all are one */
} pld_product_problem;

/** A gated linear unit (Shazeer 2020, arXiv 2002.05202): of the product's 2·N channels (a, b) a·act(b). */
typedef struct pld_glu {
    bool on;
    pld_activation activation;
    pld_parameter *gate; /**< [N, C] of b, where it has a weight of its own; NULL: (a, b) are halves of one */
    bool gate_first;     /**< the halves of one weight are (b, a) */
} pld_glu;

typedef struct pld_product {
    pld_product_problem problem;  /**< with a gated unit out_channels are twice those of out */
    pld_parameter *weight, *bias; /**< bias: NULL where there is none */
    int64_t first_row;    /**< of the weight with which that of the product begins: 0 unless it is fused */
    pld_value_id factors; /**< [B, 2, 1, C]: scale and shift of the input, SiLU after them */
    pld_parameter *norm;  /**< [C]: an RMS norm of the input's pixels, SiLU after it; NULL: none */
    float norm_epsilon;
    bool silu;             /**< SiLU of the input alone */
    pld_value_id vector;   /**< [B, 1, 1, N], added to every pixel */
    pld_value_id residual; /**< [as out], added last; may be out */
    pld_slice gate;        /**< factors [N] of what is added to the residual */
    pld_glu glu;
    bool f32;         /**< whatever the run's type is */
    bool above_8_bit; /**< never in 8 bits */
} pld_product;

typedef struct pld_norm {
    pld_parameter *weight, *bias; /**< [C]; NULL: none */
    float epsilon;
    int64_t groups; /**< of a group norm */
    bool silu;      /**< of a group norm: after it */
    bool plus_one;  /**< of an RMS norm: the weight is stored less one */
    pld_slice scale,
        shift;      /**< [C] of a norm of tokens: ·(1 + scale) + shift after it; an RMS norm has no shift */
    pld_slice gate; /**< [C] of an RMS norm: ·tanh(gate) after it, before it is added */
    pld_value_id residual; /**< of an RMS norm: out, to which it is added; PLD_NO_VALUE: it is not */
    bool activated;        /**< of an RMS norm: `activation` after it, before it is added */
    pld_activation activation;
} pld_norm;

/** Over which numbers of a row the norm of heads goes. */
typedef enum pld_heads_norm { PLD_HEADS_NORM_NONE, PLD_HEADS_NORM_EACH, PLD_HEADS_NORM_ALL } pld_heads_norm;

/** x [B, T, heads·head_size] on its way to attention. */
typedef struct pld_rotation {
    int heads;
    pld_heads_norm norm;   /**< an RMS norm before the rotation, of each head or of all together */
    pld_parameter *weight; /**< of the norm: [head_size], or [heads·head_size] */
    float epsilon;
    int64_t width; /**< numbers of each head that turn, by the token's angles; 0: none */
    bool halves;   /**< number i turns with i + width/2; else 2i with 2i + 1 */
    int constant;  /**< index into plan->constants: [2, T, width/2], cosines and then sines */
} pld_rotation;

/** A filter for each channel, zeros past the edges. */
typedef struct pld_depthwise_filters {
    pld_parameter *weight, *bias; /**< [C, 1, side, side], [C] or NULL */
    int64_t side;                 /**< 3 or 5 */
    bool gated;                   /**< of the channels (a, b) a·silu(b): out has half of them */
} pld_depthwise_filters;

typedef struct pld_gate_description {
    pld_value_id second;
    pld_activation activation;
} pld_gate_description;

typedef struct pld_patches_description {
    int patch;           /**< side of a patch */
    bool channels_inner; /**< a patch is [p, p, channels], else [channels, p, p] */
} pld_patches_description;

typedef struct pld_embedding {
    pld_parameter *tokens;    /**< [vocabulary, C] */
    float scale;              /**< of its rows; 0: none */
    pld_parameter *positions; /**< [T, C]; NULL: none */
} pld_embedding;

typedef struct pld_timestep_embedding {
    bool flip_sin_to_cos; /**< cosine first */
    float shift;          /**< downscale_freq_shift */
    float scale;          /**< of the timesteps; 0: none */
} pld_timestep_embedding;

/** A table of a square of places, of which a picture takes those in the middle. */
typedef struct pld_square_table {
    pld_parameter *weight; /**< [1, side·side, C] */
    int64_t side;
} pld_square_table;

typedef struct pld_relative_positions {
    pld_parameter *weight; /**< [buckets, heads] */
    int64_t buckets, most_distance;
} pld_relative_positions;

typedef struct pld_skip_scaling {
    pld_value_id skip;
    int stage; /**< up block 0 or 1 */
} pld_skip_scaling;

/** As the token of a pool: the largest id of a text, whatever it is. */
enum { PLD_LARGEST_ID = -1 };

typedef struct pld_operator {
    pld_operator_kind kind;
    char name[PLD_PLAN_NAME]; /**< module path as in diffusers, "down_blocks.0.resnets.1.conv1" */
    const char *label;        /**< for profiles: the kind's, attentions told apart as "self_attention" */
    pld_value_id in, out;     /**< PLD_NO_VALUE where there is none; the same where it works in place */
    union {
        pld_product product; /**< of LINEAR, CONV */
        pld_norm norm;
        pld_rotation rotation;
        pld_activation activation;
        pld_gate_description gate;
        pld_slice gated;                  /**< of GATED_ADD: the gate [C] */
        pld_attention_operator attention; /**< of ATTENTION, LINEAR_ATTENTION */
        pld_depthwise_filters depthwise;
        pld_value_id second; /**< of CONCAT (PLD_NO_VALUE: zeros), CONCAT_TOKENS, JOIN_ROWS */
        int64_t first; /**< of TAKE, TAKE_CHANNELS: the number of each row or token with which out begins */
        pld_patches_description patches; /**< of PATCHIFY, UNPATCHIFY */
        pld_value_id residual; /**< of PIXEL_SHUFFLE, PIXEL_UNSHUFFLE: added; PLD_NO_VALUE: nothing */
        pld_embedding embedding;
        pld_timestep_embedding timestep;
        pld_parameter *table;    /**< of ADD_TABLE: [rows, C]; of PAD_TOKENS: [1, C] */
        int constant;            /**< of ADD_CONSTANT: index into plan->constants */
        pld_square_table square; /**< of ADD_MIDDLE */
        int outside;             /**< of ADD_OUTSIDE, TAKE_OUTSIDE: number of the value */
        pld_relative_positions positions;
        int32_t token; /**< of POOL: the id whose state is taken, or PLD_LARGEST_ID */
        pld_skip_scaling freeu;
    };
} pld_operator;

typedef enum pld_value_access { PLD_READS = 1, PLD_WRITES = 2, PLD_CHANGES = 3 } pld_value_access;

/** Where an operator of a kind names a value. */
typedef struct pld_value_slot {
    const char *name;
    size_t offset; /**< of the pld_value_id in pld_operator */
    pld_value_access access;
} pld_value_slot;

enum { PLD_MOST_SLOTS = 8 };

struct pld_plan;

/** What is known of a kind. */
typedef struct pld_operator_kind_facts {
    const char *name;                     /**< for profiles: "conv", "linear", "attention" */
    pld_value_slot slots[PLD_MOST_SLOTS]; /**< those without a name are none */
    /** What is wrong with the shapes of an operator, or NULL. `plan` is a pld_plan. */
    const char *(*misfit)(const struct pld_plan *plan, const pld_operator *op);
} pld_operator_kind_facts;

/** [PLD_OPERATOR_KINDS] */
extern const pld_operator_kind_facts pld_operator_kinds[];

/** The value in a slot; PLD_NO_VALUE where the operator has none. */
static inline pld_value_id pld_slot_value(const pld_operator *op, const pld_value_slot *slot) {
    return *(const pld_value_id *)(const void *)((const char *)op + slot->offset);
}

/** An operator of a kind that names no values yet, and whose numbers are 0. */
pld_operator pld_operator_of(pld_operator_kind kind);

/** How an operator uses a value: PLD_READS and PLD_WRITES of all its slots together; 0: not. */
unsigned pld_operator_access(const pld_operator *op, pld_value_id id);

/** Tokens of the text that each row of a batch attends to; NULL rows: nothing is known, texts have one. */
typedef struct pld_text_lengths {
    const int64_t *of_row;
} pld_text_lengths;

/** Multiplications and additions of an operator's products, 0 where there are none. */
double pld_operator_work(const struct pld_plan *plan, const pld_operator *op, pld_text_lengths texts);

/** Shapes of what an operator reads and writes, as text into `text`, which is returned. */
const char *pld_operator_shape(const struct pld_plan *plan, const pld_operator *op, pld_text_lengths texts,
                               char *text, size_t size);

#endif
