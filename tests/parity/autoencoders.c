/* SPDX-License-Identifier: Apache-2.0 */
#include "autoencoders.h"

#include "core/memory.h"
#include "kernels/latents.h"
#include "suites.h"

void compare_autoencoder_half(const parity_case *c, bool decode) {
    static const char *const decoding[] = {"latent", "decoded", NULL};
    static const char *const encoding[] = {"picture", "moments", NULL};
    const char *const *names = decode ? decoding : encoding;
    const parity_row *row = parity_row_find("vae", json_text(c->info, "model"));
    pld_error error = {0};
    network n;
    pld_autoencoder_facts facts;
    pld_autoencoder_values io;
    pld_plan plan;
    if (!case_has_all(c, names) || !network_open(c, "vae", &n)) {
        return;
    }
    const pld_stored_tensor *in = case_tensor(c, names[0]);
    float *values = case_values(c, names[0], NULL);
    pld_plan_init(&plan, n.parameters);
    check_status((decode ? n.class->autoencoder->decoder : n.class->autoencoder->encoder)(
                     &plan, n.config, 1, in->shape[2], in->shape[3], &io, &error),
                 &error);
    pld_run run = forced_run(&plan);
    run.settings.bf16 = forced_bf16();
    check_status(pld_plan_prepare(&run, &error), &error);
    n.class->autoencoder->facts(n.config, &facts);
    if (decode) {
        pld_latents_unscale(values, in->shape[1], in->shape[2] * in->shape[3],
                            &(pld_latent_scaling){facts.scale, facts.shift}, values);
    }
    check_status(pld_plan_write(&plan, io.in, 0, PLD_CHANNEL_MAJOR, values, &error), &error);
    check_status(pld_plan_run(&run, &error), &error);
    check_value(c, names[1], &plan, io.out, names[1], parity_forward_tolerance(row));
    pld_plan_free(&plan);
    network_close(&n);
    pld_free(values);
}

static void compare_autoencoder(const parity_case *c, const parity_row *row, void *user) {
    (void)row;
    (void)user;
    compare_autoencoder_half(c, true);
    compare_autoencoder_half(c, false);
}

static void autoencoders(void **state) {
    (void)state;
    compare_cases("vae", compare_autoencoder, NULL);
}

int parity_autoencoders(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(autoencoders)};
    return cmocka_run_group_tests_name("autoencoders", tests, NULL, NULL);
}
