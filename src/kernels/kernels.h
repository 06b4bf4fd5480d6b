/* SPDX-License-Identifier: Apache-2.0 */
/** Every computing kernel of the library, as a table of function pointers.
 *
 * One list (PLD_KERNEL_LIST) makes the table, its scalar and its vector versions, the tests and the benches.
 * The scalar C is the specification. Kernels take raw pointers, run on the calling thread, allocate nothing
 * and never fail; arrays are dense and float32 unless said, activations token-major [tokens, channels]. `out`
 * may be the very same array as an input of the same shape where "in place" is written, and overlaps nothing
 * else.
 */
#ifndef PLD_KERNELS_KERNELS_H
#define PLD_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"

/** Instruction sets, weakest first: X(enumerator, symbol, name for people). */
#define PLD_ISA_LIST(X)                                                                                      \
    X(PLD_ISA_SCALAR, scalar, "scalar")                                                                      \
    X(PLD_ISA_AVX2, avx2, "avx2")                                                                            \
    X(PLD_ISA_AVXVNNI, avxvnni, "avxvnni")                                                                   \
    X(PLD_ISA_AVX512, avx512, "avx512")                                                                      \
    X(PLD_ISA_AVX512VNNI, avx512vnni, "avx512vnni")                                                          \
    X(PLD_ISA_AVX512BF16, avx512bf16, "avx512bf16")                                                          \
    X(PLD_ISA_AMX, amx, "amx")

typedef enum pld_isa {
#define PLD_ISA_ENUM(enumerator, symbol, text) enumerator,
    PLD_ISA_LIST(PLD_ISA_ENUM)
#undef PLD_ISA_ENUM
        PLD_ISA_COUNT
} pld_isa;

#define PLD_ISA_BEST ((pld_isa)(PLD_ISA_COUNT - 1)) /* no cap: the best this CPU has */

/** What decides how much of an attention is computed at a time: keys of softmax alone, keys on which PLADIS
 * acts, and the zero keys that are counted with the latter, or where there are none with the former. */
typedef struct pld_attention_shape {
    int head_size;
    int64_t dense_keys, sparse_keys, zero_keys;
} pld_attention_shape;

/** Some query rows of one head of one batch row. Strides in elements between tokens.
 *
 *  The logit of row i and key j is z = soft_cap·tanh(scale·q·k / soft_cap) + bias_factor·bias[i, j], without
 *  the tanh where soft_cap is 0. Every factor has the temperature in it already. */
typedef struct pld_attention_tile {
    const float *query; /* [queries, head_size] */
    const float *key;   /* [keys, head_size] */
    const float *value; /* [keys, head_size] */
    float *out;         /* [queries, head_size] */
    int64_t query_stride, key_stride, value_stride, out_stride;
    const uint8_t *key_mask; /* [keys] or NULL; 0 = does not count */
    const float *bias;       /* [queries, keys], rows bias_stride floats apart; or NULL */
    int64_t bias_stride;
    float bias_factor;
    int64_t queries, keys;
    int64_t sparse_first; /* PLADIS acts on the keys from here on, */
    int64_t sparse_keys;  /* so many, which keep their dense mass; 0: softmax */
    int64_t zero_keys;    /* further keys whose logit is 0 and whose value is zeros */
    int head_size;
    float scale, soft_cap, lambda, alpha;
    bool causal; /* softmax: query row i sees the keys up to first_query + i only, */
    int64_t first_query;
    int64_t window; /* and of those the last so many; 0: all */
} pld_attention_tile;

/** The shape of a tile. */
static inline pld_attention_shape pld_attention_shape_of(const pld_attention_tile *tile) {
    return (pld_attention_shape){tile->head_size, tile->keys - tile->sparse_keys, tile->sparse_keys,
                                 tile->zero_keys};
}

/** What becomes of the sums of some rows and a panel's columns: out = gate·(sum + bias) + add. */
typedef struct pld_panel_output {
    const float *bias; /* [columns] or NULL */
    const float *gate; /* [columns] or NULL */
    const float *add;  /* as out, added to the result; may be out, or NULL */
    float *out;        /* [rows, columns], rows out_row floats apart */
    int64_t out_row;
    int64_t columns; /* 1 … panel_columns() */
} pld_panel_output;

