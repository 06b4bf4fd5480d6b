/* SPDX-License-Identifier: Apache-2.0 */
/* Heads are shared out: the sums of one are small. Its tokens come in pieces that are brought together, since
 * those of a head lie a whole row of all heads apart; a sum of thousands is one of partial sums and keeps its
 * digits. */
#include "kernels/linear_attention.h"

#include <string.h>

#include "core/parallel.h"
#include "kernels/cuts.h"

enum { PIECE = 64 };

typedef struct linear_job {
    const pld_kernels *k;
    const pld_linear_attention *a;
    float *scratch;
} linear_job;

/** Scratch of a thread: two pieces of tokens, and the sums. */
static int64_t piece_floats(const pld_linear_attention *attention) {
    return pld_whole_lines((int64_t)PIECE * attention->head_size);
}
static int64_t thread_floats(const pld_linear_attention *attention) {
    return 2 * piece_floats(attention) + pld_whole_lines((int64_t)pld_linear_sums(attention->head_size));
}

size_t pld_linear_attention_scratch(const pld_linear_attention *attention, int threads) {
    return (size_t)threads * (size_t)thread_floats(attention) * sizeof(float);
}

/* Tokens ahead that are asked for: the caches do not foresee such steps. */
enum { TOKENS_AHEAD = 12 };

/** Tokens of a head, brought together; queries and keys through their feature map. Tokens past the end of an
 * array may be asked for: nothing is read, and the address is made without pointer arithmetic. */
static void bring_together(const linear_job *job, const float *from, int64_t tokens, bool map, float *to) {
    const pld_linear_attention *a = job->a;
    const size_t size = (size_t)a->head_size;
    for (int64_t token = 0; token < tokens; token++, from += a->token_stride, to += size) {
        for (size_t i = 0; i < size; i += PLD_LINE) {
            const uintptr_t ahead = (uintptr_t)(TOKENS_AHEAD * a->token_stride) + i;
            __builtin_prefetch((const void *)((uintptr_t)from + ahead * sizeof *from));
        }
        if (map) {
            job->k->relu(from, size, to);
        } else {
            memcpy(to, from, size * sizeof *to);
        }
    }
}

/** One head of one batch row. */
static void run_head(const linear_job *job, int64_t batch, int64_t head, float *room) {
    const pld_linear_attention *a = job->a;
    const int64_t at = batch * a->batch_stride + head * a->head_stride;
    float *value = room + piece_floats(a), *sums = value + piece_floats(a);
    float *out = a->out + batch * a->out_batch_stride + head * a->out_head_stride;
    pld_linear_tokens tokens = {.query = room,
                                .key = room,
                                .value = value,
                                .head_size = a->head_size,
                                .sums = sums,
                                .epsilon = a->epsilon,
                                .out_stride = a->out_token_stride};
    memset(sums, 0, pld_linear_sums(a->head_size) * sizeof *sums);
    for (int64_t first = 0; first < a->tokens; first += PIECE) {
        tokens.tokens = pld_smaller(PIECE, a->tokens - first);
        bring_together(job, a->key + at + first * a->token_stride, tokens.tokens, true, room);
        bring_together(job, a->value + at + first * a->token_stride, tokens.tokens, false, value);
        job->k->linear_attention_sums(&tokens);
    }
    for (int64_t first = 0; first < a->tokens; first += PIECE) {
        tokens.tokens = pld_smaller(PIECE, a->tokens - first);
        tokens.out = out + first * a->out_token_stride;
        bring_together(job, a->query + at + first * a->token_stride, tokens.tokens, true, room);
        job->k->linear_attention_rows(&tokens);
    }
}

static void run_items(void *context, size_t begin, size_t end, int thread) {
    const linear_job *job = context;
    for (size_t item = begin; item < end; item++) {
        run_head(job, (int64_t)item / job->a->heads, (int64_t)item % job->a->heads,
                 job->scratch + thread * thread_floats(job->a));
    }
}

void pld_linear_attention_run(const pld_kernels *k, const pld_linear_attention *attention, int threads,
                              void *scratch) {
    linear_job job = {k, attention, scratch};
    pld_parallel_for(threads, (size_t)attention->batch * (size_t)attention->heads, run_items, &job);
}
