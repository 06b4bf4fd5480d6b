/* SPDX-License-Identifier: Apache-2.0 */
/** Each network is written down once, for its smallest shape, so that every weight is looked up and checked.
 */
#include "core/memory.h"
#include "core/sized.h"
#include "pipeline/model/describe.h"
#include "pipeline/model/model.h"

static pld_status bind_text_encoder(pld_model *model, int part, pld_error *error) {
    const pld_component *own = &model->parts[part];
    pld_plan plan;
    pld_text_values values;
    bool pooled = false, plain = false;
    for (int i = 0; i < model->family->text_count; i++) {
        const pld_text_use *use = &model->family->texts[i];
        pooled = pooled || (model->texts[i] == part && use->pooled);
        plain = plain || (model->texts[i] == part && use->plain_pooled);
    }
    const pld_text_request whole = {.batch = 1,
                                    .tokens = own->text.positions ? own->text.positions : 1,
                                    .final_norm = true,
                                    .pooled = pooled,
                                    .plain_pooled = plain};
    pld_plan_init(&plan, own->parameters);
    pld_status status = own->class->text_encoder->build(&plan, own->config, &whole, &values, error);
    pld_plan_free(&plan);
    return status;
}

static pld_status bind_conditioner(pld_model *model, int part, pld_error *error) {
    const pld_component *own = &model->parts[part];
    const pld_conditioner_request least = {1, 1};
    pld_conditioner_values values;
    pld_plan plan;
    pld_plan_init(&plan, own->parameters);
    pld_status status = own->class->conditioner->build(&plan, own->config, &least, &values, error);
    pld_plan_free(&plan);
    return status;
}

static pld_status copy_sites(pld_model *model, const pld_plan *plan, pld_error *error) {
    model->site_count = plan->site_count;
    model->sites = pld_allocate(plan->site_count, sizeof *model->sites);
    model->site_facts = pld_allocate(plan->site_count, sizeof *model->site_facts);
    model->public_sites = pld_allocate(plan->site_count, sizeof(const pld_attention_site *));
    if (!model->sites || !model->site_facts || !model->public_sites) {
        return pld_fail_memory(error, plan->site_count * sizeof *model->sites, "attention sites");
    }
    for (size_t i = 0; i < plan->site_count; i++) {
        pld_site *site = &model->sites[i];
        *site = plan->sites[i];
        model->site_facts[i] = pld_describe_site(site);
    }
    PLD_SIZED_LIST(model->public_sites, model->site_facts, model->site_count);
    return PLD_OK;
}

/** What a prompt gives must be what an evaluation takes. */
static pld_status bind_condition(const pld_model *model, int taken, pld_error *error) {
    const pld_component *own = pld_denoiser_of(model);
    const pld_condition_request request = {1, model->sites, model->site_count};
    pld_condition_values values;
    pld_plan plan;
    pld_plan_init(&plan, own->parameters);
    pld_status status = own->class->denoiser->condition(&plan, own->config, &request, &values, error);
    if (status == PLD_OK && (int)plan.offer_count != taken) {
        status = pld_fail(error, PLD_ERROR_INTERNAL, "%s takes %d values of a prompt, which gives %zu",
                          own->class->name, taken, plan.offer_count);
    }
    pld_plan_free(&plan);
    return status;
}

static pld_status bind_denoiser(pld_model *model, int part, pld_error *error) {
    const pld_component *own = &model->parts[part];
    const int64_t side = model->denoiser_facts.least_side;
    const pld_denoiser_shape shape = {1, side, side, NULL, 1};
    pld_denoiser_values values;
    pld_plan plan;
    pld_plan_init(&plan, own->parameters);
    pld_status status = own->class->denoiser->build(&plan, own->config, &shape, &values, error);
    if (status == PLD_OK) {
        status = copy_sites(model, &plan, error);
    }
    const int taken = plan.outside_count;
    pld_plan_free(&plan);
    return status == PLD_OK ? bind_condition(model, taken, error) : status;
}

static pld_status bind_autoencoder(pld_model *model, int part, pld_error *error) {
    enum { SIDE = 2 };
    const pld_component *own = &model->parts[part];
    const int64_t pixels = SIDE * model->autoencoder_facts.factor;
    pld_autoencoder_values values;
    pld_plan decoder, encoder;
    pld_plan_init(&decoder, own->parameters);
    pld_plan_init(&encoder, own->parameters);
    pld_status status =
        own->class->autoencoder->decoder(&decoder, own->config, 1, SIDE, SIDE, &values, error);
    if (status == PLD_OK) {
        status = own->class->autoencoder->encoder(&encoder, own->config, 1, pixels, pixels, &values, error);
    }
    pld_plan_free(&decoder);
    pld_plan_free(&encoder);
    return status == PLD_OK && own->class->autoencoder->read_statistics
               ? own->class->autoencoder->read_statistics(own->config, own->parameters,
                                                          &model->autoencoder_facts, error)
               : status;
}

pld_status pld_model_bind(pld_model *model, int part, pld_error *error) {
    static pld_status (*const bind[PLD_ROLE_COUNT])(pld_model *, int, pld_error *) = {
        [PLD_ROLE_TEXT_ENCODER] = bind_text_encoder,
        [PLD_ROLE_CONDITIONER] = bind_conditioner,
        [PLD_ROLE_DENOISER] = bind_denoiser,
        [PLD_ROLE_AUTOENCODER] = bind_autoencoder};
    const pld_component *own = &model->parts[part];
    for (const char *const *name = own->class->unused; name && *name; name++) {
        pld_parameters_ignore(own->parameters, *name);
    }
    PLD_TRY(bind[own->class->role](model, part, error));
    return pld_parameters_check_all_used(own->parameters, error);
}