/** Some rows of a matrix times one panel of packed weights. Sums begin at 0 and run over the depth in order, so a row's
 * result does not depend on the others. */
typedef struct pld_panel_product {
    const float *left; /* [rows, depth], rows left_row floats apart */
    int64_t left_row;
    int64_t rows, depth;
    const float *panel; /* [depth, panel_columns()] */
    pld_panel_output to;
} pld_panel_product;

/** A rotation by a Hadamard matrix with random signs spreads a number that is far larger than others over all of them, so
 * that 8 bits hold them well (Ashkboos et al. 2024, arXiv 2404.00456); of both sides it leaves their product. Whether number i
 * changes its sign before it: bit 31 of the place times the fraction of the golden ratio. */
#define PLD_HADAMARD_FACTOR 0x9E3779B1U
static inline bool pld_hadamard_flips(int64_t i) {
    return (uint32_t)i * PLD_HADAMARD_FACTOR >> 31;
}

/** Numbers of the depth that have one scale, and in how many of them a piece that is shorter is filled up with zeros. */
enum { PLD_INT8_DEPTH = 256, PLD_INT8_STEP = 64 };

/** The same with 8-bit integers, −127 … 127, for one piece of the depth: of each row PLD_INT8_DEPTH numbers or fewer, with a
 * scale, and of each column likewise; both sides have been rotated. Sums of integers are exact, so every instruction set gives
 * the same:
 *
 *      Σ integers of the row · integers of the column · (scale of the row · scale of the column) + bias
 *
 * with one rounding of the scales' product and one of the result. The operands are in words, of which int8_words() hold
 * four numbers: two 16-bit integers each, or four of 8 bits, those of the rows perhaps plus 128. */
typedef struct pld_int8_product {
    const uint32_t *left; /* [rows, words] of int8_rows, rows left_row words apart */
    int64_t left_row;
    const float *left_scales; /* [rows] */
    int64_t rows, words;      /* those of a multiple of PLD_INT8_STEP numbers */
    const uint32_t *panel;    /* [words, panel_columns()] of int8_panel */
    const float *scales;      /* [panel_columns()] */
    const int32_t *sums;      /* [panel_columns()]: of a column's integers */
    pld_panel_output to;
} pld_int8_product;

/** The same with bfloat16 operands, two of one row or column to a word, the earlier in its low half, and for
 * several matrices at once, the taps of a convolution, whose products are added up. Products are exact in
 * float32; the sums are float32, in an order that depends on taps and pairs alone. An instruction set that
 * has such an operation may flush subnormal numbers to zero and round the sum of a pair once instead of
 * twice: each still is one rounding or none, so the bound of float32 sums holds.
 *
 * Split operands (kernels/pairs.h) have a second word for the low halves of their numbers: the products of
 * high and high, low and high, and high and low halves are added up. */
typedef struct pld_pair_product {
    /* [rows, pairs] of each tap: rows left_row words apart within runs of run_rows, those run_step words
     * apart */
    const uint32_t *left;
    int64_t left_row;
    int64_t run_rows, run_step;
    int64_t rows, pairs;
    int64_t taps;
    const int64_t *tap_at;       /* [taps] words from `left` to each of them; NULL: one tap, there */
    const uint32_t *panel;       /* [pairs, panel_columns()] of each tap */
    int64_t panel_tap;           /* words between them */
    const uint32_t *next_panel;  /* that of the next call, to be asked for; or NULL */
    int64_t left_low, panel_low; /* of split operands: words from a high half to its low one; else 0 */
    const float *bias;           /* [columns] or NULL */
    const float *gate;           /* [columns] or NULL: factors of the sum and its bias */
    const float *add; /* [rows, columns], rows out_row apart: added to the result; may be out; or NULL */
    float *out;       /* [rows, columns], rows out_row floats apart */
    int64_t out_row;
    int64_t columns; /* 1 … panel_columns() */
} pld_pair_product;

