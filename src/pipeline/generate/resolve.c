/* SPDX-License-Identifier: Apache-2.0 */
/** From options, model and family to what is in force; every bad value is named here. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"
#include "core/text.h"
#include "pipeline/generate/distilled_guidance.h"
#include "pipeline/generate/init_picture.h"
#include "pipeline/options/options.h"
#include "sampling/schedules/flow_rule.h"

enum { MAX_SIDE = 16384, MAX_STEPS = 1000 };

pld_generate_options pld_generate_defaults(void) {
    pld_generate_options defaults = {.images = 1};
    pld_options_defaults(PLD_FIELD_OF_GENERATE, &defaults, sizeof defaults);
    defaults.prompt = ""; /* the program wants one, a struct is complete without */
    return defaults;
}

void pld_generate_options_init(pld_generate_options *options, size_t struct_size) {
    const pld_generate_options defaults = pld_generate_defaults();
    pld_sized_init(options, struct_size, &defaults, sizeof defaults);
}

/** The longest side of a picture that is drawn, and that the denoiser knows the places of. */
static int64_t most_side(const pld_generation *g) {
    const int64_t known = g->model->denoiser_facts.most_side * g->model->autoencoder_facts.factor;
    return known && known < MAX_SIDE ? known : MAX_SIDE;
}

static pld_status check_size(const pld_generation *g, const char *name, int64_t side) {
    const int64_t factor = pld_model_size_factor(g->model), most = most_side(g);
    if (side < factor || side > most || side % factor != 0) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "%s: expected a multiple of %lld from %lld to %lld, found %lld; try %lld", name,
                        (long long)factor, (long long)factor, (long long)most, (long long)side,
                        (long long)(side <= factor ? factor : (side > most ? most : side / factor * factor)));
    }
    return PLD_OK;
}

static pld_status check_range(pld_error *error, const char *name, double value, double low, double high) {
    return value >= low && value <= high
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected a number from %g to %g, found %g", name,
                          low, high, value);
}

/** Every text encoder keeps the state in front of its first layer at least. */
static pld_status check_clip_skip(const pld_generation *g) {
    int64_t most = INT64_MAX;
    bool skips = false;
    for (int i = 0; i < g->model->family->text_count; i++) {
        const pld_component *encoder = pld_text_encoder_of(g->model, i);
        most = pld_is_there(encoder) && encoder->text.layers < most ? encoder->text.layers : most;
        skips = skips || g->model->family->texts[i].clip_skip;
    }
    if (!skips && g->options->clip_skip > 1) {
        pld_log_message(&g->model->engine->log, PLD_LOG_WARNING,
                        "clip-skip has no effect on this model, whose prompts are not read by CLIP");
    }
    return g->options->clip_skip >= 1 && g->options->clip_skip <= most
               ? PLD_OK
               : pld_fail(g->error, PLD_ERROR_ARGUMENT, "clip-skip: expected 1 to %lld, found %d",
                          (long long)most, g->options->clip_skip);
}

/** Texts of a fixed length cannot be cut elsewhere. */
static pld_status check_max_tokens(const pld_generation *g) {
    enum { LEAST = 1, MOST = 4096 };
    const int tokens = g->options->max_tokens;
    if (tokens == 0) {
        return PLD_OK;
    }
    if (!g->model->pipeline->text_tokens) {
        pld_log_message(&g->model->engine->log, PLD_LOG_WARNING,
                        "max-tokens has no effect on this model: its text encoders take texts of one length");
    }
    return check_range(g->error, "max-tokens", tokens, LEAST, MOST);
}

/** The text in front of the prompt. A model that was trained with one draws something else without it, so its absence is not
 * silent. */
