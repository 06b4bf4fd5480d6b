/* SPDX-License-Identifier: Apache-2.0 */
/** Guidance methods against tools/reference/guidance_cases.py, which computes in float64 what the papers say
 * (and diffusers' guiders do), and properties that any method must have.
 *
 *  Tolerance of noise_pred and latents: max(1e-4, 30 · sensitivity), as of the reference generations; for
 * GAG, which multiplies attention outputs, at least twice the error of the oracle's own float32. */
#define _GNU_SOURCE
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "pladis/pladis.h"

enum { MOST_TEXTS = 8 };

static pld_engine *engine;

/** A model with a session, and the shared head of the cases. */
typedef struct bench {
    pld_model *model;
    pld_session *session;
    json_t *head;
    pld_safetensors *tensors;
    int steps; /* of the cases; tests may change it */
} bench;

static double number(const json_t *object, const char *key, double otherwise) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static void bench_open(bench *b, const char *model) {
    pld_error error = {0};
    *b = (bench){0};
    check_status(pld_json_load(PLADIS_TEST_DATA "/guidance/cases.json", 0, &b->head, &error), &error);
    check_status(pld_safetensors_open(PLADIS_TEST_DATA "/guidance/cases.safetensors", &b->tensors, &error),
                 &error);
    b->steps = (int)number(b->head, "steps", 0);
    check_status(pld_model_open(engine, reference_path("models/%s", model), &b->model, &error), &error);
    check_status(pld_session_create(b->model, &b->session, &error), &error);
}

static void bench_close(bench *b) {
    pld_session_destroy(&b->session);
    pld_model_destroy(&b->model);
    pld_safetensors_close(&b->tensors);
    json_decref(b->head);
}

static void set_options(const bench *b, pld_generate_options *o) {
    pld_generate_options_init(o, sizeof *o);
    o->dtype = "f32";
    o->prompt = json_string_value(json_object_get(b->head, "prompt"));
    o->negative_prompt = json_string_value(json_object_get(b->head, "negative"));
    o->width = (int)number(b->head, "width", 0);
    o->height = (int)number(b->head, "height", 0);
    o->steps = b->steps;
    o->seed = (int64_t)number(b->head, "seed", 0);
    o->sampling_method = "euler";
    o->pladis_scale = 0;
}

/** Run, and open the dump. */
static pld_status draw(bench *b, pld_generate_options *o, pld_report *report, reference_case *dump,
                       pld_error *error) {
    char path[] = "/tmp/pladis-dump-XXXXXX";
    pld_image image;
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    o->dump = path;
    o->dump_steps = true;
    *report = (pld_report){.struct_size = sizeof *report};
    const pld_status status = pld_generate(b->session, o, &image, report, error);
    if (status == PLD_OK) {
        *dump = (reference_case){.name = "dump"};
        check_status(pld_safetensors_open(path, &dump->tensors, error), error);
    }
    pld_image_free(&image);
    unlink(path);
    return status;
}

/** Worst error of the case's tensors. */
static double compare(const reference_case *expected, const reference_case *found, const char *name,
                      const char *prefix) {
    char begin[128];
    double error = 0;
    int compared = 0;
    const size_t length = (size_t)snprintf(begin, sizeof begin, "%s/%s", name, prefix);
    for (size_t i = 0; i < pld_safetensors_count(expected->tensors); i++) {
        const char *tensor = pld_safetensors_at(expected->tensors, i)->name;
        if (strncmp(tensor, begin, length) != 0) {
            continue;
        }
        size_t count = 0;
        size_t other = 0;
        float *a = reference_values(found, tensor + strlen(name) + 1, &other);
        float *b = reference_values(expected, tensor, &count);
        assert_int_equal(count, other);
        error = fmax(error, relative_error(a, b, count));
        pld_free(a);
        pld_free(b);
        compared++;
    }
    assert_true(compared > 0);
    return error;
}

