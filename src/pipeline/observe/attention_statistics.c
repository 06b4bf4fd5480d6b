/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/observe/attention_statistics.h"
#include "pipeline/observe/text_part.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "core/text.h"
#include "io/files/atomic_file.h"
#include "io/json/build.h"

enum { CHUNK = 32 }; /* rows of a map at a time */

/** Sums over the rows of one head. */
typedef struct head_sums {
    double zeros, sparse_entropy, dense_entropy; /* sums of the rows' own */
    double rows;
} head_sums;

struct pld_attention_statistics {
    const pld_site *sites;
    size_t site_count;
    bool self;
    float alpha;
    head_sums **heads; /* [sites][heads of the site] */
    int64_t *keys;     /* [sites], of the last call */
    const pld_kernels *kernels;
    int threads;
    size_t failed_bytes;                                      /* of an allocation that was refused */
    void (*next)(void *user, const pld_attention_view *view); /* who else watches the run, or NULL */
    void *next_user;
};

pld_status pld_attention_statistics_create(const pld_site *sites, size_t site_count, bool self, double alpha,
                                           pld_attention_statistics **statistics, pld_error *error) {
    pld_attention_statistics *made = pld_allocate(1, sizeof *made);
    *statistics = made;
    bool complete = made != NULL;
    if (complete) {
        *made = (pld_attention_statistics){
            .sites = sites, .site_count = site_count, .self = self, .alpha = (float)alpha};
        made->heads = pld_allocate(site_count, sizeof(head_sums *));
        made->keys = pld_allocate(site_count, sizeof *made->keys);
        complete = made->heads && made->keys;
    }
    for (size_t i = 0; complete && i < site_count; i++) {
        made->heads[i] = pld_allocate((size_t)sites[i].heads, sizeof *made->heads[i]);
        complete = made->heads[i] != NULL;
    }
    if (!complete) {
        pld_attention_statistics_destroy(statistics);
        return pld_fail_memory(error, site_count * sizeof(head_sums *), "attention statistics");
    }
    return PLD_OK;
}

void pld_attention_statistics_destroy(pld_attention_statistics **statistics) {
    pld_attention_statistics *s = *statistics;
    for (size_t i = 0; s && s->heads && i < s->site_count; i++) {
        pld_free(s->heads[i]);
    }
    if (s) {
        pld_free(s->heads);
        pld_free(s->keys);
    }
    pld_free(s);
    *statistics = NULL;
}

/** −Σ w·log w of a row, in nats. */
static double entropy(const float *weights, int64_t keys) {
    double sum = 0;
    for (int64_t i = 0; i < keys; i++) {
        sum -= weights[i] > 0 ? (double)weights[i] * log((double)weights[i]) : 0;
    }
    return sum;
}

static double share_of_zeros(const float *weights, int64_t keys) {
    int64_t zeros = 0;
    for (int64_t i = 0; i < keys; i++) {
        zeros += weights[i] == 0;
    }
    return (double)zeros / (double)keys;
}

typedef struct heads_task {
    const pld_attention_statistics *statistics;
    const pld_attention_problem *problem;
    head_sums *heads;
    float *memory; /* [threads, floats]: logits and weights [CHUNK, keys], then the kernel's scratch */
    size_t floats;
} heads_task;

/** Logits of queries [first, first + rows) of a head; those of zero keys, which come last, are 0. */
static void compute_logits(const pld_attention_problem *p, int head, int64_t first, int64_t rows,
                           float *logits) {
    const double scale = 1 / sqrt((double)p->head_size);
    for (int64_t row = 0; row < rows; row++) {
        const float *query = p->query + (first + row) * p->query_token_stride + head * p->query_head_stride;
        for (int64_t k = 0; k < p->key_count; k++) {
            const int key_head = p->key_heads ? head / (p->heads / p->key_heads) : head;
            const float *key = p->key + k * p->key_token_stride + key_head * p->key_head_stride;
            double dot = 0;
            for (int i = 0; i < p->head_size; i++) {
                dot += (double)query[i] * (double)key[i];
            }
            logits[row * pld_all_keys(p) + k] = (float)(scale * dot);
        }
        for (int64_t k = p->key_count; k < pld_all_keys(p); k++) {
            logits[row * pld_all_keys(p) + k] = 0;
        }
    }
}

