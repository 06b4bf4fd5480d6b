/* SPDX-License-Identifier: Apache-2.0 */
/* A picture as a PNG in memory, with progress on the way, that Ctrl-C or a number of steps ends early.
 * cc memory.c $(pkg-config --cflags --libs pladis) -o memory && ./memory MODEL "a red fox" [STEPS] */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <pladis/pladis.h>

static volatile int stop; /* read by the library all the time: set atomically */

static void on_signal(int number) {
    (void)number;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

/* Called on the thread that called pld_generate. */
static bool show(void *user, const pld_progress *progress) {
    const int *most = user;
    fprintf(stderr, "%-7s %d of %d, %.1f s\n", progress->stage, progress->step, progress->steps,
            progress->seconds);
    return *most <= 0 || progress->step < *most; /* false ends the run */
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: memory MODEL PROMPT [STEPS]\n");
        return 2;
    }
    int most = argc > 3 ? atoi(argv[3]) : 0;
    pld_error error = {0};
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image image = {0};
    pld_report report = {.struct_size = sizeof report};
    uint8_t *png = NULL;
    size_t size = 0;
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = argv[2];
    options.steps = 4;
    options.progress = show;
    options.progress_user = &most;
    options.cancel = &stop;
    signal(SIGINT, on_signal);

    pld_status status = pld_version_check(PLADIS_VERSION_NUMBER, &error);
    status = status ? status : pld_engine_create(NULL, &engine, &error);
    status = status ? status : pld_model_open(engine, argv[1], &model, &error);
    status = status ? status : pld_session_create(model, &session, &error);
    status = status ? status : pld_generate(session, &options, &image, &report, &error);
    status = status ? status : pld_image_encode_png(&image, NULL, &png, &size, &error);
    if (status == PLD_OK) {
        printf("a PNG of %d x %d in %zu bytes, after %d evaluations\n", image.width, image.height, size,
               report.evaluations);
    } else {
        printf("%s: %s\n", pld_status_text(status), error.message);
    }
    pld_bytes_free(&png);
    pld_image_free(&image);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return status == PLD_ERROR_CANCELLED ? 130 : status != PLD_OK;
}
