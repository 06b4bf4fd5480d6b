/* SPDX-License-Identifier: Apache-2.0 */
/** What the sampler files share. To add a sampler: one file with its pld_sampler_operations and its
 *  pld_sampler_kind row, one line in sampler_registry.c. */
#ifndef PLD_SAMPLING_SAMPLER_INTERNAL_H
#define PLD_SAMPLING_SAMPLER_INTERNAL_H

#include "sampling/noise_schedule.h"
#include "sampling/sampler.h"

enum {
    PLD_SAMPLER_BUFFERS = 8,     /* arrays of the sample's size that a solver may keep */
    PLD_SAMPLER_STATE_BYTES = 64 /* of a solver's own counters */
};

/** Sets of fields that classes have in common. */
#define PLD_FIELDS_BETAS                                                                                     \
    (PLD_FIELD_BIT(NUM_TRAIN_TIMESTEPS) | PLD_FIELD_BIT(BETA_START) | PLD_FIELD_BIT(BETA_END) |              \
     PLD_FIELD_BIT(BETA_SCHEDULE) | PLD_FIELD_BIT(TRAINED_BETAS) | PLD_FIELD_BIT(PREDICTION_TYPE))
#define PLD_FIELDS_SPACING (PLD_FIELD_BIT(TIMESTEP_SPACING) | PLD_FIELD_BIT(STEPS_OFFSET))
#define PLD_FIELDS_SIGMA_SCHEDULE                                                                            \
    (PLD_FIELD_BIT(USE_KARRAS_SIGMAS) | PLD_FIELD_BIT(USE_EXPONENTIAL_SIGMAS) |                              \
     PLD_FIELD_BIT(USE_BETA_SIGMAS))
#define PLD_FIELDS_SIGMA_RANGE (PLD_FIELD_BIT(SIGMA_MIN) | PLD_FIELD_BIT(SIGMA_MAX))

/** What a solver gets in one call. */
typedef struct pld_step {
    size_t call;
    const float *noise_pred; /**< [count] */
    const float *renoise;    /**< [count]; noise_pred unless the kind `renoises` */
    const float *sample;     /**< [count] */
    pld_rng *rng;
    float *next; /**< [count]; may be `sample` */
    size_t count;
} pld_step;

/** A solver. */
struct pld_sampler_operations {
    size_t buffers;       /**< how many of sampler->buffers it uses */
    bool takes_exp_betas; /**< beta_schedule "exp", which only one class of diffusers knows */
    /** Refuse what the class does not do; sampler->config is resolved. May be NULL. */
    pld_status (*check)(const pld_sampler *sampler, pld_error *error);
    /** Fill sampler->schedule; alphas_cumprod and steps are there. */
    pld_status (*prepare)(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error);
    size_t calls_per_step; /**< diffusers' order; 0 means 1 */
    /** Whether runs cannot begin later than at the first call. NULL: they can. */
    bool (*begins_at_noise)(const pld_sampler *sampler);
    /** NULL: a call is a step. */
    size_t (*step_of_call)(const pld_sampler *sampler, size_t call);
    /** True: the network sees sample / √(σ² + 1); false: the sample. */
    bool scales_model_input;
    void (*step)(pld_sampler *sampler, const pld_step *step);
};

struct pld_sampler {
    const pld_sampler_kind *kind;
    pld_scheduler_config config; /**< resolved; lists are borrowed and dropped after preparation */
    const pld_sigma_schedule *sigma_schedule;
    const pld_spacing *spacing;
    double eta;
    pld_schedule schedule;
    float final_alpha_cumprod; /**< ᾱ before the first training timestep */
    bool *skip_corrector;      /**< [calls] UniPC only, else NULL */

    /* one run */
    size_t count;
    size_t first_call;
    size_t next_call;
    size_t finished_calls; /**< since pld_sampler_begin: how much history there is */
    float *memory;
    float *buffers[PLD_SAMPLER_BUFFERS];                       /**< [count] each */
    _Alignas(16) unsigned char state[PLD_SAMPLER_STATE_BYTES]; /**< the solver's, zero at the start */
};

