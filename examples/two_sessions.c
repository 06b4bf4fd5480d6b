/* SPDX-License-Identifier: Apache-2.0 */
/* One model, two threads, each with a session of its own. What runs beside a picture does not change it.
 * cc two_sessions.c $(pkg-config --cflags --libs pladis) -pthread -o two_sessions && ./two_sessions MODEL */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <pladis/pladis.h>

typedef struct work {
    pld_model *model; /* shared */
    int seed;
    pld_image image;
    pld_error error; /* each thread has its own */
    pld_status status;
} work;

static void *draw(void *context) {
    work *w = context;
    pld_session *session = NULL;
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a red fox";
    options.steps = 2;
    options.seed = w->seed;
    w->status = pld_session_create(w->model, &session, &w->error);
    if (w->status == PLD_OK) {
        w->status = pld_generate(session, &options, &w->image, NULL, &w->error);
    }
    pld_session_destroy(&session);
    return NULL;
}

static int same(const pld_image *a, const pld_image *b) {
    return a->width == b->width && a->height == b->height &&
           memcmp(a->pixels, b->pixels, (size_t)a->width * (size_t)a->height * 3) == 0;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: two_sessions MODEL\n");
        return 2;
    }
    pld_error error = {0};
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 1; /* that a call may use */
    pld_status status = pld_engine_create(&options, &engine, &error);
    status = status ? status : pld_model_open(engine, argv[1], &model, &error);
    if (status != PLD_OK) {
        fprintf(stderr, "%s\n", error.message);
        pld_engine_destroy(&engine);
        return 1;
    }
    work works[] = {{.model = model, .seed = 1}, {.model = model, .seed = 2}, {.model = model, .seed = 1}};
    pthread_t threads[2];
    int started = 0;
    while (started < 2 && pthread_create(&threads[started], NULL, draw, &works[started]) == 0) {
        started++;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    draw(&works[2]); /* once more, alone */
    int good = started == 2;
    for (int i = 0; i < 3; i++) {
        good = good && works[i].status == PLD_OK;
        if (works[i].status != PLD_OK) {
            fprintf(stderr, "%s\n", works[i].error.message);
        }
    }
    if (good) {
        printf("seed 1 beside seed 2 is %s seed 1 alone, and %s seed 2\n",
               same(&works[0].image, &works[2].image) ? "the same as" : "not", /**/
               same(&works[0].image, &works[1].image) ? "the same as" : "not");
        good = same(&works[0].image, &works[2].image) && !same(&works[0].image, &works[1].image);
    }
    for (int i = 0; i < 3; i++) {
        pld_image_free(&works[i].image);
    }
    pld_model_destroy(&model); /* after its sessions */
    pld_engine_destroy(&engine);
    return !good;
}
