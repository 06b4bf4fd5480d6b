/* SPDX-License-Identifier: Apache-2.0 */
/** Plans of one session, made when a shape is first asked for. */
#include "pipeline/session/session.h"
#include "core/memory.h"
#include "kernels/latents.h"
#include "nn/read_ahead.h"

pld_status pld_session_create(pld_model *model, pld_session **session, pld_error *error) {
    PLD_NEED(model);
    PLD_NEED(session);
    *session = NULL;
    pld_session *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "session");
    }
    made->model = model;
    *session = made;
    return PLD_OK;
}

static void context_free(pld_prompt_context *c) {
    pld_plan_free(&c->plan);
    *c = (pld_prompt_context){0};
}

void pld_session_destroy(pld_session **session) {
    pld_session *s = session ? *session : NULL;
    if (!s) {
        return;
    }
    for (int i = 0; i < PLD_MAX_TEXT_ENCODERS; i++) {
        pld_plan_free(&s->text[i].plan);
    }
    pld_session_drop_conditioner(s);
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        pld_session_drop_denoiser(s, set);
    }
    pld_plan_free(&s->decoder.plan);
    for (int i = 0; i < PLD_BRANCH_COUNT; i++) {
        context_free(&s->contexts[i]);
    }
    pld_recent_texts_free(&s->recent_texts);
    pld_spare_memory_free(&s->spare);
    pld_read_ahead_destroy(&s->read_ahead); /* behind the plans, which are to leave it */
    pld_free(s);
    *session = NULL;
}

/** Weights of a text encoder that are read where they are used: of several gigabytes, for which packing them takes longer
 * than what a prompt has of them, and which would be in the way of the denoiser's. */
static const uint64_t streamed_bytes = (uint64_t)1 << 30;

static pld_product_role role_of(const pld_model *model, const pld_parameters *parameters) {
    return parameters == pld_denoiser_of(model)->parameters      ? PLD_PRODUCTS_OF_DENOISER
           : parameters == pld_autoencoder_of(model)->parameters ? PLD_PRODUCTS_OF_AUTOENCODER
                                                                 : PLD_PRODUCTS_OF_TEXT;
}

pld_run pld_session_run(pld_session *session, pld_plan *plan, const volatile int *cancel) {
    const pld_engine *engine = session->model->engine;
    pld_product_settings settings = engine->settings;
    const pld_product_role role = role_of(session->model, plan->parameters);
    pld_product_settings_set_type(&settings, engine->device, session->type, role);
    settings.streamed = role == PLD_PRODUCTS_OF_TEXT &&
                        pld_weight_files_bytes(pld_parameters_files(plan->parameters)) >= streamed_bytes;
    return (pld_run){.plan = plan,
                     .device = engine->device,
                     .settings = settings,
                     .profile = session->profile,
                     .cancel = cancel};
}

static void drop_text_plans(pld_session *s, const pld_parameters *kept) {
    for (int i = 0; i < PLD_MAX_TEXT_ENCODERS; i++) {
        if (s->text[i].plan.parameters != kept) {
            pld_plan_free(&s->text[i].plan);
            s->text[i].ready = false;
        }
    }
    if (s->conditioner.plan.parameters != kept) {
        pld_session_drop_conditioner(s);
    }
}

static void drop_denoiser_plans(pld_session *s) {
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        pld_session_drop_denoiser(s, set);
    }
    for (int i = 0; i < PLD_BRANCH_COUNT; i++) {
        context_free(&s->contexts[i]);
    }
}

/** Free every plan on other weights than `kept`. They are made again when they are asked for. */
static void drop_other_plans(pld_session *s, const pld_parameters *kept) {
    drop_text_plans(s, kept);
    if (kept != pld_denoiser_of(s->model)->parameters) {
        drop_denoiser_plans(s);
    }
    if (s->decoder.plan.parameters != kept) {
        pld_plan_free(&s->decoder.plan);
        s->decoder.ready = false;
    }
    pld_spare_memory_free(&s->spare);
    if (s->read_ahead) {
        pld_read_ahead_rest(s->read_ahead);
    }
}

void pld_session_set_type(pld_session *session, pld_product_type type) {
    if (session->type != type) {
        session->type = type;
        session->checked_height = session->checked_width = 0;
        drop_other_plans(session, NULL);
        pld_recent_texts_free(&session->recent_texts);
    }
}

