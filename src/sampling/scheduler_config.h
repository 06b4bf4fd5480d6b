/* SPDX-License-Identifier: Apache-2.0 */
/** The fields of diffusers' scheduler_config.json, and the rule by which a sampler takes them over. */
#ifndef PLD_SAMPLING_SCHEDULER_CONFIG_H
#define PLD_SAMPLING_SCHEDULER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log.h"
#include "core/status.h"
#include "io/json/read.h"

enum {
    PLD_MAX_TRAIN_TIMESTEPS = 100000,
    PLD_SCHEDULER_TEXT_BYTES = 256 /* class and file names kept for messages */
};

/** How beta grows over the training timesteps. */
typedef enum pld_beta_schedule {
    PLD_BETAS_LINEAR,
    PLD_BETAS_SCALED_LINEAR,
    PLD_BETAS_SQUARED_COSINE,
    PLD_BETAS_EXP,
    PLD_BETAS_OTHER /* known to diffusers, not to us: laplace, sigmoid */
} pld_beta_schedule;

/** What the network predicts. */
typedef enum pld_prediction {
    PLD_PREDICT_EPSILON,
    PLD_PREDICT_V,
    PLD_PREDICT_SAMPLE,  /**< the clean sample, x0 */
    PLD_PREDICT_FLOW,    /**< the velocity ε − x0 of x = (1 − σ)·x0 + σ·ε */
    PLD_PREDICT_TRIGFLOW /**< the velocity of x = cos(t)·x0 + sin(t)·ε */
} pld_prediction;

/** Which training timesteps are visited (table 2 of Lin et al. 2023, arXiv 2305.08891). */
typedef enum pld_timestep_spacing {
    PLD_SPACING_LEADING,
    PLD_SPACING_TRAILING,
    PLD_SPACING_LINSPACE
} pld_timestep_spacing;

typedef enum pld_time_shift { PLD_TIME_SHIFT_EXPONENTIAL, PLD_TIME_SHIFT_LINEAR } pld_time_shift;
typedef enum pld_final_sigma { PLD_FINAL_ZERO, PLD_FINAL_SIGMA_MIN } pld_final_sigma;
typedef enum pld_interpolation { PLD_INTERPOLATE_LINEAR, PLD_INTERPOLATE_LOG_LINEAR } pld_interpolation;
typedef enum pld_timestep_type { PLD_TIMESTEP_DISCRETE, PLD_TIMESTEP_CONTINUOUS } pld_timestep_type;

typedef enum pld_solver_type {
    PLD_SOLVER_MIDPOINT,
    PLD_SOLVER_HEUN,
    PLD_SOLVER_BH1,
    PLD_SOLVER_BH2,
    PLD_SOLVER_LOGRHO
} pld_solver_type;

typedef enum pld_algorithm {
    PLD_ALGORITHM_DPMSOLVER_PP,
    PLD_ALGORITHM_SDE_DPMSOLVER_PP,
    PLD_ALGORITHM_DPMSOLVER,
    PLD_ALGORITHM_SDE_DPMSOLVER,
    PLD_ALGORITHM_DEIS
} pld_algorithm;

typedef enum pld_variance_type {
    PLD_VARIANCE_NONE, /**< the network predicts no variance */
    PLD_VARIANCE_LEARNED,
    PLD_VARIANCE_LEARNED_RANGE,
    PLD_VARIANCE_FIXED /* DDPM's fixed_… forms, which no sampler here reads */
} pld_variance_type;