static pld_status resolve_instruction(pld_generation *g) {
    const char *wanted = g->options->complex_instruction;
    const pld_text_use *use = pld_family_instructed(g->model->family);
    g->instruction = pld_instruction_chosen(wanted, g->model->instruction);
    if (!use && wanted && g->instruction) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "complex-instruction: models of the family %s take no instruction in front of the "
                        "prompt, since they were trained without one; leave it out",
                        g->model->family->name);
    }
    if (use && !wanted && !g->instruction) {
        pld_log_message(
            &g->model->engine->log, PLD_LOG_WARNING,
            "%s, which goes before every prompt, is not installed: pictures differ from those of "
            "diffusers; './dev setup' downloads it (from the PyPI package %s), --complex-instruction "
            "TEXT gives another, none says that there is to be none",
            use->instruction->what, use->instruction->package);
    }
    return PLD_OK;
}

static pld_status check_empty_prompt(const pld_generation *g) {
    const char *rule = g->options->empty_prompt;
    if (!rule) {
        return PLD_OK;
    }
    if (strcmp(rule, "nothing") != 0 && strcmp(rule, "token") != 0) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "empty-prompt: expected nothing or token, found '%.40s'", rule);
    }
    if (!pld_conditioner_of(g->model)) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "empty-prompt: an empty text has tokens in models of the family %s, since only those "
                        "with a text conditioner (Anima) have a choice; leave it out",
                        g->model->family->name);
    }
    return PLD_OK;
}

/** The sizes that SDXL is told. */
static pld_status check_picture_sizes(const pld_generation *g) {
    const pld_generate_options *o = g->options;
    const struct {
        const char *name;
        int number;
    } rows[] = {{"original-size", o->original_width},
                {"original-size", o->original_height},
                {"crop", o->crop_left},
                {"crop", o->crop_top},
                {"target-size", o->target_width},
                {"target-size", o->target_height}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PLD_TRY(check_range(g->error, rows[i].name, rows[i].number, 0, MAX_SIDE));
        if (rows[i].number && !g->model->denoiser_facts.told_sizes) {
            pld_log_message(&g->model->engine->log, PLD_LOG_WARNING,
                            "%s has no effect on this model, which is not conditioned on picture sizes",
                            rows[i].name);
            return PLD_OK;
        }
    }
    return PLD_OK;
}

static pld_status check_numbers(pld_generation *g) {
    const pld_generate_options *o = g->options;
    PLD_TRY(check_range(g->error, "steps", (double)o->steps, 0, MAX_STEPS));
    if (!isnan(o->cfg_scale)) {
        PLD_TRY(check_range(g->error, "cfg-scale", o->cfg_scale, -PLD_MOST_SCALE, PLD_MOST_SCALE));
    }
    PLD_TRY(check_range(g->error, "cfg-rescale", o->cfg_rescale, 0, 1));
    PLD_TRY(check_range(g->error, "pladis", g->pladis_scale, -PLD_MOST_SCALE, PLD_MOST_SCALE));
    PLD_TRY(check_range(g->error, "pladis-start", o->pladis_start, 0, 1));
    PLD_TRY(check_range(g->error, "pladis-end", o->pladis_end, 0, 1));
    if (o->pladis_temperature != 0) { /* what is lower would be 0, or divide to infinity, in float32 */
        PLD_TRY(check_range(g->error, "pladis-temperature", o->pladis_temperature, 1e-6, 100));
    }
    if (!(o->pladis_alpha >= 1.001 && o->pladis_alpha <= 2)) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "pladis-alpha: expected a number in (1, 2] (1.001 or more; alpha -> 1 is plain "
                        "softmax), found %g",
                        o->pladis_alpha);
    }
    PLD_TRY(check_clip_skip(g));
    PLD_TRY(check_max_tokens(g));
    PLD_TRY(resolve_instruction(g));
    PLD_TRY(check_empty_prompt(g));
    PLD_TRY(check_picture_sizes(g));
    return o->seed >= 0 ? PLD_OK
                        : pld_fail(g->error, PLD_ERROR_ARGUMENT, "seed: expected 0 or more, found %lld",
                                   (long long)o->seed);
}