size_t pld_session_make_room(pld_session *session, const pld_parameters *kept) {
    size_t bytes = 0;
    drop_other_plans(session, kept);
    for (int part = 0; part < session->model->part_count; part++) {
        pld_parameters *parameters = session->model->parts[part].parameters;
        bytes += parameters ? pld_parameters_drop_unused(parameters) : 0;
    }
    pld_give_memory_back();
    return bytes;
}

size_t pld_session_release_text_encoders(pld_session *session) {
    size_t bytes = 0;
    drop_text_plans(session, NULL);
    for (int i = 0; i < session->model->family->text_count; i++) {
        const pld_component *encoder = pld_text_encoder_of(session->model, i);
        bytes += pld_is_there(encoder) ? pld_parameters_drop_unused(encoder->parameters) : 0;
    }
    const pld_component *conditioner = pld_conditioner_of(session->model);
    bytes += conditioner ? pld_parameters_drop_unused(conditioner->parameters) : 0;
    pld_give_memory_back();
    return bytes;
}

size_t pld_session_release_denoiser(pld_session *session) {
    drop_denoiser_plans(session); /* whose buffers the autoencoder takes */
    const size_t bytes = pld_parameters_drop_unused(pld_denoiser_of(session->model)->parameters);
    pld_give_memory_back();
    return bytes;
}

/** Keys and values are computed once for a prompt, which is not worth the memory of split weights, nor an error of 8 bits in
 * every step. */
static pld_run context_run(pld_session *session, pld_plan *plan, const volatile int *cancel) {
    pld_run run = pld_session_run(session, plan, cancel);
    run.settings.split = run.settings.int8 = false;
    return run;
}

/** Tokens of a text as the denoiser sees them. */
static int64_t tokens_seen(const pld_model *model, int64_t states) {
    const int64_t multiple = model->denoiser_facts.text_multiple;
    return multiple ? (states + multiple - 1) / multiple * multiple : states;
}

/** Write down and prepare the plan of what a prompt of `tokens` states gives. */
static pld_status build_context(pld_session *session, pld_prompt_context *c, int64_t tokens,
                                const volatile int *cancel, pld_error *error) {
    const pld_model *model = session->model;
    const pld_condition_request request = {tokens, model->sites, model->site_count};
    context_free(c);
    pld_plan_init(&c->plan, pld_denoiser_of(model)->parameters);
    PLD_TRY(pld_denoiser_of(model)->class->denoiser->condition(&c->plan, pld_denoiser_of(model)->config,
                                                               &request, &c->values, error));
    pld_run run = context_run(session, &c->plan, cancel);
    PLD_TRY(pld_prepare_within_memory(session, &run, pld_denoiser_of(model)->class->title, error));
    c->states = tokens;
    c->context = (pld_context){.tokens = tokens_seen(model, tokens), .plan = &c->plan};
    return PLD_OK;
}

/** Tell the denoiser of the picture and the pooled text. */
static pld_status write_told(const pld_component *denoiser, const pld_prompt_context *c,
                             const pld_prompt_states *states, const pld_picture_facts *picture,
                             pld_error *error) {
    const size_t count = (size_t)c->plan.values[c->values.told].channels;
    float *told = pld_allocate(count, sizeof *told);
    if (!told) {
        return pld_fail_memory(error, count * sizeof *told, "text keys and values");
    }
    denoiser->class->denoiser->tell(denoiser->config, states->pooled, picture, told);
    const pld_status status = pld_plan_write(&c->plan, c->values.told, 0, PLD_TOKEN_MAJOR, told, error);
    pld_free(told);
    return status;
}

pld_status pld_session_set_context(pld_session *session, pld_branch branch, const pld_prompt_states *states,
                                   const pld_picture_facts *picture, const volatile int *cancel,
                                   pld_error *error) {
    const pld_component *denoiser = pld_denoiser_of(session->model);
    pld_prompt_context *c = &session->contexts[branch];
    if (c->states != states->tokens) {
        pld_status status = build_context(session, c, states->tokens, cancel, error);
        if (status != PLD_OK) {
            context_free(c);
            return status;
        }
    }
    c->context.zero_keys = states->zeros;
    PLD_TRY(pld_plan_write(&c->plan, c->values.states, 0, PLD_TOKEN_MAJOR, states->states, error));
    if (c->values.told != PLD_NO_VALUE) {
        PLD_TRY(write_told(denoiser, c, states, picture, error));
    }
    pld_run run = context_run(session, &c->plan, cancel);
    return pld_plan_run(&run, error);
}