/** Every field that is read: X(NAME, member). The member's name is the field's name in the file. */
#define PLD_SCHEDULER_FIELD_LIST(X)                                                                          \
    X(NUM_TRAIN_TIMESTEPS, num_train_timesteps)                                                              \
    X(BETA_START, beta_start)                                                                                \
    X(BETA_END, beta_end)                                                                                    \
    X(BETA_SCHEDULE, beta_schedule)                                                                          \
    X(TRAINED_BETAS, trained_betas)                                                                          \
    X(RESCALE_BETAS_ZERO_SNR, rescale_betas_zero_snr)                                                        \
    X(PREDICTION_TYPE, prediction_type)                                                                      \
    X(TIMESTEP_SPACING, timestep_spacing)                                                                    \
    X(STEPS_OFFSET, steps_offset)                                                                            \
    X(TIMESTEP_TYPE, timestep_type)                                                                          \
    X(SET_ALPHA_TO_ONE, set_alpha_to_one)                                                                    \
    X(CLIP_SAMPLE, clip_sample)                                                                              \
    X(CLIP_SAMPLE_RANGE, clip_sample_range)                                                                  \
    X(SKIP_PRK_STEPS, skip_prk_steps)                                                                        \
    X(USE_KARRAS_SIGMAS, use_karras_sigmas)                                                                  \
    X(USE_EXPONENTIAL_SIGMAS, use_exponential_sigmas)                                                        \
    X(USE_BETA_SIGMAS, use_beta_sigmas)                                                                      \
    X(SIGMA_MIN, sigma_min)                                                                                  \
    X(SIGMA_MAX, sigma_max)                                                                                  \
    X(INTERPOLATION_TYPE, interpolation_type)                                                                \
    X(FINAL_SIGMAS_TYPE, final_sigmas_type)                                                                  \
    X(SOLVER_ORDER, solver_order)                                                                            \
    X(SOLVER_TYPE, solver_type)                                                                              \
    X(ALGORITHM_TYPE, algorithm_type)                                                                        \
    X(LOWER_ORDER_FINAL, lower_order_final)                                                                  \
    X(EULER_AT_FINAL, euler_at_final)                                                                        \
    X(LAMBDA_MIN_CLIPPED, lambda_min_clipped)                                                                \
    X(VARIANCE_TYPE, variance_type)                                                                          \
    X(PREDICT_X0, predict_x0)                                                                                \
    X(DISABLE_CORRECTOR, disable_corrector)                                                                  \
    X(SOLVER_P, solver_p)                                                                                    \
    X(ORIGINAL_INFERENCE_STEPS, original_inference_steps)                                                    \
    X(TIMESTEP_SCALING, timestep_scaling)                                                                    \
    X(THRESHOLDING, thresholding)                                                                            \
    X(USE_LU_LAMBDAS, use_lu_lambdas)                                                                        \
    X(USE_FLOW_SIGMAS, use_flow_sigmas)                                                                      \
    X(USE_DYNAMIC_SHIFTING, use_dynamic_shifting)                                                            \
    X(SHIFT_TERMINAL, shift_terminal)                                                                        \
    X(SHIFT, shift)                                                                                          \
    X(FLOW_SHIFT, flow_shift)                                                                                \
    X(TIME_SHIFT_TYPE, time_shift_type)                                                                      \
    X(BASE_SHIFT, base_shift)                                                                                \
    X(MAX_SHIFT, max_shift)                                                                                  \
    X(BASE_IMAGE_SEQ_LEN, base_image_seq_len)                                                                \
    X(MAX_IMAGE_SEQ_LEN, max_image_seq_len)                                                                  \
    X(INVERT_SIGMAS, invert_sigmas)                                                                          \
    X(STOCHASTIC_SAMPLING, stochastic_sampling)                                                              \
    X(SCALE_FACTORS, scale_factors)                                                                          \
    X(SIGMA_DATA, sigma_data)

typedef enum pld_scheduler_field {
#define PLD_SCHEDULER_FIELD_ENUM(name, member) PLD_FIELD_##name,
    PLD_SCHEDULER_FIELD_LIST(PLD_SCHEDULER_FIELD_ENUM)
#undef PLD_SCHEDULER_FIELD_ENUM
        PLD_FIELD_COUNT
} pld_scheduler_field;

/** The bit of a field in a set of fields. */
#define PLD_FIELD_BIT(name) (UINT64_C(1) << PLD_FIELD_##name)

/** Whole numbers from a file. Owned by the configuration that read them. */
typedef struct pld_integer_list {
    int64_t *values; /**< [count] */
    size_t count;
} pld_integer_list;

/** Numbers from a file. Owned by the configuration that read them. */
typedef struct pld_number_list {
    double *values; /**< [count] */
    size_t count;
} pld_number_list;