static void add_head(const heads_task *task, int head, float *memory) {
    const pld_attention_problem *p = task->problem;
    const int64_t keys = pld_all_keys(p);
    const pld_kernels *kernels = task->statistics->kernels;
    head_sums *sums = &task->heads[head];
    float *weights = memory + CHUNK * keys;
    float *scratch = weights + CHUNK * keys;
    for (int64_t first = 0; first < p->query_count; first += CHUNK) {
        const int64_t rows = p->query_count - first < CHUNK ? p->query_count - first : CHUNK;
        compute_logits(p, head, first, rows, memory);
        kernels->attention_rows(memory, rows, keys, NULL, 0, 1, task->statistics->alpha, weights, scratch);
        for (int64_t row = 0; row < rows; row++) {
            sums->zeros += share_of_zeros(weights + row * keys, keys);
            sums->sparse_entropy += entropy(weights + row * keys, keys);
        }
        kernels->attention_rows(memory, rows, keys, NULL, 0, 0, 2, weights, scratch);
        for (int64_t row = 0; row < rows; row++) {
            sums->dense_entropy += entropy(weights + row * keys, keys);
        }
        sums->rows += (double)rows;
    }
}

static void add_heads(void *context, size_t begin, size_t end, int thread) {
    const heads_task *task = context;
    for (size_t head = begin; head < end; head++) {
        add_head(task, (int)head, task->memory + (size_t)thread * task->floats);
    }
}

static void observe(void *user, const pld_attention_view *view) {
    pld_attention_statistics *s = user;
    if (s->next) {
        s->next(s->next_user, view);
    }
    const pld_site *site = &s->sites[view->site];
    if (view->branch != PLD_BRANCH_CONDITIONAL || (site->kind == PLD_SITE_SELF && !s->self) ||
        s->failed_bytes) {
        return;
    }
    const pld_attention_problem problem = pld_text_part(view->problem);
    heads_task task = {.statistics = s, .problem = &problem, .heads = s->heads[view->site]};
    const size_t step = PLD_ALIGNMENT / sizeof(float);
    const size_t maps = ((size_t)2 * CHUNK * (size_t)pld_all_keys(&problem) + step - 1) / step * step;
    task.floats = (maps + s->kernels->rows_scratch(pld_all_keys(&problem)) + step - 1) / step * step;
    task.memory = pld_allocate_aligned((size_t)s->threads * task.floats, sizeof(float));
    if (!task.memory) {
        s->failed_bytes = (size_t)s->threads * task.floats * sizeof(float);
        return;
    }
    s->keys[view->site] = pld_all_keys(&problem);
    pld_parallel_for(s->threads, (size_t)site->heads, add_heads, &task);
    pld_free(task.memory);
}

void pld_attention_statistics_watch(pld_attention_statistics *statistics, const pld_engine *engine,
                                    pld_run *run) {
    statistics->kernels = engine->kernels;
    statistics->threads = engine->threads;
    statistics->next = run->observe;
    statistics->next_user = run->observe_user;
    run->observe = observe;
    run->observe_user = statistics;
}

pld_status pld_attention_statistics_status(const pld_attention_statistics *statistics, pld_error *error) {
    return statistics->failed_bytes ? pld_fail_memory(error, statistics->failed_bytes, "attention statistics")
                                    : PLD_OK;
}

/** What options call a site's block: its number in a transformer, "down", "mid" or "up" in a U-Net. */
static void block_of(const pld_site *site, char block[PLD_PLAN_NAME]) {
    if (site->block >= 0) {
        pld_print_text(block, PLD_PLAN_NAME, "%d", site->block);
        return;
    }
    const size_t length = strcspn(site->name, "_.");
    memcpy(block, site->name, length);
    block[length] = 0;
}

static head_sums add_sums(head_sums a, head_sums b) {
    return (head_sums){a.zeros + b.zeros, a.sparse_entropy + b.sparse_entropy,
                       a.dense_entropy + b.dense_entropy, a.rows + b.rows};
}

static json_t *describe(head_sums sums) {
    const double rows = sums.rows > 0 ? sums.rows : 1;
    return json_pack("{s:f, s:f, s:f}", "zeros", sums.zeros / rows, "entropy_sparse",
                     sums.sparse_entropy / rows, "entropy_dense", sums.dense_entropy / rows);
}