void pld_session_drop_denoiser(pld_session *session, pld_branch_set branches) {
    pld_denoiser_plan *denoiser = &session->denoisers[branches];
    pld_plan_rest(&denoiser->plan); /* the next one takes its memory */
    pld_plan_free(&denoiser->plan);
    pld_row_sharing_free(&denoiser->sharing);
    *denoiser = (pld_denoiser_plan){0};
}

/** Where the rows of a request part from each other. */
static pld_status share_rows(const pld_model *model, const pld_denoiser_request *request,
                             pld_row_sharing *sharing, pld_error *error) {
    pld_branch branches[PLD_BRANCH_COUNT];
    const pld_row_sharing_request rows = {.branches = branches,
                                          .rows = pld_branches_of(request->branches, branches),
                                          .tables = {request->tables[0], request->tables[1]},
                                          .text_joins_time = model->denoiser_facts.text_joins_time};
    return pld_row_sharing_init(sharing, &rows, error);
}

/** Write the plan down and prepare it; it takes `sharing` over. */
static pld_status build_denoiser(pld_session *session, const pld_denoiser_request *request,
                                 pld_row_sharing sharing, const volatile int *cancel, pld_error *error) {
    const pld_component *part = pld_denoiser_of(session->model);
    pld_denoiser_plan *denoiser = &session->denoisers[request->branches];
    *denoiser = (pld_denoiser_plan){.sharing = sharing};
    const pld_denoiser_shape shape = {sharing.rows, request->height, request->width, &denoiser->sharing,
                                      request->tokens};
    pld_plan_init(&denoiser->plan, part->parameters);
    PLD_TRY(part->class->denoiser->build(&denoiser->plan, part->config, &shape, &denoiser->values, error));
    pld_run run = pld_session_run(session, &denoiser->plan, cancel);
    run.spare = &session->spare;
    run.context_tokens = request->tokens;
    run.context_zero_keys = request->zero_keys;
    PLD_TRY(pld_choose_within_memory(session, &run, part->class->title, &denoiser->unsettled, error));
    denoiser->height = request->height;
    denoiser->width = request->width;
    denoiser->tokens = request->tokens;
    denoiser->zero_keys = request->zero_keys;
    denoiser->ready = !denoiser->unsettled;
    return PLD_OK;
}

/** Large buffers of the denoiser's plans but one are left to the next. */
static void rest_denoisers(pld_session *session, pld_branch_set but) {
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        if (set != but) {
            pld_plan_rest(&session->denoisers[set].plan);
        }
    }
}

/** Whether a plan is for texts of a request's length: where they join the sample for just that, else for shorter ones,
 * too. */
static bool serves_texts(const pld_model *model, const pld_denoiser_plan *denoiser,
                         const pld_denoiser_request *request) {
    return model->denoiser_facts.text_joins_sample ? denoiser->tokens == request->tokens
                                                   : denoiser->tokens >= request->tokens;
}

pld_status pld_session_need_denoiser(pld_session *session, const pld_denoiser_request *request,
                                     const volatile int *cancel, pld_error *error) {
    pld_denoiser_plan *denoiser = &session->denoisers[request->branches];
    pld_row_sharing sharing;
    pld_plan_rest(&session->decoder.plan);
    if (session->model->denoiser_facts
            .text_joins_sample) { /* texts of other lengths have plans of their own */
        rest_denoisers(session, request->branches);
    }
    PLD_TRY(share_rows(session->model, request, &sharing, error));
    if (denoiser->ready && denoiser->height == request->height && denoiser->width == request->width &&
        serves_texts(session->model, denoiser, request) && denoiser->zero_keys >= request->zero_keys &&
        pld_row_sharing_equal(&denoiser->sharing, &sharing)) {
        pld_row_sharing_free(&sharing);
        return pld_plan_wake(&denoiser->plan, error);
    }
    pld_session_drop_denoiser(session, request->branches);
    return build_denoiser(session, request, sharing, cancel, error);
}

