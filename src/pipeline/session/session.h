/* SPDX-License-Identifier: Apache-2.0 */
/** The inside of pld_session: plans of one model for the shapes that were asked for. */
#ifndef PLD_PIPELINE_SESSION_SESSION_H
#define PLD_PIPELINE_SESSION_SESSION_H

#include "pipeline/model/model.h"
#include "pipeline/session/recent_texts.h"

/** What one prompt gives to every evaluation, with the plan that computed and holds it. */
typedef struct pld_prompt_context {
    pld_plan plan;
    pld_condition_values values;
    int64_t states; /* of texts that the plan is for */
    pld_context context;
} pld_prompt_context;

/** The denoiser for one set of branches and one shape. */
typedef struct pld_denoiser_plan {
    pld_plan plan;
    pld_row_sharing sharing;
    pld_denoiser_values values;
    int64_t height, width, tokens, zero_keys; /* most context tokens and zeros that scratch was made for */
    bool ready;
    bool unsettled; /* its ways are chosen, and pld_session_settle_denoisers makes it ready */
} pld_denoiser_plan;

struct pld_session {
    pld_model *model;
    pld_profile *profile;  /* of the generation that runs; NULL: none */
    pld_product_type type; /* of the plans: pld_session_set_type */
    struct {
        pld_plan plan;
        pld_text_values values;
        int64_t skip, tokens, live;
        bool ready;
    } text[PLD_MAX_TEXT_ENCODERS]; /* as model->texts */
    struct {
        pld_plan plan;
        pld_conditioner_values values;
        pld_conditioner_request request;
        bool ready;
    } conditioner; /* of models that have one */
    pld_denoiser_plan
        denoisers[PLD_BRANCHES_ALL + 1]; /* by the set of branches that are evaluated together */
    struct {
        pld_plan plan;
        pld_autoencoder_values values;
        int64_t height, width;
        bool ready;
    } decoder;
    pld_prompt_context contexts[PLD_BRANCH_COUNT];
    pld_recent_texts recent_texts;
    pld_spare_memory spare;            /* denoiser and autoencoder run in turn */
    struct pld_read_ahead *read_ahead; /* of all plans that stream weights; NULL: none has yet */
    uint64_t most_room;                /* bytes that weights of a plan may have, for tests; 0: as memory is */
    int64_t checked_height, checked_width; /* latents for which pld_session_check_memory found room */
    uint64_t picture_bytes; /* that the generation will take beside plans: what it hands over */
};

/** A run of `plan` with the session's engine. */
pld_run pld_session_run(pld_session *session, pld_plan *plan, const volatile int *cancel);

/** Lay out and prepare a plan, after making sure that its memory is there: what other networks hold is dropped for it, and some
 * of its weights are streamed, where that is needed. PLD_ERROR_MEMORY with figures where even that does not help. `what`
 * names it in messages. */
pld_status pld_prepare_within_memory(pld_session *session, pld_run *run, const char *what, pld_error *error);

/** The same of one of several plans that share memory and weights. `*chosen`: some of its weights may have to be streamed, so its
 * ways are chosen and all else is left until all plans are there. */
pld_status pld_choose_within_memory(pld_session *session, pld_run *run, const char *what, bool *chosen,
                                    pld_error *error);

/** From now on plans run in this type of products; what was made for another is dropped.
 * pld_product_settings_set_type says which networks do. */
void pld_session_set_type(pld_session *session, pld_product_type type);

/** Free the session's plans on other weights than `kept`, and all weights of the model that no plan of any
 * session holds; the bytes of the weights. Everything is made again when it is asked for: text encoders,
 * denoiser and autoencoder run one after the other, and none is in the middle of its work when another is
 * prepared. */
size_t pld_session_make_room(pld_session *session, const pld_parameters *kept);

/** Free the session's plans of text encoders, and their weights unless another session holds them; the bytes
 * of the weights. */
size_t pld_session_release_text_encoders(pld_session *session);

/** The same of the denoiser and what it was given of prompts. */
size_t pld_session_release_denoiser(pld_session *session);

/** Encode a prompt with every text encoder: chunks, weights. NULL is no prompt: zeros where the model wants
 * them, else "". `instruction`: of pld_prompt_text. The caller frees the states with pld_prompt_states_free. */
