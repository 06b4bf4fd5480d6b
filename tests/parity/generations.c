/* SPDX-License-Identifier: Apache-2.0 */
/** Whole generations through the public interface, against the diffusers pipelines with the same seed.
 *
 *  Tolerance of noise_pred and latents: max(1e-4, 30 · sensitivity), where sensitivity says how far a case
 * amplifies a relative disturbance of 1e-6 of each model output. Pictures: no channel off by more than 1. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "drawing.h"
#include "pipeline/model/model.h"
#include "suites.h"
#include "without.h"

enum { MAX_TIMESTEPS = 64 };

/** Number of a list, 0 without it. */
static int entry(const json_t *object, const char *key, size_t index) {
    return (int)json_integer_value(json_array_get(json_object_get(object, key), index));
}

/** What the case's pag, seg or freeu says, as the texts that the library takes. */
typedef struct guidance_texts {
    char texts[4][256];
    const char *pointers[5];
    size_t count;
    int perturbed; /* branches */
    int skipping;  /* steps with a branch that leaves blocks out */
} guidance_texts;

enum { MOST_INSTRUCTION = 4096 };

/** The lines in front of a prompt, joined as diffusers joins them; null is none, and nothing is the model's own. */
static const char *instruction_of(const json_t *info, char text[MOST_INSTRUCTION]) {
    const json_t *lines = json_object_get(info, "complex_human_instruction");
    size_t used = 0;
    snprintf(text, MOST_INSTRUCTION, "none");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        used += (size_t)snprintf(text + used, MOST_INSTRUCTION - used, "%s%s", i ? "\n" : "",
                                 json_string_value(json_array_get(lines, i)));
        assert_true(used < MOST_INSTRUCTION);
    }
    return lines ? text : NULL;
}

static void join_layers(const json_t *layers, char *text, size_t size) {
    text[0] = 0;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const size_t used = strlen(text);
        const char *layer = json_string_value(json_array_get(layers, i));
        /* diffusers matches layers of a transformer by a part of their names */
        const bool part = layer && strncmp(layer, "blocks.", strlen("blocks.")) == 0;
        snprintf(text + used, size - used, "%s%s%s", i ? "+" : "", part ? "transformer_" : "",
                 layer ? layer : "");
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
                        json_field(request, "scale", 0), layers);
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

/** diffusers leaves the blocks out in the steps between two fractions, ends not included. */
static void add_skipped(const json_t *request, double steps, guidance_texts *guidance) {
    char *text = guidance->texts[guidance->count];
    const json_t *layers = json_object_get(request, "layers");
    if (!request) {
        return;
    }
    const double start = json_field(request, "start", 0), stop = json_field(request, "stop", 0);
    int used =
        snprintf(text, sizeof guidance->texts[0],
                 "slg:scale=%g,start=%g,stop=%g,layers=", json_field(request, "scale", 0), start, stop);
    for (size_t i = 0; i < json_array_size(layers); i++) {
        used += snprintf(text + used, sizeof guidance->texts[0] - (size_t)used, "%s%d", i ? "+" : "",
                         (int)json_integer_value(json_array_get(layers, i)));
    }
    guidance->pointers[guidance->count++] = text;
    for (int step = 0; step < (int)steps; step++) {
        guidance->skipping += step > start * steps && step < stop * steps;
    }
}

static void set_guidance(const json_t *info, guidance_texts *guidance, pld_generate_options *o) {
    const json_t *freeu = json_object_get(info, "freeu");
    add_perturbed(json_object_get(info, "pag"), "pag", guidance);
    add_perturbed(json_object_get(info, "seg"), "seg", guidance);
    add_skipped(json_object_get(info, "slg"), json_field(info, "steps", 0), guidance);
    if (freeu) {
        char *text = guidance->texts[guidance->count];
        snprintf(text, sizeof guidance->texts[0], "freeu:b1=%g,b2=%g,s1=%g,s2=%g", json_field(freeu, "b1", 0),
                 json_field(freeu, "b2", 0), json_field(freeu, "s1", 0), json_field(freeu, "s2", 0));
        guidance->pointers[guidance->count++] = text;
    }
    if (json_object_get(info, "cfg_normalization")) {
        char *text = guidance->texts[guidance->count];
        snprintf(text, sizeof guidance->texts[0], "cfg-normalization:limit=%g",
                 json_field(info, "cfg_normalization", 0));
        guidance->pointers[guidance->count++] = text;
    }
    const char *own = json_text(info, "guidance"); /* cases of tools/reference */
    if (own) {
        guidance->pointers[guidance->count++] = own;
    }
    o->guidance = guidance->pointers;
    o->guidance_count = guidance->count;
}

