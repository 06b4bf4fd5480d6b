/* SPDX-License-Identifier: Apache-2.0 */
/** Whole generations through the public interface, against the diffusers pipelines with the same seed.
 *
 *  Tolerance of noise_pred and latents: max(1e-4, 30 · sensitivity), where sensitivity says how far a case
 * amplifies a relative disturbance of 1e-6 of each model output. Pictures: no channel off by more than 1. */
#define _GNU_SOURCE
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/tensors/safetensors.h"
#include "pladis/pladis.h"

enum { MAX_TIMESTEPS = 64 };

static pld_engine *engine;

static double number(const json_t *object, const char *key, double otherwise) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

/** Number of a list, 0 without it. */
static int entry(const json_t *object, const char *key, size_t index) {
    return (int)json_integer_value(json_array_get(json_object_get(object, key), index));
}

/** What the case's pag, seg or freeu says, as the texts that the library takes. */
typedef struct guidance_texts {
    char texts[3][256];
    const char *pointers[4];
    size_t count;
    int perturbed; /* branches */
} guidance_texts;

static void join_layers(const json_t *layers, char *text, size_t size) {
    text[0] = 0;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s", i ? "+" : "",
                 json_string_value(json_array_get(layers, i)));
    }
}

static void add_perturbed(const json_t *request, const char *method, guidance_texts *guidance) {
    char layers[128];
    char *text = guidance->texts[guidance->count];
    const json_t *sigma = json_object_get(request, "sigma");
    if (!request) {
        return;
    }
    join_layers(json_object_get(request, "layers"), layers, sizeof layers);
    int used = snprintf(text, sizeof guidance->texts[0], "%s:scale=%g,layers=%s", method,
                        number(request, "scale", 0), layers);
    if (json_is_string(sigma)) {
        snprintf(text + used, sizeof guidance->texts[0] - (size_t)used, ",sigma=%s",
                 json_string_value(sigma));
    } else if (sigma) {
        snprintf(text + used, sizeof guidance->texts[0] - (size_t)used, ",sigma=%g",
                 json_number_value(sigma));
    }
    guidance->pointers[guidance->count++] = text;
    guidance->perturbed++;
}

static void set_guidance(const json_t *info, guidance_texts *guidance, pld_generate_options *o) {
    const json_t *freeu = json_object_get(info, "freeu");
    add_perturbed(json_object_get(info, "pag"), "pag", guidance);
    add_perturbed(json_object_get(info, "seg"), "seg", guidance);
    if (freeu) {
        char *text = guidance->texts[guidance->count];
        snprintf(text, sizeof guidance->texts[0], "freeu:b1=%g,b2=%g,s1=%g,s2=%g", number(freeu, "b1", 0),
                 number(freeu, "b2", 0), number(freeu, "s1", 0), number(freeu, "s2", 0));
        guidance->pointers[guidance->count++] = text;
    }
    const char *own = json_string_value(json_object_get(info, "guidance")); /* cases of tools/reference */
    if (own) {
        guidance->pointers[guidance->count++] = own;
    }
    o->guidance = guidance->pointers;
    o->guidance_count = guidance->count;
}

