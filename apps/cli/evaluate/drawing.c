/* SPDX-License-Identifier: Apache-2.0 */
/** Drawing and scoring: one model, and a session for each of the pictures that are drawn at the same time. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "evaluate/evaluation.h"
#include "files/whole_file.h"
#include "pictures/lora_set.h"
#include "run/run.h"
#include "terminal/cancel.h"
#include "terminal/message.h"
#include "terminal/progress.h"
#include "values/utf8.h"

enum { MOST_JOBS = 256, REPORT_EVERY_SECONDS = 60 };

/** What the workers share; everything that changes is behind the lock. */
typedef struct drawing {
    evaluation *e;
    pld_engine *engine;
    pld_model *base, *model; /* `model` is `base` with the LoRAs of the request */
    pld_scorer *scorer;
    double model_pladis_scale;
    pthread_mutex_t lock;
    size_t next; /* picture to look at, in order */
    int code;
    double began, last_report;
    size_t done_before; /* by earlier runs */
} drawing;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/** The next picture that is missing: all settings of a prompt, then the next prompt, whose text a session
 * knows only for a while. */
static bool take(drawing *d, picture_place *at) {
    const outcomes *o = &d->e->outcomes;
    pthread_mutex_lock(&d->lock);
    bool found = false;
    while (!found && d->code == EXIT_DONE && !cancel_requested() && d->next < outcomes_count(o)) {
        *at = outcomes_place(o, d->next++);
        found = !o->items[outcomes_index(o, *at)].done;
    }
    pthread_mutex_unlock(&d->lock);
    return found;
}

static int64_t seed_of(const evaluation *e, picture_place at) {
    return e->request->base.seed + (int64_t)(at.prompt * e->outcomes.seeds + at.repetition);
}

static bool is_kept(const evaluation *e, picture_place at) {
    bool shown = e->request->keep_pictures;
    for (size_t i = 0; i < e->shown_count; i++) {
        shown = shown || (e->shown[i] == at.prompt && at.repetition == 0);
    }
    return shown;
}

static bool keep_picture(const evaluation *e, picture_place at, const pld_image *image) {
    char path[PATH_MAX];
    char *key = utf8_repaired(e->settings.items[at.setting].key);
    const char *const text[] = {"Title", e->prompts.items[at.prompt].text, "pladis evaluate", key, NULL};
    if (key == NULL) {
        message_failure("out of memory for a setting's name");
        return false;
    }
    const bool done =
        evaluation_picture_path(e, at, path) && whole_file_write_png(path, image, text) == EXIT_DONE;
    free(key);
    return done;
}

static void show_progress(drawing *d) {
    const size_t done = d->e->outcomes.done, all = outcomes_count(&d->e->outcomes);
    const double time = now();
    const double each = (time - d->began) / (double)(done - d->done_before),
                 left = each * (double)(all - done);
    if (isatty(STDERR_FILENO)) {
        progress_show_count(done, all, each, left);
    } else if (time - d->last_report >= REPORT_EVERY_SECONDS) {
        d->last_report = time;
        message_line("%zu of %zu pictures, %.0f min left", done, all, left / 60);
    }
}

/** Note what came of a picture: the picture first, then its line, so that a line never lacks its picture. */
static void note(drawing *d, picture_place at, const outcome *came, const pld_image *image) {
    evaluation *e = d->e;
    pthread_mutex_lock(&d->lock);
    cancel_guard_begin();
    if ((is_kept(e, at) && !keep_picture(e, at, image)) ||
        !results_file_add(&e->results, at, seed_of(e, at), came)) {
        d->code = EXIT_FAILED;
    } else {
        e->outcomes.items[outcomes_index(&e->outcomes, at)] = *came;
        e->outcomes.done++;
        show_progress(d);
    }
    cancel_guard_end();
    pthread_mutex_unlock(&d->lock);
}

/** As the results file holds it, so that tables of what was just drawn and of what was read are the same. */
static double in_microseconds(double seconds) {
    return round(seconds * 1e6) / 1e6;
}

/** Draw one picture and score it. */
static pld_status draw(drawing *d, pld_session *session, picture_place at, outcome *came, pld_image *image,
                       pld_error *error) {
    const evaluate_setting *setting = &d->e->settings.items[at.setting];
    const scored_prompt *prompt = &d->e->prompts.items[at.prompt];
    pld_generate_options options;
    pld_report report = {.struct_size = sizeof report};
    pld_scene scene = {.struct_size = sizeof scene};
    int verdict[PLD_ASPECT_COUNT];
    const double scale =
        isnan(setting->request.pladis_scale) ? d->model_pladis_scale : setting->request.pladis_scale;
    generate_options_fill(&setting->request, prompt->text, seed_of(d->e, at), scale, &options);
    options.cancel = cancel_flag();
    pld_status status = pld_generate(session, &options, image, &report, error);
    if (status == PLD_OK) {
        status = pld_scorer_look(d->scorer, image->pixels, image->width, image->height, &scene, error);
    }
    if (status == PLD_OK) {
        status = pld_scene_judge(&scene, &prompt->caption, verdict, PLD_ASPECT_COUNT, error);
    }
    if (status != PLD_OK) {
        return status;
    }
    *came = (outcome){.done = true, .evaluations = report.evaluations};
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        came->verdict[i] = (int8_t)verdict[i];
    }
    for (int i = 0; i < report.stage_count; i++) {
        came->seconds += report.stage_seconds[i];
        came->denoise_seconds += strcmp(report.stage_names[i], "denoise") == 0 ? report.stage_seconds[i] : 0;
    }
    came->seconds = in_microseconds(came->seconds);
    came->denoise_seconds = in_microseconds(came->denoise_seconds);
    return PLD_OK;
}

