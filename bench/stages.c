/* SPDX-License-Identifier: Apache-2.0 */
/* Stages of generations, read from profiles: text encoder, one denoiser evaluation (with one row and with
 * two), decoder, and what PLADIS adds to an evaluation. */
#include <stdio.h>
#include <string.h>

#include "bench/generation.h"
#include "core/memory.h"
#include "pipeline/session/session.h"

enum { STAGE_REPEATS = 3 };

/** Evaluations of network `name`: their seconds into `whole`, those of kind `kind` inside
 * each into `part`. */
static void sum_evaluations(const pld_profile *profile, const char *name, const char *kind,
                            bench_samples *whole, bench_samples *part) {
    const size_t count = pld_profile_span_count(profile);
    double inside = 0;
    for (size_t i = 0; i < count; i++) {
        const pld_profile_span *span = pld_profile_span_at(profile, i);
        if (span->level == PLD_PROFILE_OPERATOR && strcmp(span->network, name) == 0 &&
            strcmp(span->kind, kind) == 0) {
            inside += span->seconds;
        } else if (span->level == PLD_PROFILE_NETWORK && strcmp(span->name, name) == 0) {
            bench_add_sample(whole, span->seconds);
            bench_add_sample(part, inside);
            inside = 0;
        }
    }
}

/** Operations of the first evaluation of `name`. */
static double evaluation_work(const pld_profile *profile, const char *name) {
    const size_t count = pld_profile_span_count(profile);
    double work = 0;
    for (size_t i = 0; i < count; i++) {
        const pld_profile_span *span = pld_profile_span_at(profile, i);
        if (span->level == PLD_PROFILE_NETWORK && strcmp(span->name, name) == 0) {
            break;
        }
        work +=
            span->level == PLD_PROFILE_OPERATOR && strcmp(span->network, name) == 0 ? span->operations : 0;
    }
    return work;
}

/** The four kinds of evaluation, run in turn. */
enum { SOFTMAX_ONE, PLADIS_ONE, SOFTMAX_TWO, PLADIS_TWO, KINDS };
static const struct {
    const char *name;
    double cfg_scale, pladis_scale;
} kinds[KINDS] = {[SOFTMAX_ONE] = {"softmax, 1 row", 1, 0},
                  [PLADIS_ONE] = {"pladis 1.5, 1 row", 1, 2},
                  [SOFTMAX_TWO] = {"softmax, 2 rows", 7.5, 0},
                  [PLADIS_TWO] = {"pladis 1.5, 2 rows", 7.5, 2}};

/** What PLADIS costs: two kinds beside each other. */
static const struct {
    int with, without;
    const char *name;
} costs[] = {{PLADIS_ONE, SOFTMAX_ONE, "cost of pladis 1.5, 1 row"},
             {PLADIS_TWO, SOFTMAX_TWO, "cost of pladis 1.5, 2 rows"}};
enum { COSTS = sizeof costs / sizeof *costs };

/** The kind beside which one is set; itself: none. */
static int base_of(int kind) {
    return kind == SOFTMAX_TWO ? SOFTMAX_ONE : kind & ~1;
}

static const char *const text_encoders[2] = {"text_encoder", "text_encoder_2"};

static bool wants(const bench_run *run, const bench_model *model, const char *what, const char *name) {
    char full[BENCH_NAME];
    snprintf(full, sizeof full, "%s, %s%s", model->name, what, name);
    return bench_wanted(run, full);
}

static bool wants_decode(const bench_run *run, const bench_model *model) {
    return wants(run, model, "", "decode") || wants(run, model, "peak memory, ", "decode");
}

/** Whether --only wants a stage that every kind shows. */
static bool wants_other_stage(const bench_run *run, const bench_model *model) {
    bool wanted = wants_decode(run, model);
    for (int i = 0; i < 2; i++) {
        wanted = wanted || wants(run, model, text_encoders[i], ", 1 prompt");
    }
    for (int stage = 0; stage < BENCH_STAGES; stage++) {
        wanted = wanted || wants(run, model, "peak memory, ", bench_stage_names[stage]);
    }
    return wanted;
}