static void set_options(const json_t *info, pld_generate_options *o, double timesteps[MAX_TIMESTEPS]) {
    const json_t *list = json_object_get(info, "timesteps");
    const json_t *scheduler = json_object_get(info, "scheduler");
    const json_t *pladis = json_object_get(info, "pladis");
    pld_generate_options_init(o, sizeof *o);
    o->dtype = "f32";
    o->prompt = json_string_value(json_object_get(info, "prompt"));
    o->negative_prompt = json_string_value(json_object_get(info, "negative"));
    o->width = (int)number(info, "width", 0);
    o->height = (int)number(info, "height", 0);
    o->steps = (int)number(info, "steps", 0);
    o->cfg_scale = number(info, "cfg", 0);
    o->cfg_rescale = number(info, "rescale", 0);
    o->seed = (int64_t)number(info, "seed", 0);
    o->eta = number(info, "eta", NAN);
    o->sampling_method = json_string_value(json_object_get(scheduler, "sampling_method"));
    o->scheduler = json_string_value(json_object_get(scheduler, "schedule"));
    const json_t *overrides = json_object_get(scheduler, "overrides");
    o->spacing = json_string_value(json_object_get(overrides, "timestep_spacing"));
    o->prediction = json_string_value(json_object_get(overrides, "prediction_type"));
    o->timestep_count = json_array_size(list);
    o->timesteps = o->timestep_count ? timesteps : NULL;
    assert_true(o->timestep_count <= MAX_TIMESTEPS);
    for (size_t i = 0; i < o->timestep_count; i++) {
        timesteps[i] = json_number_value(json_array_get(list, i));
    }
    o->clip_skip = (int)number(info, "clip_skip", 1);
    o->max_tokens = (int)number(info, "max_sequence_length", 0);
    o->original_height = entry(info, "original_size", 0);
    o->original_width = entry(info, "original_size", 1);
    o->crop_top = entry(info, "crops_coords_top_left", 0);
    o->crop_left = entry(info, "crops_coords_top_left", 1);
    o->target_height = entry(info, "target_size", 0);
    o->target_width = entry(info, "target_size", 1);
    o->pladis_scale = number(pladis, "lambda", 0);
    o->pladis_alpha = number(pladis, "alpha", 1.5);
    const char *blocks = json_string_value(json_object_get(pladis, "blocks"));
    o->pladis_blocks = blocks ? blocks : "all";
}

/** Worst error of the dumped tensors that the case also has and whose names begin so; negative: it has none.
 */
static double worst(const reference_case *expected, const reference_case *found, const char *prefix) {
    double error = 0;
    int compared = 0;
    for (size_t i = 0; i < pld_safetensors_count(expected->tensors); i++) {
        const char *name = pld_safetensors_at(expected->tensors, i)->name;
        if (strncmp(name, prefix, strlen(prefix)) != 0) {
            continue;
        }
        size_t count = 0;
        size_t other = 0;
        float *a = reference_values(found, name, &other);
        float *b = reference_values(expected, name, &count);
        assert_int_equal(count, other);
        error = fmax(error, relative_error(a, b, count));
        compared++;
        pld_free(a);
        pld_free(b);
    }
    return compared ? error : -1;
}

static void check_picture(const reference_case *c, const pld_image *image) {
    if (!pld_safetensors_find(c->tensors, "image_u8")) {
        return;
    }
    size_t count = 0;
    float *expected = reference_values(c, "image_u8", &count);
    double most = 0;
    assert_int_equal(count, 3 * image->width * image->height);
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs(expected[i] - image->pixels[i]));
    }
    pld_free(expected);
    check_error(c->name, "image_u8 (steps of 1/255)", most, 1);
}

/** Worst relative error of diffusers' float32 noise_pred against float64 arithmetic on the same weights,
 * where that was measured to be beyond 1e-4 itself: guidance and PLADIS amplify rounding in the tiny SDXL.
 * Two float32 computations may lie on either side of the truth. */
static double own_error(const char *name) {
    static const struct {
        const char *name;
        double error;
    } rows[] = {{"sdxl-gen-freeu-pladis", 1.14e-4},
                {"sdxl-gen-pag-nocfg-pladis", 1.27e-4},
                {"sdxl-gen-seg-sigma2.0-pladis", 1.49e-4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return rows[i].error;
        }
    }
    return 0;
}