/** Means over the heads of each block, in the order of the sites: {block → mean}. */
static json_t *block_means(const pld_attention_statistics *s, pld_json_builder *builder) {
    json_t *means = json_object();
    for (size_t i = 0; i < s->site_count; i++) {
        char block[PLD_PLAN_NAME], other[PLD_PLAN_NAME];
        head_sums sums = {0};
        block_of(&s->sites[i], block);
        for (size_t j = i; !json_object_get(means, block) && j < s->site_count; j++) {
            block_of(&s->sites[j], other);
            for (int head = 0; strcmp(block, other) == 0 && head < s->sites[j].heads; head++) {
                sums = add_sums(sums, s->heads[j][head]);
            }
        }
        if (sums.rows > 0) {
            pld_json_put(builder, means, block, describe(sums));
        }
    }
    return means;
}

/** {"alpha", "branch", "blocks": {name → mean}, "sites": [{name, kind, keys, rows, heads: […]}]} */
static char *make_json(const pld_attention_statistics *s) {
    pld_json_builder builder = {0};
    json_t *sites = json_array();
    json_t *means = block_means(s, &builder);
    for (size_t i = 0; i < s->site_count; i++) {
        const pld_site *site = &s->sites[i];
        json_t *heads = json_array();
        for (int head = 0; head < site->heads && s->heads[i][0].rows > 0; head++) {
            pld_json_append(&builder, heads, describe(s->heads[i][head]));
        }
        if (!site->heads || s->heads[i][0].rows <= 0) {
            json_decref(heads);
            continue;
        }
        pld_json_append(&builder, sites,
                        json_pack("{s:s, s:s, s:I, s:f, s:o}", "name", site->name, "kind",
                                  pld_site_kind_name(site->kind), "keys", (json_int_t)s->keys[i], "rows",
                                  s->heads[i][0].rows, "heads", heads));
    }
    json_t *all = json_pack("{s:f, s:s, s:o, s:o}", "alpha", (double)s->alpha, "branch", "conditional",
                            "blocks", means, "sites", sites);
    all = pld_json_finish(&builder, all);
    char *text = all ? pld_json_dump(all, JSON_INDENT(1) | JSON_REAL_PRECISION(7)) : NULL;
    json_decref(all);
    return text;
}

static pld_status write_csv(const pld_attention_statistics *s, pld_atomic_file *file, pld_error *error) {
    static const char names[] = "site,kind,block,head,rows,keys,zeros,entropy_sparse,entropy_dense\n";
    PLD_TRY(pld_atomic_file_write(file, names, sizeof names - 1, error));
    for (size_t i = 0; i < s->site_count; i++) {
        char block[PLD_PLAN_NAME], line[2 * PLD_PLAN_NAME + 160];
        block_of(&s->sites[i], block);
        for (int head = 0; head < s->sites[i].heads; head++) {
            const head_sums sums = s->heads[i][head];
            if (sums.rows > 0) {
                const int length = pld_print_text(
                    line, sizeof line, "%s,%s,%s,%d,%.0f,%lld,%.7g,%.7g,%.7g\n", s->sites[i].name,
                    pld_site_kind_name(s->sites[i].kind), block, head, sums.rows, (long long)s->keys[i],
                    sums.zeros / sums.rows, sums.sparse_entropy / sums.rows, sums.dense_entropy / sums.rows);
                PLD_TRY(pld_atomic_file_write(file, line, (size_t)length, error));
            }
        }
    }
    return PLD_OK;
}

static pld_status save_csv(const pld_attention_statistics *s, const char *path, const volatile int *cancel,
                           pld_error *error) {
    pld_atomic_file *file = NULL;
    PLD_TRY(pld_atomic_file_open(path, cancel, &file, error));
    pld_status status = write_csv(s, file, error);
    if (status == PLD_OK) {
        return pld_atomic_file_commit(&file, error);
    }
    pld_atomic_file_discard(&file);
    return status;
}

static pld_status save_json(const pld_attention_statistics *s, const char *path, const volatile int *cancel,
                            pld_error *error) {
    char *text = make_json(s);
    const pld_status status = text ? pld_atomic_file_save(path, text, strlen(text), cancel, error)
                                   : pld_fail_memory(error, 0, "attention statistics");
    pld_free(text);
    return status;
}

pld_status pld_attention_statistics_write(const pld_attention_statistics *statistics, const char *path,
                                          const volatile int *cancel, pld_error *error) {
    const size_t length = strlen(path);
    const bool csv = length >= 4 && pld_equal_ignoring_case(path + length - 4, ".csv");
    return csv ? save_csv(statistics, path, cancel, error) : save_json(statistics, path, cancel, error);
}