static void fail(drawing *d, const pld_error *error) {
    pthread_mutex_lock(&d->lock);
    if (d->code == EXIT_DONE && error->status != PLD_ERROR_CANCELLED) {
        d->code = message_error(error);
    }
    pthread_mutex_unlock(&d->lock);
}

static void *work(void *context) {
    drawing *d = context;
    pld_session *session = NULL;
    pld_error error = {0};
    picture_place at;
    pld_status status = pld_session_create(d->model, &session, &error);
    while (status == PLD_OK && take(d, &at)) {
        pld_image image = {0};
        outcome came;
        status = draw(d, session, at, &came, &image, &error);
        if (status == PLD_OK) {
            note(d, at, &came, &image);
        }
        pld_image_free(&image);
    }
    if (status != PLD_OK) {
        fail(d, &error);
    }
    pld_session_destroy(&session);
    return NULL;
}

/** One engine for all sessions, with an equal share of the threads for each. */
static pld_status open_engine(const evaluate_request *request, pld_engine **engine, pld_error *error) {
    pld_engine_options options;
    run_engine_options(&request->base, &options);
    pld_status status = pld_engine_create(&options, engine, error);
    if (status != PLD_OK || request->jobs == 1) {
        return status;
    }
    const int share = pld_engine_threads(*engine) / (int)request->jobs;
    pld_engine_destroy(engine);
    options.threads = share > 1 ? share : 1;
    return pld_engine_create(&options, engine, error);
}

/** All texts before the first picture is drawn. */
static pld_status check_texts(const drawing *d, pld_error *error) {
    const evaluation *e = d->e;
    bool literal[2] = {false, false};
    pld_status status = PLD_OK;
    for (size_t i = 0; status == PLD_OK && i < e->settings.count; i++) {
        const generate_request *settings = &e->settings.items[i].request;
        literal[settings->literal_prompt] = true;
        if (settings->negative_prompt != NULL) {
            status = pld_model_check_prompt(d->model, settings->negative_prompt, settings->literal_prompt,
                                            true, error);
        }
    }
    for (size_t i = 0; i < 2 * e->prompts.count; i++) {
        if (status == PLD_OK && literal[i % 2]) {
            status = pld_model_check_prompt(d->model, e->prompts.items[i / 2].text, i % 2 != 0, false, error);
        }
    }
    return status;
}

static int open_all(drawing *d) {
    const evaluation *e = d->e;
    pld_error error = {0};
    vocabularies found;
    pld_model_options files;
    pld_model_info info = {.struct_size = sizeof info};
    lora_set loras;
    int code = lora_set_make(&e->request->base, "", &loras);
    if (code != EXIT_DONE) {
        return code;
    }
    run_model_options(&e->request->base, &found, &files);
    if (open_engine(e->request, &d->engine, &error) != PLD_OK ||
        pld_model_open_with(d->engine, e->model_path, &files, &d->base, &error) != PLD_OK ||
        pld_model_get_info(d->base, &info, &error) != PLD_OK ||
        pld_model_with_loras(d->base, loras.items, loras.count, &d->model, &error) != PLD_OK ||
        check_texts(d, &error) != PLD_OK || pld_scorer_create(&d->scorer, &error) != PLD_OK) {
        code = message_error(&error);
    }
    d->model_pladis_scale = info.default_pladis_scale;
    lora_set_free(&loras);
    return code;
}

static void run_workers(drawing *d) {
    pthread_t threads[MOST_JOBS];
    size_t missing = outcomes_count(&d->e->outcomes) - d->e->outcomes.done, count = 0;
    size_t wanted = (size_t)d->e->request->jobs < missing ? (size_t)d->e->request->jobs : missing;
    for (; count < wanted && count < MOST_JOBS; count++) {
        if (pthread_create(&threads[count], NULL, work, d) != 0) {
            break;
        }
    }
    if (count == 0) {
        work(d);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    progress_clear();
}

int evaluation_draw(evaluation *e) {
    drawing d = {.e = e, .done_before = e->outcomes.done, .code = EXIT_DONE};
    if (d.done_before == outcomes_count(&e->outcomes)) {
        return EXIT_DONE;
    }
    if (d.done_before > 0) {
        message_line("%zu of %zu pictures are already done", d.done_before, outcomes_count(&e->outcomes));
    }
    pthread_mutex_init(&d.lock, NULL);
    d.code = open_all(&d);
    if (d.code == EXIT_DONE) {
        d.began = d.last_report = now();
        run_workers(&d);
    }
    if (d.code == EXIT_DONE && e->outcomes.done < outcomes_count(&e->outcomes)) {
        message_failure("cancelled with %zu of %zu pictures done; run the same command again to continue",
                        e->outcomes.done, outcomes_count(&e->outcomes));
        d.code = EXIT_CANCELLED;
    }
    pthread_mutex_destroy(&d.lock);
    pld_scorer_destroy(&d.scorer);
    pld_model_destroy(&d.model);
    pld_model_destroy(&d.base);
    pld_engine_destroy(&d.engine);
    return d.code;
}
