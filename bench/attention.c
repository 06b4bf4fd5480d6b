/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of real models' shapes: softmax and PLADIS in turn, the core alone and with its two projections.
 */
#include "attention.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <dnnl.h>

#include "core/memory.h"
#include "core/parallel.h"

static const bench_shape shapes[] = {
    {"sd15 512 cross 64x64", true, 8, 40, 4096, 77},
    {"sd15 512 cross 32x32", true, 8, 80, 1024, 77},
    {"sd15 512 cross 16x16", true, 8, 160, 256, 77},
    {"sd15 512 cross 8x8", true, 8, 160, 64, 77},
    {"sd15 1024 cross 128x128", true, 8, 40, 16384, 77},
    {"sd21 512 cross 64x64", true, 5, 64, 4096, 77},
    {"sd21 512 cross 32x32", true, 10, 64, 1024, 77},
    {"sdxl 512 cross 32x32", true, 10, 64, 1024, 77},
    {"sdxl 1024 cross 64x64", true, 10, 64, 4096, 77},
    {"sdxl 1024 cross 32x32", true, 20, 64, 1024, 77},
    {"pixart 1024 cross", true, 16, 72, 4096, 300},
    {"sana 1024 cross", true, 20, 112, 1024, 300},
    {"sd15 256 self 32x32", false, 8, 40, 1024, 1024},
    {"sd15 512 self 64x64", false, 8, 40, 4096, 4096},
    {"sd15 1024 self 128x128", false, 8, 40, 16384, 16384},
    {"sdxl 1024 self 64x64", false, 10, 64, 4096, 4096},
    {"vae 512 self 64x64", false, 1, 512, 4096, 4096},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0], MAX_ROUNDS = 1001 };

const bench_rule bench_rules[BENCH_RULES] = {
    {"softmax", PLD_ROWS_SOFTMAX, 0, 1.5F},         {"pladis 1.5", PLD_ROWS_PLADIS, 2, 1.5F},
    {"pladis 2", PLD_ROWS_PLADIS, 2, 2.0F},         {"pladis 1.25", PLD_ROWS_PLADIS, 2, 1.25F},
    {"pladis 1.7 (any)", PLD_ROWS_PLADIS, 2, 1.7F},
};

/** Buffers of one shape, width = heads · head_size. */
typedef struct bench_buffers {
    float *hidden, *query, *out, *result; /* [queries, width] */
    float *key, *value;                   /* [keys, width] */
    float *to_q, *to_out;                 /* [width, width] */
    void *scratch;
    size_t scratch_size;
} bench_buffers;

/** Uniform numbers with this standard deviation. */
static float *make_numbers(int64_t count, float deviation) {
    float *x = pld_allocate_aligned((size_t)count, sizeof(float));
    for (int64_t i = 0; x && i < count; i++) {
        x[i] = 3.4641F * deviation * ((float)rand() / (float)RAND_MAX - 0.5F);
    }
    return x;
}

static pld_attention_problem make_problem(const bench_shape *shape, const bench_buffers *buffers,
                                          const bench_rule *rule) {
    pld_attention_problem problem;
    pld_attention_problem_init(&problem);
    problem.heads = shape->heads;
    problem.head_size = shape->head_size;
    problem.query_count = shape->queries;
    problem.key_count = shape->keys;
    problem.query = buffers->query;
    problem.key = buffers->key;
    problem.value = buffers->value;
    problem.out = buffers->out;
    problem.query_head_stride = problem.key_head_stride = shape->head_size;
    problem.value_head_stride = problem.out_head_stride = shape->head_size;
    problem.query_token_stride = problem.key_token_stride = (int64_t)shape->heads * shape->head_size;
    problem.value_token_stride = problem.out_token_stride = problem.query_token_stride;
    problem.rows = rule->rows;
    problem.lambda = rule->lambda;
    problem.alpha = rule->alpha;
    return problem;
}

static void free_buffers(bench_buffers *buffers) {
    float *all[] = {buffers->hidden, buffers->query, buffers->out,  buffers->result,
                    buffers->key,    buffers->value, buffers->to_q, buffers->to_out};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pld_free(all[i]);
    }
    pld_free(buffers->scratch);
}

static bool make_buffers(const bench_options *options, const bench_shape *shape, bench_buffers *buffers) {
    int64_t width = (int64_t)shape->heads * shape->head_size;
    srand(1);
    *buffers = (bench_buffers){
        .hidden = make_numbers(shape->queries * width, 1),
        .query =
            make_numbers(shape->queries * width, 1.5F), /* logits of standard deviation 2.2, as trained */
        .out = make_numbers(shape->queries * width, 1),
        .result = make_numbers(shape->queries * width, 1),
        .key = make_numbers(shape->keys * width, 1.5F),
        .value = make_numbers(shape->keys * width, 1),
        .to_q = make_numbers(width * width, 1.5F / sqrtf((float)width)),
        .to_out = make_numbers(width * width, 1 / sqrtf((float)width)),
    };
    for (int i = 0; i < BENCH_RULES; i++) {
        pld_attention_problem problem = make_problem(shape, buffers, &bench_rules[i]);
        size_t size = pld_attention_scratch_size_with(options->kernels, &problem, options->threads);
        buffers->scratch_size = size > buffers->scratch_size ? size : buffers->scratch_size;
    }
    buffers->scratch = pld_allocate_aligned(buffers->scratch_size, 1);
    return buffers->hidden && buffers->query && buffers->out && buffers->result && buffers->key &&
           buffers->value && buffers->to_q && buffers->to_out && buffers->scratch;
}

