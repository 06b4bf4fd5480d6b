/* SPDX-License-Identifier: Apache-2.0 */
/** @file attention.h
 *  Attention with PLADIS rows on raw float32 pointers: usable by any engine, with no other part of libpladis.
 *
 *  For one head, with logits z = scale · q·kᵀ (row by row over the keys):
 *
 *      dense  = softmax(z)
 *      sparse = α-entmax(z)
 *      out    = [dense + λ·(sparse − dense)] · v
 *
 *  (PLADIS: Kim & Sim 2025, arXiv 2503.07677; α-entmax: Peters, Niculae & Martins 2019, arXiv 1905.05702.)
 *  Before that a logit may be capped (Gemma-2), get a bias (T5's relative positions) or be left out by a
 * mask: z = cap·tanh(scale·q·kᵀ / cap) + bias. Query heads may share key heads, as in grouped-query attention
 *  (Ainslie et al. 2023, arXiv 2305.13245).
 *
 *  No map is ever stored and nothing is allocated: the caller hands in scratch memory. A call changes no
 * state and may run beside others, each with its own scratch. Results depend neither on the number of threads
 * nor on how a caller-supplied loop splits the work.
 *
 *  Numbers. NaN in an input comes out as NaN in the rows that see it. A row without a live key gives zeros.
 *  Weights below 2^-126 are taken as zero. Entmax weights are within 1e-6 of the exact ones for α >= 1.05,
 *  within 1e-8/(α−1) below.
 */
#ifndef PLADIS_ATTENTION_H
#define PLADIS_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pladis/parallel.h"
#include "pladis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What turns a row of logits into weights. */
typedef enum pld_attention_rows {
    PLD_ROWS_SOFTMAX,  /**< ordinary attention */
    PLD_ROWS_PLADIS,   /**< dense + λ·(sparse − dense); λ = 0 is PLD_ROWS_SOFTMAX to the bit */
    PLD_ROWS_IDENTITY, /**< out = v, the perturbed branch of PAG; needs query_count == key_count, no mask */
    PLD_ROWS_TEMPERED  /**< softmax(z / temperature) */
} pld_attention_rows;

/** In the place of a batch or head stride of query, key, value or bias, and of key_mask_batch_stride: all
 *  batches or heads read the same rows (one text for a batch, one key head for several query heads). */
#define PLD_STRIDE_SHARED (-1)

/** One attention: [batch, heads] independent maps of [query_count, key_count].
 *
 *  Element (b, token, head, i) of `query` is query[b·query_batch_stride + token·query_token_stride +
 *  head·query_head_stride + i], strides counted in elements, and likewise for the others. Token-major
 *  [B, tokens, heads · head_size] has strides {tokens·heads·head_size, heads·head_size, head_size}. `out`
 * must not overlap the inputs. Any alignment will do. Start from pld_attention_problem_init.
 *
 *  A stride counts where there is more than one of its axis, and then says how far one lies from the next: at
 *  least head_size, and at least what the axes of smaller strides span, so that no two rows lie on each other.
 *  Less, a forgotten 0 too, is refused; inputs that are shared on purpose say PLD_STRIDE_SHARED.
 */
typedef struct pld_attention_problem {
    size_t struct_size; /**< set by pld_attention_problem_init */

    int batch;     /**< 1 */
    int heads;     /**< 1 */
    int key_heads; /**< query head h reads key head h / (heads / key_heads); 0 (the default): heads */
    int head_size; /**< 1 … 4096; no default */

    /** Operands of both products are rounded to bfloat16; logits, rows and sums stay float32. For CPUs with
     * an instruction for it; elsewhere it is emulated. Of softmax, tempered and joint rows; ignored with
     * others, and with causal. false */
    bool bf16;
    /** Softmax and tempered rows: query i sees the keys 0 … i only, as far as there are so many; needs query_count >=
     * key_count, and with a window as many of each. false */
    bool causal;

    int64_t query_count; /**< rows of the map; no default */
    int64_t key_count;   /**< columns of the map; no default */

    const float *query; /**< [batch, query_count, heads, head_size] */
    int64_t query_batch_stride, query_token_stride, query_head_stride;
    const float *key; /**< [batch, key_count, key_heads, head_size] */
    int64_t key_batch_stride, key_token_stride, key_head_stride;
    const float *value; /**< [batch, key_count, key_heads, head_size] */
    int64_t value_batch_stride, value_token_stride, value_head_stride;
    float *out; /**< [batch, query_count, heads, head_size] */
    int64_t out_batch_stride, out_token_stride, out_head_stride;

    const uint8_t *key_mask;       /**< [batch, key_count], 0 = this key does not count; NULL: all count */
    int64_t key_mask_batch_stride; /**< in bytes, at least key_count where batch > 1 */

    /** [batch, heads, query_count, key_count] or NULL, added to the logits after scale and cap. Keys lie side
     *  by side, the other strides may be any but a forgotten 0; batches or heads may share a bias. A relative
     *  bias of L tokens is a table [heads, 2·L − 1] with bias_query_stride −1 whose middle `bias` points to. */
    const float *bias;
    int64_t bias_batch_stride, bias_head_stride, bias_query_stride;

    /** Logits become cap·tanh(z / cap); finite, 0: they stay as they are. 0 */
    float soft_cap;

    float scale;             /**< factor of the logits; 0 (the default) means 1/√head_size */
    pld_attention_rows rows; /**< PLD_ROWS_SOFTMAX */
    float lambda;            /**< λ of PLD_ROWS_PLADIS, finite; 2 */
    float alpha;             /**< α of PLD_ROWS_PLADIS, 1.001 … 2; 1.5. Below, ask for softmax (λ = 0) */
    float temperature;       /**< of PLD_ROWS_TEMPERED, > 0; 1 */

    /** Joint attention (text and image tokens in one softmax): with joint_text_keys = T > 0 PLADIS acts on
     *  the T keys from joint_first_text_key on, which keep the mass m that the dense row gave them,
     *  m·[(1−λ)·softmax(z_text) + λ·entmax(z_text)]; the other columns stay dense. 0: on all keys. Rows are
     *  plain softmax but for the joint_image_queries (0: all that follow) from joint_first_image_query on.
     *  All are 0 at first. */
    int64_t joint_text_keys, joint_first_text_key;
    int64_t joint_first_image_query, joint_image_queries;

    /** So many further keys have the logit 0 and a value of zeros, in every row, and count as text: the
     *  padding of a text that was encoded without a mask. Not with causal or identity rows. 0 */
    int64_t zero_keys;

    /** With causal: query i sees the keys j with i − window < j <= i; 0: all up to its own. 0 */
    int64_t window;
} pld_attention_problem;