/** Words from a row's left side to that of a tap. */
static inline int64_t pld_pair_tap(const pld_pair_product *p, int64_t tap) {
    return p->tap_at ? p->tap_at[tap] : 0;
}

/** How much of a convolution suits the caches of pair_product's way through it: rows of the left side, and
 * pairs of the depth of each tap (of a single tap PLD_PAIR_FLAT of them). */
typedef struct pld_pair_block {
    int64_t rows, pairs;
} pld_pair_block;

enum { PLD_PAIR_FLAT = 640 };

/** Operands are split: `left_low` and `panel_low` are set. */
static inline bool pld_pair_is_split(const pld_pair_product *p) {
    return p->panel_low != 0;
}

/** Where a product of halves finds its operands: words to be added to those of the high ones. */
typedef struct pld_pair_part {
    int64_t left, panel;
} pld_pair_part;

enum { PLD_PAIR_PARTS = 3 };

/** The parts of a product that is not split: the first alone. */
static inline pld_pair_part pld_pair_part_at(const pld_pair_product *p, int index) {
    return (pld_pair_part){index == 1 ? p->left_low : 0, index == 2 ? p->panel_low : 0};
}

/** The left side of a row, before its tap is added. */
static inline const uint32_t *pld_pair_left(const pld_pair_product *p, int64_t row) {
    return p->left + row / p->run_rows * p->run_step + row % p->run_rows * p->left_row;
}

enum { PLD_WINOGRAD_IN = 6, PLD_WINOGRAD_OUT = 4 }; /* F(4x4, 3x3): pixels of a tile, a side */

/** One tile of the picture into the domain of the products: Bᵀ d B for every channel. */
typedef struct pld_winograd_input {
    const float *pixels[PLD_WINOGRAD_IN * PLD_WINOGRAD_IN]; /* of [channels] each; zeros past the edge */
    int64_t channels;
    float *out; /* [36] of [channels], step floats apart */
    int64_t step;
} pld_winograd_input;

/** One tile of the products back: Aᵀ m A + bias + residual. */
typedef struct pld_winograd_output {
    const float *products; /* [36] of [channels], step floats apart */
    int64_t step;
    int64_t channels;
    const float *bias; /* [channels] or NULL */
    bool add_residual;
    float *pixels[PLD_WINOGRAD_OUT * PLD_WINOGRAD_OUT]; /* of [channels] each; NULL past the edge */
    /* likewise, with add_residual; may be pixels */
    const float *residual[PLD_WINOGRAD_OUT * PLD_WINOGRAD_OUT];
} pld_winograd_output;

/** What is multiplied by what it lets through: a·act(b). */
typedef enum pld_gate_kind { PLD_GATE_GELU, PLD_GATE_GELU_TANH, PLD_GATE_SILU } pld_gate_kind;

/** out = a·act(b), row by row; out may be a or b. The halves of rows [2·channels] are a and b in either order
 * (GLU variants: Shazeer 2020, arXiv 2002.05202). */
typedef struct pld_gate {
    pld_gate_kind kind;
    const float *a, *b; /* [rows, channels], rows a_row and b_row floats apart */
    int64_t a_row, b_row;
    int64_t rows, channels;
    float *out; /* [rows, channels], rows out_row floats apart */
    int64_t out_row;
} pld_gate;

/** Over which numbers of a row an RMS norm of heads goes. */
typedef enum pld_head_norm { PLD_HEAD_NORM_NONE, PLD_HEAD_NORM_EACH, PLD_HEAD_NORM_ALL } pld_head_norm;

enum { PLD_MOST_ROTATED = 1024 }; /* numbers of a head */

/** Queries or keys on their way to attention: an RMS norm, then a rotation of each head's first `width`
 * numbers by the token's angles (Su et al. 2021, arXiv 2104.09864). out may be x, with the same distance of
 * rows. */