/** out [rows, width] = x·w. */
static void project(const float *x, const float *w, int64_t rows, int64_t width, float *out) {
    dnnl_sgemm('N', 'N', rows, width, width, 1.0F, x, width, w, width, 0.0F, out, width);
}

/** Seconds of the core; the projections around it, when asked for, are added to *layer. */
static double run_once(const bench_options *options, const bench_shape *shape, const bench_buffers *buffers,
                       const bench_rule *rule, double *layer) {
    int64_t width = (int64_t)shape->heads * shape->head_size;
    pld_attention_problem problem = make_problem(shape, buffers, rule);
    pld_attention_parallel parallel = {.threads = options->threads};
    double begin = bench_now(options->threads);
    if (layer) {
        project(buffers->hidden, buffers->to_q, shape->queries, width, buffers->query);
    }
    double start = bench_now(options->threads);
    pld_attention_with(options->kernels, &problem, buffers->scratch, buffers->scratch_size, &parallel, NULL);
    double stop = bench_now(options->threads);
    if (layer) {
        project(buffers->out, buffers->to_out, shape->queries, width, buffers->result);
        *layer = bench_now(options->threads) - begin;
    }
    return stop - start;
}

static void summarise(double seconds[][MAX_ROUNDS], int rules, int rounds, double *medians, double *ratios) {
    static double values[MAX_ROUNDS];
    for (int rule = 0; rule < rules; rule++) {
        for (int round = 0; round < rounds; round++) {
            values[round] = seconds[rule][round] / seconds[0][round];
        }
        ratios[rule] = bench_median(values, rounds);
        memcpy(values, seconds[rule], (size_t)rounds * sizeof(double));
        medians[rule] = bench_median(values, rounds);
    }
}

/** Every rule in turn, `rounds` times; short ones as often as fits in the time of a few milliseconds. */
static bool run_shape(const bench_options *options, const bench_shape *shape, bench_result *result) {
    static double core[BENCH_RULES][MAX_ROUNDS], layer[BENCH_RULES][MAX_ROUNDS];
    bench_buffers buffers;
    bool ok = make_buffers(options, shape, &buffers);
    *result = (bench_result){.shape = shape, .rules = shape->cross ? BENCH_RULES : 1};
    if (ok) {
        double first = run_once(options, shape, &buffers, &bench_rules[0], NULL);
        int rounds = first < 0.01 ? options->rounds * 4 : first > 0.5 ? 3 : options->rounds;
        rounds = rounds > MAX_ROUNDS ? MAX_ROUNDS : rounds;
        for (int round = 0; round < rounds; round++) {
            for (int rule = 0; rule < result->rules; rule++) {
                core[rule][round] = run_once(options, shape, &buffers, &bench_rules[rule],
                                             shape->cross ? &layer[rule][round] : NULL);
            }
        }
        summarise(core, result->rules, rounds, result->core_seconds, result->core_ratio);
        if (shape->cross) {
            summarise(layer, result->rules, rounds, result->layer_seconds, result->layer_ratio);
        }
    }
    free_buffers(&buffers);
    return ok;
}

static bool parse(int count, char **arguments, bench_options *options) {
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = arguments[i], *value = arguments[i + 1];
        if (strcmp(name, "--isa") == 0) {
            pld_isa isa = pld_isa_from_name(value);
            if (isa == PLD_ISA_COUNT || !pld_isa_supported(isa)) {
                fprintf(stderr, "bench attention: no instruction set '%s' on this machine\n", value);
                return false;
            }
            options->kernels = pld_kernels_get(isa);
        } else if (strcmp(name, "--threads") == 0) {
            options->threads = atoi(value);
        } else if (strcmp(name, "--rounds") == 0) {
            options->rounds = atoi(value);
        } else if (strcmp(name, "--only") == 0) {
            options->filter = value;
        } else if (strcmp(name, "--json") == 0) {
            options->json = value;
        } else {
            fprintf(stderr, "bench attention: unknown option '%s'\n", name);
            return false;
        }
    }
    return count % 2 == 1 && options->threads > 0 && options->rounds > 0;
}

int bench_attention(int count, char **arguments) {
    bench_options options = {
        .kernels = pld_kernels_get(PLD_ISA_BEST), .threads = pld_available_threads(), .rounds = 15};
    if (!parse(count, arguments, &options)) {
        fprintf(stderr,
                "usage: attention [--isa NAME] [--threads N] [--rounds N] [--only TEXT] [--json FILE]\n");
        return 2;
    }
    pld_swap_openmp_threads(options.threads); /* for the projections */
    double peak = bench_peak(options.kernels->isa, options.threads);
    double row_seconds[BENCH_RULES];
    for (int rule = 0; rule < BENCH_RULES; rule++) {
        row_seconds[rule] =
            bench_row_seconds(options.kernels, 77, bench_rules[rule].lambda, bench_rules[rule].alpha);
    }
    static bench_result results[SHAPES];
    int ran = 0;
    for (int i = 0; i < SHAPES; i++) {
        if (options.filter && !strstr(shapes[i].name, options.filter)) {
            continue;
        }
        if (!run_shape(&options, &shapes[i], &results[ran++])) {
            fprintf(stderr, "bench attention: no memory for '%s'\n", shapes[i].name);
            return 1;
        }
    }
    return bench_report(&options, peak, row_seconds, results, ran);
}

int main(int count, char **arguments) {
    return bench_attention(count, arguments);
}