/** Look a name up in a registry, or say which names there are. */
static pld_status unknown_name(const pld_generation *g, const char *option, const char *name,
                               pld_list_kind kind) {
    char known[512] = "";
    const char *row;
    const char *description;
    for (size_t i = 0, used = 0; pld_list(kind, i, &row, &description) && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", row);
    }
    return pld_fail(g->error, PLD_ERROR_ARGUMENT, "%s: unknown name '%.60s'; the known names are %s", option,
                    name, known);
}

static pld_status find_prediction(const pld_generation *g, const char *name, pld_prediction *prediction) {
    static const struct {
        const char *name;
        pld_prediction prediction;
    } names[] = {{"eps", PLD_PREDICT_EPSILON},
                 {"epsilon", PLD_PREDICT_EPSILON},
                 {"v", PLD_PREDICT_V},
                 {"v_prediction", PLD_PREDICT_V},
                 {"x0", PLD_PREDICT_SAMPLE},
                 {"sample", PLD_PREDICT_SAMPLE},
                 {"flow", PLD_PREDICT_FLOW},
                 {"flow_prediction", PLD_PREDICT_FLOW},
                 {"trigflow", PLD_PREDICT_TRIGFLOW}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i].name) == 0) {
            *prediction = names[i].prediction;
            return PLD_OK;
        }
    }
    return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                    "prediction: expected eps, v, x0, flow or trigflow, found '%.60s'", name);
}

/** What the denoiser sees of a picture, one for each patch. */
static size_t image_tokens(const pld_generation *g) {
    const int64_t side = g->model->denoiser_facts.multiple;
    return (size_t)(g->latent_height / side * (g->latent_width / side));
}

/** The sampler of the model or of the options, with its schedule. */
static pld_status make_sampler(pld_generation *g) {
    const pld_generate_options *o = g->options;
    const pld_sampler_kind *kind =
        o->sampling_method ? pld_sampler_kind_find(o->sampling_method) : g->model->sampler;
    pld_prediction prediction;
    pld_sampling_options sampling = pld_sampling_options_default(g->steps);
    if (!kind) {
        return unknown_name(g, "sampling-method", o->sampling_method, PLD_LIST_SAMPLERS);
    }
    if (o->scheduler && !(sampling.schedule = pld_sigma_schedule_find(o->scheduler))) {
        return unknown_name(g, "scheduler", o->scheduler, PLD_LIST_SCHEDULERS);
    }
    if (o->spacing && !(sampling.spacing = pld_spacing_find(o->spacing))) {
        return unknown_name(g, "spacing", o->spacing, PLD_LIST_SPACINGS);
    }
    if (o->prediction) {
        PLD_TRY(find_prediction(g, o->prediction, &prediction));
        sampling.prediction = &prediction;
    }
    if (o->timestep_count && !o->timesteps) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT, "timesteps is NULL");
    }
    if (o->timestep_count) {
        sampling.steps = 0;
        sampling.timesteps = o->timesteps;
        sampling.timesteps_count = o->timestep_count;
    }
    sampling.eta = o->eta;
    sampling.shift = o->shift;
    sampling.flow_rule = g->model->family->flow_rule ? pld_flow_rule_find(g->model->family->flow_rule) : NULL;
    sampling.image_tokens = image_tokens(g);
    sampling.stable_diffusion_rules = g->model->family->stable_diffusion_rules;
    return pld_sampler_create(kind, &g->model->scheduler, &sampling, &g->model->engine->log, &g->sampler,
                              g->error);
}