typedef struct pld_head_rotation {
    const float *x; /* [tokens, heads, head_size], rows x_row floats apart */
    float *out;     /* the same, rows out_row floats apart */
    int64_t x_row, out_row;
    int64_t tokens;
    int heads, head_size;
    pld_head_norm norm;
    const float *weight; /* of the norm: [head_size], or of all heads [heads, head_size]; NULL: none */
    float epsilon;
    int width;              /* even, at most head_size and PLD_MOST_ROTATED; 0: no rotation */
    bool halves;            /* number i turns with number i + width/2; else 2i with 2i + 1, as FLUX does */
    const float *cos, *sin; /* [tokens, width/2] */
} pld_head_rotation;

enum { PLD_MOST_DEPTHWISE_SIDE = 5 };

/** One row of pixels of a convolution with a filter for each channel, and some of the channels. With
 * partner > 0 the channel so much further is convolved, too, and lets through: out = y·silu(y partner). */
typedef struct pld_depthwise_row {
    int64_t side; /* of a filter: 3 or 5 */
    /* [side] from above to below, its own in the middle: [width, channels]; NULL: zeros */
    const float *rows[PLD_MOST_DEPTHWISE_SIDE];
    int64_t pixel; /* floats from one pixel of these to the next */
    int64_t width, channels;
    int64_t partner;      /* floats to the channel that lets through, of pixels, weights and bias; 0: none */
    const float *weights; /* [side, side, channels], taps weight_row floats apart */
    int64_t weight_row;
    const float *bias; /* [channels] or NULL */
    float *out;        /* [width, channels], pixels out_pixel floats apart */
    int64_t out_pixel;
} pld_depthwise_row;

/** Linear attention of some tokens of one head (Katharopoulos et al. 2020, arXiv 2006.16236). Query and key
 * have been through its feature map. sums: [head_size, head_size] Σ k·v over the tokens and, after them,
 * [head_size] Σ k. */
typedef struct pld_linear_tokens {
    const float *query, *key, *value; /* [tokens, head_size]; query for rows, key and value for sums */
    int64_t tokens;
    int head_size;
    float *sums;
    float epsilon;
    float *out; /* [tokens, head_size], rows out_stride floats apart; for rows */
    int64_t out_stride;
} pld_linear_tokens;

/** Numbers that the sums of a head take. */
static inline size_t pld_linear_sums(int head_size) {
    return (size_t)head_size * ((size_t)head_size + 1);
}

/** A picture and its tokens [height/patch · width/patch, patch²·channels]; sizes are multiples of `patch`. */
typedef struct pld_patch_grid {
    int64_t channels, height, width, patch;
    bool channels_last;  /* the picture is [height, width, channels], else [channels, height, width] */
    bool channels_inner; /* a token is [patch, patch, channels], else [channels, patch, patch] */
} pld_patch_grid;

/** Pixels of a large picture [factor·height, factor·width, large_channels] as channels of a small one [height, width,
 * small_channels]: of each small pixel factor²·large_channels numbers (channel, row in factor, column in factor), of which a
 * whole number of neighbours is one channel of the small picture, repeated on the way to the large one, and their mean on
 * the way back (the shortcuts of deep compression autoencoders: Chen et al. 2024, arXiv 2410.10733). */
typedef struct pld_pixel_grid {
    int64_t height, width, factor, small_channels, large_channels;
} pld_pixel_grid;

/* X(return type, name, (arguments)). Their comments are more than clang-format lays out well. */
/* clang-format off */
/* Products of 8-bit integers, in which alone instruction sets with VNNI differ from those before them. */
#define PLD_INT8_KERNEL_LIST(X)                                                                                     \
    /* Words (a constant, 1 or 2) that hold four numbers. Rows of floats, x_row apart → rotated (hadamard), words, `row`      \
     * apart and filled up to PLD_INT8_STEP numbers, and a scale each. [quads, panel_columns()] of four 8-bit              \
     * integers of a column → words, in `room` or where they are. */                                                       \
    X(int64_t, int8_words, (void))                                                                                  \
    X(void, int8_rows,                                                                                              \
      (const float *x, int64_t x_row, int64_t rows, int64_t depth, uint32_t *words, int64_t row, float *scales))    \
    X(const uint32_t *, int8_panel, (const uint32_t *stored, int64_t quads, uint32_t *room))                        \
    X(void, int8_product, (const pld_int8_product *product))

