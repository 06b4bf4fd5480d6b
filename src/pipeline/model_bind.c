/* SPDX-License-Identifier: Apache-2.0 */
/** Each network is written down once, for its smallest shape, so that every weight is looked up and checked.
 */
#include <string.h>

#include "core/memory.h"
#include "pipeline/internal.h"

/** The text encoder that is part `part`. */
static const pld_text_encoder *encoder_of(const pld_model *model, int part) {
    int index = 0;
    while (model->text_encoders[index].part != part) {
        index++;
    }
    return &model->text_encoders[index];
}

static pld_status bind_text(pld_model *model, int part, pld_error *error) {
    pld_plan plan;
    pld_clip_text_values values;
    const bool pooled = model->family->parts[part].pooled;
    const pld_clip_text_options whole = {.batch = 1, .final_norm = true, .pooled = pooled};
    pld_plan_init(&plan, model->parameters[part]);
    pld_parameters_ignore(plan.parameters, "text_model.embeddings.position_ids");
    pld_parameters_ignore(plan.parameters, "embeddings.position_ids");
    pld_parameters_ignore(plan.parameters, "text_projection.weight"); /* where nobody asks for it */
    pld_status status = pld_clip_text_build(&plan, &encoder_of(model, part)->config, &whole, &values, error);
    pld_plan_free(&plan);
    return status;
}

static pld_status copy_sites(pld_model *model, const pld_plan *plan, pld_error *error) {
    model->site_count = plan->site_count;
    model->sites = pld_allocate(plan->site_count, sizeof *model->sites);
    model->public_sites = pld_allocate(plan->site_count, sizeof *model->public_sites);
    if (!model->sites || !model->public_sites) {
        return pld_fail_memory(error, plan->site_count * sizeof *model->sites, "attention sites");
    }
    for (size_t i = 0; i < plan->site_count; i++) {
        pld_site *site = &model->sites[i];
        *site = plan->sites[i];
        bool cross = site->kind == PLD_SITE_CROSS;
        model->public_sites[i] =
            (pld_attention_site){site->name, cross ? "cross" : "self", site->heads, site->head_size};
        model->cross_count += cross;
    }
    return PLD_OK;
}

static pld_status bind_unet_context(pld_model *model, int part, pld_error *error) {
    pld_plan plan;
    pld_unet_context_values values = {.keys = pld_allocate(model->cross_count, sizeof(pld_value_id)),
                                      .values = pld_allocate(model->cross_count, sizeof(pld_value_id))};
    pld_plan_init(&plan, model->parameters[part]);
    pld_status status =
        !values.keys || !values.values
            ? pld_fail_memory(error, model->cross_count, "plan")
            : pld_unet_context_build(&plan, &model->unet, model->sites, model->site_count, 1, &values, error);
    pld_plan_free(&plan);
    pld_free(values.keys);
    pld_free(values.values);
    return status;
}

static pld_status bind_unet(pld_model *model, int part, pld_error *error) {
    pld_plan plan;
    pld_unet_values values;
    const int64_t side = (int64_t)1 << model->unet.levels;
    const pld_unet_shape shape = {1, side, side, NULL};
    pld_plan_init(&plan, model->parameters[part]);
    pld_status status = pld_unet_build(&plan, &model->unet, &shape, &values, error);
    if (status == PLD_OK) {
        status = copy_sites(model, &plan, error);
    }
    pld_plan_free(&plan);
    return status == PLD_OK ? bind_unet_context(model, part, error) : status;
}

static pld_status bind_vae(pld_model *model, int part, pld_error *error) {
    pld_plan decoder;
    pld_plan encoder;
    pld_vae_values values;
    pld_plan_init(&decoder, model->parameters[part]);
    pld_plan_init(&encoder, model->parameters[part]);
    pld_status status = pld_vae_decoder_build(&decoder, &model->vae, 1, 2, 2, &values, error);
    if (status == PLD_OK) {
        const int64_t side = 2 * pld_vae_factor(&model->vae);
        status = pld_vae_encoder_build(&encoder, &model->vae, 1, side, side, &values, error);
    }
    pld_plan_free(&decoder);
    pld_plan_free(&encoder);
    return status;
}

pld_status pld_model_bind(pld_model *model, int part, pld_error *error) {
    static pld_status (*const bind[PLD_ROLE_COUNT])(pld_model *, int,
                                                    pld_error *) = {[PLD_ROLE_TEXT_ENCODER] = bind_text,
                                                                    [PLD_ROLE_DENOISER] = bind_unet,
                                                                    [PLD_ROLE_AUTOENCODER] = bind_vae};
    PLD_TRY(bind[model->family->parts[part].role](model, part, error));
    return pld_parameters_check_all_used(model->parameters[part], error);
}