static void report_sampler(pld_generation *g) {
    const pld_scheduler_config *config = pld_sampler_config(g->sampler);
    pld_report *r = &g->report;
    r->width = (int)g->width;
    r->height = (int)g->height;
    r->steps = (int)pld_sampler_schedule(g->sampler)->steps;
    r->cfg_scale = pld_guidance_chain_scale(&g->guidance);
    pld_guidance_chain_text(&g->guidance, r->guidance, sizeof r->guidance);
    snprintf(r->sampling_method, sizeof r->sampling_method, "%s", pld_sampler_kind_of(g->sampler)->name);
    snprintf(r->scheduler, sizeof r->scheduler, "%s", pld_sampler_sigma_schedule(g->sampler)->name);
    const bool spaced = (pld_sampler_kind_of(g->sampler)->fields & PLD_FIELD_BIT(TIMESTEP_SPACING)) != 0 &&
                        !pld_sampler_is_flow(g->sampler);
    snprintf(r->spacing, sizeof r->spacing, "%s",
             spaced ? pld_spacing_of(config->timestep_spacing)->name : "");
    snprintf(r->prediction_type, sizeof r->prediction_type, "%s",
             pld_prediction_text(config->prediction_type));
}

/** Whether a variant is in force at a site, on any branch. */
static bool acts_at(const pld_variant_table *table, size_t site, const pld_attention_variant *variant) {
    for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
        const pld_attention_choice *choice = pld_variant_choice(table, site, (pld_branch)branch);
        if (choice->rows == variant || choice->query == variant || choice->contexts == variant) {
            return true;
        }
    }
    return false;
}

/** Whether a variant other than the plain attention is in force at a site. */
static bool is_touched(const pld_variant_table *table, size_t site) {
    bool touched = false;
    for (const pld_attention_variant *const *row = pld_attention_variants + 1; *row; row++) {
        touched = touched || acts_at(table, site, *row);
    }
    return touched;
}

/** Add a row to the report of variants, which keeps room for two: plain attention, linear and with softmax. */
static void report_plain(pld_generation *g, const char *name, int sites) {
    pld_report *r = &g->report;
    snprintf(r->variant_names[r->variant_count], sizeof r->variant_names[0], "%s", name);
    r->variant_sites[r->variant_count++] = sites;
}

/** Sites of each variant; softmax's and those of linear attention are where nothing else is in force. */
static void report_variants(pld_generation *g) {
    pld_report *r = &g->report;
    int softmax = 0, linear = 0;
    for (size_t i = 0; i < g->model->site_count; i++) {
        const bool plain = !is_touched(&g->pladis, i);
        linear += plain && g->model->sites[i].kind == PLD_SITE_LINEAR;
        softmax += plain && g->model->sites[i].kind != PLD_SITE_LINEAR;
    }
    for (const pld_attention_variant *const *row = pld_attention_variants + 1; *row; row++) {
        int sites = 0;
        for (size_t i = 0; i < g->model->site_count; i++) {
            sites += acts_at(&g->pladis, i, *row);
        }
        if (sites == 0 || r->variant_count + 2 >= PLD_MAX_VARIANTS) {
            continue;
        }
        char *name = r->variant_names[r->variant_count];
        const size_t size = sizeof r->variant_names[0];
        if (*row == &pld_variant_pladis) {
            pld_print_text(name, size, "pladis (lambda %g, alpha %g)", g->pladis_scale,
                           g->options->pladis_alpha);
        } else if (*row == &pld_variant_tempered) {
            pld_print_text(name, size, "tempered (lambda %g, temperature %g)", g->pladis_scale,
                           g->options->pladis_temperature);
        } else {
            snprintf(name, size, "%s", (*row)->name);
        }
        r->variant_sites[r->variant_count++] = sites;
    }
    if (linear) {
        report_plain(g, "linear", linear);
    }
    if (softmax || !linear) {
        report_plain(g, "softmax", softmax);
    }
}

static void log_variants(const pld_generation *g) {
    static const char *const names[PLD_BRANCH_COUNT] = {
        "unconditional",       "conditional", "perturbed (identity)",
        "perturbed (blurred)", "negative",    "perturbed (skipped)"};
    const pld_branch_set used = pld_generation_branches(g);
    for (size_t i = 0; i < g->model->site_count; i++) {
        char line[256] = "";
        for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
            char text[64];
            const size_t length = strlen(line);
            pld_variant_choice_text(pld_variant_choice(&g->pladis, i, (pld_branch)branch), text, sizeof text);
            if (used & PLD_BRANCH_BIT(branch)) {
                snprintf(line + length, sizeof line - length, "%s%s %s", length ? ", " : "", names[branch],
                         text);
            }
        }
        pld_log_message(&g->model->engine->log, PLD_LOG_DETAIL, "variants[%s]: %s", g->model->sites[i].name,
                        line);
    }
}

