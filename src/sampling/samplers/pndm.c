/* SPDX-License-Identifier: Apache-2.0 */
/* PNDM: pseudo numerical methods, Liu et al. 2022 (arXiv 2202.09778). A linear multistep method (PLMS) that
 * starts either by three Runge-Kutta steps of four calls each or, with skip_prk_steps, by one step of two. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sampling/prediction.h"
#include "sampling/sampler_internal.h"
#include "sampling/samplers/kinds.h"

enum { OUTPUTS, NEWEST = 3, START, SUM }; /* buffers: four outputs, oldest first; two for Runge-Kutta */
enum { PRK_STEPS = 3, PRK_STEP_CALLS = 4, PRK_CALLS = PRK_STEPS * PRK_STEP_CALLS };

/** The solver's counters. */
typedef struct state {
    size_t outputs; /* how many of the newest buffers are filled */
} state;

static void set_defaults(pld_scheduler_config *config) {
    pld_scheduler_defaults(config);
    config->timestep_spacing = PLD_SPACING_LEADING;
    config->set_alpha_to_one = false;
}

static pld_status check(const pld_sampler *sampler, pld_error *error) {
    if (sampler->config.prediction_type == PLD_PREDICT_SAMPLE) {
        return pld_sampler_refuse(sampler, PLD_FIELD_PREDICTION_TYPE, error);
    }
    return PLD_OK;
}

/** The distance between two steps in training timesteps. */
static int64_t stride_of(const pld_sampler *sampler) {
    return (int64_t)(sampler->schedule.train_timesteps / sampler->schedule.steps);
}

/** Repeat the second of the `steps` timesteps: the first step takes two calls. */
static void insert_second_call(pld_schedule *schedule) {
    if (schedule->steps > 1) {
        double *second = schedule->timesteps + 1;
        memmove(second + 1, second, (schedule->steps - 1) * sizeof *second);
        schedule->calls = schedule->steps + 1;
    }
}

/** Replace the first three timesteps by the twelve of Runge-Kutta: both ends and, twice, the middle, which
 *  diffusers places half a stride above the end. */
static void insert_runge_kutta(pld_schedule *schedule, double half_stride) {
    double *timesteps = schedule->timesteps;
    double ends[PRK_STEPS + 1];
    memcpy(ends, timesteps, sizeof ends);
    memmove(timesteps + PRK_CALLS, timesteps + PRK_STEPS, (schedule->steps - PRK_STEPS) * sizeof *timesteps);
    for (size_t i = 0; i < PRK_STEPS; i++) {
        double *of_step = timesteps + i * PRK_STEP_CALLS;
        of_step[0] = ends[i];
        of_step[1] = of_step[2] = ends[i + 1] + half_stride;
        of_step[3] = ends[i + 1];
    }
    schedule->calls = PRK_CALLS + schedule->steps - PRK_STEPS;
}

static pld_status prepare(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error) {
    pld_schedule *schedule = &sampler->schedule;
    PLD_TRY(pld_place_timesteps(sampler, options, false, schedule->train_timesteps, PRK_CALLS, error));
    pld_round_timesteps(schedule);
    PLD_TRY(pld_check_timesteps(sampler, error));
    if (sampler->config.skip_prk_steps) {
        insert_second_call(schedule);
        double start = schedule->calls > 1 ? schedule->timesteps[1] + (double)stride_of(sampler) : 0;
        if (start >= (double)schedule->train_timesteps) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "%zu steps: timestep %g lies outside 0…%zu; use fewer steps or another spacing",
                            schedule->steps, start, schedule->train_timesteps - 1);
        }
        return PLD_OK;
    }
    if (schedule->steps <= PRK_STEPS) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%zu steps: sampler 'pndm' needs at least %d when skip_prk_steps is false (%s)",
                        schedule->steps, PRK_STEPS + 1, sampler->config.file);
    }
    const int64_t half = stride_of(sampler) / 2;
    insert_runge_kutta(schedule, (double)half);
    return pld_check_timesteps(sampler, error);
}

static size_t step_of_call(const pld_sampler *sampler, size_t call) {
    if (sampler->config.skip_prk_steps) {
        return call ? call - 1 : 0;
    }
    return call < PRK_CALLS ? call / PRK_STEP_CALLS : call - PRK_CALLS + PRK_STEPS;
}

/** Eq. 9: from `timestep` to `next_timestep`, along `outputs` (ε or v, combined). `s->next`
 * gets the result. */
static void transfer(pld_sampler *sampler, const pld_step *s, const float *start, const float *output,
                     int64_t timestep, int64_t next_timestep) {
    pld_prediction prediction = sampler->config.prediction_type;
    float alpha_bar = pld_alpha_cumprod_at(sampler, timestep);
    float alpha_bar_next = pld_alpha_cumprod_at(sampler, next_timestep);
    float beta_bar = 1 - alpha_bar;
    float a = sqrtf(alpha_bar);
    float b = sqrtf(beta_bar);
    float sample_share = sqrtf(alpha_bar_next / alpha_bar);
    float difference = alpha_bar_next - alpha_bar;
    float divisor = alpha_bar * sqrtf(1 - alpha_bar_next) + sqrtf(alpha_bar * beta_bar * alpha_bar_next);
    for (size_t i = 0; i < s->count; i++) {
        float epsilon = pld_epsilon_preserving(prediction, output[i], start[i], a, b);
        s->next[i] = sample_share * start[i] - difference * epsilon / divisor;
    }
}