/** Whether a case's pipeline counts c + g·(c − u), where this program counts u + s·(c − u): s is 1 + g. */
static bool counts_from_conditional(const json_t *info) {
    const char *pipeline = json_text(info, "pipeline");
    return pipeline && strcmp(pipeline, "ZImagePipeline") == 0;
}

static double cfg_scale_of(const json_t *info) {
    return counts_from_conditional(info) ? 1 + json_field(info, "guidance", 0) : json_field(info, "cfg", 0);
}

static void set_options(const json_t *info, pld_generate_options *o, double timesteps[MAX_TIMESTEPS]) {
    const json_t *list = json_object_get(info, "timesteps");
    const json_t *scheduler = json_object_get(info, "scheduler");
    const json_t *pladis = json_object_get(info, "pladis");
    pld_generate_options_init(o, sizeof *o);
    o->dtype = "f32";
    o->prompt = json_text(info, "prompt");
    o->negative_prompt = json_text(info, "negative");
    o->width = (int)json_field(info, "width", 0);
    o->height = (int)json_field(info, "height", 0);
    o->steps = (int)json_field(info, "steps", 0);
    o->cfg_scale = cfg_scale_of(info);
    o->cfg_rescale = json_field(info, "rescale", 0);
    o->seed = (int64_t)json_field(info, "seed", 0);
    o->eta = json_field(info, "eta", NAN);
    o->sampling_method = json_text(scheduler, "sampling_method");
    o->scheduler = json_text(scheduler, "schedule");
    const json_t *overrides = json_object_get(scheduler, "overrides");
    o->spacing = json_text(overrides, "timestep_spacing");
    o->prediction = json_text(overrides, "prediction_type");
    o->timestep_count = json_array_size(list);
    o->timesteps = o->timestep_count ? timesteps : NULL;
    assert_true(o->timestep_count <= MAX_TIMESTEPS);
    for (size_t i = 0; i < o->timestep_count; i++) {
        timesteps[i] = json_number_value(json_array_get(list, i));
    }
    o->clip_skip = (int)json_field(info, "clip_skip", 1);
    o->distilled_guidance = counts_from_conditional(info)
                                ? NAN
                                : json_field(info, "guidance", NAN); /* text is another thing: set_guidance */
    o->max_tokens = (int)json_field(info, "max_sequence_length", 0);
    o->original_height = entry(info, "original_size", 0);
    o->original_width = entry(info, "original_size", 1);
    o->crop_top = entry(info, "crops_coords_top_left", 0);
    o->crop_left = entry(info, "crops_coords_top_left", 1);
    o->target_height = entry(info, "target_size", 0);
    o->target_width = entry(info, "target_size", 1);
    o->pladis_scale = json_field(pladis, "lambda", 0);
    o->pladis_alpha = json_field(pladis, "alpha", 1.5);
    const char *blocks = json_text(pladis, "blocks");
    o->pladis_blocks = blocks ? blocks : "all";
    o->strength = json_field(info, "strength", o->strength);
    o->empty_prompt = json_text(info, "empty_prompt") ? "token" : NULL; /* ComfyUI's rule; else diffusers' */
}

/** The picture with which a case begins, as new memory in `image`, or none. */
static void read_init_image(const parity_case *c, pld_image *image) {
    *image = (pld_image){0};
    if (case_has(c, "image_in_u8")) {
        const pld_stored_tensor *tensor = case_tensor(c, "image_in_u8");
        size_t count = 0;
        float *values = case_values(c, "image_in_u8", &count);
        *image = (pld_image){(int)tensor->shape[1], (int)tensor->shape[0], pld_allocate(count, 1)};
        assert_non_null(image->pixels);
        for (size_t i = 0; i < count; i++) {
            image->pixels[i] = (uint8_t)values[i];
        }
        pld_free(values);
    }
}

