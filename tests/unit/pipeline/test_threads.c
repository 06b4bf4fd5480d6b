/* SPDX-License-Identifier: Apache-2.0 */
/** What threads of a program may do at the same time: sessions of one model, models with LoRAs made of one
 * base, engines of their own, a wish to cancel. `./dev tsan` runs these with ThreadSanitizer. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pladis/pladis.h"

#define SD15  PLADIS_TEST_DATA "/reference/models/sd15"
#define LORAS PLADIS_TEST_DATA "/loras/files/"

enum { THREADS = 3, SIDE = 64, BYTES = 3 * SIDE * SIDE, MANY_STEPS = 900 };

/** One thread's work and what came of it; cmocka's checks belong to the main thread. */
typedef struct job {
    pld_engine *engine;
    pld_model *model;
    const char *lora; /* NULL: the model as it is */
    int64_t seed;
    int steps;
    volatile int cancel;
    volatile int begun; /* the first step is done, or all is over */
    pld_status status;
    pld_error error;
    uint8_t pixels[BYTES];
} job;

static bool note_step(void *user, const pld_progress *progress) {
    job *j = user;
    if (progress->step > 0) {
        __atomic_store_n(&j->begun, 1, __ATOMIC_RELAXED);
    }
    return true;
}

static pld_status draw(job *j, pld_session *session) {
    pld_image image = {0};
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a red fox";
    options.width = SIDE;
    options.height = SIDE;
    options.steps = j->steps;
    options.seed = j->seed;
    options.sampling_method = "ddim";
    options.cancel = &j->cancel;
    options.progress = note_step;
    options.progress_user = j;
    pld_status status = pld_generate(session, &options, &image, NULL, &j->error);
    if (status == PLD_OK) {
        memcpy(j->pixels, image.pixels, BYTES);
    }
    pld_image_free(&image);
    return status;
}

/** Draw in a session of the thread's own, with a LoRA in a model of its own. */
static void *draw_in_thread(void *context) {
    job *j = context;
    pld_session *session = NULL;
    pld_model *changed = NULL;
    pld_model *model = j->model;
    j->status = PLD_OK;
    if (j->lora) {
        const pld_lora lora = {sizeof lora, j->lora, 0.8};
        j->status = pld_model_with_loras(j->model, &(const pld_lora *){&lora}, 1, &changed, &j->error);
        model = changed;
    }
    if (j->status == PLD_OK) {
        j->status = pld_session_create(model, &session, &j->error);
    }
    if (j->status == PLD_OK) {
        j->status = draw(j, session);
    }
    pld_session_destroy(&session);
    pld_model_destroy(&changed);
    __atomic_store_n(&j->begun, 1, __ATOMIC_RELAXED);
    return NULL;
}

/** Open a model of one's own, draw, and give everything back. */
static void *live_in_thread(void *context) {
    job *j = context;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 2;
    j->status = pld_engine_create(&options, &j->engine, &j->error);
    if (j->status == PLD_OK) {
        j->status = pld_model_open(j->engine, SD15, &j->model, &j->error);
    }
    if (j->status == PLD_OK) {
        draw_in_thread(j);
    }
    pld_model_destroy(&j->model);
    pld_engine_destroy(&j->engine);
    return NULL;
}

static void run_threads(job *jobs, void *(*body)(void *)) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, body, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        if (jobs[i].status != PLD_OK) {
            fail_msg("thread %d: %s", i, jobs[i].error.message);
        }
    }
}

static void open_base(pld_engine **engine, pld_model **model) {
    pld_engine_options options;
    pld_error error = {0};
    pld_engine_options_init(&options, sizeof options);
    options.threads = 2;
    if (pld_engine_create(&options, engine, &error) != PLD_OK ||
        pld_model_open(*engine, SD15, model, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
}

/** Each job's picture in threads is the one that it has alone. */
static void same_as_alone(job *jobs, void *(*body)(void *)) {
    run_threads(jobs, body);
    for (int i = 0; i < THREADS; i++) {
        job alone = jobs[i];
        memset(alone.pixels, 0, BYTES);
        body(&alone);
        assert_int_equal(alone.status, PLD_OK);
        assert_memory_equal(alone.pixels, jobs[i].pixels, BYTES);
    }
    assert_memory_not_equal(jobs[0].pixels, jobs[1].pixels, BYTES);
}

static void sessions_share_a_model(void **state) {
    (void)state;
    static job jobs[THREADS];
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    open_base(&engine, &model);
    for (int i = 0; i < THREADS; i++) { /* the weights are packed by whoever needs them first */
        jobs[i] = (job){.model = model, .seed = i, .steps = 2};
    }
    same_as_alone(jobs, draw_in_thread);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
}

static void loras_share_a_base(void **state) {
    (void)state;
    static job jobs[THREADS];
    static const char *const files[THREADS] = {LORAS "diffusers.safetensors", NULL,
                                               LORAS "kohya.safetensors"};
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    open_base(&engine, &model);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){.model = model, .lora = files[i], .seed = 7, .steps = 2};
    }
    same_as_alone(jobs, draw_in_thread);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
}

static void engines_are_apart(void **state) {
    (void)state;
    static job jobs[THREADS];
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){.seed = i, .steps = 1};
    }
    same_as_alone(jobs, live_in_thread);
}

/** Set while the first step's successor runs, the wish ends that run alone, soon; the session can be used on.
 */
static void another_thread_cancels(void **state) {
    (void)state;
    static job cancelled, beside;
    pthread_t threads[2];
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    open_base(&engine, &model);
    cancelled = (job){.model = model, .seed = 1, .steps = MANY_STEPS};
    beside = (job){.model = model, .seed = 1, .steps = 3};
    assert_int_equal(pthread_create(&threads[0], NULL, draw_in_thread, &cancelled), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, draw_in_thread, &beside), 0);
    while (!__atomic_load_n(&cancelled.begun, __ATOMIC_RELAXED)) {
        sched_yield();
    }
    __atomic_store_n(&cancelled.cancel, 1, __ATOMIC_RELAXED);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_int_equal(cancelled.status, PLD_ERROR_CANCELLED);
    assert_int_equal(beside.status, PLD_OK);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_share_a_model),
        cmocka_unit_test(loras_share_a_base),
        cmocka_unit_test(engines_are_apart),
        cmocka_unit_test(another_thread_cancels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