/** The kinds that results of --only need, bit by bit; SOFTMAX_ONE at least, for the other stages. None: it
 * matches no result. */
static unsigned kinds_to_run(const bench_run *run, const bench_model *model) {
    unsigned set = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        if (wants(run, model, "evaluation, ", kinds[kind].name) ||
            wants(run, model, "cross-attention of an evaluation, ", kinds[kind].name)) {
            set |= 1U << (unsigned)kind | 1U << (unsigned)base_of(kind);
        }
    }
    for (int i = 0; i < COSTS; i++) {
        if (wants(run, model, "", costs[i].name)) {
            set |= 1U << (unsigned)costs[i].with | 1U << (unsigned)costs[i].without;
        }
    }
    if (wants(run, model, "peak memory, ", "load") || wants(run, model, "peak memory, ", "denoise")) {
        set |= 1U << PLADIS_TWO; /* memory is that of the largest */
    }
    return set == 0 && wants_other_stage(run, model) ? 1U << SOFTMAX_ONE : set;
}

typedef struct stage_samples {
    bench_samples evaluation[KINDS], cross[KINDS]; /* seconds of evaluations and of cross-attention inside */
    bench_samples text[2], decode; /* of the text encoders: the first and the second, where there is one */
    double evaluation_work[KINDS], text_work[2], decode_work;
    uint64_t peaks[BENCH_STAGES];
    pld_report report;
} stage_samples;

/** Copy what a generation showed into the samples of kind `kind`. */
static void collect(const pld_profile *profile, const char *denoiser, int kind, stage_samples *s) {
    static bench_samples unused;
    unused.count = 0;
    s->evaluation_work[kind] = evaluation_work(profile, denoiser);
    sum_evaluations(profile, denoiser, "cross_attention", &s->evaluation[kind], &s->cross[kind]);
    for (int i = 0; i < 2; i++) {
        sum_evaluations(profile, text_encoders[i], "", &s->text[i], &unused);
        s->text_work[i] = s->text_work[i] == 0 ? evaluation_work(profile, text_encoders[i]) : s->text_work[i];
    }
    sum_evaluations(profile, "vae_decoder", "", &s->decode, &unused);
    s->decode_work = s->decode_work == 0 ? evaluation_work(profile, "vae_decoder") : s->decode_work;
}

/** The generations that a model's stages need. */
typedef struct stage_plan {
    unsigned kinds; /* bit by bit */
    bool decode;
} stage_plan;

static bool is_last(const stage_plan *plan, int kind) {
    return plan->kinds >> (unsigned)kind == 1;
}

/** Two steps of a kind, or one to warm up; the last kind of a round decodes. */
static bench_generation generation_of(const stage_plan *plan, int kind, int steps) {
    return (bench_generation){kinds[kind].cfg_scale, kinds[kind].pladis_scale, steps,
                              plan->decode && is_last(plan, kind)};
}

static pld_status sample_stages(bench_run *run, pld_session *session, const stage_plan *plan,
                                pld_profile *profile, stage_samples *s, pld_error *error) {
    const char *denoiser = pld_denoiser_of(session->model)->row->name; /* its plan is called so */
    const int rounds = run->options.repeats ? run->options.repeats : STAGE_REPEATS;
    bench_watch watch = {.stage = -1, .can_reset = bench_reset_peak_memory()};
    for (int round = -1; round < rounds; round++) {
        for (int i = 0; i < KINDS; i++) {
            const int kind =
                round < 0 ? KINDS - 1 - i : i; /* memory is that of the first, which does everything */
            if (plan->kinds & 1U << (unsigned)kind) {
                const bench_generation request = generation_of(plan, kind, round < 0 ? 1 : 2);
                pld_profile_clear(profile);
                PLD_TRY(bench_draw(run, session, &request, &watch, profile, &s->report, error));
                if (round >= 0) {
                    collect(profile, denoiser, kind, s);
                }
            }
        }
    }
    memcpy(s->peaks, watch.peaks, sizeof s->peaks);
    for (int kind = 0; run->options.profile && kind < KINDS; kind++) {
        if (is_last(plan, kind)) {
            const bench_generation request = generation_of(plan, kind, 2);
            PLD_TRY(bench_draw(run, session, &request, &watch, run->options.profile, &s->report, error));
        }
    }
    return PLD_OK;
}