/** How to run: with NULL in its place, on the calling thread. */
typedef struct pld_attention_parallel {
    size_t struct_size; /**< set by pld_attention_parallel_init */
    int threads;        /**< number of scratch slots, >= 1; 1 */
    /** The caller's loop, or NULL for the library's own. It covers [0, count) with calls of `body` on
     *  disjoint ranges, on any threads; `thread` is in [0, threads) and no two calls running at once share it.
     *  Returns when all ran. Called on the thread that calls pld_attention. */
    void (*parallel_for)(void *user, size_t count,
                         void (*body)(void *context, size_t begin, size_t end, int thread), void *context);
    void *user; /**< handed to parallel_for, or to loop */
    /** A loop as that of pld_set_parallel_loop, for this call, where parallel_for is NULL; NULL */
    pld_parallel_loop loop;
} pld_attention_parallel;

/** Every field at the default that is written beside it. `struct_size` is sizeof of the caller's struct. */
PLD_API void pld_attention_problem_init(pld_attention_problem *problem, size_t struct_size);
PLD_API void pld_attention_parallel_init(pld_attention_parallel *parallel, size_t struct_size);

/** Bytes of scratch that pld_attention needs for this problem on so many threads (at least 1 byte; never
 *  proportional to query_count; up to 1024 keys, or of joint rows texts of 1024, and head size 512 at most
 *  256 KiB a thread, with bf16 1 MiB, joint rows 1 MiB, with bf16 2 MiB). 0: the problem would be refused.
 * Reads sizes, rows, λ and α only; pointers may still be unset. */
PLD_API size_t pld_attention_scratch_size(const pld_attention_problem *problem, int threads);

/** Compute `problem->out`. `scratch` may have any alignment. Errors: PLD_ERROR_ARGUMENT (a field out of
 * range, a stride with which rows would lie on each other, a missing pointer, scratch too small); `out` is then untouched. */
PLD_API pld_status pld_attention(const pld_attention_problem *problem, void *scratch, size_t scratch_size,
                                 const pld_attention_parallel *parallel, pld_error *error);

/** Bytes of scratch for the two functions below. */
PLD_API size_t pld_rows_scratch_size(int64_t keys);

/** Rows alone: logits [rows, keys] → weights [rows, keys], (1−λ)·softmax + λ·α-entmax; both dense, and they
 *  may be the same array. `mask` is [rows, keys] with rows `mask_stride` apart (0: one row for all), 0 = the
 *  key does not count, or NULL. Logits of −∞ do not count either. One thread. */
PLD_API pld_status pld_pladis_rows(const float *logits, int64_t rows, int64_t keys, const uint8_t *mask,
                                   int64_t mask_stride, float lambda, float alpha, float *weights,
                                   void *scratch, size_t scratch_size, pld_error *error);

/** pld_pladis_rows at λ = 1: α-entmax. α in [1.001, 2]. */
PLD_API pld_status pld_entmax_rows(const float *logits, int64_t rows, int64_t keys, const uint8_t *mask,
                                   int64_t mask_stride, float alpha, float *weights, void *scratch,
                                   size_t scratch_size, pld_error *error);

#ifdef __cplusplus
}
#endif
#endif