/** What the methods of guidance change inside the network. */
static pld_status resolve_effects(pld_generation *g) {
    for (size_t i = 0; i < g->guidance.count; i++) {
        const pld_guidance *item = &g->guidance.items[i];
        if (item->method->effect) {
            pld_attention_effect effect;
            int sites = 0;
            item->method->effect(item, &effect);
            PLD_TRY(pld_variant_table_add_effect(&g->dense, &effect, item->method->name, &sites, g->error));
            PLD_TRY(pld_variant_table_add_effect(&g->pladis, &effect, item->method->name, &sites, g->error));
        }
        if (item->method->skip) {
            pld_block_effect effect;
            item->method->skip(item, &effect);
            PLD_TRY(pld_variant_table_skip(&g->dense, &effect, item->method->name, g->error));
            PLD_TRY(pld_variant_table_skip(&g->pladis, &effect, item->method->name, g->error));
        }
        if (item->method->block_scales) {
            item->method->block_scales(item, &g->block_scales);
            g->has_block_scales = true;
        }
    }
    return PLD_OK;
}

/** The tables of attention variants inside and outside the steps where PLADIS acts. */
static pld_status resolve_variants(pld_generation *g) {
    const pld_model *m = g->model;
    const pld_generate_options *o = g->options;
    pld_pladis_request request = {.lambda = g->pladis_scale,
                                  .alpha = o->pladis_alpha,
                                  .blocks = o->pladis_blocks,
                                  .site_kinds = o->pladis_sites,
                                  .temperature = o->pladis_temperature};
    PLD_TRY(pld_pladis_branches(o->pladis_branches, &request.branches, g->error));
    PLD_TRY(pld_variant_table_init(&g->dense, m->sites, m->site_count, g->error));
    PLD_TRY(pld_variant_table_init(&g->pladis, m->sites, m->site_count, g->error));
    PLD_TRY(pld_variant_table_add_pladis(&g->pladis, &request, &g->pladis_sites, g->error));
    PLD_TRY(resolve_effects(g));
    if (o->attention_statistics) {
        const bool self = g->pladis_scale != 0 && o->pladis_sites && strcmp(o->pladis_sites, "cross") != 0;
        PLD_TRY(pld_attention_statistics_create(m->sites, m->site_count, self, o->pladis_alpha,
                                                &g->statistics, g->error));
    }
    report_variants(g);
    log_variants(g);
    return PLD_OK;
}

/** What is asked for that has no effect, or that the model was not made for. */
static void warn_of_scale(const pld_generation *g) {
    const double scale = g->options->cfg_scale;
    const pld_log *log = &g->model->engine->log;
    if (scale > 0 && scale < 1) {
        pld_log_message(log, PLD_LOG_WARNING,
                        "a cfg-scale of %g has no effect, because guidance starts above 1", scale);
    } else if (g->preset && g->preset->cfg_scale <= 1 && scale > 2) {
        pld_log_message(log, PLD_LOG_WARNING,
                        "preset %s: the model was distilled to need no CFG; a cfg-scale of %g costs a second "
                        "evaluation and may spoil the picture; use 1",
                        g->preset->name, scale);
    }
}