static void check_case(bench *b, const json_t *row) {
    const char *name = json_string_value(json_object_get(row, "name"));
    const json_t *list = json_object_get(row, "guidance");
    const char *texts[MOST_TEXTS];
    const double tolerance =
        fmax(fmax(1e-4, 30 * number(row, "sensitivity", 0)), 2 * number(row, "float32_error", 0));
    pld_generate_options o;
    pld_report report;
    reference_case expected = {.tensors = b->tensors};
    reference_case found;
    pld_error error = {0};
    snprintf(expected.name, sizeof expected.name, "%s", name);
    set_options(b, &o);
    for (size_t i = 0; i < json_array_size(list); i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    o.guidance = texts;
    o.guidance_count = json_array_size(list);
    o.sampling_method = json_string_value(json_object_get(row, "sampler"));
    o.cfg_scale = number(row, "cfg", NAN);
    o.pladis_scale = number(row, "pladis", 0);
    o.pladis_temperature = number(row, "temperature", 0);
    const char *sites = json_string_value(json_object_get(row, "sites"));
    const char *branches = json_string_value(json_object_get(row, "branches"));
    o.pladis_sites = sites ? sites : "cross";
    o.pladis_branches = branches ? branches : "all";
    check_status(draw(b, &o, &report, &found, &error), &error);
    check_error(name, "noise_pred", compare(&expected, &found, name, "noise_pred"), tolerance);
    check_error(name, "latents", compare(&expected, &found, name, "latents"), tolerance);
    assert_int_equal(report.evaluations, number(row, "evaluations", 0));
    reference_close(&found);
}

static void against_oracle(void **state) {
    (void)state;
    static const char *const models[] = {"sd15", "sd21"};
    size_t checked = 0;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        bench b;
        bench_open(&b, models[m]);
        const json_t *rows = json_object_get(b.head, "cases");
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *row = json_array_get(rows, i);
            if (strcmp(json_string_value(json_object_get(row, "model")), models[m]) == 0) {
                check_case(&b, row);
                checked++;
            }
        }
        assert_true(m == 0 || checked == json_array_size(rows));
        bench_close(&b);
    }
    assert_true(checked >= 40);
}

/** Latents of a run with these guidance texts. Free with pld_free. */
static float *latents_with(bench *b, const char *const *texts, size_t count, bool keep_neutral,
                           const char *sampler, pld_report *report, size_t *floats) {
    pld_generate_options o;
    reference_case dump;
    pld_error error = {0};
    set_options(b, &o);
    o.pladis_scale = 2;
    o.guidance = texts;
    o.guidance_count = count;
    o.sampling_method = sampler;
    o.keep_neutral_guidance = keep_neutral;
    check_status(draw(b, &o, report, &dump, &error), &error);
    float *latents = reference_values(&dump, "latents", floats);
    reference_close(&dump);
    return latents;
}

/** At its neutral value a method is left out; made to run all the same it changes nothing but rounding. */
static void neutral_values(void **state) {
    (void)state;
    static const struct {
        const char *text, *plain;
        int evaluations; /* a step, when it is made to run */
    } rows[] = {
        {"pag:scale=0", NULL, 3},
        {"seg:scale=0,sigma=2", NULL, 3},
        {"rescale:phi=0", NULL, 2},
        {"interval:start=0,end=1", NULL, 2},
        {"freeu:b1=1,b2=1,s1=1,s2=1", NULL, 2},
        {"nag:scale=1", NULL, 2},
        {"nag:alpha=0", NULL, 2},
        {"apg:eta=1,norm=0,momentum=0", NULL, 2},
        {"cfg:scale=1", "none", 2},
    };
    bench b;
    pld_report report;
    size_t count = 0;
    bench_open(&b, "sd15");
    const int steps = (int)number(b.head, "steps", 0);
    float *plain = latents_with(&b, NULL, 0, false, "euler", &report, &count);
    int evaluations = report.evaluations;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].plain) { /* the last row */
            pld_free(plain);
            plain = latents_with(&b, &rows[i].plain, 1, false, "euler", &report, &count);
            evaluations = report.evaluations;
        }
        float *dropped = latents_with(&b, &rows[i].text, 1, false, "euler", &report, &count);
        assert_memory_equal(plain, dropped, count * sizeof *plain);
        assert_int_equal(report.evaluations, evaluations);
        float *forced = latents_with(&b, &rows[i].text, 1, true, "euler", &report, &count);
        check_error(rows[i].text, "neutral", relative_error(forced, plain, count), 1e-5);
        assert_int_equal(report.evaluations, steps * rows[i].evaluations);
        pld_free(dropped);
        pld_free(forced);
    }
    pld_free(plain);
    bench_close(&b);
}

