/* SPDX-License-Identifier: Apache-2.0 */
/** The beta distribution, for schedules that follow it. */
#ifndef PLD_SAMPLING_SCHEDULES_BETA_DISTRIBUTION_H
#define PLD_SAMPLING_SCHEDULES_BETA_DISTRIBUTION_H

/** Probability that a Beta(a, b) variable, a, b > 0, is at most x: the regularised incomplete beta function. */
double pld_beta_cdf(double x, double a, double b);

/** The x at which that probability is p (percent point function); exact at p = 0 and 1. */
double pld_beta_quantile(double p, double a, double b);

#endif
