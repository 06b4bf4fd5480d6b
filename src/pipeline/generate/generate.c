/* SPDX-License-Identifier: Apache-2.0 */
/** One picture: load, text, denoise, decode. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/cancel.h"
#include "core/memory.h"
#include "core/sized.h"
#include "io/files/atomic_file.h"
#include "io/tensors/weight_files.h"
#include "kernels/latents.h"
#include "pipeline/generate/attention_maps.h"
#include "pipeline/generate/generation.h"
#include "pipeline/generate/init_picture.h"
#include "pipeline/generate/preview.h"

/** Tell the caller where the run is; his answer may end it. */
static pld_status tell(pld_generation *g, const char *stage, size_t step, size_t steps) {
    const double seconds = pld_seconds() - g->began;
    double denoise = 0;
    for (int i = 0; i < g->report.stage_count; i++) {
        denoise += g->report.stage_seconds[i]; /* stages that are done do not repeat */
    }
    const double left = step > 0 ? (seconds - denoise) / (double)step * (double)(steps - step) : -1;
    const pld_progress progress = {.struct_size = sizeof progress,
                                   .stage = stage,
                                   .image = g->options->image,
                                   .images = g->options->images,
                                   .step = (int)step,
                                   .steps = (int)steps,
                                   .seconds = seconds,
                                   .seconds_left = left};
    bool go_on = !g->options->progress || g->options->progress(g->options->progress_user, &progress);
    bool cancelled = pld_cancel_requested(g->options->cancel);
    return go_on && !cancelled ? PLD_OK : pld_fail(g->error, PLD_ERROR_CANCELLED, "cancelled");
}

/** Run one stage and note its time. */
static pld_status stage(pld_generation *g, const char *name, pld_status (*run)(pld_generation *g)) {
    PLD_TRY(tell(g, name, 0, 0));
    const double begin = pld_seconds();
    PLD_TRY(run(g));
    pld_profile_end(g->options->profile, PLD_PROFILE_STAGE, "", name, begin);
    g->report.stage_names[g->report.stage_count] = name;
    g->report.stage_seconds[g->report.stage_count++] = pld_seconds() - begin;
    return PLD_OK;
}

static const pld_context *context_of(const pld_generation *g, pld_branch branch) {
    return &g->session->contexts[pld_branch_text(branch)].context;
}

/** Of the branches `left` to evaluate those that one evaluation can take with the first of them: all, or where texts join the
 * sample those whose texts have as many tokens, for which its plan is made. */
static pld_branch_set next_together(const pld_generation *g, pld_branch_set left) {
    pld_branch branches[PLD_BRANCH_COUNT];
    const int count = pld_branches_of(left, branches);
    pld_branch_set together = 0;
    if (!g->model->denoiser_facts.text_joins_sample) {
        return left;
    }
    for (int i = 0; i < count; i++) {
        const bool same = context_of(g, branches[i])->tokens == context_of(g, branches[0])->tokens;
        together |= same ? PLD_BRANCH_BIT(branches[i]) : 0;
    }
    return together;
}

/** Most tokens of the prompts that these branches attend to, and most zeros that they are filled up with. */
static void measure_contexts(const pld_generation *g, pld_branch_set texts, pld_denoiser_request *request) {
    request->tokens = request->zero_keys = 0;
    for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
        if (texts & PLD_BRANCH_BIT(branch)) {
            const pld_context *context = context_of(g, (pld_branch)branch);
            request->tokens = context->tokens > request->tokens ? context->tokens : request->tokens;
            request->zero_keys =
                context->zero_keys > request->zero_keys ? context->zero_keys : request->zero_keys;
        }
    }
}

/** Some step of the run evaluates just these branches together. */
static bool evaluates(const pld_generation *g, pld_branch_set branches) {
    const size_t steps = pld_sampler_schedule(g->sampler)->steps;
    for (size_t step = 0; step < steps; step++) {
        pld_branch_set left = pld_guidance_chain_branches(&g->guidance, step, steps), set;
        for (; left; left &= ~set) {
            set = next_together(g, left);
            if (set == branches) {
                return true;
            }
        }
    }
    return false;
}

