/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the pipeline share: the insides of the public objects. */
#ifndef PLD_PIPELINE_INTERNAL_H
#define PLD_PIPELINE_INTERNAL_H

#include "core/clock.h"
#include "core/log.h"
#include "io/clip_tokenizer.h"
#include "io/known_words.h"
#include "io/lora_file.h"
#include "kernels/kernels.h"
#include "models/families.h"
#include "models/text/clip_text.h"
#include "models/unet/unet.h"
#include "models/vae/vae.h"
#include "nn/executor.h"
#include "nn/row_groups.h"
#include "pipeline/model_source.h"
#include "pipeline/prompt_review.h"
#include "pipeline/recent_texts.h"
#include "pladis/pladis.h"
#include "sampling/sampler.h"

enum {
    PLD_MAX_LATENT_RGB = 16, /* channels of latents that a preview knows */
    PLD_MOST_SCALE = 1000    /* of scales of guidance and PLADIS, either way */
};

struct pld_engine {
    int threads;
    const pld_kernels *kernels;
    pld_product_settings settings;
    pld_log log;
};

/** A text encoder with its tokenizer. */
typedef struct pld_text_encoder {
    int part; /**< index of its part in the family */
    pld_clip_text_config config;
    pld_clip_tokenizer *tokenizer;
} pld_text_encoder;

/** A LoRA of a model, with what its public description points to. */
typedef struct pld_model_lora {
    pld_applied_lora public;
    char *path;
    char **unmatched; /* [public.unmatched_count] */
    pld_lora_file *file;
} pld_model_lora;

struct pld_model {
    int references;         /* its owner's and those of models with LoRAs made from it; atomic */
    struct pld_model *base; /* of a model with LoRAs: whose all is but the changed parameters; else NULL */
    pld_model_lora *loras;  /* [lora_count] */
    pld_applied_lora *public_loras;
    size_t lora_count;
    pld_engine *engine;
    pld_model_source source;
    const pld_family *family;
    pld_text_encoder text_encoders[PLD_MAX_TEXT_ENCODERS]; /* in the order of the family's parts */
    int text_encoder_count;
    pld_unet_config unet;
    pld_vae_config vae;
    pld_scheduler_config scheduler; /* what the folder states */
    char scheduler_class[64];       /* that model_index.json names; "" */
    const pld_sampler_kind *sampler;
    bool zero_negative;                        /* no negative prompt: zeros, not "" */
    pld_parameters *parameters[PLD_MAX_PARTS]; /* as family->parts */
    pld_model_part public_parts[PLD_MAX_PARTS];
    pld_site *sites; /* of the U-Net */
    pld_attention_site *public_sites;
    size_t site_count, cross_count;
    /* the model's own defaults: pladis.json in its folder, else the family's */
    int64_t default_steps;
    double default_cfg_scale, default_pladis_scale;
    /* for previews: a row of red, green, blue for each latent channel and one that is added; 0 channels:
     * unknown */
    double latent_rgb[PLD_MAX_LATENT_RGB + 1][3];
    int64_t latent_rgb_channels;
    pld_known_words *known_words; /* NULL: the model brings no list */
    pld_reviewed_texts *reviewed; /* the prompts of which the log was told */
};

/** Read model_index.json and the configuration of every part, and check that the parts fit each other. */
pld_status pld_model_read_configurations(pld_model *model, pld_error *error);

/** Look up and check every weight of a part; none may be left over. The part's configuration has been read.
 */
pld_status pld_model_bind(pld_model *model, int part, pld_error *error);

/** One more reference, given back by pld_model_destroy. */
void pld_model_retain(pld_model *model);

/** Free what is a model's own and not its base's. */
void pld_model_free_loras(pld_model *model);

/** Parameters of the first part with this role. */
pld_parameters *pld_model_parameters(const pld_model *model, pld_part_role role);

/** Keys and values of one prompt, with the plan that computed and holds them. */
typedef struct pld_prompt_context {
    pld_plan plan;
    pld_value_id input;
    pld_value_id *key_ids, *value_ids; /* [cross sites] */
    const float **keys, **values;      /* [cross sites] */
    pld_value_id addition;             /* input; PLD_NO_VALUE where the network has none */
    pld_context context;
} pld_prompt_context;

/** The U-Net for one set of branches and one shape. */
typedef struct pld_unet_plan {
    pld_plan plan;
    pld_row_sharing sharing;
    pld_unet_values values;
    int64_t height, width, tokens; /* most context tokens that scratch was made for */
    bool ready;
} pld_unet_plan;