pld_status pld_encode_prompt(pld_session *session, const char *prompt, const char *instruction,
                             const pld_generate_options *options, pld_prompt_states *states,
                             pld_error *error);

/** The states of a prompt, or of the negative one, from a file with the tensors prompt_embeds [1, T, state_width] and, where
 * the denoiser is told of it, pooled_prompt_embeds [1, pooled_width], or both with negative_ in front. `*found` is false where
 * the file has no negative ones and the model's text encoders can make them. The caller frees the states with
 * pld_prompt_states_free; they are empty otherwise. */
pld_status pld_prompt_embeds_read(const pld_model *model, const char *path, bool negative,
                                  pld_prompt_states *states, bool *found, pld_error *error);

/** What the conditioner makes of the text encoders' states of a prompt (none: `source->tokens` is 0) and of its own tokens
 * of it. The caller frees `states` with pld_prompt_states_free; they are empty on failure. */
pld_status pld_session_condition(pld_session *session, const pld_prompt_text *text,
                                 const pld_prompt_states *source, const volatile int *cancel,
                                 pld_prompt_states *states, pld_error *error);

/** Free the plan of the conditioner. */
void pld_session_drop_conditioner(pld_session *session);

/** Room for states of `tokens` tokens, `width` wide, and for the pooled embedding of the model. */
pld_status pld_prompt_states_allocate(const pld_model *model, int64_t tokens, int64_t width,
                                      pld_prompt_states *states, pld_error *error);

/** Compute what the states of a branch's prompt give to every evaluation into the branch's context. */
pld_status pld_session_set_context(pld_session *session, pld_branch branch, const pld_prompt_states *states,
                                   const pld_picture_facts *picture, const volatile int *cancel,
                                   pld_error *error);

/** What a plan of the denoiser is made for. */
typedef struct pld_denoiser_request {
    pld_branch_set branches; /**< one row each, in their order */
    int64_t height, width;   /**< of the latents, which all branches share, and the timestep too */
    int64_t tokens;          /**< the most states of a context */
    int64_t zero_keys;       /**< the most zeros that one is filled up with */
    const pld_variant_table *tables[PLD_ROW_TABLES]; /**< with which it will run */
} pld_denoiser_request;

/** Make the denoiser's plan for a request ready, session->denoisers[branches], but for what pld_session_settle_denoisers does
 * behind the last of them. */
pld_status pld_session_need_denoiser(pld_session *session, const pld_denoiser_request *request,
                                     const volatile int *cancel, pld_error *error);
/** Give the denoiser's plans that were made since their share of memory. */
pld_status pld_session_settle_denoisers(pld_session *session, pld_error *error);

/** Refuse latents for which even streaming needs more memory than there may be, in the denoiser or the autoencoder; texts are
 * not known yet and counted as short. With a budget, and once for latents of a size. */
pld_status pld_session_check_memory(pld_session *session, int64_t height, int64_t width,
                                    const volatile int *cancel, pld_error *error);

/** What is resident of the denoiser's weights and what is streamed, of its plan that streams most; zeros where none may. */
pld_stretches_share pld_session_denoiser_share(const pld_session *session);

/** Seconds that the session's plans have waited for streamed weights so far. */
double pld_session_waited(const pld_session *session);

/** Let the denoiser's plan for these branches, which was made ready, run next: the others lend it their memory. */
pld_status pld_session_wake_denoiser(pld_session *session, pld_branch_set branches, pld_error *error);

/** Free that plan. */
void pld_session_drop_denoiser(pld_session *session, pld_branch_set branches);

/** latents [C, h, w] (NCHW, scaled) → decoded [3, H, W] in about −1…1. */
pld_status pld_session_decode(pld_session *session, const float *latents, int64_t height, int64_t width,
                              const volatile int *cancel, float *decoded, pld_error *error);

/** picture [3, H, W] in −1…1 → moments [2·C, h, w]: mean and log-variance, or latents [C, h, w]; not scaled. */
pld_status pld_session_encode(pld_session *session, const float *picture, int64_t height, int64_t width,
                              const volatile int *cancel, float *encoded, pld_error *error);

#endif