/** A scheduler configuration, or the stated part of one. */
typedef struct pld_scheduler_config {
    uint64_t stated;                           /**< PLD_FIELD_BIT of each field that has been given */
    char class_name[PLD_SCHEDULER_TEXT_BYTES]; /**< `_class_name`, or "" */
    char file[PLD_SCHEDULER_TEXT_BYTES];       /**< for messages */

    int64_t num_train_timesteps;
    double beta_start, beta_end;
    pld_beta_schedule beta_schedule;
    pld_number_list trained_betas; /**< empty: computed from the three above */
    bool rescale_betas_zero_snr;
    pld_prediction prediction_type;
    pld_timestep_spacing timestep_spacing;
    int64_t steps_offset;
    pld_timestep_type timestep_type;
    bool set_alpha_to_one;
    bool clip_sample;
    double clip_sample_range;
    bool skip_prk_steps;
    bool use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas;
    double sigma_min, sigma_max; /**< NaN: the schedule's own */
    pld_interpolation interpolation_type;
    pld_final_sigma final_sigmas_type;
    int64_t solver_order;
    pld_solver_type solver_type;
    pld_algorithm algorithm_type;
    bool lower_order_final, euler_at_final;
    double lambda_min_clipped;
    pld_variance_type variance_type;
    bool predict_x0;
    pld_integer_list disable_corrector;
    bool solver_p; /**< something stands there */
    int64_t original_inference_steps;
    double timestep_scaling;
    bool thresholding, use_lu_lambdas, use_flow_sigmas, use_dynamic_shifting;
    double shift_terminal; /**< the last σ before 0 after stretching; 0: as it comes */
    double shift;          /**< s of σ' = s·σ / (1 + (s − 1)·σ), FlowMatch classes */
    double flow_shift;     /**< the same of the multistep classes */
    pld_time_shift time_shift_type;
    double base_shift, max_shift;                  /**< μ at the two numbers of image tokens that follow */
    int64_t base_image_seq_len, max_image_seq_len; /**< image tokens */
    bool invert_sigmas;                            /**< σ counts the share of the clean sample */
    bool stochastic_sampling;
    bool scale_factors; /**< something stands there */
    double sigma_data;  /**< standard deviation of the clean sample, SCM */
} pld_scheduler_config;

/** Read a scheduler_config.json. diffusers writes infinite numbers as the bare words Infinity and -Infinity
 *  ("lambda_min_clipped": -Infinity stands in every DPM-Solver file), which JSON does not have; they are
 *  understood here. Otherwise as pld_scheduler_config_read. */
pld_status pld_scheduler_config_load(const char *path, const pld_log *log, pld_scheduler_config *stated,
                                     pld_error *error);

/** The document alone, with infinite numbers as the strings "inf" and "-inf". The caller owns it. */
pld_status pld_scheduler_document_load(const char *path, json_t **document, pld_error *error);

/** The same as pld_scheduler_config_load for text[length] in memory, which is changed; `file` stands in
 * messages. */
pld_status pld_scheduler_config_parse(char *text, size_t length, const char *file, const pld_log *log,
                                      pld_scheduler_config *stated, pld_error *error);

/** Read what `document` (an object) states. null is what it is to diffusers: false where a truth value is
 *  expected, the same as absence where the default is null, else of the wrong type. `_…` fields other than
 *  `_class_name` are passed over; fields that no scheduler here knows are reported to `log` as a notice.
 *  PLD_ERROR_FORMAT for a wrong type or range, PLD_ERROR_UNSUPPORTED for an unknown word; both name file and
 *  field. The caller clears `stated`; on failure there is nothing to clear. */
pld_status pld_scheduler_config_read(const json_t *document, const char *file, const pld_log *log,
                                     pld_scheduler_config *stated, pld_error *error);

/** Give back the lists. */
void pld_scheduler_config_clear(pld_scheduler_config *config);

/** The field's name in the file. */
const char *pld_scheduler_field_name(pld_scheduler_field field);

/** "midpoint", "true", "3" …: the field's value for a message, into `text`; returns `text`. */
const char *pld_scheduler_field_text(const pld_scheduler_config *config, pld_scheduler_field field,
                                     char *text, size_t size);

/** Copy those fields of `stated` that are both stated and in the set `fields` over `config`. Lists are
 * borrowed. This is what diffusers does when one scheduler replaces another: the newcomer takes what the
 * published file states and it understands, and its own defaults elsewhere. */
void pld_scheduler_config_apply(pld_scheduler_config *config, const pld_scheduler_config *stated,
                                uint64_t fields);

#endif