pld_status pld_session_wake_denoiser(pld_session *session, pld_branch_set branches, pld_error *error) {
    rest_denoisers(session, branches);
    return pld_plan_wake(&session->denoisers[branches].plan, error);
}

static pld_status need_decoder(pld_session *session, int64_t height, int64_t width,
                               const volatile int *cancel, pld_error *error) {
    const pld_component *part = pld_autoencoder_of(session->model);
    rest_denoisers(session, 0);
    if (session->decoder.ready && session->decoder.height == height && session->decoder.width == width) {
        return pld_plan_wake(&session->decoder.plan, error);
    }
    session->decoder.ready = false;
    pld_plan_free(&session->decoder.plan);
    pld_plan_init(&session->decoder.plan, part->parameters);
    PLD_TRY(part->class->autoencoder->decoder(&session->decoder.plan, part->config, 1, height, width,
                                              &session->decoder.values, error));
    pld_run run = pld_session_run(session, &session->decoder.plan, cancel);
    run.spare = &session->spare;
    PLD_TRY(pld_prepare_within_memory(session, &run, "the autoencoder", error));
    session->decoder.height = height;
    session->decoder.width = width;
    session->decoder.ready = true;
    return PLD_OK;
}

pld_status pld_session_decode(pld_session *session, const float *latents, int64_t height, int64_t width,
                              const volatile int *cancel, float *decoded, pld_error *error) {
    const pld_autoencoder_facts *facts = &session->model->autoencoder_facts;
    const pld_autoencoder_values *values = &session->decoder.values;
    pld_plan *plan = &session->decoder.plan;
    PLD_TRY(need_decoder(session, height, width, cancel, error));
    const size_t count = (size_t)(facts->channels * height * width);
    float *plain = pld_allocate(count, sizeof *plain);
    if (!plain) {
        return pld_fail_memory(error, count * sizeof *plain, "latents");
    }
    pld_latents_unscale(latents, facts->channels, height * width,
                        &(pld_latent_scaling){facts->scale, facts->shift}, plain);
    const pld_status status = pld_plan_write(plan, values->in, 0, PLD_CHANNEL_MAJOR, plain, error);
    pld_free(plain);
    PLD_TRY(status);
    pld_run run = pld_session_run(session, plan, cancel);
    PLD_TRY(pld_plan_run(&run, error));
    PLD_TRY(pld_plan_read(plan, values->out, 0, PLD_CHANNEL_MAJOR, decoded, error));
    if (facts->clamped) {
        pld_clamp_picture(decoded, pld_value_floats(&plan->values[values->out]));
    }
    return PLD_OK;
}

/** Give the decoder's buffers back under a budget, and where they are large, in any case. */
static void drop_decoder(pld_session *session) {
    if (session->model->engine->max_memory > 0) {
        pld_plan_free(&session->decoder.plan);
        session->decoder.ready = false;
    } else if (session->decoder.ready) {
        pld_plan_rest(&session->decoder.plan);
    }
}

/** The encoder's plan lives for one picture: it is used once a run, and its buffers are as large as the
 * decoder's.
 */
pld_status pld_session_encode(pld_session *session, const float *picture, int64_t height, int64_t width,
                              const volatile int *cancel, float *encoded, pld_error *error) {
    const pld_component *part = pld_autoencoder_of(session->model);
    pld_autoencoder_values values;
    pld_plan plan;
    pld_plan_init(&plan, part->parameters);
    drop_decoder(session); /* its buffers are as large, and it is wanted again only behind all evaluations */
    pld_run run = pld_session_run(session, &plan, cancel);
    pld_status status =
        part->class->autoencoder->encoder(&plan, part->config, 1, height, width, &values, error);
    if (status == PLD_OK) {
        status = pld_prepare_within_memory(session, &run, "the autoencoder", error);
    }
    if (status == PLD_OK) {
        status = pld_plan_write(&plan, values.in, 0, PLD_CHANNEL_MAJOR, picture, error);
    }
    if (status == PLD_OK) {
        status = pld_plan_run(&run, error);
    }
    if (status == PLD_OK) {
        status = pld_plan_read(&plan, values.out, 0, PLD_CHANNEL_MAJOR, encoded, error);
    }
    pld_plan_free(&plan);
    return status;
}
