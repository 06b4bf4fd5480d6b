/* SPDX-License-Identifier: Apache-2.0 */
/** Weights of one attention, row by row; only their shares by word are kept. */
#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "pipeline/generate/attention_maps.h"
#include "pipeline/observe/text_part.h"

/** One layer's attention in one call of the network. */
typedef struct map_task {
    const pld_attention_maps *maps;
    const pld_attention_problem *problem; /* of the text's keys */
    const pld_attention_problem *whole;   /* of all keys: what part of each row the text has */
    pld_map_site *site;
    float *memory;        /* of all threads */
    size_t thread_floats; /* of one */
    size_t row_scratch;   /* bytes */
} map_task;

/** logits [heads, all keys] of one query; those of zero keys, which come last, are 0. */
static void fill_logits(const pld_attention_problem *p, size_t query, float *logits) {
    const double scale = p->scale != 0 ? (double)p->scale : 1 / sqrt((double)p->head_size);
    for (int head = 0; head < p->heads; head++) {
        const float *q = p->query + (int64_t)query * p->query_token_stride + head * p->query_head_stride;
        for (int64_t key = 0; key < p->key_count; key++) {
            const int key_head = p->key_heads ? head / (p->heads / p->key_heads) : head;
            const float *k = p->key + key * p->key_token_stride + key_head * p->key_head_stride;
            double dot = 0;
            for (int i = 0; i < p->head_size; i++) {
                dot += (double)q[i] * (double)k[i];
            }
            logits[head * pld_all_keys(p) + key] = (float)(scale * dot);
        }
        for (int64_t key = p->key_count; key < pld_all_keys(p); key++) {
            logits[head * pld_all_keys(p) + key] = 0;
        }
    }
}

/** Weights [heads] that the keys of the text have among all of a joint attention; 1 where there are no others. */
static void fill_masses(const map_task *task, size_t query, float *masses) {
    const pld_attention_problem *text = task->problem, *p = task->whole;
    const double scale = p->scale != 0 ? (double)p->scale : 1 / sqrt((double)p->head_size);
    const int64_t first = p->joint_first_text_key, end = first + p->joint_text_keys;
    for (int head = 0; head < p->heads; head++) {
        const float *q = text->query + (int64_t)query * p->query_token_stride + head * p->query_head_stride;
        const int key_head = p->key_heads ? head / (p->heads / p->key_heads) : head;
        double most = -INFINITY, all = 0, own = 0; /* sums of exp(logit − most) */
        for (int64_t key = 0; p->joint_text_keys > 0 && key < p->key_count; key++) {
            const float *k = p->key + key * p->key_token_stride + key_head * p->key_head_stride;
            double logit = 0;
            for (int i = 0; i < p->head_size; i++) {
                logit += scale * (double)q[i] * (double)k[i];
            }
            const double larger = logit > most ? logit : most;
            const double shrunk = exp(most - larger), weight = exp(logit - larger);
            all = all * shrunk + weight;
            own = own * shrunk + (key >= first && key < end ? weight : 0);
            most = larger;
        }
        masses[head] = p->joint_text_keys > 0 ? (float)(own / all) : 1;
    }
}

/** Add the words' shares of weights [heads, all keys], averaged over the heads. */
static void add_shares(const map_task *task, size_t query, const float *masses, const float *weights,
                       double *sums) {
    const pld_attention_maps *maps = task->maps;
    const pld_attention_problem *p = task->problem;
    const size_t places = (size_t)p->query_count;
    for (size_t word = 0; word < maps->word_count; word++) {
        const bool *counts = maps->counts + word * (size_t)maps->keys;
        double share = 0;
        for (int64_t key = 0; key < p->key_count && key < maps->keys; key++) {
            for (int head = 0; counts[key] && head < p->heads; head++) {
                share += (double)masses[head] * (double)weights[head * pld_all_keys(p) + key];
            }
        }
        sums[word * places + query] += share / p->heads;
    }
}

static void observe_queries(void *context, size_t begin, size_t end, int thread) {
    const map_task *task = context;
    const pld_attention_problem *p = task->problem;
    float *logits = task->memory + (size_t)thread * task->thread_floats;
    float *weights = logits + (size_t)(p->heads * pld_all_keys(p));
    float *masses = weights + (size_t)(p->heads * pld_all_keys(p));
    float *scratch = masses + p->heads;
    const float lambdas[2] = {0, 1}; /* softmax and α-entmax */
    for (size_t query = begin; query < end; query++) {
        fill_logits(p, query, logits);
        fill_masses(task, query, masses);
        for (int kind = 0; kind < 2; kind++) {
            /* its arguments are right whatever the data, so it cannot fail */
            (void)pld_pladis_rows(logits, p->heads, pld_all_keys(p), p->key_mask, 0, lambdas[kind],
                                  task->maps->alpha, weights, scratch, task->row_scratch, NULL);
            add_shares(task, query, masses, weights, task->site->sums[kind]);
        }
    }
}

/** Room for a layer's sums at its first call. */
static bool prepare_site(const pld_attention_maps *maps, const pld_attention_view *view, pld_map_site *site) {
    if (site->height > 0) {
        return true;
    }
    const size_t places = (size_t)(view->height * view->width);
    site->sums[0] = pld_allocate(maps->word_count * places, sizeof(double));
    site->sums[1] = pld_allocate(maps->word_count * places, sizeof(double));
    site->height = view->height;
    site->width = view->width;
    return site->sums[0] && site->sums[1];
}

void pld_attention_maps_observe(void *user, const pld_attention_view *view) {
    pld_attention_maps *maps = user;
    pld_map_site *site = &maps->sites[view->site];
    pld_attention_problem text = pld_text_part(view->problem);
    const pld_attention_problem *p = &text;
    if (text.query_count > view->height * view->width) { /* padding behind the picture has no place in it */
        text.query_count = view->height * view->width;
    }
    if (view->branch != PLD_BRANCH_CONDITIONAL || !site->chosen || maps->out_of_memory) {
        return;
    }
    map_task task = {.maps = maps,
                     .problem = p,
                     .whole = view->problem,
                     .site = site,
                     .row_scratch = pld_rows_scratch_size(pld_all_keys(p))};
    task.thread_floats =
        (size_t)p->heads * (2 * (size_t)pld_all_keys(p) + 1) + task.row_scratch / sizeof(float) + 1;
    task.memory = pld_allocate((size_t)maps->threads, task.thread_floats * sizeof *task.memory);
    if (!task.memory || !prepare_site(maps, view, site)) {
        maps->out_of_memory = true;
    } else {
        pld_parallel_for(maps->threads, (size_t)p->query_count, observe_queries, &task);
    }
    pld_free(task.memory);
}