static void check_picture(const parity_case *c, const pld_image *image) {
    if (!case_has(c, "image_u8")) {
        return;
    }
    size_t count = 0;
    float *expected = case_values(c, "image_u8", &count);
    double most = 0;
    assert_int_equal(count, 3 * image->width * image->height);
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs(expected[i] - image->pixels[i]));
    }
    pld_free(expected);
    check_error(c->name, "image_u8 (steps of 1/255)", most, 1);
}

/** Error of the states of a text, of which the case has those of the padding, too, where it has a mask; −1: it has none. */
static double text_error(const parity_case *found, const parity_case *c, const char *name) {
    char mask[64];
    size_t count = 0, live = 0;
    snprintf(mask, sizeof mask, "%.*s_attention_mask", (int)(strlen(name) - strlen("_embeds")), name);
    if (!case_has(c, name) || !case_has(c, mask)) {
        return case_worst_error(found, c, "", name);
    }
    float *states = case_values(found, name, &count), *tokens = case_values(c, mask, &live);
    float *expected = case_values(c, name, NULL);
    const size_t width = (size_t)case_tensor(c, name)->shape[2];
    while (live > 0 && tokens[live - 1] == 0) {
        live--;
    }
    assert_int_equal(count, live * width);
    const double error = relative_error(states, expected, count);
    pld_free(states);
    pld_free(tokens);
    pld_free(expected);
    return error;
}

/** Error of the times of the calls, behind which SCM's list has the end. */
static double times_error(const parity_case *found, const parity_case *c) {
    size_t count = 0, listed = 0;
    float *times = case_values(found, "timesteps", &count);
    float *expected = case_values(c, "timesteps", &listed);
    assert_true(listed == count || (listed == count + 1 && expected[count] == 0));
    const double error = relative_error(times, expected, count);
    pld_free(times);
    pld_free(expected);
    return error;
}

/** A run that begins later: the case counts its calls from there, this program from the schedule's first one. */
static void compare_later_calls(const parity_case *c, const parity_case *found, int first, double tolerance) {
    static const char *const prefixes[] = {"noise_pred", "latents"};
    int compared = 0;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char own[32], wanted[32];
        for (int call = 0;; call++, compared++) {
            snprintf(own, sizeof own, "%s.%02d", prefixes[i], call + first);
            snprintf(wanted, sizeof wanted, "%s.%02d", prefixes[i], call);
            if (!case_has(c, wanted)) {
                break;
            }
            check_error(c->name, wanted, case_error(found, own, c, wanted), tolerance);
        }
    }
    assert_true(compared > 0);
    check_error(c->name, "latents", case_error(found, "latents", c, "latents"), tolerance);
}

static void compare_dump(const parity_case *c, const parity_row *row, const parity_case *found) {
    const double amplified = 30 * json_field(json_object_get(c->info, "sensitivity"), "latents", 0);
    const double tolerance = parity_tolerance(c->name, "generation", fmax(row->tolerance, amplified));
    const int first = (int)json_field(c->info, "first_step", 0);
    const struct {
        const char *prefix;
        double tolerance;
        bool optional; /* not every case stores it */
    } rows[] = {
        {"pooled_prompt_embeds", 5e-6, true},
        {"negative_pooled_prompt_embeds", 5e-6, true},
        {"latents_init", 1e-6, case_has(c, "latents_first")}, /* by its other name */
        {"sigmas", 2e-6, true},
        {"noise_pred", tolerance, false},
        {"latents.", tolerance, false},
        {"image_latents", 2e-5, true},
        {"decoded", tolerance, true},
    };
    static const char *const texts[] = {"prompt_embeds", "negative_prompt_embeds"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const double error = text_error(found, c, texts[i]);
        check_error(c->name, texts[i], error > 0 ? error : 0, 5e-6);
    }
    check_error(c->name, "timesteps", times_error(found, c), 1e-6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool later = first > 0 && (strcmp(rows[i].prefix, "noise_pred") == 0 ||
                                         strcmp(rows[i].prefix, "latents.") == 0);
        const double most = later ? -1 : case_worst_error(found, c, "", rows[i].prefix);
        assert_true(most >= 0 || rows[i].optional || later);
        if (most >= 0) {
            check_error(c->name, rows[i].prefix, most, rows[i].tolerance);
        }
    }
    if (case_has(c, "latents") && case_tensor(c, "latents")->rank == 4) {
        check_error(c->name, "latents", case_error(found, "latents", c, "latents"), tolerance);
    }
    if (first > 0) {
        compare_later_calls(c, found, first, tolerance);
    }
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
    const char *stated = json_text(info, "preset");
    for (size_t i = 0; !stated && i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(name, rows[i].name, strlen(rows[i].name)) == 0) {
            stated = rows[i].preset;
        }
    }
    return stated;
}