/** At its defaults every method moves the final latents by at least 0.1 %, a thousand times the error of a
 * run. PAG and SEG move these least: the middle of this network has two tokens. */
static void defaults_act(void **state) {
    (void)state;
    bench b;
    pld_report report;
    size_t count = 0;
    bench_open(&b, "sd15");
    b.steps = 10; /* so that the interval's default leaves out some that matter */
    float *plain = latents_with(&b, NULL, 0, false, "euler", &report, &count);
    pld_guidance_info info = {.struct_size = sizeof info};
    for (size_t i = 0; pld_guidance_describe(i, &info); i++) {
        float *found = latents_with(&b, &info.name, 1, false, "euler", &report, &count);
        const double change = relative_error(found, plain, count);
        printf("change %-12s %.3f of the latents\n", info.name, change);
        if (strcmp(info.name, "cfg") == 0) { /* it is what runs by default */
            assert_true(change == 0);
        } else {
            assert_true(change > 0.001);
        }
        pld_free(found);
    }
    pld_free(plain);
    bench_close(&b);
}

/** An error whose message holds `expected`. */
static void check_refused(bench *b, const char *first, const char *second, const char *sampler,
                          const char *expected) {
    const char *texts[] = {first, second};
    pld_generate_options o;
    pld_error error = {0};
    pld_image image;
    set_options(b, &o);
    o.guidance = texts;
    o.guidance_count = second ? 2 : 1;
    o.sampling_method = sampler;
    assert_int_equal(pld_generate(b->session, &o, &image, NULL, &error), PLD_ERROR_ARGUMENT);
    if (!strstr(error.message, expected)) {
        fail_msg("%s: expected '%s' in the message, found '%s'", first, expected, error.message);
    }
    assert_null(image.pixels);
}

static void refusals(void **state) {
    (void)state;
    bench b;
    bench_open(&b, "sd15");
    check_refused(&b, "pag:layers=", NULL, "euler", "pag: layers: expected block kinds");
    check_refused(&b, "pag:layers=mid+", NULL, "euler", "pag: layers: expected block kinds");
    check_refused(&b, "pag:layers=down_blocks.9", NULL, "euler", "matches no self-attention");
    check_refused(&b, "nag:layers=mid_block.attentions.0.transformer_blocks.0.attn1", NULL, "euler",
                  "matches no cross-attention");
    check_refused(&b, "pag", "pag:layers=up", "euler", "given twice");
    check_refused(&b, "apg", "cfg-zero", "euler", "choose one of them");
    check_refused(&b, "none", "rescale", "euler", "no guided prediction");
    check_refused(&b, "none", "interval", "euler", "no guided prediction");
    check_refused(&b, "apg:scale=1", NULL, "euler", "needs a scale above 1");
    check_refused(&b, "interval:start=0.6,end=0.6", NULL, "euler", "start must be below end");
    check_refused(&b, "cfg++", NULL, "heun", "use one of ddim");
    check_refused(&b, "swg", NULL, "euler", "the known methods are none, cfg");
    check_refused(&b, "pag:strength=3", NULL, "euler", "its options are scale, layers");
    check_refused(&b, "none:scale=3", NULL, "euler", "it has none");
    check_refused(&b, "seg:sigma=nan", NULL, "euler", "from 0.01 to 9999 or inf");
    check_refused(&b, "pag:scale=inf", NULL, "euler", "from 0 to 100");
    check_refused(&b, "cfg-zero:steps=1.5", NULL, "euler", "a whole number");
    check_refused(&b, "pag:scale=1,scale=2", NULL, "euler", "found a second");
    check_refused(&b, "pag:scale", NULL, "euler", "'=' and a value");
    check_refused(&b, "pag,seg", NULL, "euler", "unknown method");
    check_refused(&b, "", NULL, "euler", "unknown method");
    bench_close(&b);
}