static void compare_dump(const reference_case *c, const char *path) {
    pld_error error = {0};
    reference_case found = {0};
    snprintf(found.name, sizeof found.name, "dump of %.40s", c->name);
    check_status(pld_safetensors_open(path, &found.tensors, &error), &error);
    const double amplified = 30 * number(json_object_get(c->info, "sensitivity"), "latents", 0);
    const double tolerance = fmax(fmax(1e-4, amplified), 2 * own_error(c->name));
    const struct {
        const char *prefix;
        double tolerance;
        bool optional; /* not every case stores it */
    } rows[] = {
        {"prompt_embeds", 5e-6, true},
        {"negative_prompt_embeds", 5e-6, true},
        {"pooled_prompt_embeds", 5e-6, true},
        {"negative_pooled_prompt_embeds", 5e-6, true},
        {"latents_init", 1e-6,
         pld_safetensors_find(c->tensors, "latents_first") != NULL}, /* by its other name */
        {"timesteps", 1e-6, false},
        {"sigmas", 2e-6, true},
        {"noise_pred", tolerance, false},
        {"latents.", tolerance, false},
        {"decoded", tolerance, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double most = worst(c, &found, rows[i].prefix);
        assert_true(most >= 0 || rows[i].optional);
        if (most >= 0) {
            check_error(c->name, rows[i].prefix, most, rows[i].tolerance);
        }
    }
    pld_safetensors_close(&found.tensors);
}

/** The preset whose schedule a case has: its own word for it, or, for the published cases, this table's. */
static const char *preset_of(const char *name, const json_t *info) {
    static const struct {
        const char *name, *preset;
    } rows[] = {{"sdxl-gen-turbo", "turbo"},
                {"sdxl-gen-lightning-4", "lightning-4"},
                {"sdxl-gen-hyper-ddim-4", "hyper-4"},
                {"sdxl-gen-hyper-tcd-4", "hyper-unified"},
                {"sdxl-gen-dmd2-4", "dmd2-4"}};
    const char *stated = json_string_value(json_object_get(info, "preset"));
    for (size_t i = 0; !stated && i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(name, rows[i].name, strlen(rows[i].name)) == 0) {
            stated = rows[i].preset;
        }
    }
    return stated;
}

/** Leave everything to the preset but the steps where they are not its own. */
static void leave_to_preset(const reference_case *c, pld_generate_options *o) {
    const bool fewer = strstr(c->name, "turbo-1") != NULL;
    o->preset = preset_of(c->name, c->info);
    o->sampling_method = NULL;
    o->spacing = NULL;
    o->prediction = NULL;
    o->timesteps = NULL;
    o->timestep_count = 0;
    o->steps = fewer ? o->steps : 0;
    o->eta = NAN;
    o->cfg_scale = NAN;
}

static void generate_case(pld_session *session, const reference_case *c, bool by_preset) {
    pld_error error = {0};
    pld_generate_options options;
    double timesteps[MAX_TIMESTEPS];
    pld_image image;
    pld_report report = {.struct_size = sizeof report};
    char path[] = "/tmp/pladis-dump-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    guidance_texts guidance = {0};
    set_options(c->info, &options, timesteps);
    set_guidance(c->info, &guidance, &options);
    const int branches = (options.cfg_scale > 1 ? 2 : 1) + guidance.perturbed;
    if (by_preset) {
        leave_to_preset(c, &options);
    }
    options.dump = path;
    options.dump_steps = true;
    check_status(pld_generate(session, &options, &image, &report, &error), &error);
    compare_dump(c, path);
    unlink(path);
    check_picture(c, &image);
    assert_int_equal(report.calls, number(c->info, "model_calls", options.steps));
    assert_int_equal(report.evaluations, report.calls * branches);
    pld_image_free(&image);
}

/** What the visit of a case needs. */
typedef struct drawing {
    pld_session *session;
    bool by_preset; /* leave the schedule to the preset, and pass over cases without one */
    int drawn;
} drawing;

