/* SPDX-License-Identifier: Apache-2.0 */
#include "autoencoders.h"

#include <string.h>

#include "core/memory.h"
#include "io/json/read.h"
#include "kernels/latents.h"
#include "models/layouts/layouts.h"
#include "models/published.h"
#include "suites.h"

/** Height (2) or width (1) of a tensor [1, C, h, w] or [1, C, 1, h, w]. */
static int64_t side(const pld_stored_tensor *tensor, int from_end) {
    return tensor->shape[tensor->rank - from_end];
}

/** What half of a network gives for `in` [C, h, w], as [N, H, W] in new memory. */
static float *run_half(const network *n, bool decode, const pld_stored_tensor *shape, const float *in,
                       size_t *count) {
    pld_error error = {0};
    pld_autoencoder_values io;
    pld_plan plan;
    pld_plan_init(&plan, n->parameters);
    check_status((decode ? n->class->autoencoder->decoder : n->class->autoencoder->encoder)(
                     &plan, n->config, 1, side(shape, 2), side(shape, 1), &io, &error),
                 &error);
    pld_run run = forced_run(&plan);
    run.settings.bf16 = forced_bf16();
    check_status(pld_plan_prepare(&run, &error), &error);
    check_status(pld_plan_write(&plan, io.in, 0, PLD_CHANNEL_MAJOR, in, &error), &error);
    check_status(pld_plan_run(&run, &error), &error);
    *count = pld_value_floats(&plan.values[io.out]);
    float *out = pld_allocate(*count, sizeof *out);
    assert_non_null(out);
    check_status(pld_plan_read(&plan, io.out, 0, PLD_CHANNEL_MAJOR, out, &error), &error);
    pld_plan_free(&plan);
    return out;
}

/** Numbers of a case's tensor [1, C, h, w], or of tokens [1, h·w, C], as [C, h·w]; the caller frees them. */
static float *channels_first(const parity_case *c, const char *name, size_t *count) {
    const pld_stored_tensor *tensor = case_tensor(c, name);
    float *values = case_values(c, name, count);
    if (tensor->rank != 3) {
        return values;
    }
    const int64_t tokens = tensor->shape[1], channels = tensor->shape[2];
    float *turned = pld_allocate(*count, sizeof *turned);
    assert_non_null(turned);
    forced_kernels()->nhwc_to_nchw(values, channels, tokens, turned);
    pld_free(values);
    return turned;
}

/** Means of moments [1, 2·C, p·h, p·w] in patches, [C·p·p, h·w]. */
static float *means_in_patches(const parity_case *c, int64_t side_of_patch, size_t *count) {
    const pld_stored_tensor *tensor = case_tensor(c, "moments");
    const int64_t p = side_of_patch, height = tensor->shape[2] / p, width = tensor->shape[3] / p;
    float *moments = case_values(c, "moments", count);
    *count /= 2;
    float *means = pld_allocate(*count, sizeof *means);
    assert_non_null(means);
    for (int64_t i = 0; i < (int64_t)*count; i++) {
        const int64_t x = i % width, y = i / width % height, channel = i / (width * height);
        const int64_t row = y * p + channel / p % p, column = x * p + channel % p;
        means[i] = moments[(channel / (p * p) * height * p + row) * width * p + column];
    }
    pld_free(moments);
    return means;
}

/** An autoencoder whose latents are patches, with the statistics of its file: from latents as the sampler has them, and to
 * them. */
static void compare_patches(const parity_case *c, const network *n, pld_autoencoder_facts *facts,
                            double tolerance) {
    pld_error error = {0};
    size_t count = 0, wanted = 0;
    check_status(n->class->autoencoder->read_statistics(n->config, n->parameters, facts, &error), &error);
    const pld_latent_scaling scaling = {facts->scale, facts->shift};
    const pld_stored_tensor *picture = case_tensor(c, "picture");
    const pld_stored_tensor latents = {
        .rank = 2, .shape = {side(picture, 2) / facts->factor, side(picture, 1) / facts->factor}};
    const int64_t places = latents.shape[0] * latents.shape[1];
    float *sampled = channels_first(c, case_has(c, "packed") ? "packed" : "latent", &count);
    pld_latents_unscale(sampled, facts->channels, places, &scaling, sampled);
    float *decoded = run_half(n, true, &latents, sampled, &count);
    float *expected = case_values(c, "decoded", &wanted);
    assert_int_equal(count, wanted);
    check_error(c->name, "decoded", relative_error(decoded, expected, count), tolerance);
    float *pixels = case_values(c, "picture", NULL), *encoded = run_half(n, false, picture, pixels, &count);
    float *means = means_in_patches(c, facts->patch, &wanted);
    assert_int_equal(count, wanted);
    check_error(c->name, "means in patches", relative_error(encoded, means, count), tolerance);
    if (case_has(c, "encoded")) {
        float *scaled = case_values(c, "encoded", &wanted);
        assert_int_equal(count, wanted);
        pld_latents_scale(encoded, facts->channels, places, &scaling);
        check_error(c->name, "encoded", relative_error(encoded, scaled, count), tolerance);
        pld_free(scaled);
    }
    float *const all[] = {sampled, decoded, expected, pixels, encoded, means};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        pld_free(all[i]);
    }
}

