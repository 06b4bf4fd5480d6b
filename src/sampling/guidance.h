/* SPDX-License-Identifier: Apache-2.0 */
/** Guidance: which branches of the network run in a step, and how their predictions become one.
 *
 *  A method is one file in guidance/ and one row of pld_guidance_methods. A run has a chain of them, resolved
 *  once from what was asked for, with all state that they keep from step to step. Predictions are [count]
 *  numbers of one picture, in any layout.
 */
#ifndef PLD_SAMPLING_GUIDANCE_H
#define PLD_SAMPLING_GUIDANCE_H

#include "core/log.h"
#include "core/network_effects.h"
#include "pladis/guidance.h"

enum { PLD_GUIDANCE_MOST = 16, PLD_GUIDANCE_KEYS = 6, PLD_GUIDANCE_LAYERS_TEXT = 512 };

/** What part of guidance a method is. A chain has one main method and any number of the others, applied in
 *  this order. */
typedef enum pld_guidance_role {
    PLD_GUIDANCE_MAIN,    /**< makes one prediction of the unconditional and the conditional one */
    PLD_GUIDANCE_TERM,    /**< adds the difference to a perturbed branch */
    PLD_GUIDANCE_AFTER,   /**< changes the sum */
    PLD_GUIDANCE_STEPS,   /**< says in which steps the three above act */
    PLD_GUIDANCE_NETWORK, /**< acts inside the network */
} pld_guidance_role;

typedef struct pld_guidance_method pld_guidance_method;

/** A method with its options, in force in one run. */
typedef struct pld_guidance {
    const pld_guidance_method *method;
    double values[PLD_GUIDANCE_KEYS]; /**< by the key's place in method->keys; NaN before it is settled */
    bool given[PLD_GUIDANCE_KEYS];
    char layers[PLD_GUIDANCE_LAYERS_TEXT];
    float *state; /**< [method->buffers, count]; zero at the start of a run */
} pld_guidance;

/** One call of the network. */
typedef struct pld_guidance_step {
    size_t step, steps; /**< of the schedule */
    size_t count;
    const float *predictions[PLD_BRANCH_COUNT]; /**< NULL: not evaluated */
    float *guided;                              /**< [count] the result */
    const float *renoise; /**< what the sampler adds noise back with; NULL: the result itself */
} pld_guidance_step;

/** What a run asks for. */
typedef struct pld_guidance_request {
    const char *const *texts; /**< [count], see pladis/guidance.h */
    size_t count;
    double cfg_scale; /**< NaN: not given */
    double default_cfg_scale;
    double cfg_rescale;         /**< 0: not given */
    const char *default_layers; /**< the model's own for PAG and SEG */
    const char
        *default_blocks; /**< the model's own for slg; "": there are none; NULL: it can leave out none */
    pld_block_scales default_block_scales; /**< the model's own for FreeU; all 0: it has no such blocks */
    bool keep_neutral;                     /**< methods that change nothing run all the same */
    bool text_joins_sample;                /**< of the model: its attention is joint */
} pld_guidance_request;

/** A registry row. */
struct pld_guidance_method {
    const char *name;
    const char *description;
    const char *paper;
    const char *evaluations;
    const pld_guidance_key *keys;
    size_t key_count;
    pld_guidance_role role;
    pld_branch_set branches; /**< rows that it needs in a step where it acts */
    pld_branch_set texts;    /**< prompts that it needs besides those of its branches */
    pld_branch_set
        joint_branches; /**< rows that it needs besides, in every step, where the text joins the sample */
    size_t buffers;     /**< arrays of the prediction's size that it keeps */
    bool renoises;      /**< sets pld_guidance_step.renoise */
    /** Values that depend on the request, and rules between keys; may be NULL. */
    pld_status (*settle)(pld_guidance *g, const pld_guidance_request *request, pld_error *error);
    /** Whether it changes nothing with these values; NULL: never. */
    bool (*neutral)(const pld_guidance *g);
    /** Of a main method: the result of this step is zero and nothing need be evaluated; NULL: never. */
    bool (*zeroed)(const pld_guidance *g, size_t step);
    /** Whether it needs its branches in a step and is combined there; NULL: in every one. */
    bool (*acts)(const pld_guidance *g, size_t step, size_t steps);
    void (*combine)(pld_guidance *g, pld_guidance_step *step);             /**< or NULL */
    void (*effect)(const pld_guidance *g, pld_attention_effect *effect);   /**< or NULL */
    void (*skip)(const pld_guidance *g, pld_block_effect *effect);         /**< or NULL */
    void (*block_scales)(const pld_guidance *g, pld_block_scales *scales); /**< or NULL */
    void (*interval)(const pld_guidance *g, double *start, double *end);   /**< or NULL */
};

/** NULL-terminated. */
extern const pld_guidance_method *const pld_guidance_methods[];

/** The row of this name (`length` bytes), or NULL. */
const pld_guidance_method *pld_guidance_find(const char *name, size_t length);

/** Read "NAME:KEY=VALUE,…" into `g`; what is not given has its fallback. PLD_ERROR_ARGUMENT. */
pld_status pld_guidance_parse(const char *text, pld_guidance *g, pld_error *error);

/** A method with its fallbacks. */
void pld_guidance_init(pld_guidance *g, const pld_guidance_method *method);

/** "pag (scale 3, layers mid)" */
void pld_guidance_text(const pld_guidance *g, char *text, size_t size);

/** The methods of one run, in the order in which they act. */
typedef struct pld_guidance_chain {
    pld_guidance items[PLD_GUIDANCE_MOST];
    size_t count;
    double start, end;             /**< fractions of the steps in which predictions are guided */
    pld_branch_set joint_branches; /**< rows that methods inside the network need */
} pld_guidance_chain;

/** Resolve a request: parse, settle, leave out what is neutral (`log` is told), refuse what does not go
 *  together. Free with pld_guidance_chain_free, also on failure. */
pld_status pld_guidance_chain_resolve(pld_guidance_chain *chain, const pld_guidance_request *request,
                                      const pld_log *log, pld_error *error);
void pld_guidance_chain_free(pld_guidance_chain *chain);

/** Start a run over predictions of `count` numbers: allocate and clear what methods keep. */
pld_status pld_guidance_chain_begin(pld_guidance_chain *chain, size_t count, pld_error *error);

/** Rows that step `step` of `steps` needs; none where its result is zero. */
pld_branch_set pld_guidance_chain_branches(const pld_guidance_chain *chain, size_t step, size_t steps);

/** Branches whose text is needed in some step. */
pld_branch_set pld_guidance_chain_texts(const pld_guidance_chain *chain);

/** Make step->guided, and where a method says so step->renoise, of step->predictions. */
void pld_guidance_chain_combine(pld_guidance_chain *chain, pld_guidance_step *step);

/** The method that needs a sampler which takes a second prediction to add noise with; or NULL. */
const char *pld_guidance_chain_renoises(const pld_guidance_chain *chain);

/** Main method's scale (1 where there is none), for reports. */
double pld_guidance_chain_scale(const pld_guidance_chain *chain);

/** "cfg (scale 7.5), pag (scale 3, layers mid)" */
void pld_guidance_chain_text(const pld_guidance_chain *chain, char *text, size_t size);

#endif
