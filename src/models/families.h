/* SPDX-License-Identifier: Apache-2.0 */
/** The registry of model families: what a folder's model_index.json can name, and of which parts it is made. A family is
 *  one row, which opening, layouts of files, `info`, `convert`, `bench`, previews and presets read. */
#ifndef PLD_MODELS_FAMILIES_H
#define PLD_MODELS_FAMILIES_H

#include "models/installed.h"
#include "models/published.h"
#include "text/prompt/style.h"

enum { PLD_MAX_PARTS = 8, PLD_MAX_TEXT_ENCODERS = 3, PLD_MOST_TEXT_STATES = 12 };

/** One component of a family, as a diffusers folder names it. */
typedef struct pld_family_part {
    const char *name;                /**< its folder, "text_encoder_2" */
    const pld_part_class *class;     /**< that it usually is */
    const char *stem;                /**< how its weight files begin, "model" */
    const char *tokenizer;           /**< of a text encoder or conditioner: folder of its tokenizer */
    const char *tokenizer_class;     /**< how its class begins, "CLIPTokenizer" */
    const pld_installed *vocabulary; /**< of files that hold no tokenizer; NULL: one must be given */
    bool
        optional; /**< of a text encoder behind others: a model may go without it, and its states are zeros then */
    const char *pad_token;     /**< with which its texts are filled up, where the tokenizer does not say */
    const char *what, *remedy; /**< for people, where a file lacks it: "it holds no WHAT: give REMEDY" */
} pld_family_part;

/** How the states of a text encoder are used. */
typedef struct pld_text_use {
    const char *part;              /**< the text encoder */
    const pld_prompt_style *style; /**< how a prompt becomes its ids */
    bool folded;                   /**< of pld_prompt_frame, like the next two */
    const char *before, *after;
    bool clip_skip; /**< --clip-skip leaves out more of its layers, which makes sense for CLIP */
    const pld_installed
        *instruction; /**< a text that goes before prompts that are to be drawn, unless another is asked for:
                                           of its rows the last alone is used, and the first of all; NULL: none ever does */
    int skip;         /**< layers that are left out at a clip-skip of 1 */
    bool final_norm;  /**< its states go through its final norm */
    bool pooled;      /**< its pooled embedding is wanted too, projected if its class does that */
    bool
        behind; /**< its states are further tokens behind those of the encoders before it, which are filled up with zeros
                    to the same width; else they stand beside them */
    bool pooled_only; /**< and its states are not; such a prompt is taken literally, as diffusers does */
    /** Of a causal encoder: states are taken after so many layers and stand side by side; [state_count], ascending.
     * state_count 0: those at its end alone. */
    int64_t states_after[PLD_MOST_TEXT_STATES];
    int state_count;
    bool
        padding_unseen; /**< of a causal encoder whose texts are filled up: padding has states, and is no key */
    bool plain_pooled; /**< files without its projection mean the pooled embedding as it is */
} pld_text_use;

/** A network between the text encoders and the denoiser, which reads the text once more in tokens of its own. What it makes
 * of a text is what the denoiser attends to. */
typedef struct pld_conditioner_use {
    const char *part;
    const pld_prompt_style *style; /**< how a prompt becomes its ids */
} pld_conditioner_use;

/** A pipeline of diffusers by which folders name a family. */
typedef struct pld_pipeline_class {
    const char *name; /**< `_class_name` of model_index.json; NULL ends a list */
    int text_tokens; /**< most tokens of a text, of encoders that take as many as there are; 0: there is none of them */
} pld_pipeline_class;

typedef struct pld_family {
    const char *name;
    const char *description;
    const pld_pipeline_class *pipelines; /**< ends with name NULL */
    const pld_family_part *parts;        /**< ends with name NULL; one denoiser, one autoencoder */
    const pld_text_use *texts; /**< [text_count] states stand beside or behind each other in this order */
    int text_count;
    const pld_conditioner_use *conditioner; /**< NULL: the denoiser attends to the text encoders' states */
    /** Components of its pipelines that are passed over, NULL-terminated: text encoders that are not supported, whose states
     * come from a file (pld_generate_options.prompt_embeds). May be NULL. */
    const char *const *left_out;
    bool modular; /**< its folders have a modular_model_index.json in place of model_index.json */
    const pld_published *const
        *published;           /**< NULL-terminated: the models that single files are compared with */
    const char *architecture; /**< that GGUF files of its denoiser state, "flux"; NULL: there are none */
    bool zero_negative;       /**< no negative prompt is zeros, unless model_index.json's
                                              force_zeros_for_empty_prompt says otherwise */
    int sample_size;          /**< side of the latents where the denoiser's configuration states none */
    int default_steps;
    double default_cfg_scale, default_pladis_scale;
    const char *
        flow_rule; /**< what the pipeline gives the schedule of a flow, by sampling/schedules/flow_rule.h; NULL */
    bool stable_diffusion_rules; /**< see pld_sampling_options */
} pld_family;

/** NULL-terminated. */
extern const pld_family *const pld_families[];

/** What the document is called that names a folder's pipeline: diffusers' pipelines have one, its modular ones another. */
enum { PLD_INDEX_NAMES = 2 };
extern const char *const pld_index_names[PLD_INDEX_NAMES];

/** That of a family. */
const char *pld_family_index_name(const pld_family *family);

/** The family of a pipeline class and its row there (may be NULL), or NULL. */
const pld_family *pld_family_for_pipeline(const char *pipeline, const pld_pipeline_class **row);

/** The published model of this name and its family (may be NULL), or NULL. */
const pld_published *pld_published_find(const char *name, const pld_family **family);

/** The use of texts that may have an instruction in front; NULL: the family has none. */
const pld_text_use *pld_family_instructed(const pld_family *family);

/** Number of parts. */
int pld_family_part_count(const pld_family *family);

/** Index of the part of this name; −1: it has none. */
int pld_family_part_index(const pld_family *family, const char *name);

/** Index of the first part with this role. */
int pld_family_part_with(const pld_family *family, pld_part_role role);

#endif