/** NAG's negative branch looks at the conditional one's picture, so both are rows of one evaluation. */
static pld_status check_negative(const pld_generation *g) {
    const int64_t positive = context_of(g, PLD_BRANCH_CONDITIONAL)->tokens;
    const int64_t negative = context_of(g, PLD_BRANCH_NEGATIVE)->tokens;
    if (!(pld_generation_branches(g) & PLD_BRANCH_BIT(PLD_BRANCH_NEGATIVE)) || positive == negative) {
        return PLD_OK;
    }
    return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                    "guidance nag: the prompt fills %lld tokens of this model and the negative prompt %lld; "
                    "expected as many: lengthen the shorter one, or use --cfg-scale",
                    (long long)positive, (long long)negative);
}

/** Prepare the denoiser for the sets of branches that this run evaluates: primitives and packed weights. */
static pld_status load_denoiser(pld_generation *g) {
    pld_denoiser_request request = {
        .height = g->latent_height, .width = g->latent_width, .tables = {&g->dense, &g->pladis}};
    const bool joins = g->model->denoiser_facts.text_joins_sample;
    PLD_TRY(joins ? check_negative(g) : PLD_OK);
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        if (!evaluates(g, set)) { /* before others are prepared, which may want its memory */
            pld_session_drop_denoiser(g->session, set);
        }
    }
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        if (evaluates(g, set)) {
            request.branches = set;
            measure_contexts(g, joins ? set : pld_guidance_chain_texts(&g->guidance), &request);
            PLD_TRY(pld_session_need_denoiser(g->session, &request, g->options->cancel, g->error));
        }
    }
    PLD_TRY(pld_session_settle_denoisers(g->session, g->error));
    const pld_stretches_share share = pld_session_denoiser_share(g->session);
    g->report.resident_bytes = share.resident;
    g->report.streamed_bytes = share.streamed;
    return PLD_OK;
}

/** latents_init [1, C, h, w] of a file, which must have the run's shape. */
static pld_status read_init_noise(pld_generation *g, const int64_t *shape, float *noise) {
    pld_weight_files *files = NULL;
    pld_weight weight;
    const char *path = g->options->init_noise;
    PLD_TRY(pld_weight_files_open_file(path, &files, g->error));
    char expected[96];
    pld_shape_text(shape, 4, expected, sizeof expected);
    pld_status status = PLD_OK;
    if (!pld_weight_files_find(files, "latents_init", &weight) || weight.tensor->dtype != PLD_DTYPE_F32 ||
        weight.tensor->rank != 4 || memcmp(weight.tensor->shape, shape, 4 * sizeof *shape) != 0) {
        status = pld_fail(g->error, PLD_ERROR_FORMAT, "%s: expected a tensor 'latents_init' %s of f32", path,
                          expected);
    } else {
        status = pld_weight_read(&weight, 0, weight.tensor->bytes, noise, g->error);
    }
    pld_weight_files_close(&files);
    return status;
}

/** Unit normal noise from the seed (the generator's first draw, but for a picture's latents), scaled as the
 * sampler wants it. */
static pld_status start_latents(pld_generation *g) {
    const int64_t shape[] = {1, g->model->denoiser_facts.channels, g->latent_height, g->latent_width};
    pld_rng_normal(&g->rng, g->latents, g->count);
    if (g->options->init_noise) {
        PLD_TRY(read_init_noise(g, shape, g->latents));
        const size_t wrong = pld_first_not_finite(g->latents, g->count);
        if (wrong < g->count) {
            return pld_fail(
                g->error, PLD_ERROR_NUMERIC,
                "%s: tensor 'latents_init': element %zu is not finite; expected unit-normal noise",
                g->options->init_noise, wrong);
        }
    }
    PLD_TRY(pld_dump_add(&g->dump, "latents_init", g->latents, 4, shape, g->error));
    if (g->options->init_image) {
        return pld_init_picture_start(g);
    }
    const float scale = pld_sampler_schedule(g->sampler)->init_noise_sigma;
    pld_scale_floats(g->latents, scale, g->count, g->latents);
    return PLD_OK;
}

/** Hand the network its input: a row for each group of branches that begin equal. */
static pld_status fill_sample(pld_generation *g, const pld_denoiser_plan *denoiser) {
    const pld_value *sample = &denoiser->plan.values[denoiser->values.sample];
    for (int64_t i = 0; i < sample->batch; i++) {
        PLD_TRY(pld_plan_write(&denoiser->plan, denoiser->values.sample, i, PLD_CHANNEL_MAJOR, g->model_input,
                               g->error));
    }
    return PLD_OK;
}