void compare_autoencoder_half(const parity_case *c, bool decode) {
    const parity_row *row = parity_row_find("vae", json_text(c->info, "model"));
    network n;
    pld_autoencoder_facts facts;
    size_t count = 0, wanted = 0;
    if (!network_open(c, "vae", &n)) {
        return;
    }
    n.class->autoencoder->facts(n.config, &facts);
    if (facts.patch) {
        if (decode) {
            compare_patches(c, &n, &facts, parity_forward_tolerance(row));
        }
        network_close(&n);
        return;
    }
    const char *const names[] = {decode ? "latent" : "picture",
                                 decode             ? "decoded"
                                 : facts.no_moments ? "latents"
                                                    : "moments",
                                 NULL};
    if (!case_has_all(c, names)) {
        network_close(&n);
        return;
    }
    float *values = case_values(c, names[0], &count), *expected = case_values(c, names[1], &wanted);
    if (decode) {
        pld_latents_unscale(values, facts.channels, (int64_t)count / facts.channels,
                            &(pld_latent_scaling){facts.scale, facts.shift}, values);
    }
    float *found = run_half(&n, decode, case_tensor(c, names[0]), values, &count);
    if (decode && facts.clamped) {
        pld_clamp_picture(found, count);
    }
    assert_int_equal(count, wanted);
    check_error(c->name, names[1], relative_error(found, expected, count), parity_forward_tolerance(row));
    network_close(&n);
    pld_free(values);
    pld_free(expected);
    pld_free(found);
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

/* ---- what shapes and names say of those of tools/reference/autoencoder_cases.py */

static const pld_published nothing_published = {.parts = (const pld_published_part[]){{0}}};

/** The document that the tensors give says nothing else than the folder's configuration; of activations they tell
 * nothing. */
static void check_document(const parity_case *c, const network *n) {
    pld_error error = {0};
    json_t *described = NULL, *stored = NULL;
    const char *field = NULL;
    const json_t *value = NULL;
    const pld_description description = {
        .weights = pld_parameters_files(n->parameters), .published = &nothing_published, .part = "vae"};
    check_status(n->class->describe(&description, &described, &error), &error);
    check_status(pld_json_load(case_model_path(c, "vae/config.json"), 0, &stored, &error), &error);
    assert_true(json_object_size(described) >= 8);
    json_object_foreach(described, field, value) {
        const json_t *wanted = json_object_get(stored, field);
        if (strcmp(field, "decoder_act_fns") != 0 && wanted && !json_equal(value, wanted)) {
            fail_msg("%s: described field '%s' is not that of config.json", c->name, field);
        }
    }
    json_decref(described);
    json_decref(stored);
}

/** Every tensor's name in another layout leads back to it. */
static void check_names(const pld_weight_files *files, const pld_part_layout *layout) {
    pld_renamed original, back[PLD_MOST_RENAMED];
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        const char *name = pld_weight_files_at(files, i).tensor->name;
        assert_true(pld_names_to_original(layout->names, 0, name, NULL, NULL, &original));
        assert_int_equal(pld_names_to_diffusers(layout->names, 0, original.name, back), 1);
        assert_string_equal(back[0].name, name);
    }
}

static void check_description(const parity_case *c, const parity_row *row, void *user) {
    network n;
    pld_layout_contents contents;
    (void)row;
    (void)user;
    if (!network_open(c, "vae", &n)) {
        return;
    }
    const pld_weight_files *files = pld_parameters_files(n.parameters);
    check_document(c, &n);
    for (const pld_part_layout *layout = n.class->layouts; layout->naming; layout++) {
        check_names(files, layout);
    }
    pld_layout_detect(files, &contents);
    assert_int_equal(contents.count, 1);
    assert_ptr_equal(contents.parts[0].class, n.class);
    assert_int_equal(contents.unknown, 0);
    network_close(&n);
}

static void descriptions(void **state) {
    (void)state;
    compare_cases_of("vae", "dc-conv", check_description, NULL);
    compare_cases_of("vae", "dc-shuffle", check_description, NULL);
    compare_cases_of("vae", "qwen-vae", check_description, NULL);
}

int parity_autoencoders(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(autoencoders), cmocka_unit_test(descriptions)};
    return cmocka_run_group_tests_name("autoencoders", tests, NULL, NULL);
}
