/* SPDX-License-Identifier: Apache-2.0 */
/** Between the text encoders and the denoiser: the plan of a conditioner, and what it makes of a prompt. */
#include "pipeline/prompts/check.h"
#include "pipeline/session/session.h"

void pld_session_drop_conditioner(pld_session *session) {
    pld_plan_free(&session->conditioner.plan);
    session->conditioner.ready = false;
}

/** Make the plan ready for so many states and tokens. */
static pld_status need(pld_session *session, pld_conditioner_request request, const volatile int *cancel,
                       pld_error *error) {
    const pld_component *own = pld_conditioner_of(session->model);
    const pld_conditioner_request *made = &session->conditioner.request;
    pld_plan *plan = &session->conditioner.plan;
    if (session->conditioner.ready && made->source_tokens == request.source_tokens &&
        made->tokens == request.tokens) {
        return PLD_OK;
    }
    pld_session_drop_conditioner(session);
    pld_plan_init(plan, own->parameters);
    PLD_TRY(own->class->conditioner->build(plan, own->config, &request, &session->conditioner.values, error));
    pld_run run = pld_session_run(session, plan, cancel);
    PLD_TRY(pld_prepare_within_memory(session, &run, own->class->title, error));
    session->conditioner.request = request;
    session->conditioner.ready = true;
    return PLD_OK;
}

static pld_status run(pld_session *session, const pld_prompt_states *source, const int32_t *ids,
                      const volatile int *cancel, float *states, pld_error *error) {
    const pld_conditioner_values *values = &session->conditioner.values;
    pld_plan *plan = &session->conditioner.plan;
    if (values->source != PLD_NO_VALUE) {
        PLD_TRY(pld_plan_write(plan, values->source, 0, PLD_TOKEN_MAJOR, source->states, error));
    }
    pld_run call = pld_session_run(session, plan, cancel);
    call.ids = ids;
    PLD_TRY(pld_plan_run(&call, error));
    return pld_plan_read(plan, values->states, 0, PLD_TOKEN_MAJOR, states, error);
}

pld_status pld_session_condition(pld_session *session, const pld_prompt_text *text,
                                 const pld_prompt_states *source, const volatile int *cancel,
                                 pld_prompt_states *states, pld_error *error) {
    const pld_model *model = session->model;
    const pld_conditioner_facts *facts = &model->conditioner_facts;
    pld_prompt_chunks chunks = {0};
    PLD_TRY(pld_prompt_cut_for_conditioner(model, text, &chunks, error));
    const int64_t tokens = (int64_t)chunks.positions;
    pld_status status = need(session, (pld_conditioner_request){source->tokens, tokens}, cancel, error);
    if (status == PLD_OK) {
        status = pld_prompt_states_allocate(model, tokens, facts->width, states, error);
    }
    if (status == PLD_OK) {
        status = run(session, source, chunks.chunks[0].ids, cancel, states->states, error);
        states->zeros = tokens < facts->least_tokens ? facts->least_tokens - tokens : 0;
    }
    pld_prompt_chunks_free(&chunks);
    if (status != PLD_OK) {
        pld_prompt_states_free(states);
    }
    return status;
}
