/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/schedules/spacing.h"

#include <math.h>
#include <string.h>

#include "sampling/float_math.h"

/** Multiples of a whole stride, counted from timestep 0 and shifted. No stride fits: nothing is placed. */
static size_t place_leading(const pld_spacing_request *request, double *timesteps) {
    size_t points = request->steps + request->skip_zero;
    size_t stride = request->last_timestep / points;
    if (stride == 0) {
        return 0;
    }
    for (size_t i = 0; i < request->steps; i++) {
        timesteps[i] = (double)((points - 1 - i) * stride) + (double)request->offset;
    }
    return request->steps;
}

/** A fractional stride, counted down from the last timestep. The rounding of numpy's arange makes it one
 *  point more than asked for at some counts (61 of 1000, for one), at timestep −1: that point is left out. */
static size_t place_trailing(const pld_spacing_request *request, double *timesteps) {
    double last = (double)request->last_timestep;
    double stride = (double)request->train_timesteps / (double)request->steps;
    double second = last - stride;
    size_t count = (size_t)ceil(last / stride);
    count = count < request->steps ? count : request->steps;
    for (size_t i = 0; i < count; i++) {
        double point = i == 1 ? second : last + (double)i * (second - last);
        timesteps[i] = rint(point) - 1;
    }
    return count;
}

/** Equal distances from the last timestep to 0, both included. */
static size_t place_linspace(const pld_spacing_request *request, double *timesteps) {
    size_t points = request->steps + request->skip_zero;
    for (size_t i = 0; i < request->steps; i++) {
        timesteps[i] = pld_linspace_at(0, (double)request->last_timestep - 1, points, points - 1 - i);
    }
    return request->steps;
}

static const pld_spacing leading = {
    "leading", "equal whole strides up from timestep 0; does not reach the last timestep",
    PLD_SPACING_LEADING, place_leading};
static const pld_spacing trailing = {"trailing",
                                     "equal strides down from the last timestep; few-step models need it",
                                     PLD_SPACING_TRAILING, place_trailing};
static const pld_spacing linspace = {"linspace", "equally spaced, both ends included", PLD_SPACING_LINSPACE,
                                     place_linspace};

static const pld_spacing *const rows[] = {&leading, &trailing, &linspace, NULL};

const pld_spacing *const *pld_spacings(void) {
    return rows;
}

const pld_spacing *pld_spacing_find(const char *name) {
    for (size_t i = 0; rows[i]; i++) {
        if (strcmp(rows[i]->name, name) == 0) {
            return rows[i];
        }
    }
    return NULL;
}

const pld_spacing *pld_spacing_of(pld_timestep_spacing value) {
    for (size_t i = 0; rows[i]; i++) {
        if (rows[i]->value == value) {
            return rows[i];
        }
    }
    return rows[0];
}