/** Leave everything to the preset but the steps where they are not its own. */
static void leave_to_preset(const parity_case *c, pld_generate_options *o) {
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

/** How often diffusers calls the network where this program calls it once: its modular pipelines and FLUX.2's do so for each
 * branch. */
static int calls_of_step(const parity_case *c, int branches) {
    const char *pipeline = json_text(c->info, "pipeline");
    return pipeline && (strstr(pipeline, "Modular") || strstr(pipeline, "Flux2")) ? branches : 1;
}

/** Cases of FLUX.2 klein have CFG's scale as their guidance. */
static bool takes_one_scale(const parity_case *c) {
    const char *pipeline = json_text(c->info, "pipeline");
    return pipeline && strstr(pipeline, "Flux2Klein") && !json_object_get(c->info, "cfg");
}

static void generate_case(drawing *d, const parity_case *c, const parity_row *row, bool by_preset) {
    pld_generate_options options;
    double timesteps[MAX_TIMESTEPS];
    pld_image image, begin;
    pld_report report;
    parity_case found;
    guidance_texts guidance = {0};
    char instruction[MOST_INSTRUCTION], embeds[512];
    set_options(c->info, &options, timesteps);
    options.complex_instruction = instruction_of(c->info, instruction);
    set_guidance(c->info, &guidance, &options);
    if (d->model->denoiser_facts.distilled_guidance ==
        0) { /* diffusers' pipeline is given one and drops it */
        options.distilled_guidance = NAN;
    }
    if (takes_one_scale(c)) {
        options.cfg_scale = json_field(c->info, "guidance", 1);
    }
    if (d->model->family->text_count == 0) { /* they have the names that the option wants */
        snprintf(embeds, sizeof embeds, "%s",
                 reference_path(c->root, "cases/%s/tensors.safetensors", c->name));
        options.prompt = "";
        options.prompt_embeds = embeds;
    }
    read_init_image(c, &begin);
    options.init_image = begin.pixels ? &begin : NULL;
    const int branches = (options.cfg_scale > 1 ? 2 : 1) + guidance.perturbed;
    if (by_preset) {
        leave_to_preset(c, &options);
    }
    drawing_make(d, &options, &image, &report, &found);
    compare_dump(c, row, &found);
    check_picture(c, &image);
    const int calls = calls_of_step(c, branches);
    assert_int_equal(report.calls * calls, json_field(c->info, "model_calls", options.steps * calls));
    assert_int_equal(report.evaluations, report.calls * branches + guidance.skipping);
    case_close(&found);
    pld_image_free(&image);
    pld_image_free(&begin);
}

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

/** Why a case is not one for this program; NULL: it is. A field that is not known may change what is drawn. */
static const char *unknown_of(const json_t *info) {
    static const char *const known[] = {"name",
                                        "prompt",
                                        "negative",
                                        "width",
                                        "height",
                                        "steps",
                                        "cfg",
                                        "seed",
                                        "model",
                                        "scheduler",
                                        "kind",
                                        "pipeline",
                                        "pladis",
                                        "sensitivity",
                                        "model_calls",
                                        "decode",
                                        "max_sequence_length",
                                        "complex_human_instruction",
                                        "preset",
                                        "timesteps",
                                        "store_embeds",
                                        "rescale",
                                        "cfg_normalization",
                                        "clip_skip",
                                        "eta",
                                        "freeu",
                                        "pag",
                                        "seg",
                                        "slg",
                                        "guidance",
                                        "intermediate", /* of SCM: its own */
                                        "original_size",
                                        "crops_coords_top_left",
                                        "target_size",
                                        "empty_prompt",
                                        "strength",
                                        "first_step",
                                        "mu", /* of a dynamic shift: what the schedule's rule makes */
                                        "without",
                                        "note"};
    static char why[128];
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)info, key, value) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key) != 0) {
            i++;
        }
        if (i == sizeof known / sizeof *known) {
            snprintf(why, sizeof why, "this test does not know its field %s", key);
            return why;
        }
    }
    return has_sampler(reference_sampler(info)) ? NULL : "this program has no such sampler";
}

