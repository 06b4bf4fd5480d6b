/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "drawing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void drawing_open(drawing *d, const char *model) {
    pld_error error = {0};
    *d = (drawing){0};
    check_status(pld_model_open(forced_engine(), model, &d->model, &error), &error);
    check_status(pld_session_create(d->model, &d->session, &error), &error);
}

void drawing_close(drawing *d) {
    pld_session_destroy(&d->session);
    pld_model_destroy(&d->model);
}

void drawing_make(drawing *d, pld_generate_options *o, pld_image *image, pld_report *report,
                  parity_case *dump) {
    pld_error error = {0};
    pld_report unread = {.struct_size = sizeof unread};
    pld_image drawn;
    char path[] = "/tmp/pladis-dump-XXXXXX";
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    o->dump = path;
    o->dump_steps = true;
    if (report) {
        *report = (pld_report){.struct_size = sizeof *report};
    }
    const pld_status status = pld_generate(d->session, o, &drawn, report ? report : &unread, &error);
    o->dump = NULL;
    if (status == PLD_OK) {
        case_open_tensors(path, "dump", dump);
    }
    unlink(path);
    check_status(status, &error);
    assert_non_null(drawn.pixels);
    if (image) {
        *image = drawn;
    } else {
        pld_image_free(&drawn);
    }
}

void read_png(const char *path, pld_image *image) {
    pld_error error = {0};
    check_status(pld_image_read_png(reference_path(PLADIS_TEST_DATA, "%s", path), image, &error), &error);
}

void check_refused(drawing *d, const pld_generate_options *o, const char *what, const char *expected) {
    pld_error error = {0};
    pld_image image;
    assert_int_equal(pld_generate(d->session, o, &image, NULL, &error), PLD_ERROR_ARGUMENT);
    if (!strstr(error.message, expected)) {
        fail_msg("%s: expected '%s' in the message, found '%s'", what, expected, error.message);
    }
    assert_null(image.pixels);
}
