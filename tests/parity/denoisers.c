/* SPDX-License-Identifier: Apache-2.0 */
/** One evaluation of U-Nets and transformers against what diffusers computed on the same weights, with the maps inside them
 *  and PLADIS at every setting of the cases. */
#include <stdio.h>

#include "autoencoders.h"
#include "captions.h"
#include "denoiser.h"
#include "shared_rows.h"
#include "solvers.h"
#include "suites.h"

/** Each of the case's settings of PLADIS; returns how many there are. */
static size_t compare_settings(denoiser_fixture *f) {
    size_t i;
    json_t *setting;
    json_array_foreach(json_object_get(f->c->info, "settings"), i, setting) {
        const char *output = json_text(setting, "output"), *blocks = json_text(setting, "blocks");
        char key[48], what[128];
        snprintf(key, sizeof key, "λ %g α %g", json_field(setting, "lambda", 0),
                 json_field(setting, "alpha", 0));
        snprintf(what, sizeof what, "%s %s %s", output, key, blocks ? blocks : "all");
        denoiser_set_pladis(f, setting);
        denoiser_compare(f, output, what, parity_tolerance(f->c->name, key, f->tolerance));
    }
    return i;
}

/** A forward with its maps, dense or with the case's own PLADIS, then its settings. */
static void compare_forward(const parity_case *c, const parity_row *row, void *user) {
    (void)user;
    denoiser_fixture f;
    if (has_captions(c)) {
        captions_compare_forward(c, row);
        return;
    }
    if (!denoiser_open(&f, c, row)) {
        return;
    }
    const char *output = case_has(c, "output.dense") ? "output.dense" : "output";
    watcher w = {c, f.inside, f.tolerance, 0};
    f.run.tap = watch;
    f.run.tap_user = &w;
    denoiser_set_pladis(&f, json_object_get(c->info, "pladis"));
    denoiser_compare(&f, output, output, f.tolerance);
    assert_int_equal(w.compared, row->taps);
    f.run.tap = NULL;
    compare_settings(&f);
    denoiser_close(&f);
}

static void compare_sweep(const parity_case *c, const parity_row *row, void *user) {
    (void)user;
    denoiser_fixture f;
    if (denoiser_open(&f, c, row)) {
        assert_true(compare_settings(&f) >= 10);
        denoiser_close(&f);
    }
}

/** The U-Net and the decoder of a checkpoint of one file. */
static void compare_single_file(const parity_case *c, const parity_row *row, void *user) {
    if (json_object_get(c->info, "files")) { /* model_files.c */
        return;
    }
    compare_forward(c, row, user);
    compare_autoencoder_half(c, true);
}

static void unets(void **state) {
    (void)state;
    compare_cases("unet_forward", compare_forward, NULL);
}

static void transformers(void **state) {
    (void)state;
    compare_cases("transformer_forward", compare_forward, NULL);
}

static void pladis_sweeps(void **state) {
    (void)state;
    compare_cases("pladis_sweep", compare_sweep, NULL);
}

static void single_files(void **state) {
    (void)state;
    compare_cases("single_file", compare_single_file, NULL);
}

int parity_denoisers(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(unets),
                                       cmocka_unit_test(transformers),
                                       cmocka_unit_test(pladis_sweeps),
                                       cmocka_unit_test(single_files),
                                       cmocka_unit_test(generations_alone),
                                       cmocka_unit_test(linear_perturbed),
                                       cmocka_unit_test(shared_rows)};
    return cmocka_run_group_tests_name("denoisers", tests, NULL, NULL);
}