struct pld_session {
    pld_model *model;
    pld_onednn *dnn;
    pld_profile *profile; /* of the generation that runs; NULL: none */
    bool bf16;            /* of the plans: pld_session_set_bf16 */
    struct {
        pld_plan plan;
        pld_clip_text_values values;
        int64_t skip;
        bool ready;
    } text[PLD_MAX_TEXT_ENCODERS];
    pld_unet_plan unets[PLD_BRANCHES_ALL + 1]; /* by the set of branches that are evaluated together */
    struct {
        pld_plan plan;
        pld_vae_values values;
        int64_t height, width;
        bool ready;
    } vae;
    pld_prompt_context contexts[PLD_BRANCH_COUNT];
    pld_recent_texts recent_texts;
    pld_spare_memory spare; /* denoiser and autoencoder run in turn */
};

/** A run of `plan` with the session's engine. */
pld_run pld_session_run(pld_session *session, pld_plan *plan, const volatile int *cancel);

/** Lay out and prepare a plan, after making sure that its memory is there. `what` names it in errors. */
pld_status pld_prepare_within_memory(pld_session *session, pld_run *run, const char *what, pld_error *error);

/** From now on plans run in bfloat16, or in float32; what was made for the other is dropped. With bfloat16 it
 * is operands of products in the denoiser and the autoencoder; others, the text encoders' too, are split
 * where that is faster than float32. */
void pld_session_set_bf16(pld_session *session, bool bf16);

/** Free the session's plans on other weights than `kept`, and all weights of the model that no plan of any
 * session holds; the bytes of the weights. Everything is made again when it is asked for: text encoders,
 * denoiser and autoencoder run one after the other, and none is in the middle of its work when another is
 * prepared. */
size_t pld_session_make_room(pld_session *session, const pld_parameters *kept);

/** Free the session's plans of text encoders, and their weights unless another session holds them; the bytes
 * of the weights. */
size_t pld_session_release_text_encoders(pld_session *session);

/** Encode a prompt with every text encoder: chunks, weights. NULL is no prompt: zeros where the model wants
 * them, else
 * "". The caller frees the states with pld_prompt_states_free. */
pld_status pld_encode_prompt(pld_session *session, const char *prompt, const pld_generate_options *options,
                             pld_prompt_states *states, pld_error *error);

/** Compute keys and values of all cross-attentions for `states`, and what joins the time embedding, into the
 * branch's context. `time_ids` [PLD_UNET_TIME_IDS]. */
pld_status pld_session_set_context(pld_session *session, pld_branch branch, const pld_prompt_states *states,
                                   const float *time_ids, const volatile int *cancel, pld_error *error);

/** What a plan of the U-Net is made for. */
typedef struct pld_unet_request {
    pld_branch_set branches; /**< one row each, in their order */
    int64_t height, width;   /**< of the latents, which all branches share, and the timestep too */
    int64_t tokens;          /**< the most states of a context */
    const pld_variant_table *tables[PLD_ROW_TABLES]; /**< with which it will run */
} pld_unet_request;

/** Make the U-Net's plan for a request ready: session->unets[branches]. */
pld_status pld_session_need_unet(pld_session *session, const pld_unet_request *request,
                                 const volatile int *cancel, pld_error *error);
/** Free that plan. */
void pld_session_drop_unet(pld_session *session, pld_branch_set branches);

/** latents [C, h, w] (NCHW, scaled) → decoded [3, H, W] in about −1…1. */
pld_status pld_session_decode(pld_session *session, const float *latents, int64_t height, int64_t width,
                              const volatile int *cancel, float *decoded, pld_error *error);

/** picture [3, H, W] in −1…1 → moments [2·C, h, w]: mean and log-variance, not scaled. */
pld_status pld_session_encode(pld_session *session, const float *picture, int64_t height, int64_t width,
                              const volatile int *cancel, float *moments, pld_error *error);

/** diffusers' word for what a network predicts, "v_prediction". */
const char *pld_prediction_text(pld_prediction prediction);

/** Bytes that this process could still get: MemAvailable and the cgroup's limit; 0 when that cannot be told.
 */
uint64_t pld_available_memory(void);

/** High-water mark of the process (VmHWM), 0 when it cannot be told. */
uint64_t pld_peak_memory(void);

#endif
