/* SPDX-License-Identifier: Apache-2.0 */
/** Samplers: from noise to a clean sample by repeated calls of a network. Each is one file and one row.
 *
 *  A sampler works on `count` numbers element by element, so any layout will do, with one exception: samplers
 *  that add noise draw it in the order of the elements. To get diffusers' pictures keep latents in NCHW.
 *
 *      pld_sampler_create(kind, &stated, &options, log, &sampler, error);
 *      pld_sampler_begin(sampler, 0, count, error);
 *      sample = unit normal noise * schedule->init_noise_sigma;
 *      for (call = 0; call < schedule->calls; call++) {
 *          pld_sampler_scale_model_input(sampler, call, sample, input, count);
 *          output = network(input, pld_sampler_network_timestep(sampler, call)), guided;
 *          pld_sampler_convert_output(sampler, call, input, output, noise_pred, count);
 *          pld_sampler_step(sampler, call, noise_pred, sample, rng, sample, error);
 *      }
 *      pld_sampler_finish(sampler, sample, latents, count);
 *
 *  A *step* is what the user counts, a *call* is one evaluation of the network.
 */
#ifndef PLD_SAMPLING_SAMPLER_H
#define PLD_SAMPLING_SAMPLER_H

#include "core/rng.h"
#include "sampling/scheduler_config.h"
#include "sampling/schedules/flow_rule.h"
#include "sampling/schedules/sigma_schedules.h"
#include "sampling/schedules/spacing.h"

typedef struct pld_sampler pld_sampler;
typedef struct pld_sampler_operations pld_sampler_operations; /* sampler_internal.h */
typedef struct pld_sample_space pld_sample_space;             /* sample_space.h */

/** One row of the registry: what `--sampling-method` names. Where diffusers has a class of its own for flow
 *  models, that is another row under the same name, which stands in `flow` and not in the registry. */
typedef struct pld_sampler_kind {
    const char *name;
    const char *description;
    const char *class_name;                             /**< in diffusers */
    void (*set_defaults)(pld_scheduler_config *config); /**< that class's constructor defaults */
    void (*set_fixed)(pld_scheduler_config *config);    /**< what the name itself says; or NULL */
    uint64_t fields;                                    /**< the fields that the class reads */
    bool uses_noise;                                    /**< draws random numbers while it steps */
    bool honours_eta;
    double default_eta;
    bool accepts_timesteps;              /**< an explicit list of timesteps */
    bool accepts_sigmas;                 /**< an explicit list of noise levels of a flow */
    bool is_flow;                        /**< for flow models only */
    const struct pld_sampler_kind *flow; /**< what stands for this row with flow models, or NULL */
    bool renoises; /**< can add noise back with another prediction than it takes x0 from (CFG++) */
    const pld_sampler_operations *operations;
} pld_sampler_kind;

/** All rows, NULL at the end. */
const pld_sampler_kind *const *pld_sampler_kinds(void);

/** The row of this name, or NULL. */
const pld_sampler_kind *pld_sampler_kind_find(const char *name);

/** The row for the class and algorithm that a scheduler_config.json states. PLD_ERROR_UNSUPPORTED names file
 *  and class when there is none. */
pld_status pld_sampler_kind_for_config(const pld_scheduler_config *stated, const pld_sampler_kind **kind,
                                       pld_error *error);

/** Whether some sampler is diffusers' class of this name. */
bool pld_sampler_has_class(const char *class_name);

/** The same for a class that stands elsewhere. */
pld_status pld_sampler_kind_for_class(const char *class_name, const pld_scheduler_config *stated,
                                      const pld_sampler_kind **kind, pld_error *error);

/** What a run asks for beyond the configuration. */
typedef struct pld_sampling_options {
    size_t steps;            /**< 1 … num_train_timesteps; 0 when timesteps or sigmas are given */
    const double *timesteps; /**< [timesteps_count], strictly descending; NULL: from the spacing. Sampler scm:
                                  angles in (0, π/2] */
    size_t timesteps_count;
    const double *sigmas; /**< [sigmas_count] noise levels of a flow before it is shifted, strictly descending
                               in (0, 1]; NULL: from flow_rule */
    size_t sigmas_count;
    double shift; /**< of a flow, 1e-6 … 1e6; NaN: the configuration's, or as image_tokens and steps say */
    const pld_flow_rule *flow_rule;     /**< what the family's pipeline gives its schedule; NULL: nothing */
    size_t image_tokens;                /**< that the denoiser sees; use_dynamic_shifting needs it */
    const pld_sigma_schedule *schedule; /**< NULL: the configuration's */
    const pld_spacing *spacing;         /**< NULL: the configuration's */
    const pld_prediction *prediction;   /**< NULL: the configuration's */
    double eta;                         /**< NaN: the sampler's own */
    bool stable_diffusion_rules; /**< diffusers' Stable Diffusion 1/2 pipelines force steps_offset 1 and
                                      clip_sample false */
} pld_sampling_options;

/** Options that ask for nothing but `steps`. */
pld_sampling_options pld_sampling_options_default(size_t steps);

