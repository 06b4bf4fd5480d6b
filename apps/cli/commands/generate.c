/* SPDX-License-Identifier: Apache-2.0 */
/** pladis generate: draw pictures from prompts. */
#include "commands.h"
#include "pictures/prompts.h"
#include "run/outputs.h"
#include "run/picture_file.h"
#include "run/run.h"
#include "terminal/cancel.h"
#include "terminal/message.h"

static int draw_all(picture_run *run) {
    bool together = picture_file_is_sheet(run->request);
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < run->pictures.count; i++) {
        code = run_draw(run, i);
        if (code == EXIT_DONE && !together) {
            code = picture_file_write(run->request, &run->facts, &run->pictures, i);
            pld_image_free(&run->pictures.items[i].image);
        }
    }
    if (code == EXIT_DONE && together) {
        code = picture_file_write_sheet(run->request, &run->facts, &run->pictures);
    }
    return code == EXIT_DONE ? run_report(run) : code;
}

int command_generate(int argc, char **argv) {
    static generate_request request;
    options_result result = generate_options_parse(argc, argv, &request);
    if (result != OPTIONS_RUN) {
        generate_options_free(&request);
        return options_exit_code(result);
    }
    static picture_run run;
    run.request = &request;
    int code = prompts_make_pictures(&request, &run.pictures);
    if (code == EXIT_DONE) {
        cancel_install();
        code = run_outputs_check(&request, &run.pictures, NULL);
    }
    if (code == EXIT_DONE) {
        code = run_open(&run);
    }
    if (code == EXIT_DONE) {
        code = run_check(&run);
    }
    if (code == EXIT_DONE && picture_file_is_sheet(&request)) {
        code = picture_file_check_sheet(&request, &run.facts, &run.pictures);
    }
    if (code == EXIT_DONE) {
        code = draw_all(&run);
    }
    run_close(&run);
    generate_options_free(&request);
    return code;
}