/** Constructor defaults that most classes agree on. */
void pld_scheduler_defaults(pld_scheduler_config *config);

/** PLD_ERROR_UNSUPPORTED that names file, field, value and sampler. */
pld_status pld_sampler_refuse(const pld_sampler *sampler, pld_scheduler_field field, pld_error *error);

/** Exchange buffers so that buffers[i] becomes what buffers[i + 1] was, for i in [first, last), and the old
 *  buffers[first] comes to stand at `last`. */
void pld_sampler_rotate(pld_sampler *sampler, size_t first, size_t last);

/* schedule_timesteps.c */

/** Allocate schedule.timesteps for at most `capacity` calls. */
pld_status pld_schedule_reserve_calls(pld_schedule *schedule, size_t capacity, pld_error *error);

/** Allocate schedule.sigmas and set schedule.sigmas_count. */
pld_status pld_schedule_reserve_sigmas(pld_schedule *schedule, size_t count, pld_error *error);

/** Fill schedule.timesteps (not rounded) and calls from the spacing, or from the explicit list. `skip_zero`
 * and `last_timestep` as in pld_spacing_request. Room for `extra` more calls is left. */
pld_status pld_place_timesteps(pld_sampler *sampler, const pld_sampling_options *options, bool skip_zero,
                               size_t last_timestep, size_t extra, pld_error *error);

/** Fill sigmas[steps] by the sigma schedule, between the configuration's sigma_min and sigma_max or, where it
 *  has none, the given ones. The timesteps are the caller's to follow. */
pld_status pld_apply_sigma_schedule(pld_sampler *sampler, double sigma_min, double sigma_max, double *sigmas,
                                    pld_error *error);

/** Round schedule.timesteps to whole numbers, halves to even, or cut their fraction off. */
void pld_round_timesteps(pld_schedule *schedule);
void pld_truncate_timesteps(pld_schedule *schedule);

/** PLD_ERROR_ARGUMENT when a timestep is no index of alphas_cumprod, PLD_ERROR_UNSUPPORTED when what the
 * network predicts there does not determine the sample (ε at zero signal). */
pld_status pld_check_timesteps(const pld_sampler *sampler, pld_error *error);

/** ᾱ at a timestep; before the first one (negative) final_alpha_cumprod. */
float pld_alpha_cumprod_at(const pld_sampler *sampler, int64_t timestep);

/* sigma_space.c */

/** Timesteps and sigmas as EulerDiscreteScheduler places them: leading, trailing, linspace or explicit ones
 * in float, then the sigma schedule between the first and the last of them. Leaves calls + 1 sigmas. */
pld_status pld_prepare_sigma_space(pld_sampler *sampler, const pld_sampling_options *options,
                                   pld_error *error);

/* multistep_schedule.c */

/** Timesteps and sigmas as the multistep solvers place them: whole timesteps without 0, sigma schedules over
 * the whole training range. `last_timestep`: one past the largest used. */
pld_status pld_prepare_multistep(pld_sampler *sampler, const pld_sampling_options *options,
                                 size_t last_timestep, const pld_sigma_table *table, pld_error *error);

/** The variance-preserving coefficients of a noise level: x = alpha·x0 + sigma·ε, λ = log(alpha/sigma). */
typedef struct pld_level {
    float alpha, sigma, lambda;
} pld_level;

/** From σ of the variance-exploding form. σ = 0 has λ = ∞. */
pld_level pld_level_of_sigma(float sigma);

/* consistency_schedule.c */

/** Timesteps as LCM and TCD place them: a subset of the `original_inference_steps` of distillation. */
pld_status pld_prepare_consistency(pld_sampler *sampler, const pld_sampling_options *options,
                                   pld_error *error);

#endif