/** What PLADIS adds to an evaluation: the time of the cross-attention sites with it less the time without,
 * divided by an evaluation without it. Whole evaluations in turn cannot resolve 1 % on a machine with other
 * work. */
static pld_status add_pladis_cost(bench_run *run, const bench_model *model, const char *shape,
                                  const stage_samples *s, pld_error *error) {
    for (int i = 0; i < COSTS; i++) {
        const bench_samples *with = &s->cross[costs[i].with], *without = &s->cross[costs[i].without];
        const double evaluation = bench_quantile(&s->evaluation[costs[i].without], 0.5);
        static bench_samples share;
        share.count = 0;
        for (int j = 0; evaluation > 0 && j < with->count && j < without->count; j++) {
            bench_add_sample(&share, (with->values[j] - without->values[j]) / evaluation);
        }
        bench_result result = bench_figures("stages", &share, "fraction");
        snprintf(result.name, sizeof result.name, "%s, %s", model->name, costs[i].name);
        snprintf(result.shape, sizeof result.shape, "%s", shape);
        if (share.count > 0 && bench_wanted(run, result.name)) {
            PLD_TRY(bench_add(run, &result, error));
        }
    }
    return PLD_OK;
}

static pld_status add_stages(bench_run *run, const bench_model *model, const stage_samples *s,
                             pld_error *error) {
    char shape[64], name[64];
    snprintf(shape, sizeof shape, "%d x %d", s->report.width, s->report.height);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s, 1 prompt", text_encoders[i]);
        PLD_TRY(bench_add_seconds(run, model, "stages", name, shape, &s->text[i], s->text_work[i], NULL, "",
                                  error));
    }
    for (int kind = 0; kind < KINDS; kind++) {
        const int base = base_of(kind);
        snprintf(name, sizeof name, "evaluation, %s", kinds[kind].name);
        PLD_TRY(bench_add_seconds(run, model, "stages", name, shape, &s->evaluation[kind],
                                  s->evaluation_work[kind], kind == base ? NULL : &s->evaluation[base],
                                  kind == SOFTMAX_TWO ? "1 row" : "softmax", error));
        snprintf(name, sizeof name, "cross-attention of an evaluation, %s", kinds[kind].name);
        PLD_TRY(bench_add_seconds(run, model, "stages", name, shape, &s->cross[kind], 0,
                                  kind % 2 == 0 ? NULL : &s->cross[base], "softmax", error));
    }
    PLD_TRY(add_pladis_cost(run, model, shape, s, error));
    PLD_TRY(bench_add_seconds(run, model, "stages", "decode", shape, &s->decode, s->decode_work, NULL, "",
                              error));
    for (int stage = 0; stage < BENCH_STAGES; stage++) {
        PLD_TRY(
            bench_add_memory(run, model, "stages", bench_stage_names[stage], shape, s->peaks[stage], error));
    }
    return PLD_OK;
}

static pld_status measure_stages(bench_run *run, const bench_model *row, const stage_plan *plan,
                                 pld_error *error) {
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_profile *own = NULL;
    stage_samples *s = pld_allocate(1, sizeof *s);
    pld_status status =
        s ? bench_open_model(run, row, &model, &session, error) : pld_fail_memory(error, sizeof *s, "bench");
    if (status == PLD_OK) {
        status = pld_profile_create(&own, error);
    }
    if (s && status == PLD_OK) {
        status = sample_stages(run, session, plan, own, s, error);
    }
    if (s && status == PLD_OK) {
        status = add_stages(run, row, s, error);
    }
    pld_profile_destroy(&own);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_free(s);
    return status;
}

pld_status bench_stages(bench_run *run, pld_error *error) {
    pld_status status = PLD_OK;
    for (int i = 0; status == PLD_OK && i < run->options.model_count; i++) {
        const bench_model *row = &run->options.models[i];
        const stage_plan plan = {kinds_to_run(run, row), wants_decode(run, row)};
        status = plan.kinds ? measure_stages(run, row, &plan, error) : PLD_OK;
    }
    return status;
}