#define PLD_KERNEL_LIST(X) PLD_COMMON_KERNEL_LIST(X) PLD_INT8_KERNEL_LIST(X)

#define PLD_COMMON_KERNEL_LIST(X)                                                                                          \
    /* Attention of one tile; see attention.h. Scratch: attention_scratch(…) floats, 64-byte aligned. */          \
    X(void, attention_tile, (const pld_attention_tile *tile, float *scratch))                                       \
    X(size_t, attention_scratch, (const pld_attention_shape *shape))                                                \
    /* Query rows that are computed together, and the most that one tile takes: it takes whole blocks of the        \
     * former, which share a way through the keys. */                                                               \
    X(int64_t, attention_query_block, (void))                                                                       \
    X(int64_t, attention_queries, (const pld_attention_shape *shape))                                               \
    /* The same with products of bfloat16 operands, where there are dense keys and nothing is causal:               \
     * scale·log2(e)·query, key, weight and value rounded to the nearest; logits, rows and sums float32. */       \
    X(void, attention_bf16_tile, (const pld_attention_tile *tile, float *scratch))                                  \
    X(size_t, attention_bf16_scratch, (const pld_attention_shape *shape))                                           \
    X(int64_t, attention_bf16_queries, (const pld_attention_shape *shape))                                          \
    /* logits [rows, keys] → (1−λ)·softmax + λ·α-entmax, in place allowed; mask rows mask_stride apart. */ \
    X(void, attention_rows,                                                                                         \
      (const float *logits, int64_t rows, int64_t keys, const uint8_t *mask, int64_t mask_stride,                   \
       float lambda, float alpha, float *weights, float *scratch))                                                  \
    X(size_t, rows_scratch, (int64_t keys)) /* floats */                                                            \
                                                                                                                    \
    /* Matrix product with packed panels; columns a panel has (a constant). */                                      \
    X(void, panel_product, (const pld_panel_product *product))                                                      \
    X(int64_t, panel_columns, (void))                                                                               \
    X(void, pair_product, (const pld_pair_product *product))                                                        \
    X(pld_pair_block, pair_block, (void))                                                                           \
    /* Winograd's F(4x4, 3x3). weights [depth, 9, columns] → G g Gᵀ, out [36] of [depth, columns], `step`       \
     * floats apart; columns a multiple of the vector. */                                                           \
    X(void, winograd_weights,                                                                                       \
      (const float *weights, int64_t depth, int64_t columns, float *out, int64_t step))                             \
    X(void, winograd_input, (const pld_winograd_input *tile))                                                       \
    X(void, winograd_output, (const pld_winograd_output *tile))                                                     \
                                                                                                                    \
    /* Normalisation. Mean [channels] over the tokens, and the sum of squared distances from it. */                 \
    X(void, channel_moments,                                                                                        \
      (const float *x, int64_t tokens, int64_t channels, float *mean, float *squares))                              \
    /* out = scale[c]·x + shift[c], then SiLU if asked; in place. */                                               \
    X(void, scale_shift,                                                                                            \
      (const float *x, int64_t tokens, int64_t channels, const float *scale, const float *shift, bool silu,         \
       float *out))                                                                                                 \
    /* Rows to mean 0 and variance 1 (biased), ·weight + bias, each [channels] or NULL; in place. */               \
    X(void, layer_norm,                                                                                             \
      (const float *x, int64_t rows, int64_t channels, float epsilon, const float *weight,                          \
       const float *bias, float *out))                                                                              \
    /* out = x / √(mean(x²) + epsilon) · weight ([channels] or NULL); in place. */                              \
    X(void, rms_norm,                                                                                               \
      (const float *x, int64_t rows, int64_t channels, float epsilon, const float *weight, float *out))             \
    /* Such norms, then ·(1 + scale) + shift, each [channels]; of the rms norm weight and shift may be NULL.       \
     */                                                                                                             \
    X(void, layer_norm_modulated,                                                                                   \
      (const float *x, int64_t rows, int64_t channels, float epsilon, const float *scale,                           \
       const float *shift, float *out))                                                                             \
    X(void, rms_norm_modulated,                                                                                     \
      (const float *x, int64_t rows, int64_t channels, float epsilon, const float *weight,                          \
       const float *scale, const float *shift, float *out))                                                         \
    X(void, rotate_heads, (const pld_head_rotation *rotation))                                                      \
                                                                                                                    \
    /* Activations, element by element, in place. */                                                                \
    X(void, silu, (const float *x, size_t count, float *out))       /* x·sigmoid(x) */                             \
    X(void, gelu, (const float *x, size_t count, float *out))       /* x·Φ(x), by erf */                          \
    X(void, gelu_tanh, (const float *x, size_t count, float *out))  /* the tanh approximation */                    \
    X(void, quick_gelu, (const float *x, size_t count, float *out)) /* x·sigmoid(1.702·x) */                      \
    X(void, relu, (const float *x, size_t count, float *out))       /* max(x, 0) */                                 \
    X(void, gate, (const pld_gate *gate))                                                                           \
    /* Numbers with signs changed (pld_hadamard_flips), times Hadamard's matrix of ±1 in blocks of the largest power of two \
     * that divides `count`: sums and differences at falling distances. In place. */                                       \
    X(void, hadamard, (const float *in, int64_t count, float *out))                                                                           \
                                                                                                                    \
    X(void, depthwise_row, (const pld_depthwise_row *row))                                                          \
    /* Add some tokens to the sums; the rows of some tokens: q·sums / (q·Σ k + epsilon). */                      \
    X(void, linear_attention_sums, (const pld_linear_tokens *tokens))                                               \
    X(void, linear_attention_rows, (const pld_linear_tokens *tokens))                                               \
                                                                                                                    \
    /* Sums. */                                                                                                     \
    X(void, add, (const float *a, const float *b, size_t count, float *out)) /* in place */                         \
    /* out = a + factor·b; in place. */                                                                            \
    X(void, add_scaled, (const float *a, const float *b, float factor, size_t count, float *out))                   \
    /* out [tokens, channels] = x + vector[channels]; in place. */                                                  \
    X(void, add_rows, (const float *x, int64_t tokens, int64_t channels, const float *vector, float *out))          \
    /* out [tokens, channels] = residual + gate[channels]·x; out may be either. */                                 \
    X(void, gated_add,                                                                                              \
      (const float *residual, const float *x, const float *gate, int64_t tokens, int64_t channels,                  \
       float *out))                                                                                                 \
                                                                                                                    \
    /* Layout. a [tokens, a_channels], b [tokens, b_channels] → [tokens, a_channels + b_channels]. */             \
    X(void, concat_channels,                                                                                        \
      (const float *a, int64_t a_channels, const float *b, int64_t b_channels, int64_t tokens, float *out))         \
    /* [height, width, channels] → [out_height, out_width, channels], source = floor(y·height/out_height).       \
     */                                                                                                             \
    X(void, upsample_nearest,                                                                                       \
      (const float *in, int64_t height, int64_t width, int64_t channels, int64_t out_height,                        \
       int64_t out_width, float *out))                                                                              \
    /* in [rows, columns], rows in_row floats apart → out [columns, rows], rows out_row floats apart. */          \
    X(void, transpose,                                                                                              \
      (const float *in, int64_t in_row, int64_t rows, int64_t columns, float *out, int64_t out_row))                \
    /* [channels, tokens] ↔ [tokens, channels] of one picture. */                                                 \
    X(void, nchw_to_nhwc, (const float *in, int64_t channels, int64_t tokens, float *out))                          \
    X(void, nhwc_to_nchw, (const float *in, int64_t channels, int64_t tokens, float *out))                          \
    X(void, patchify, (const pld_patch_grid *patches, const float *picture, float *tokens))                            \
    X(void, unpatchify, (const pld_patch_grid *patches, const float *tokens, float *picture))                          \
    /* out = shuffled small, or large, + residual, which is NULL or as out, and may be out. */                        \
    X(void, pixel_shuffle, (const pld_pixel_grid *grid, const float *small, const float *residual, float *out))     \
    X(void, pixel_unshuffle, (const pld_pixel_grid *grid, const float *large, const float *residual, float *out))   \
                                                                                                                    \
    /* Conversions: exact to float32, to the nearest (ties to even) from it. Any alignment. */                      \
    X(void, f16_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, bf16_to_f32, (const void *in, size_t count, float *out))                                                \
    X(void, f64_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, f8_e4m3_to_f32, (const void *in, size_t count, float *out)) /* "fn": no infinity */                     \
    X(void, f8_e5m2_to_f32, (const void *in, size_t count, float *out))                                             \
    X(void, i8_to_f32, (const void *in, size_t count, float *out))                                                  \
    /* Blocks of quantised weights; `count` is a multiple of their length. */                                        \
    X(void, q8_0_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q4_0_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q4_1_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q5_0_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q5_1_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q2_k_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q3_k_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q4_k_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q5_k_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, q6_k_to_f32, (const void *in, size_t count, float *out))                                                 \
    X(void, iq4_nl_to_f32, (const void *in, size_t count, float *out))                                               \
    X(void, f32_to_f16, (const float *in, size_t count, void *out))                                                 \
    X(void, f32_to_bf16, (const float *in, size_t count, void *out))                                                \
    /* To integers −127 … 127, the largest number to one of them, to the nearest (ties to even); returns by what they     \
     * are multiplied: 0 where all are below 2^-100, NaN where one is not finite, and then the integers are 0. */           \
    X(float, f32_to_int8, (const float *in, size_t count, int8_t *out))                                             \
    X(void, f32_to_q8_0, (const float *in, size_t count, void *out)) /* whole blocks, each to its largest number */  \
    /* Whole blocks, by a search for the scales (and least values) whose sum of squared errors is least. Numbers beyond \
     * ±1e9, which no block can hold, become that, and so does what is no number. */                                 \
    X(void, f32_to_q4_0, (const float *in, size_t count, void *out))                                                 \
    X(void, f32_to_q4_k, (const float *in, size_t count, void *out))                                                 \
    X(void, f32_to_q5_k, (const float *in, size_t count, void *out))                                                 \
    X(void, f32_to_q6_k, (const float *in, size_t count, void *out))                                                 \
    /* The same, and what it leaves over, rounded likewise: in = high + low within 2^-17 of it. 0 where high        \
     * is infinite or no number. */                                                                                 \
    X(void, f32_split, (const float *in, size_t count, void *high, void *low))