static bool has_sampler(const char *wanted) {
    const char *name = NULL;
    const char *description = NULL;
    for (size_t i = 0; pld_list(PLD_LIST_SAMPLERS, i, &name, &description); i++) {
        if (strcmp(name, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void draw_case(const char *name, const json_t *info, void *user) {
    drawing *d = user;
    reference_case c;
    if (!has_sampler(reference_sampler(info))) {
        reference_pass_over(name, "this program has no such sampler");
        return;
    }
    if (d->by_preset && !preset_of(name, info)) {
        return;
    }
    assert_true(reference_open(name, &c));
    generate_case(d->session, &c, d->by_preset);
    reference_close(&c);
    d->drawn++;
}

static void generations(const char *model_name, int least, bool by_preset) {
    pld_error error = {0};
    pld_model *model = NULL;
    drawing d = {.by_preset = by_preset};
    check_status(pld_model_open(engine, reference_path("models/%s", model_name), &model, &error), &error);
    check_status(pld_session_create(model, &d.session, &error), &error);
    reference_each("generation", model_name, draw_case, &d);
    pld_session_destroy(&d.session);
    pld_model_destroy(&model);
    assert_true(d.drawn >= least);
}

static void sd15(void **state) {
    (void)state;
    generations("sd15", 25, false);
}

static void sd21(void **state) {
    (void)state;
    generations("sd21", 17, false);
}

static void sdxl(void **state) {
    (void)state;
    generations("sdxl", 14, false);
}

static void pixart(void **state) {
    (void)state;
    generations("pixart", 2, false);
    generations("pixart-alpha", 4, false);
}

/** The distilled schedules once more, by the names of their presets. */
static void presets(void **state) {
    (void)state;
    generations("sdxl", 8, true);
}

/** A network that predicts a flow's velocity, whichever it is, moves the sample along it: x + (σ' − σ)·v, at the levels of a
 * shift of 3 (Esser et al. 2024, arXiv 2403.03206, as diffusers' FlowMatchEulerDiscreteScheduler shifts them, ends
 * included). */
static void flow(void **state) {
    (void)state;
    enum { STEPS = 3 };
    pld_error error = {0};
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_generate_options o;
    pld_image image;
    pld_report report = {.struct_size = sizeof report};
    reference_case found = {.name = "flow"};
    char path[] = "/tmp/pladis-dump-XXXXXX";
    close(mkstemp(path));
    check_status(pld_model_open(engine, reference_path("models/sd15"), &model, &error), &error);
    check_status(pld_session_create(model, &session, &error), &error);
    pld_generate_options_init(&o, sizeof o);
    o.prompt = "a red fox";
    o.width = o.height = 64;
    o.steps = STEPS;
    o.prediction = "flow";
    o.sampling_method = "euler";
    o.shift = 3;
    o.dtype = "f32";
    o.dump = path;
    o.dump_steps = true;
    check_status(pld_generate(session, &o, &image, &report, &error), &error);
    check_status(pld_safetensors_open(path, &found.tensors, &error), &error);
    unlink(path);
    size_t count = 0;
    float *sigmas = reference_values(&found, "sigmas", &count);
    assert_int_equal(count, STEPS + 1);
    /* the ends of training are shifted, and the line between them once more */
    const double least = 3 * 0.001 / (1 + 2 * 0.001), middle = (1 + least) / 2;
    const double levels[] = {1, 3 * middle / (1 + 2 * middle), 3 * least / (1 + 2 * least), 0};
    for (int i = 0; i <= STEPS; i++) {
        assert_true(fabs((double)sigmas[i] - levels[i]) < 1e-6);
    }
    float *x = reference_values(&found, "latents_init", &count),
          *v = reference_values(&found, "noise_pred.00", &count);
    float *next = reference_values(&found, "latents.00", &count);
    for (size_t i = 0; i < count; i++) {
        x[i] += (sigmas[1] - sigmas[0]) * v[i];
    }
    check_error("flow", "latents.00", relative_error(next, x, count), 1e-6);
    pld_free(sigmas);
    pld_free(x);
    pld_free(v);
    pld_free(next);
    pld_safetensors_close(&found.tensors);
    pld_image_free(&image);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(sd15),   cmocka_unit_test(sd21),
                                       cmocka_unit_test(sdxl),   cmocka_unit_test(presets),
                                       cmocka_unit_test(pixart), cmocka_unit_test(flow)};
    return cmocka_run_group_tests(tests, start, stop);
}
