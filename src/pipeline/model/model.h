/* SPDX-License-Identifier: Apache-2.0 */
/** The inside of pld_model: an opened model, whose parts are known by their classes alone. */
#ifndef PLD_PIPELINE_MODEL_MODEL_H
#define PLD_PIPELINE_MODEL_MODEL_H

#include "loras/file.h"
#include "models/autoencoder.h"
#include "models/conditioner.h"
#include "models/denoiser.h"
#include "models/families.h"
#include "models/text_encoder.h"
#include "pipeline/engine.h"
#include "pipeline/model/source.h"
#include "sampling/sampler.h"
#include "text/prompt/known_words.h"
#include "text/prompt/review.h"

enum { PLD_MAX_LATENT_RGB = 16 }; /* channels of latents that a preview knows */
enum { PLD_MOST_SCALE = 1000 };   /* of what scales guidance or PLADIS */

/** A part of an opened model. */
typedef struct pld_component {
    const pld_family_part *row;
    const pld_part_class *class;
    bool named; /**< by the document of the pipeline */
    void *
        config; /**< [class->config_bytes]; the base's in a model with LoRAs. NULL: the model goes without the part */
    pld_parameters *parameters;
    pld_tokenizer *tokenizer;    /**< of a text encoder or conditioner */
    pld_text_encoder_facts text; /**< of a text encoder */
} pld_component;

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
    const pld_applied_lora **public_loras; /* [lora_count], into `loras` */
    size_t lora_count;
    pld_engine *engine;
    pld_model_source source;
    const pld_family *family;
    const pld_pipeline_class *pipeline; /* by which the folder names it */
    pld_component parts[PLD_MAX_PARTS]; /* [part_count], as family->parts */
    pld_model_part part_facts[PLD_MAX_PARTS];
    const pld_model_part
        *public_parts[PLD_MAX_PARTS]; /* [public_part_count], into part_facts: those that are there */
    int part_count, public_part_count;
    int denoiser, autoencoder;        /* among the parts */
    int texts[PLD_MAX_TEXT_ENCODERS]; /* likewise, as family->texts */
    int conditioner;                  /* likewise; −1: there is none */
    pld_conditioner_facts conditioner_facts;
    bool empty_counts; /* with a conditioner, a text without tokens is one of padding, which is encoded */
    pld_denoiser_facts denoiser_facts;
    pld_autoencoder_facts autoencoder_facts;
    pld_scheduler_config scheduler; /* what the folder states */
    char scheduler_class[64];       /* that model_index.json names; "" */
    const pld_sampler_kind *sampler;
    bool distilled;     /* is_distilled of its index: steps and guidance are a preset's */
    bool zero_negative; /* no negative prompt: zeros, not "" */
    pld_site *sites;    /* of the denoiser */
    pld_attention_site *site_facts;
    const pld_attention_site **public_sites; /* [site_count], into site_facts */
    size_t site_count;
    /* the model's own defaults: pladis.json in its folder, else the family's */
    int64_t default_steps;
    double default_cfg_scale, default_pladis_scale;
    /* for previews: a row of red, green, blue for each latent channel and one that is added; 0 channels: unknown */
    double latent_rgb[PLD_MAX_LATENT_RGB + 1][3];
    int64_t latent_rgb_channels;
    char *instruction;            /* that goes before prompts unless a request has another; NULL: none */
    pld_known_words *known_words; /* NULL: the model brings no list */
    pld_reviewed_texts *reviewed; /* the prompts of which the log was told */
};

/** Read model_index.json and the configuration of every part, and check that the parts fit each other. */
pld_status pld_model_read_configurations(pld_model *model, pld_error *error);

/** Look up and check every weight of a part; none may be left over. The part's configuration has been read. */
/** Open the denoiser of a model and its conditioner alone. Such a model has no other parts and no tokenizers, and is for
 * converting; programs are never given it. */
pld_status pld_model_open_denoiser(pld_engine *engine, const char *path, const pld_model_options *options,
                                   pld_model **model, pld_error *error);

pld_status pld_model_bind(pld_model *model, int part, pld_error *error);

/** One more reference, given back by pld_model_destroy. */
void pld_model_retain(pld_model *model);

/** Free what is a model's own and not its base's. */
void pld_model_free_loras(pld_model *model);

/** Whether the model has a part, and does not go without it. */
static inline bool pld_is_there(const pld_component *part) {
    return part->config != NULL;
}

static inline const pld_component *pld_denoiser_of(const pld_model *model) {
    return &model->parts[model->denoiser];
}

static inline const pld_component *pld_autoencoder_of(const pld_model *model) {
    return &model->parts[model->autoencoder];
}

/** The text encoder of family->texts[index]. */
static inline const pld_component *pld_text_encoder_of(const pld_model *model, int index) {
    return &model->parts[model->texts[index]];
}

/** Width of the states of the text encoder of family->texts[index], those of several layers side by side. */
static inline int64_t pld_text_states_width(const pld_model *model, int index) {
    const int count = model->family->texts[index].state_count;
    return pld_text_encoder_of(model, index)->text.width * (count ? count : 1);
}

/** The conditioner, or NULL. */
static inline const pld_component *pld_conditioner_of(const pld_model *model) {
    return model->conditioner >= 0 ? &model->parts[model->conditioner] : NULL;
}

/** Width of the text encoders' states side by side, which go to the conditioner or to the denoiser. */
static inline int64_t pld_text_width_of(const pld_model *model) {
    return pld_conditioner_of(model) ? model->conditioner_facts.source_width
                                     : model->denoiser_facts.state_width;
}

/** How the texts of family->texts[index] are framed; `most_tokens` of pld_prompt_text. */
static inline pld_prompt_frame pld_prompt_frame_of(const pld_model *model, int index, size_t most_tokens) {
    const pld_text_use *use = &model->family->texts[index];
    const int64_t positions = pld_text_encoder_of(model, index)->text.positions;
    const int64_t own = model->denoiser_facts.text_tokens;
    return (pld_prompt_frame){.positions = positions     ? (size_t)positions
                                           : most_tokens ? most_tokens
                                           : own         ? (size_t)own
                                                         : (size_t)model->pipeline->text_tokens,
                              .empty = !pld_conditioner_of(model) ? PLD_EMPTY_UNSET
                                       : model->empty_counts      ? PLD_EMPTY_TOKEN
                                                                  : PLD_EMPTY_NOTHING,
                              .folded = use->folded,
                              .before = use->before,
                              .after = use->after};
}

/** A text as the encoder of family->texts[index] reads it: one whose states are not used has no use for weights. */
static inline pld_prompt_text pld_prompt_text_for(const pld_model *model, int index,
                                                  const pld_prompt_text *text) {
    pld_prompt_text own = *text;
    own.literal = own.literal || model->family->texts[index].pooled_only;
    return own;
}

/** How the conditioner's texts are framed. */
static inline pld_prompt_frame pld_conditioner_frame_of(const pld_model *model, size_t most_tokens) {
    return (pld_prompt_frame){.positions = most_tokens ? most_tokens : (size_t)model->pipeline->text_tokens};
}

/** Parameters of the first part with this role. */
static inline pld_parameters *pld_model_parameters(const pld_model *model, pld_part_role role) {
    return model->parts[pld_family_part_with(model->family, role)].parameters;
}

/** Widths and heights of pictures are multiples of this. */
static inline int64_t pld_model_size_factor(const pld_model *model) {
    return model->autoencoder_facts.factor * model->denoiser_facts.multiple;
}

/** diffusers' word for what a network predicts, "v_prediction". */
const char *pld_prediction_text(pld_prediction prediction);

#endif
