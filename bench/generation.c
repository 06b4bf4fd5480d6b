/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/generation.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "pipeline/session/session.h"

const char *const bench_stage_names[BENCH_STAGES] = {"text", "load", "denoise", "decode"};

static void close_stage(bench_watch *watch) {
    if (watch->stage >= 0 && watch->can_reset) {
        if (watch->peaks[watch->stage] == 0) {
            watch->peaks[watch->stage] = bench_peak_memory();
        }
        bench_reset_peak_memory();
    }
}

static bool watch_progress(void *user, const pld_progress *progress) {
    bench_watch *watch = user;
    if (progress->step > 0) {
        return true;
    }
    close_stage(watch);
    for (int i = 0; i < BENCH_STAGES; i++) {
        if (strcmp(progress->stage, bench_stage_names[i]) == 0) {
            watch->stage = i;
        }
    }
    if (strcmp(progress->stage, "denoise") == 0 && watch->first_step == 0) {
        watch->first_step = pld_seconds() - watch->began;
    }
    return !(watch->stop_before_decode && strcmp(progress->stage, "decode") == 0);
}

pld_status bench_draw(bench_run *run, pld_session *session, const bench_generation *request,
                      bench_watch *watch, pld_profile *profile, pld_report *report, pld_error *error) {
    pld_generate_options options;
    pld_image image = {0};
    char prompt[64], negative_prompt[64];
    pld_generate_options_init(&options, sizeof options);
    snprintf(prompt, sizeof prompt, "a red fox sitting in deep snow, sharp focus, %d", ++watch->drawn);
    snprintf(negative_prompt, sizeof negative_prompt, "blurry, low quality, %d", watch->drawn);
    options.prompt = prompt;
    options.negative_prompt = negative_prompt;
    options.width = run->options.width;
    options.height = run->options.height;
    options.cfg_scale = request->cfg_scale;
    options.pladis_scale = request->pladis_scale;
    options.steps = request->steps;
    options.sampling_method = run->sampling_method;
    options.dtype = run->options.dtype;
    options.profile = profile;
    options.progress = watch_progress;
    options.progress_user = watch;
    options.cancel = run->options.cancel;
    watch->stage = -1;
    watch->stop_before_decode = !request->decode;
    *report = (pld_report){.struct_size = sizeof *report};
    pld_status status = pld_generate(session, &options, &image, report, error);
    close_stage(watch);
    pld_image_free(&image);
    PLD_TRY(bench_check_cancel(run, error));
    return status == PLD_ERROR_CANCELLED && !request->decode ? PLD_OK : status;
}

pld_status bench_open_model(bench_run *run, const bench_model *row, pld_model **model, pld_session **session,
                            pld_error *error) {
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.random_weights = row->random;
    options.vocabulary = run->options.vocabulary;
    PLD_TRY(pld_model_open_with(run->engine, row->path, &options, model, error));
    pld_model_info info = {.struct_size = sizeof info};
    PLD_TRY(pld_model_get_info(*model, &info, error));
    /* One evaluation a step; what SANA-Sprint predicts only its own sampler can follow. */
    run->sampling_method = strcmp(info.scheduler, "scm") == 0 ? NULL : "euler";
    return pld_session_create(*model, session, error);
}

pld_status bench_add_seconds(bench_run *run, const bench_model *model, const char *group, const char *name,
                             const char *shape, const bench_samples *samples, double work,
                             const bench_samples *base, const char *base_name, pld_error *error) {
    bench_result result = bench_figures(group, samples, "s");
    snprintf(result.name, sizeof result.name, "%s, %s", model->name, name);
    snprintf(result.shape, sizeof result.shape, "%s", shape);
    result.operations = work;
    if (base) {
        result.ratio = bench_ratio(samples, base);
        snprintf(result.ratio_to, sizeof result.ratio_to, "%s", base_name);
    }
    return samples->count > 0 && bench_wanted(run, result.name) ? bench_add(run, &result, error) : PLD_OK;
}

pld_status bench_add_memory(bench_run *run, const bench_model *model, const char *group, const char *name,
                            const char *shape, uint64_t bytes, pld_error *error) {
    const bench_samples samples = {.values = {(double)bytes}, .count = 1};
    bench_result result = bench_figures(group, &samples, "bytes");
    snprintf(result.name, sizeof result.name, "%s, peak memory, %s", model->name, name);
    snprintf(result.shape, sizeof result.shape, "%s", shape);
    return bytes > 0 && bench_wanted(run, result.name) ? bench_add(run, &result, error) : PLD_OK;
}