/** What the network predicts for each of the branches, into g->rows; behind it there may be more of the output, which
 * nobody reads: a learned variance. */
static pld_status read_output(pld_generation *g, const pld_denoiser_plan *denoiser,
                              const pld_branch *branches, int count) {
    const pld_value *output = &denoiser->plan.values[denoiser->values.output];
    for (int i = 0; i < count; i++) {
        float *row = g->rows[branches[i]];
        PLD_TRY(pld_plan_read(&denoiser->plan, denoiser->values.output, pld_group_of_row(&output->groups, i),
                              PLD_CHANNEL_MAJOR, row, g->error));
        if (g->model->denoiser_facts.negated) {
            pld_scale_floats(row, -1, g->count, row);
        }
    }
    return PLD_OK;
}

/** What the network is told of the time, in float32 as in diffusers. */
static double network_timestep(const pld_generation *g, size_t call) {
    const pld_denoiser_facts *facts = &g->model->denoiser_facts;
    const double scale = facts->timestep_scale, divisor = facts->timestep_divisor;
    double timestep = pld_sampler_network_timestep(g->sampler, call);
    if (facts->timestep_end != 0) {
        timestep = (double)((float)facts->timestep_end - (float)timestep);
    }
    if (divisor != 0) {
        return (double)((float)timestep / (float)divisor);
    }
    return scale != 0 && scale != 1 ? (double)((float)timestep * (float)scale) : timestep;
}

/** Predictions of a set of branches for g->model_input and call `call`, into g->rows: one evaluation whose rows are
 * the branches. */
static pld_status evaluate(pld_generation *g, size_t call, pld_branch_set set) {
    pld_denoiser_plan *denoiser = &g->session->denoisers[set];
    pld_branch branches[PLD_BRANCH_COUNT];
    const int count = pld_branches_of(set, branches);
    const pld_context *contexts[PLD_BRANCH_COUNT];
    double timesteps[PLD_BRANCH_COUNT];
    for (int i = 0; i < count; i++) {
        contexts[i] = context_of(g, branches[i]);
        timesteps[i] = network_timestep(g, call);
    }
    PLD_TRY(fill_sample(g, denoiser));
    pld_run run = pld_session_run(g->session, &denoiser->plan, g->options->cancel);
    const bool active = pld_generation_pladis_active(g, pld_sampler_step_of_call(g->sampler, call));
    run.variants = active ? &g->pladis : &g->dense;
    run.branch_of_row = branches;
    run.contexts = contexts;
    run.negative_context = context_of(g, PLD_BRANCH_UNCONDITIONAL);
    run.block_scales = g->has_block_scales ? &g->block_scales : NULL;
    run.timesteps = timesteps;
    pld_attention_maps_watch(g, pld_sampler_step_of_call(g->sampler, call), &run);
    if (g->statistics) {
        pld_attention_statistics_watch(g->statistics, g->model->engine, &run);
    }
    PLD_TRY(pld_plan_run(&run, g->error));
    PLD_TRY(g->statistics ? pld_attention_statistics_status(g->statistics, g->error) : PLD_OK);
    g->report.evaluations += count;
    return read_output(g, denoiser, branches, count);
}

/** One call of the network, if the step needs it, and its guided prediction. `renoise` as in
 *  pld_guidance_step. */
static pld_status predict(pld_generation *g, size_t call, const float **renoise) {
    pld_guidance_step step = {.step = pld_sampler_step_of_call(g->sampler, call),
                              .steps = pld_sampler_schedule(g->sampler)->steps,
                              .count = g->count,
                              .guided = g->noise_pred};
    const pld_branch_set set = pld_guidance_chain_branches(&g->guidance, step.step, step.steps);
    /* a prediction of zero, which takes no evaluation, is converted with the input, too */
    pld_sampler_scale_model_input(g->sampler, call, g->latents, g->model_input, g->count);
    g->report.calls += set != 0;
    for (pld_branch_set left = set, together; left; left &= ~together) {
        together = next_together(g, left);
        if (g->model->denoiser_facts.text_joins_sample) {
            PLD_TRY(pld_session_wake_denoiser(g->session, together, g->error));
        }
        PLD_TRY(evaluate(g, call, together));
    }
    for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
        step.predictions[branch] = set & PLD_BRANCH_BIT(branch) ? g->rows[branch] : NULL;
    }
    pld_guidance_chain_combine(&g->guidance, &step);
    pld_sampler_convert_output(g->sampler, call, g->model_input, g->noise_pred, g->noise_pred, g->count);
    *renoise = step.renoise;
    return PLD_OK;
}

