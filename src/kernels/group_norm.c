/* SPDX-License-Identifier: Apache-2.0 */
/* Group normalisation: moments of fixed chunks of tokens, merged in order, then one pass of
 * scale and shift. */
#include "kernels/group_norm.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/cuts.h"

enum { PLD_BLOCK_TOKENS = 64, PLD_MAX_CHUNKS = 64 };

/** Count, mean and sum of squared distances from the mean. */
typedef struct moments {
    double count, mean, squares;
} moments;

/** Scratch, in this order: moments [chunks][groups] · scale [channels] · shift [channels] ·
 *  for each thread mean [channels], squares [channels]. */
typedef struct group_norm_run {
    const pld_kernels *kernels;
    const pld_group_norm_problem *problem;
    int64_t chunk_tokens, chunk_count;
    moments *chunks;
    float *scale, *shift, *channel_moments;
} group_norm_run;

size_t pld_group_norm_scratch_size(int64_t channels, int64_t groups, int threads) {
    if (channels < 1 || groups < 1 || channels % groups || threads < 1) {
        return 0;
    }
    size_t chunk_bytes = PLD_MAX_CHUNKS * sizeof(moments);
    size_t bytes, rows, row_bytes;
    bool fits = pld_multiply((size_t)groups, chunk_bytes, &bytes) &&
                pld_multiply(2 * ((size_t)threads + 1), sizeof(float), &rows) &&
                pld_multiply(rows, (size_t)channels, &row_bytes) && pld_add(bytes, row_bytes, &bytes);
    return fits ? bytes : 0;
}

/** Pairwise merge (Chan, Golub & LeVeque 1983). */
static void merge(moments *into, moments part) {
    double count = into->count + part.count;
    double distance = part.mean - into->mean;
    into->mean += distance * part.count / count;
    into->squares += part.squares + distance * distance * into->count * part.count / count;
    into->count = count;
}

/** Moments of a group from those of its `width` channels over the same tokens. */
static moments join_channels(const float *mean, const float *squares, int64_t width, int64_t tokens) {
    double sum = 0, total = 0, spread = 0;
    for (int64_t c = 0; c < width; c++) {
        sum += (double)mean[c];
        total += (double)squares[c];
    }
    double centre = sum / (double)width;
    for (int64_t c = 0; c < width; c++) {
        double distance = (double)mean[c] - centre;
        spread += distance * distance;
    }
    return (moments){(double)(width * tokens), centre, total + (double)tokens * spread};
}

/** Chunks [begin, end): moments of each group. */
static void measure_chunks(void *context, size_t begin, size_t end, int thread) {
    const group_norm_run *run = context;
    const pld_group_norm_problem *problem = run->problem;
    int64_t channels = problem->channels;
    int64_t width = channels / problem->groups;
    float *mean = run->channel_moments + 2 * channels * thread;
    float *squares = mean + channels;
    for (int64_t chunk = (int64_t)begin; chunk < (int64_t)end; chunk++) {
        moments *groups = run->chunks + chunk * problem->groups;
        for (int64_t group = 0; group < problem->groups; group++) {
            groups[group] = (moments){0};
        }
        int64_t last = pld_smaller((chunk + 1) * run->chunk_tokens, problem->tokens);
        for (int64_t token = chunk * run->chunk_tokens; token < last; token += PLD_BLOCK_TOKENS) {
            int64_t tokens = pld_smaller(PLD_BLOCK_TOKENS, last - token);
            run->kernels->channel_moments(problem->x + token * channels, tokens, channels, mean, squares);
            for (int64_t group = 0; group < problem->groups; group++) {
                merge(&groups[group],
                      join_channels(mean + group * width, squares + group * width, width, tokens));
            }
        }
    }
}

static void normalise_chunks(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const group_norm_run *run = context;
    const pld_group_norm_problem *problem = run->problem;
    int64_t first = (int64_t)begin * run->chunk_tokens;
    int64_t last = pld_smaller((int64_t)end * run->chunk_tokens, problem->tokens);
    run->kernels->scale_shift(problem->x + first * problem->channels, last - first, problem->channels,
                              run->scale, run->shift, problem->silu,
                              problem->out + first * problem->channels);
}

/** Merge the chunks in order into one factor and one summand for each channel. */
static void fold_affine(const group_norm_run *run, int64_t chunks) {
    const pld_group_norm_problem *problem = run->problem;
    int64_t width = problem->channels / problem->groups;
    for (int64_t group = 0; group < problem->groups; group++) {
        moments all = {0};
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            merge(&all, run->chunks[chunk * problem->groups + group]);
        }
        double factor = 1 / sqrt(all.squares / all.count + (double)problem->epsilon);
        for (int64_t c = group * width; c < (group + 1) * width; c++) {
            double scale = factor * (problem->weight ? (double)problem->weight[c] : 1.0);
            run->scale[c] = (float)scale;
            run->shift[c] = (float)((problem->bias ? (double)problem->bias[c] : 0.0) - all.mean * scale);
        }
    }
}

/** The run of a problem on its scratch; scale and shift are not set yet. */
static group_norm_run begin_run(const pld_kernels *kernels, const pld_group_norm_problem *problem,
                                void *scratch) {
    const int64_t blocks = pld_parts(problem->tokens, PLD_BLOCK_TOKENS);
    const int64_t chunk_blocks = pld_parts(blocks, PLD_MAX_CHUNKS);
    group_norm_run run = {
        .kernels = kernels,
        .problem = problem,
        .chunk_tokens = chunk_blocks * PLD_BLOCK_TOKENS,
        .chunks = scratch,
    };
    run.chunk_count = pld_parts(problem->tokens, run.chunk_tokens);
    run.scale = (float *)(void *)(run.chunks + PLD_MAX_CHUNKS * problem->groups);
    run.shift = run.scale + problem->channels;
    run.channel_moments = run.shift + problem->channels;
    return run;
}

static void find_factors(group_norm_run *run, int threads) {
    pld_parallel_for(threads, (size_t)run->chunk_count, measure_chunks, run);
    fold_affine(run, run->chunk_count);
}

void pld_group_norm_affine(const pld_kernels *kernels, const pld_group_norm_problem *problem, int threads,
                           void *scratch, float *scale, float *shift) {
    group_norm_run run = begin_run(kernels, problem, scratch);
    run.scale = scale;
    run.shift = shift;
    find_factors(&run, threads);
}

void pld_group_norm(const pld_kernels *kernels, const pld_group_norm_problem *problem, int threads,
                    void *scratch) {
    group_norm_run run = begin_run(kernels, problem, scratch);
    find_factors(&run, threads);
    pld_parallel_for(threads, (size_t)run.chunk_count, normalise_chunks, &run);
}
