/* SPDX-License-Identifier: Apache-2.0 */
/** The rows of the registry of guidance methods, and what their files share. */
#ifndef PLD_SAMPLING_GUIDANCE_METHODS_H
#define PLD_SAMPLING_GUIDANCE_METHODS_H

#include <stdio.h>

#include "core/status.h"
#include "sampling/guidance.h"

extern const pld_guidance_method pld_guidance_none;
extern const pld_guidance_method pld_guidance_cfg;
extern const pld_guidance_method pld_guidance_cfg_plus_plus;
extern const pld_guidance_method pld_guidance_apg;
extern const pld_guidance_method pld_guidance_cfg_zero;
extern const pld_guidance_method pld_guidance_pag;
extern const pld_guidance_method pld_guidance_seg;
extern const pld_guidance_method pld_guidance_slg;
extern const pld_guidance_method pld_guidance_rescale;
extern const pld_guidance_method pld_guidance_normalization;
extern const pld_guidance_method pld_guidance_interval;
extern const pld_guidance_method pld_guidance_freeu;
extern const pld_guidance_method pld_guidance_nag;
extern const pld_guidance_method pld_guidance_gag;

#define PLD_GUIDANCE_KEY_COUNT(keys) (sizeof(keys) / sizeof(keys)[0])

/** The key `scale` of cfg, apg and cfg-zero: the run's cfg-scale unless the text gives it. */
#define PLD_GUIDANCE_CFG_SCALE_KEY                                                                           \
    {                                                                                                        \
        .name = "scale", .kind = PLD_GUIDANCE_NUMBER, .fallback = NAN, .minimum = 0, .maximum = 100,         \
        .fallback_text = "the cfg-scale", .help = "strength; 1 is off"                                       \
    }

/** Give values[0], a PLD_GUIDANCE_CFG_SCALE_KEY, its value. Two different ones are refused. */
pld_status pld_guidance_settle_cfg_scale(pld_guidance *g, const pld_guidance_request *request,
                                         pld_error *error);
/** The same for methods that mean nothing at a scale of 1, which is refused. */
pld_status pld_guidance_settle_scale_above_1(pld_guidance *g, const pld_guidance_request *request,
                                             pld_error *error);

/** Give g->layers, which key `index` names, the model's own unless the text gives it. */
static inline void pld_guidance_settle_layers(pld_guidance *g, size_t index,
                                              const pld_guidance_request *request) {
    if (!g->given[index]) {
        snprintf(g->layers, sizeof g->layers, "%s",
                 request->default_layers ? request->default_layers : "all");
    }
}

/* Sums in double, so that results do not depend on how a compiler orders them. */

double pld_guidance_dot(const float *a, const float *b, size_t count);
/** Standard deviation with n − 1, as torch's. */
double pld_guidance_deviation(const float *x, size_t count);
/** out = base + scale·(a − b) */
void pld_guidance_extrapolate(const float *base, double scale, const float *a, const float *b, size_t count,
                              float *out);

#endif