static pld_status resolve_guidance(pld_generation *g) {
    const pld_generate_options *o = g->options;
    const pld_log *log = &g->model->engine->log;
    const char **methods = NULL;
    size_t method_count = 0;
    if (o->guidance_count && !o->guidance) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT, "guidance is NULL");
    }
    PLD_TRY(pld_distilled_guidance_resolve(g));
    PLD_TRY(pld_distilled_guidance_leave_out(g, &methods, &method_count));
    const pld_guidance_request request = {
        .texts = methods,
        .count = method_count,
        .cfg_scale = o->cfg_scale,
        .default_cfg_scale = g->preset ? g->preset->cfg_scale : g->model->default_cfg_scale,
        .cfg_rescale = o->cfg_rescale,
        .default_layers = g->model->denoiser_facts.perturbed,
        .default_blocks = g->model->denoiser_facts.skips_blocks ? g->model->denoiser_facts.skipped : NULL,
        .default_block_scales = g->model->denoiser_facts.freeu,
        .keep_neutral = o->keep_neutral_guidance,
        .text_joins_sample = g->model->denoiser_facts.text_joins_sample};
    const pld_status status = pld_guidance_chain_resolve(&g->guidance, &request, log, g->error);
    pld_free(methods);
    PLD_TRY(status);
    if (o->negative_prompt && *o->negative_prompt &&
        !(pld_guidance_chain_texts(&g->guidance) & PLD_BRANCH_BIT(PLD_BRANCH_UNCONDITIONAL))) {
        pld_log_message(log, PLD_LOG_WARNING,
                        "the negative prompt has no effect without classifier-free guidance; use a cfg-scale "
                        "above 1, or nag");
    }
    return PLD_OK;
}

/** CFG++ asks more of a sampler than one prediction. */
static pld_status check_sampler_renoises(const pld_generation *g) {
    const char *method = pld_guidance_chain_renoises(&g->guidance);
    const pld_sampler_kind *kind = pld_sampler_kind_of(g->sampler);
    if (!method || kind->renoises) {
        return PLD_OK;
    }
    if (pld_sampler_is_flow(g->sampler)) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "guidance %s: adds noise back with a prediction other than the guided one, which no "
                        "sampler of flow models such as this one supports; use cfg, apg or cfg-zero",
                        method);
    }
    char able[256] = "";
    for (const pld_sampler_kind *const *row = pld_sampler_kinds(); *row; row++) {
        const size_t length = strlen(able);
        if ((*row)->renoises) {
            snprintf(able + length, sizeof able - length, "%s%s", length ? ", " : "", (*row)->name);
        }
    }
    return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                    "guidance %s: adds noise back with a prediction other than the guided one, which sampler "
                    "'%s' does not support; use one of %s",
                    method, kind->name, able);
}

pld_branch_set pld_generation_branches(const pld_generation *g) {
    const size_t steps = pld_sampler_schedule(g->sampler)->steps;
    pld_branch_set used = 0;
    for (size_t step = 0; step < steps; step++) {
        used |= pld_guidance_chain_branches(&g->guidance, step, steps);
    }
    return used;
}

/** What the types leave to others, for those who ask for details. */
static const char *dtype_details(pld_product_type type, pld_isa isa) {
    return type == PLD_PRODUCT_F32      ? "f32"
           : type == PLD_PRODUCT_INT8   ? "int8 in most layers of the denoiser, 16 or 32 bit elsewhere"
           : pld_isa_prefers_split(isa) ? "bf16 in the denoiser and the autoencoder, split elsewhere"
                                        : "bf16 in the denoiser and the autoencoder, f32 elsewhere";
}

/** The type of products. */
static pld_status resolve_dtype(pld_generation *g) {
    const pld_engine *engine = g->model->engine;
    const pld_isa isa = engine->kernels->isa;
    pld_product_type type;
    if (!pld_product_type_from_name(g->options->dtype, engine->device, &type)) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT,
                        "dtype: expected auto, f32, bf16 or int8, found '%.60s'", g->options->dtype);
    }
    if (type == PLD_PRODUCT_BF16 && !pld_isa_has_bf16(isa) && g->session->type != type) { /* once a session */
        pld_log_message(
            &engine->log, PLD_LOG_NOTICE,
            "dtype bf16: instruction set %s has no arithmetic for it, so it is emulated and slower than f32",
            pld_isa_name(isa));
    }
    pld_session_set_type(g->session, type);
    snprintf(g->report.dtype, sizeof g->report.dtype, "%s", pld_product_type_name(type));
    pld_log_message(&engine->log, PLD_LOG_DETAIL, "dtype: %s", dtype_details(type, isa));
    return PLD_OK;
}