/** What the comparison of a case needs. */
typedef struct generations {
    drawing drawing;
    char model[512];            /* that is open; "" */
    char without[WITHOUT_PATH]; /* the folder without some of its components that is open in its place; "" */
    bool by_preset;             /* leave the schedule to the preset, and pass over cases without one */
    int drawn;
} generations;

static void close_model(generations *g) {
    drawing_close(&g->drawing);
    without_remove(g->without);
    g->without[0] = g->model[0] = 0;
}

/** Open the model of a case, which may go without some of its components, unless it is open already. */
static void open_model(generations *g, const parity_case *c) {
    const json_t *without = json_object_get(c->info, "without");
    const char *folder = case_model_path(c, "");
    if (without || g->without[0] ||
        strcmp(g->model, folder) != 0) { /* another folder has its own of a name */
        close_model(g);
        snprintf(g->model, sizeof g->model, "%s", folder);
        if (without) {
            without_make(folder, without, g->without);
        }
        drawing_open(&g->drawing, without ? g->without : g->model);
    }
}

static void draw_case(const parity_case *c, const parity_row *row, void *user) {
    generations *g = user;
    const char *unknown = unknown_of(c->info);
    if (parity_is_alone(row)) { /* solvers.c */
        return;
    }
    if (unknown) {
        reference_pass_over(c->root, c->name, unknown);
        return;
    }
    if (g->by_preset && !preset_of(c->name, c->info)) {
        return;
    }
    open_model(g, c);
    generate_case(&g->drawing, c, row, g->by_preset);
    g->drawn++;
}

static void every_family(void **state) {
    (void)state;
    generations g = {0};
    compare_cases("generation", draw_case, &g);
    close_model(&g);
}

/** The distilled schedules once more, by the names of their presets. */
static void presets(void **state) {
    (void)state;
    generations g = {.by_preset = true};
    compare_cases_of("generation", "sdxl", draw_case, &g);
    close_model(&g);
    assert_true(g.drawn >= 8);
}

/** A network that predicts a flow's velocity, whichever it is, moves the sample along it: x + (σ' − σ)·v, at the levels of a
 * shift of 3 (Esser et al. 2024, arXiv 2403.03206, as diffusers' FlowMatchEulerDiscreteScheduler shifts them, ends
 * included). */
static void flow(void **state) {
    (void)state;
    enum { STEPS = 3 };
    drawing d;
    pld_generate_options o;
    parity_case found;
    drawing_open(&d, reference_path(reference_tree(), "models/sd15"));
    pld_generate_options_init(&o, sizeof o);
    o.prompt = "a red fox";
    o.width = o.height = 64;
    o.steps = STEPS;
    o.prediction = "flow";
    o.sampling_method = "euler";
    o.shift = 3;
    o.dtype = "f32";
    drawing_make(&d, &o, NULL, NULL, &found);
    size_t count = 0;
    float *sigmas = case_values(&found, "sigmas", &count);
    assert_int_equal(count, STEPS + 1);
    /* the ends of training are shifted, and the line between them once more */
    const double least = 3 * 0.001 / (1 + 2 * 0.001), middle = (1 + least) / 2;
    const double levels[] = {1, 3 * middle / (1 + 2 * middle), 3 * least / (1 + 2 * least), 0};
    for (int i = 0; i <= STEPS; i++) {
        assert_true(fabs((double)sigmas[i] - levels[i]) < 1e-6);
    }
    float *x = case_values(&found, "latents_init", &count), *v = case_values(&found, "noise_pred.00", &count);
    float *next = case_values(&found, "latents.00", &count);
    for (size_t i = 0; i < count; i++) {
        x[i] += (sigmas[1] - sigmas[0]) * v[i];
    }
    check_error("flow", "latents.00", relative_error(next, x, count), 1e-6);
    pld_free(sigmas);
    pld_free(x);
    pld_free(v);
    pld_free(next);
    case_close(&found);
    drawing_close(&d);
}

int parity_generations(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_family), cmocka_unit_test(presets),
                                       cmocka_unit_test(flow)};
    return cmocka_run_group_tests_name("generations", tests, NULL, NULL);
}
