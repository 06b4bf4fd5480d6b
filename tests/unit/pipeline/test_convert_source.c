/* SPDX-License-Identifier: Apache-2.0 */
/** A source that is written over while it is converted: nothing is left, and a message names it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "pladis/pladis.h"
#include "temporary_folder.h"

#define WEIGHTS "unet/diffusion_pytorch_model.safetensors"

/** Give the weights another time of change once a part is written. */
static void touch(void *user, uint64_t done, uint64_t all) {
    const struct timespec times[2] = {{.tv_sec = 1577836800}, {.tv_sec = 1577836800}};
    if (done > all / 8 && done < all) {
        assert_int_equal(utimensat(AT_FDCWD, user, times, 0), 0);
    }
}

static void changed_source_is_refused(void **state) {
    (void)state;
    char command[1200], weights[600];
    pld_error error = {0};
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    snprintf(command, sizeof command, "cp -r '" PLADIS_TEST_DATA "/reference/models/sd15' '%s'",
             in_folder("model"));
    assert_int_equal(system(command), 0);
    snprintf(weights, sizeof weights, "%s/" WEIGHTS, in_folder("model"));
    assert_int_equal(pld_engine_create(NULL, &engine, &error), PLD_OK);
    assert_int_equal(pld_model_open(engine, in_folder("model"), &model, &error), PLD_OK);
    pld_convert_options options;
    pld_convert_options_init(&options, sizeof options);
    options.layout = "single";
    options.progress = touch;
    options.progress_user = weights;
    assert_int_equal(pld_model_convert(model, in_folder("out.safetensors"), &options, &error), PLD_ERROR_IO);
    assert_non_null(strstr(error.message, WEIGHTS));
    assert_non_null(strstr(error.message, "as it was opened"));
    assert_int_not_equal(access(in_folder("out.safetensors"), F_OK), 0);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(changed_source_is_refused)};
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