/** What is known before the first call; constant afterwards. */
typedef struct pld_schedule {
    size_t steps;      /**< as asked for, or the length of the list */
    size_t calls;      /**< evaluations of the network; ddim_uniform and beta_uniform place what they find */
    double *timesteps; /**< [calls] what the network is told; may be fractional */
    size_t sigmas_count; /**< 0 where the solver does not work on sigmas */
    float *sigmas;       /**< [sigmas_count] noise levels, in diffusers' order and number */
    size_t train_timesteps;
    float *alphas_cumprod;  /**< [train_timesteps]; NULL where only flow models are sampled */
    float init_noise_sigma; /**< the first sample is unit noise times this */
} pld_schedule;

/** Resolve a configuration (the kind's defaults, what is stated, what is asked for, in that order) and
 * compute the schedule. `log` (may be NULL) is told of options that have no effect. PLD_ERROR_ARGUMENT for
 * options out of range, PLD_ERROR_UNSUPPORTED for a field that would change the result and is not
 * implemented. */
pld_status pld_sampler_create(const pld_sampler_kind *kind, const pld_scheduler_config *stated,
                              const pld_sampling_options *options, const pld_log *log, pld_sampler **sampler,
                              pld_error *error);

/** `*sampler` becomes NULL. NULL is accepted. */
void pld_sampler_destroy(pld_sampler **sampler);

const pld_sampler_kind *pld_sampler_kind_of(const pld_sampler *sampler);
const pld_schedule *pld_sampler_schedule(const pld_sampler *sampler);

/** The configuration in force, for reports. Its lists are empty. */
const pld_scheduler_config *pld_sampler_config(const pld_sampler *sampler);

/** The sigma schedule in force: what was asked for, else the configuration's. */
const pld_sigma_schedule *pld_sampler_sigma_schedule(const pld_sampler *sampler);

/** The η in force; 0 where there is none. */
double pld_sampler_eta(const pld_sampler *sampler);

/** The step in [0, steps) to which a call belongs. */
size_t pld_sampler_step_of_call(const pld_sampler *sampler, size_t call);

/** The call with which a run begins that leaves out the first `step` steps, as diffusers' pipelines count
 * (its order times the step). PLD_ERROR_UNSUPPORTED where the sampler can only begin at its beginning. */
pld_status pld_sampler_call_of_step(const pld_sampler *sampler, size_t step, size_t *call, pld_error *error);

/** sample = alpha·x0 + sigma·ε, with x0 as the autoencoder has it and ε of unit variance. */
typedef struct pld_sample_level {
    float alpha, sigma;
} pld_sample_level;

/** Signal and noise of the sample that call `call` gets, in the solver's own space. */
pld_sample_level pld_sampler_level(const pld_sampler *sampler, size_t call);

/** noisy[count] = a clean sample with the noise level of `call`, in the solver's own space (diffusers'
 * add_noise). `noise` is unit normal; `noisy` may be either. */
void pld_sampler_add_noise(const pld_sampler *sampler, size_t call, const float *clean, const float *noise,
                           float *noisy, size_t count);

/** x0[count] as the prediction of call `call` implies it for `sample`, which the solver has before its
 * step. */
void pld_sampler_predict_x0(const pld_sampler *sampler, size_t call, const float *noise_pred,
                            const float *sample, float *x0, size_t count);

/** Start a run over samples of `count` numbers at `first_call` (0, or later when a picture is given). Forgets
 *  any earlier run. */
pld_status pld_sampler_begin(pld_sampler *sampler, size_t first_call, size_t count, pld_error *error);

/** input[count] = the sample as the network wants it in this call. `input` may be `sample`. */
void pld_sampler_scale_model_input(const pld_sampler *sampler, size_t call, const float *sample, float *input,
                                   size_t count);

/** Whether it samples along a flow. */
bool pld_sampler_is_flow(const pld_sampler *sampler);

/** Whether a configuration states that of a flow model, by its class or a field. (samplers/choice.c) */
bool pld_scheduler_states_flow(const pld_scheduler_config *stated);

/** The timestep that the network is told in this call: schedule->timesteps[call], but for scm, whose angles
 *  become times of the straight flow that the network was trained on. */
double pld_sampler_network_timestep(const pld_sampler *sampler, size_t call);

/** noise_pred[count] = what pld_sampler_step wants of the network's (guided) output[count] for the
 * input[count] of pld_sampler_scale_model_input: the output, but for scm. `noise_pred` may be `output`. */
void pld_sampler_convert_output(const pld_sampler *sampler, size_t call, const float *input,
                                const float *output, float *noise_pred, size_t count);

/** latents[count] = what the autoencoder gets of the sample after the last call: the sample, but for scm,
 * which works at the scale of sigma_data. `latents` may be `sample`. */
void pld_sampler_finish(const pld_sampler *sampler, const float *sample, float *latents, size_t count);

/** One call of diffusers' scheduler.step. noise_pred[count] is the network's (guided) output, `sample` the
 *  current sample (unscaled), `next` gets the new one and may be `sample`. Calls follow each other from the
 *  first one on. `rng` is drawn from in diffusers' order; untouched by samplers without noise. */
pld_status pld_sampler_step(pld_sampler *sampler, size_t call, const float *noise_pred, const float *sample,
                            pld_rng *rng, float *next, pld_error *error);

/** The same with another prediction to add noise back with: renoise[count], or NULL for noise_pred. Only
 * kinds that say `renoises` take one. */
pld_status pld_sampler_step_renoising(pld_sampler *sampler, size_t call, const float *noise_pred,
                                      const float *renoise, const float *sample, pld_rng *rng, float *next,
                                      pld_error *error);

#endif