/** Dump latents [1, C, h, w], or where diffusers packs them [1, tokens, C·p·p]. */
static pld_status dump_latents(pld_generation *g, const char *name, const float *values) {
    const pld_denoiser_facts *facts = &g->model->denoiser_facts;
    const int64_t side = facts->packed;
    if (!side || !g->dump.enabled) {
        const int64_t shape[] = {1, facts->channels, g->latent_height, g->latent_width};
        return pld_dump_add(&g->dump, name, values, 4, shape, g->error);
    }
    const pld_patch_grid patches = {
        .channels = facts->channels, .height = g->latent_height, .width = g->latent_width, .patch = side};
    const int64_t shape[] = {1, g->latent_height / side * (g->latent_width / side),
                             facts->channels * side * side};
    float *tokens = pld_allocate(g->count, sizeof *tokens);
    if (!tokens) {
        return pld_fail_memory(g->error, g->count * sizeof *tokens, "dump");
    }
    g->model->engine->kernels->patchify(&patches, values, tokens);
    const pld_status status = pld_dump_add(&g->dump, name, tokens, 3, shape, g->error);
    pld_free(tokens);
    return status;
}

/** Tokens [h·w, C] of the final latents as the autoencoder knows them → pictures [C/p², p·h, p·w] of their patches. */
static void open_patches(const pld_generation *g, float *scaled, float *tokens, float *opened) {
    const pld_autoencoder_facts *facts = &g->model->autoencoder_facts;
    const pld_kernels *kernels = g->model->engine->kernels;
    const int64_t side = facts->patch;
    const pld_patch_grid patches = {.channels = facts->channels / (side * side),
                                    .height = g->latent_height * side,
                                    .width = g->latent_width * side,
                                    .patch = side};
    const int64_t places = g->latent_height * g->latent_width;
    pld_latents_unscale(g->latents, facts->channels, places,
                        &(pld_latent_scaling){facts->scale, facts->shift}, scaled);
    kernels->nchw_to_nhwc(scaled, facts->channels, places, tokens);
    kernels->unpatchify(&patches, tokens, opened);
}

/** Dump what goes into the autoencoder; of latents that are patches in the order in which diffusers hands them on. */
static pld_status dump_final(pld_generation *g) {
    const pld_autoencoder_facts *facts = &g->model->autoencoder_facts;
    const int64_t side = facts->patch;
    if (!side || !g->dump.enabled) {
        return dump_latents(g, "latents", g->latents);
    }
    const int64_t shape[] = {1, facts->channels / (side * side), g->latent_height * side,
                             g->latent_width * side};
    float *rooms = pld_allocate(2 * g->count, sizeof *rooms);
    if (!rooms) {
        return pld_fail_memory(g->error, 2 * g->count * sizeof *rooms, "dump");
    }
    open_patches(g, rooms, rooms + g->count, rooms);
    const pld_status status = pld_dump_add(&g->dump, "latents", rooms, 4, shape, g->error);
    pld_free(rooms);
    return status;
}

static pld_status dump_call(pld_generation *g, const char *what, size_t call, const float *values) {
    if (!g->options->dump_steps) {
        return PLD_OK;
    }
    char name[48];
    snprintf(name, sizeof name, "%s.%02zu", what, call);
    return dump_latents(g, name, values);
}

static pld_status dump_schedule(pld_generation *g) {
    const pld_schedule *schedule = pld_sampler_schedule(g->sampler);
    const int64_t calls = (int64_t)schedule->calls;
    const int64_t sigmas = (int64_t)schedule->sigmas_count;
    if (!g->options->dump_steps) {
        return PLD_OK;
    }
    float *timesteps = pld_allocate(schedule->calls, sizeof *timesteps);
    if (!timesteps) {
        return pld_fail_memory(g->error, schedule->calls * sizeof *timesteps, "dump");
    }
    for (size_t i = 0; i < schedule->calls; i++) {
        timesteps[i] = (float)schedule->timesteps[i];
    }
    pld_status status = pld_dump_add(&g->dump, "timesteps", timesteps, 1, &calls, g->error);
    pld_free(timesteps);
    PLD_TRY(status);
    return sigmas ? pld_dump_add(&g->dump, "sigmas", schedule->sigmas, 1, &sigmas, g->error) : PLD_OK;
}