/* clang-format on */

typedef struct pld_kernels {
    pld_isa isa;
#define PLD_KERNEL_FIELD(type, name, arguments) type(*name) arguments;
    PLD_KERNEL_LIST(PLD_KERNEL_FIELD)
#undef PLD_KERNEL_FIELD
} pld_kernels;

const char *pld_isa_name(pld_isa isa);       /**< "avx2" */
pld_isa pld_isa_from_name(const char *name); /**< PLD_ISA_COUNT: unknown */
bool pld_isa_supported(pld_isa isa);         /**< built in, and this CPU can run it */
bool pld_isa_has_bf16(pld_isa isa);          /**< it has arithmetic on bfloat16 */
/** Products of bfloat16 are faster than those of float32 on this CPU; kernels/cpu.h says where. */
bool pld_isa_prefers_bf16(pld_isa isa);
/** Products of split operands, three of bfloat16, are faster than those of float32. */
bool pld_isa_prefers_split(pld_isa isa);
const pld_kernels *pld_kernels_get(pld_isa cap); /**< the best supported table up to `cap`; never NULL */

/** `count` stored elements of a type of weights, whole blocks of quantised ones → float32. Any alignment of `stored`. */
void pld_convert_to_f32(const pld_kernels *kernels, pld_dtype dtype, const void *stored, size_t count,
                        float *out);

/** float32 → f32, f16 or bf16, to the nearest, or whole blocks of Q8_0, Q4_0, Q4_K, Q5_K or Q6_K; false for other types. */
bool pld_convert_from_f32(const pld_kernels *kernels, pld_dtype dtype, const float *values, size_t count,
                          void *out);

#endif
