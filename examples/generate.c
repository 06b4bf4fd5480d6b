/* SPDX-License-Identifier: Apache-2.0 */
/* A picture from a prompt through the library.
 * cc generate.c $(pkg-config --cflags --libs pladis) -o generate && ./generate MODEL "a red fox" fox.png */
#include <stdio.h>

#include <pladis/pladis.h>

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: generate MODEL PROMPT OUT.png\n");
        return 2;
    }
    pld_error error = {0};
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image image = {0};
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = argv[2];
    options.steps = 10;
    options.seed = 42;

    pld_status status = pld_engine_create(NULL, &engine, &error);
    status = status ? status : pld_model_open(engine, argv[1], &model, &error);
    status = status ? status : pld_session_create(model, &session, &error);
    status = status ? status : pld_generate(session, &options, &image, NULL, &error);
    status = status ? status : pld_image_write_png(&image, argv[3], NULL, &error);
    if (status != PLD_OK) {
        fprintf(stderr, "%s: %s\n", pld_status_text(status), error.message);
    }
    pld_image_free(&image);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return status != PLD_OK;
}