static pld_status denoise(pld_generation *g) {
    const size_t calls = pld_sampler_schedule(g->sampler)->calls;
    PLD_TRY(start_latents(g));
    PLD_TRY(dump_schedule(g));
    PLD_TRY(pld_attention_maps_begin(g));
    PLD_TRY(pld_sampler_begin(g->sampler, g->first_call, g->count, g->error));
    PLD_TRY(pld_guidance_chain_begin(&g->guidance, g->count, g->error));
    for (size_t call = g->first_call; call < calls; call++) {
        const float *renoise = NULL;
        PLD_TRY(predict(g, call, &renoise));
        PLD_TRY(
            pld_generation_check_finite(g, g->noise_pred, g->count, "denoise", call + 1, PLD_ROLE_DENOISER));
        PLD_TRY(dump_call(g, "noise_pred", call, g->noise_pred));
        PLD_TRY(pld_preview_show(g, call));
        PLD_TRY(pld_sampler_step_renoising(g->sampler, call, g->noise_pred, renoise, g->latents, &g->rng,
                                           g->latents, g->error));
        pld_init_picture_blend(g, call);
        PLD_TRY(pld_generation_check_finite(g, g->latents, g->count, "sampler", call + 1, PLD_ROLE_DENOISER));
        PLD_TRY(dump_call(g, "latents", call, g->latents));
        PLD_TRY(tell(g, "denoise", call + 1 - g->first_call, calls - g->first_call));
    }
    pld_sampler_finish(g->sampler, g->latents, g->latents, g->count);
    PLD_TRY(pld_attention_maps_finish(g));
    return dump_final(g);
}

static pld_status decode(pld_generation *g) {
    const int64_t shape[] = {1, 3, g->height, g->width};
    g->decoded = pld_allocate((size_t)(3 * g->height * g->width), sizeof *g->decoded);
    if (!g->decoded) {
        return pld_fail_memory(g->error, (size_t)(3 * g->height * g->width) * sizeof *g->decoded, "picture");
    }
    if (g->options->release_denoiser) {
        const size_t bytes = pld_session_release_denoiser(g->session);
        pld_log_message(&g->model->engine->log, PLD_LOG_DETAIL,
                        "denoiser: %.2f GiB of its weights were freed", (double)bytes / 1073741824.0);
    }
    PLD_TRY(pld_session_decode(g->session, g->latents, g->latent_height, g->latent_width, g->options->cancel,
                               g->decoded, g->error));
    PLD_TRY(pld_generation_check_finite(g, g->decoded, (size_t)(3 * g->height * g->width), "decode", 0,
                                        PLD_ROLE_AUTOENCODER));
    return pld_dump_add(&g->dump, "decoded", g->decoded, 4, shape, g->error);
}

static pld_status to_image(pld_generation *g, pld_image *image) {
    const size_t pixels = (size_t)(g->height * g->width);
    image->pixels = pld_allocate(pixels, 3);
    if (!image->pixels) {
        return pld_fail_memory(g->error, 3 * pixels, "picture");
    }
    image->width = (int)g->width;
    image->height = (int)g->height;
    pld_picture_to_bytes(g->decoded, pixels, image->pixels);
    return PLD_OK;
}

static pld_status allocate_latents(pld_generation *g) {
    float **buffers[3 + PLD_BRANCH_COUNT] = {&g->latents, &g->model_input, &g->noise_pred};
    size_t buffer_count = 3;
    const pld_branch_set needed = pld_generation_branches(g);
    for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
        if (needed & PLD_BRANCH_BIT(branch)) {
            buffers[buffer_count++] = &g->rows[branch];
        }
    }
    const size_t area = (size_t)(g->latent_height * g->latent_width);
    const size_t room =
        (size_t)g->model->denoiser_facts.output_channels * area; /* at least as many as channels */
    g->count = (size_t)g->model->denoiser_facts.channels * area;
    for (size_t i = 0; i < buffer_count; i++) {
        *buffers[i] = pld_allocate_aligned(room, sizeof(float));
        if (!*buffers[i]) {
            return pld_fail_memory(g->error, room * sizeof(float), "latents");
        }
    }
    return PLD_OK;
}

