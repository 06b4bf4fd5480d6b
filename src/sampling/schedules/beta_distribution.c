/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/schedules/beta_distribution.h"

#include <math.h>
#include <stdbool.h>

enum { MAX_TERMS = 500, MAX_ITERATIONS = 200 };

/** Continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8), by Lentz's method;
 *  converges quickly for x < (a + 1)/(a + b + 2). */
static double continued_fraction(double x, double a, double b) {
    const double tiny = 1e-300;
    double ratio = 1 - (a + b) * x / (a + 1);
    double d = 1 / (fabs(ratio) < tiny ? tiny : ratio);
    double c = 1;
    double value = d;
    for (int m = 1; m < MAX_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int part = 0; part < 2; part++) {
            double term = part ? odd : even;
            d = 1 + term * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + term / c;
            c = fabs(c) < tiny ? tiny : c;
            value *= c * d;
        }
        if (fabs(c * d - 1) < 1e-16) {
            break;
        }
    }
    return value;
}

double pld_beta_cdf(double x, double a, double b) {
    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    double log_front = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x);
    if (x < (a + 1) / (a + b + 2)) {
        return exp(log_front) * continued_fraction(x, a, b) / a;
    }
    return 1 - exp(log_front) * continued_fraction(1 - x, b, a) / b;
}

/** The quantile for a probability whose root lies at or below one half, where relative accuracy is had.
 *  Newton steps in log x, kept inside a bracket by bisection. */
static double lower_quantile(double p, double a, double b) {
    double low = 0;
    double high = 1;
    double log_beta = lgamma(a) + lgamma(b) - lgamma(a + b);
    /* near 0 the distribution is x^a / (a B(a, b)) */
    double x = fmin(exp((log(p) + log(a) + log_beta) / a), 0.5);
    for (int i = 0; i < MAX_ITERATIONS; i++) {
        double excess = pld_beta_cdf(x, a, b) - p;
        if (excess > 0) {
            high = x;
        } else {
            low = x;
        }
        double log_density = (a - 1) * log(x) + (b - 1) * log1p(-x) - log_beta;
        double next = x * exp(-excess / (exp(log_density) * x));
        if (!(next > low && next < high)) {
            next = (low + high) / 2;
        }
        if (fabs(next - x) <= 1e-16 * x) {
            return next;
        }
        x = next;
    }
    return x;
}

double pld_beta_quantile(double p, double a, double b) {
    if (p <= 0 || p >= 1) {
        return p <= 0 ? 0 : 1;
    }
    bool upper = p > pld_beta_cdf(0.5, a, b);
    return upper ? 1 - lower_quantile(1 - p, b, a) : lower_quantile(p, a, b);
}