bool pld_generation_pladis_active(const pld_generation *g, size_t step) {
    const double n = (double)pld_sampler_schedule(g->sampler)->steps;
    return floor(g->options->pladis_start * n) <= (double)step &&
           (double)step < floor(g->options->pladis_end * n);
}

/** The preset of the options or the model, filled into the options. */
static pld_status resolve_preset(pld_generation *g) {
    const char *asked = g->options->preset ? g->options->preset : "auto";
    char reason[256];
    g->filled = *g->options;
    g->options = &g->filled;
    if (strcmp(asked, "none") == 0) {
        return PLD_OK;
    }
    if (strcmp(asked, "auto") != 0) {
        g->preset = pld_preset_find(asked);
        if (!g->preset) {
            return unknown_name(g, "preset", asked, PLD_LIST_PRESETS);
        }
    } else if ((g->preset = pld_model_preset(g->model, reason, sizeof reason))) {
        pld_log_message(&g->model->engine->log, PLD_LOG_NOTICE,
                        "preset %s, because of %s; preset none turns it off", g->preset->name, reason);
    }
    if (g->preset) {
        pld_preset_fill(g->preset, &g->filled);
        snprintf(g->report.preset, sizeof g->report.preset, "%s", g->preset->name);
    }
    return PLD_OK;
}

/** A model without text encoders is told what others made of the prompt. */
static pld_status check_text_source(const pld_generation *g) {
    const pld_generate_options *o = g->options;
    if (g->model->family->text_count == 0 && !o->prompt_embeds) {
        return pld_fail(
            g->error, PLD_ERROR_ARGUMENT,
            "prompt: the text encoder of %s is not supported; give what it makes of the prompt with "
            "--prompt-embeds FILE: a safetensors file with prompt_embeds [1, tokens, %lld]",
            g->model->source.path, (long long)g->model->denoiser_facts.state_width);
    }
    if (o->prompt_embeds && o->attention_maps) {
        return pld_fail(
            g->error, PLD_ERROR_ARGUMENT,
            "attention-maps: words cannot be found in prompt-embeds, which holds no tokens; leave one out");
    }
    return PLD_OK;
}

pld_status pld_generation_resolve(pld_generation *g) {
    PLD_TRY(resolve_preset(g));
    const pld_generate_options *o = g->options;
    const int64_t factor = g->model->autoencoder_facts.factor;
    g->width = o->width ? o->width : g->model->denoiser_facts.sample_size * factor;
    g->height = o->height ? o->height : g->model->denoiser_facts.sample_size * factor;
    g->steps = (size_t)(o->steps > 0 ? o->steps : (int)g->model->default_steps);
    g->pladis_scale = isnan(o->pladis_scale) ? g->model->default_pladis_scale : o->pladis_scale;
    if (!o->prompt || !o->pladis_blocks) {
        return pld_fail(g->error, PLD_ERROR_ARGUMENT, "%s is NULL", o->prompt ? "pladis_blocks" : "prompt");
    }
    PLD_TRY(check_text_source(g));
    PLD_TRY(check_size(g, "width", g->width));
    PLD_TRY(check_size(g, "height", g->height));
    PLD_TRY(check_numbers(g));
    PLD_TRY(resolve_dtype(g));
    g->latent_width = g->width / factor;
    g->latent_height = g->height / factor;
    warn_of_scale(g);
    PLD_TRY(resolve_guidance(g));
    PLD_TRY(make_sampler(g));
    PLD_TRY(check_sampler_renoises(g));
    PLD_TRY(pld_init_picture_resolve(g));
    report_sampler(g);
    return resolve_variants(g);
}
