/* SPDX-License-Identifier: Apache-2.0 */
/** The rows of the registry, each defined in the sampler's own file. */
#ifndef PLD_SAMPLING_SAMPLERS_KINDS_H
#define PLD_SAMPLING_SAMPLERS_KINDS_H

#include "sampling/sampler.h"

extern const pld_sampler_kind pld_sampler_ddim;
extern const pld_sampler_kind pld_sampler_ddim_trailing;
extern const pld_sampler_kind pld_sampler_pndm;
extern const pld_sampler_kind pld_sampler_euler;
extern const pld_sampler_kind pld_sampler_euler_a;
extern const pld_sampler_kind pld_sampler_heun;
extern const pld_sampler_kind pld_sampler_dpmpp_2m;
extern const pld_sampler_kind pld_sampler_dpmpp_2m_sde;
extern const pld_sampler_kind pld_sampler_unipc;
extern const pld_sampler_kind pld_sampler_lcm;
extern const pld_sampler_kind pld_sampler_tcd;
extern const pld_sampler_kind pld_sampler_scm;

/* what stands for euler, heun and lcm with flow models */
extern const pld_sampler_kind pld_sampler_flow_euler;
extern const pld_sampler_kind pld_sampler_flow_heun;
extern const pld_sampler_kind pld_sampler_flow_lcm;

#endif