/** Keep an output as the newest. */
static void remember(pld_sampler *sampler, state *own, const pld_step *s) {
    pld_sampler_rotate(sampler, OUTPUTS, NEWEST);
    memcpy(sampler->buffers[NEWEST], s->noise_pred, s->count * sizeof(float));
    own->outputs += own->outputs <= NEWEST;
}

/** One of the four calls of a Runge-Kutta step (eq. 13): weights 1/6, 1/3, 1/3, 1/6. */
static void step_runge_kutta(pld_sampler *sampler, state *own, const pld_step *s) {
    size_t part = s->call % PRK_STEP_CALLS;
    float *start = sampler->buffers[START];
    float *sum = sampler->buffers[SUM];
    float weight = part == 0 || part == 3 ? (float)(1.0 / 6) : (float)(1.0 / 3);
    if (part == 0) {
        remember(sampler, own, s);
        memcpy(start, s->sample, s->count * sizeof *start);
        memset(sum, 0, s->count * sizeof *sum);
    }
    for (size_t i = 0; i < s->count; i++) {
        sum[i] += weight * s->noise_pred[i];
    }
    const double *timesteps = sampler->schedule.timesteps;
    int64_t from = (int64_t)timesteps[s->call - part];
    int64_t to = (int64_t)timesteps[s->call] - (part % 2 ? 0 : stride_of(sampler) / 2);
    transfer(sampler, s, start, part == 3 ? sum : s->noise_pred, from, to);
}

/** The two calls of the first step without Runge-Kutta: along the first output, then again along the mean of
 *  both. */
static void step_start(pld_sampler *sampler, state *own, const pld_step *s) {
    int64_t timestep = (int64_t)sampler->schedule.timesteps[s->call];
    int64_t stride = stride_of(sampler);
    float *start = sampler->buffers[START];
    if (sampler->finished_calls == 0) {
        remember(sampler, own, s);
        memcpy(start, s->sample, s->count * sizeof *start);
        transfer(sampler, s, start, s->noise_pred, timestep, timestep - stride);
        return;
    }
    float *mean = sampler->buffers[SUM];
    for (size_t i = 0; i < s->count; i++) {
        mean[i] = (s->noise_pred[i] + sampler->buffers[NEWEST][i]) / 2;
    }
    transfer(sampler, s, start, mean, timestep + stride, timestep);
}

/** The linear multistep combination of the outputs kept (eq. 12): sum[i]. */
static void combine(const pld_sampler *sampler, size_t outputs, size_t count, float *sum) {
    const float *e1 = sampler->buffers[NEWEST];
    const float *e2 = sampler->buffers[NEWEST - 1];
    const float *e3 = sampler->buffers[NEWEST - 2];
    const float *e4 = sampler->buffers[NEWEST - 3];
    for (size_t i = 0; i < count; i++) {
        switch (outputs) {
        case 1:
            sum[i] = e1[i];
            break;
        case 2:
            sum[i] = (3 * e1[i] - e2[i]) / 2;
            break;
        case 3:
            sum[i] = (23 * e1[i] - 16 * e2[i] + 5 * e3[i]) / 12;
            break;
        default:
            sum[i] = (float)(1.0 / 24) * (55 * e1[i] - 59 * e2[i] + 37 * e3[i] - 9 * e4[i]);
            break;
        }
    }
}

static void step(pld_sampler *sampler, const pld_step *s) {
    state *own = (state *)sampler->state;
    if (!sampler->config.skip_prk_steps && s->call < PRK_CALLS) {
        step_runge_kutta(sampler, own, s);
        return;
    }
    if (sampler->config.skip_prk_steps && sampler->finished_calls < 2) {
        step_start(sampler, own, s);
        return;
    }
    remember(sampler, own, s);
    combine(sampler, own->outputs, s->count, sampler->buffers[SUM]);
    int64_t timestep = (int64_t)sampler->schedule.timesteps[s->call];
    transfer(sampler, s, s->sample, sampler->buffers[SUM], timestep, timestep - stride_of(sampler));
}

/** The Runge-Kutta steps are tied to the first timesteps. */
static bool begins_at_noise(const pld_sampler *sampler) {
    return !sampler->config.skip_prk_steps;
}

static const pld_sampler_operations operations = {.begins_at_noise = begins_at_noise,
                                                  .buffers = SUM + 1,
                                                  .check = check,
                                                  .prepare = prepare,
                                                  .step_of_call = step_of_call,
                                                  .space = &pld_space_preserving,
                                                  .step = step};

const pld_sampler_kind pld_sampler_pndm = {
    .name = "pndm",
    .description = "linear multistep of order 4; one more call than steps",
    .class_name = "PNDMScheduler",
    .set_defaults = set_defaults,
    .fields = PLD_FIELDS_BETAS | PLD_FIELDS_SPACING | PLD_FIELD_BIT(SKIP_PRK_STEPS) |
              PLD_FIELD_BIT(SET_ALPHA_TO_ONE),
    .operations = &operations,
};