static void generation_free(pld_generation *g) {
    pld_sampler_destroy(&g->sampler);
    pld_guidance_chain_free(&g->guidance);
    pld_variant_table_free(&g->dense);
    pld_variant_table_free(&g->pladis);
    pld_dump_free(&g->dump);
    pld_attention_statistics_destroy(&g->statistics);
    pld_free(g->latents);
    pld_free(g->model_input);
    pld_free(g->noise_pred);
    pld_free(g->decoded);
    pld_init_picture_free(g);
    for (int i = 0; i < PLD_BRANCH_COUNT; i++) {
        pld_free(g->rows[i]);
    }
}

/** What is written after the picture can be written, as far as that can be known before. */
static pld_status check_outputs(const pld_generation *g) {
    const char *const paths[] = {g->options->dump, g->options->attention_statistics};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        PLD_TRY(paths[i] ? pld_atomic_file_check(paths[i], NULL, g->error) : PLD_OK);
    }
    return PLD_OK;
}

/* For each pixel: decoded [3] in float32, the picture's bytes twice, and as much again for the file that is made of them. */
enum { PICTURE_BYTES = 24 };

static pld_status run_stages(pld_generation *g, pld_image *image) {
    const volatile int *cancel = g->options->cancel;
    PLD_TRY(pld_generation_resolve(g));
    PLD_TRY(check_outputs(g));
    PLD_TRY(allocate_latents(g));
    g->session->picture_bytes = (uint64_t)(g->width * g->height) * PICTURE_BYTES;
    PLD_TRY(pld_session_check_memory(g->session, g->latent_height, g->latent_width, cancel, g->error));
    pld_rng_seed(&g->rng, PLD_RNG_TORCH_CPU, (uint64_t)g->options->seed);
    if (g->options->init_image) { /* first: what it prepares may push out what other networks hold */
        PLD_TRY(stage(g, "encode", pld_init_picture_encode));
    }
    PLD_TRY(stage(g, "text", pld_generation_encode_text));
    PLD_TRY(stage(g, "load", load_denoiser));
    PLD_TRY(stage(g, "denoise", denoise));
    PLD_TRY(stage(g, "decode", decode));
    PLD_TRY(to_image(g, image));
    if (g->statistics) {
        PLD_TRY(pld_attention_statistics_write(g->statistics, g->options->attention_statistics, cancel,
                                               g->error));
    }
    return g->options->dump ? pld_dump_write(&g->dump, g->options->dump, cancel, g->error) : PLD_OK;
}

/** Resolve and check, and give the sizes. */
static pld_status check_stages(pld_generation *g, pld_image *image) {
    (void)image;
    PLD_TRY(pld_generation_resolve(g));
    return check_outputs(g);
}

/** Run `stages` on a generation of these options. */
static pld_status generate(pld_session *session, const pld_generate_options *given,
                           pld_status (*stages)(pld_generation *g, pld_image *image), pld_image *image,
                           pld_report *report, pld_error *error) {
    const pld_generate_options defaults = pld_generate_defaults();
    pld_generate_options full;
    const pld_generate_options *options = &full;
    PLD_NEED(session);
    PLD_NEED(image);
    *image = (pld_image){0};
    PLD_TRY(PLD_SIZED_READ(pld_generate_options, given, &defaults, &full, error));
    PLD_TRY(report ? pld_sized_check("pld_report", report, error) : PLD_OK);
    pld_generation g = {.session = session,
                        .model = session->model,
                        .options = options,
                        .error = error,
                        .dump = {.enabled = options->dump != NULL},
                        .began = pld_seconds()};
    const double waited = pld_session_waited(session);
    session->profile = options->profile;
    pld_status status = stages(&g, image);
    session->profile = NULL;
    g.report.max_memory = session->model->engine->max_memory;
    g.report.streaming_wait_seconds = pld_session_waited(session) - waited;
    if (status != PLD_OK) {
        pld_image_free(image);
    }
    g.report.peak_memory_bytes = pld_peak_memory();
    if (report) {
        pld_sized_write(report, &g.report, sizeof g.report);
    }
    generation_free(&g);
    return status;
}

pld_status pld_generate(pld_session *session, const pld_generate_options *options, pld_image *image,
                        pld_report *report, pld_error *error) {
    return generate(session, options, run_stages, image, report, error);
}

pld_status pld_generate_check(pld_session *session, const pld_generate_options *options, pld_report *report,
                              pld_error *error) {
    pld_image none;
    return generate(session, options, check_stages, &none, report, error);
}