/** The statistics file against the oracle's, site by site and head by head: entropies to 1e-5, zeros to one
 * key of the map, which can be on either side of the threshold. The middle of the tiny SD 1.5 has two tokens
 * and amplifies rounding: diffusers' own float32 is 1.2e-5 off there, and its entropies are compared to 1e-3.
 */
static void attention_statistics(void **state) {
    (void)state;
    static const char *const keys[] = {"zeros", "entropy_sparse", "entropy_dense"};
    const char *texts[] = {"cfg:scale=5"};
    char path[] = "/tmp/pladis-statistics-XXXXXX";
    bench b;
    pld_generate_options o;
    pld_report report;
    reference_case dump;
    reference_case expected = {.name = "statistics"};
    pld_error error = {0};
    json_t *found = NULL;
    double worst_keys = 0, worst_entropy = 0, worst_middle = 0;
    bench_open(&b, "sd15");
    expected.tensors = b.tensors;
    set_options(&b, &o);
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    o.guidance = texts;
    o.guidance_count = 1;
    o.attention_statistics = path;
    check_status(draw(&b, &o, &report, &dump, &error), &error);
    check_status(pld_json_load(path, 0, &found, &error), &error);
    const json_t *sites = json_object_get(found, "sites");
    assert_int_equal(json_array_size(sites), 16);
    for (size_t i = 0; i < json_array_size(sites); i++) {
        char name[160];
        const json_t *site = json_array_get(sites, i);
        const json_t *heads = json_object_get(site, "heads");
        snprintf(name, sizeof name, "statistics/%s", json_string_value(json_object_get(site, "name")));
        size_t count = 0;
        float *values = reference_values(&expected, name, &count);
        assert_int_equal(count, 3 * json_array_size(heads));
        const bool middle = strstr(name, "/mid_block.") != NULL;
        const double keys_of_map = number(site, "rows", 0) * number(site, "keys", 0);
        for (size_t j = 0; j < count; j++) {
            const double difference =
                fabs(number(json_array_get(heads, j / 3), keys[j % 3], NAN) - (double)values[j]);
            double *worst = j % 3 == 0 ? &worst_keys : (middle ? &worst_middle : &worst_entropy);
            *worst = fmax(*worst, j % 3 == 0 ? difference * keys_of_map : difference);
        }
        pld_free(values);
    }
    check_error("attention statistics", "zeros (keys)", worst_keys, 1.01);
    check_error("attention statistics", "entropies (nats)", worst_entropy, 1e-5);
    check_error("attention statistics", "entropies of the middle (nats)", worst_middle, 1e-3);
    assert_non_null(json_object_get(json_object_get(found, "blocks"), "mid"));
    json_decref(found);
    reference_close(&dump);
    unlink(path);
    bench_close(&b);
}

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.isa = pld_isa_name(reference_kernels()->isa);
    options.conv = reference_conv();
    options.low_memory = reference_low_memory();
    return pld_engine_create(&options, &engine, NULL) == PLD_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_oracle), cmocka_unit_test(neutral_values),
                                       cmocka_unit_test(defaults_act), cmocka_unit_test(refusals),
                                       cmocka_unit_test(attention_statistics)};
    return cmocka_run_group_tests(tests, start, stop);
}
