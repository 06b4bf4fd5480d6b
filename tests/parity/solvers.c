/* SPDX-License-Identifier: Apache-2.0 */
/** A denoiser and a sampler without a pipeline around them: generations by the embeddings that a case carries, and what guidance
 *  does to linear self-attention.
 *
 *  Tolerance of noise_pred and latents: max(1e-4, 30 · sensitivity), as in generations.c. */
#include "solvers.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "denoiser.h"
#include "sampling/sampler.h"

/** A sampler on the latents of a case. */
typedef struct solver {
    denoiser_fixture f;
    pld_sampler *sampler;
    size_t count; /* numbers of the latents */
    float *sample, *input, *rows[MOST_ROWS], *prediction;
    double cfg;
    int texts;
} solver;

static void make_sampler(solver *s) {
    pld_error error = {0};
    pld_scheduler_config stated;
    const json_t *info = s->f.c->info;
    const pld_sampling_options options = pld_sampling_options_default((size_t)json_field(info, "steps", 0));
    const pld_sampler_kind *kind = pld_sampler_kind_find(reference_sampler(info));
    const char *file = case_model_path(s->f.c, "scheduler/scheduler_config.json");
    assert_non_null(kind);
    check_status(pld_scheduler_config_load(file, NULL, &stated, &error), &error);
    check_status(pld_sampler_create(kind, &stated, &options, NULL, &s->sampler, &error), &error);
    pld_scheduler_config_clear(&stated);
}

/** u + cfg·(c − u) of one call, in s->prediction. */
static void predict(solver *s, size_t call) {
    pld_error error = {0};
    denoiser_fixture *f = &s->f;
    const pld_value *in = &f->plan.values[f->io.sample];
    const int64_t area = in->height * in->width;
    pld_sampler_scale_model_input(s->sampler, call, s->sample, s->input, s->count);
    for (int row = 0; row < s->texts; row++) {
        f->timesteps[row] = pld_sampler_network_timestep(s->sampler, call);
        forced_kernels()->nchw_to_nhwc(s->input, in->channels, area,
                                       pld_plan_map(&f->plan, f->io.sample) + (size_t)row * s->count);
    }
    check_status(pld_plan_run(&f->run, &error), &error);
    for (int row = 0; row < s->texts; row++) {
        forced_kernels()->nhwc_to_nchw(pld_plan_map(&f->plan, f->io.output) + (size_t)row * s->count,
                                       in->channels, area, s->rows[row]);
    }
    for (size_t i = 0; i < s->count; i++) {
        const double last = s->rows[s->texts - 1][i], first = s->rows[0][i];
        s->prediction[i] = s->texts > 1 ? (float)(first + s->cfg * (last - first)) : s->rows[0][i];
    }
    pld_sampler_convert_output(s->sampler, call, s->input, s->prediction, s->prediction, s->count);
}

/** Compare with the case's tensor `prefix` of call `call`. */
static void compare_latents(const solver *s, const char *prefix, size_t call, const float *found) {
    char name[32];
    size_t count = 0;
    const double sensitivity = 30 * json_field(json_object_get(s->f.c->info, "sensitivity"), "latents", 0);
    snprintf(name, sizeof name, "%s.%02d", prefix, (int)call);
    float *expected = case_values(s->f.c, name, &count);
    assert_int_equal(count, s->count);
    check_error(s->f.c->name, name, relative_error(found, expected, count),
                sensitivity > s->f.tolerance ? sensitivity : s->f.tolerance);
    pld_free(expected);
}

static void solve(solver *s) {
    pld_error error = {0};
    pld_rng rng;
    const pld_schedule *schedule = pld_sampler_schedule(s->sampler);
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, (uint64_t)json_field(s->f.c->info, "seed", 0));
    pld_rng_normal(&rng, s->sample, s->count);
    for (size_t i = 0; i < s->count; i++) {
        s->sample[i] *= schedule->init_noise_sigma;
    }
    check_status(pld_sampler_begin(s->sampler, 0, s->count, &error), &error);
    for (size_t call = 0; call < schedule->calls; call++) {
        predict(s, call);
        compare_latents(s, "noise_pred", call, s->prediction);
        check_status(pld_sampler_step(s->sampler, call, s->prediction, s->sample, &rng, s->sample, &error),
                     &error);
        compare_latents(s, "latents", call, s->sample);
    }
}

static float *new_latents(const solver *s) {
    float *latents = pld_allocate(s->count, sizeof *latents);
    assert_non_null(latents);
    return latents;
}

static void solve_case(const parity_case *c, const parity_row *row, void *user) {
    (void)user;
    static const char *const needed[] = {"prompt_embeds", "latents_first", "noise_pred.00", NULL};
    const stored_text texts[MOST_ROWS] = {{"negative_prompt_embeds", "negative_prompt_attention_mask", 0, 0},
                                          {"prompt_embeds", "prompt_attention_mask", 0, 0}};
    solver s = {.f = {.c = c, .tolerance = row->tolerance}, .cfg = json_field(c->info, "cfg", 1)};
    s.texts = s.cfg > 1 ? 2 : 1;
    if (!parity_is_alone(row) || !case_has_all(c, needed) || !network_open(c, "transformer", &s.f.network)) {
        return;
    }
    pld_free(case_values(c, "latents_first", &s.count));
    denoiser_prepare_for(&s.f, "latents_first", texts + MOST_ROWS - s.texts, s.texts);
    denoiser_set_pladis(&s.f, json_object_get(c->info, "pladis"));
    make_sampler(&s);
    s.sample = new_latents(&s);
    s.input = new_latents(&s);
    s.prediction = new_latents(&s);
    for (int i = 0; i < s.texts; i++) {
        s.rows[i] = new_latents(&s);
    }
    solve(&s);
    pld_free(s.sample);
    pld_free(s.input);
    pld_free(s.prediction);
    for (int i = 0; i < s.texts; i++) {
        pld_free(s.rows[i]);
    }
    pld_sampler_destroy(&s.sampler);
    denoiser_close(&s.f);
}

/** In float32: what the cases say of their sensitivity is about that. */
void generations_alone(void **state) {
    (void)state;
    if (!forced_bf16() && !forced_int8()) {
        compare_cases("generation", solve_case, NULL);
    }
}

/** PAG's map is the identity, as in diffusers; there are no queries of a map for SEG to blur
 *  (tools/reference/sana_cases.py). */
void linear_perturbed(void **state) {
    (void)state;
    pld_error error = {0};
    int sites = 0;
    parity_case c;
    const pld_attention_effect identity = {
        .variant = "identity", .layers = "0", .branches = PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL)};
    const pld_attention_effect blur = {.variant = "blur", .layers = "0", .branches = PLD_BRANCHES_ALL};
    case_open_table("sana", "lora.json", "lora.safetensors", &c);
    denoiser_fixture f = {.c = &c};
    assert_true(network_open(&c, "transformer", &f.network));
    denoiser_prepare(&f);
    check_status(pld_variant_table_add_effect(&f.table, &identity, "pag", &sites, &error), &error);
    assert_int_equal(sites, 1);
    denoiser_compare(&f, "output.pag", "output.pag",
                     parity_forward_tolerance(parity_row_find("transformer_forward", "sana-text")));
    assert_int_equal(pld_variant_table_add_effect(&f.table, &blur, "seg", &sites, &error),
                     PLD_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "linear"));
    denoiser_close(&f);
    case_close(&c);
}
