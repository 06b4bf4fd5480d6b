/* SPDX-License-Identifier: Apache-2.0 */
/** A network for one shape, as a list of operators over values; built by build.h, run by a backend.
 *
 *  A value is a buffer [batch, height·width, channels] of float32 in NHWC (token-major) order. Operators
 * append in the order in which they run, so the first and last operator that touches a value bound its life,
 * and values whose lives do not overlap share memory:
 *
 *      | value 0 | value 3 (0 is dead) … | outputs, never shared | scratch of the largest operator |
 *
 *  A plan says what is computed, and nothing of where: it holds no memory and no weights' data. A backend prepares it
 * (backends/executor.h), and keeps all of that in an executable beside it.
 */
#ifndef PLD_NN_PLAN_H
#define PLD_NN_PLAN_H

#include "nn/operator.h"
#include "nn/value.h"

/** A table that depends on shapes alone: made when the plan is prepared, and kept by the backend. */
typedef struct pld_constant {
    void (*fill)(const void *description, float *table);
    int64_t description[8]; /**< what `fill` is told, a struct of the network's */
    size_t floats;
} pld_constant;

/** Sets of kinds; all are those that have rows of logits. PLADIS acts on attentions to a text. */
enum {
    PLD_SITES_SELF = 1 << PLD_SITE_SELF,
    PLD_SITES_CROSS = 1 << PLD_SITE_CROSS,
    PLD_SITES_JOINT = 1 << PLD_SITE_JOINT,
    PLD_SITES_LINEAR = 1 << PLD_SITE_LINEAR,
    PLD_SITES_TEXT = PLD_SITES_CROSS | PLD_SITES_JOINT,
    PLD_SITES_ALL = PLD_SITES_SELF | PLD_SITES_TEXT
};

/** An attention that variants can be put on. */
typedef struct pld_site {
    char name[PLD_PLAN_NAME]; /**< "down_blocks.0.attentions.1.transformer_blocks.0.attn2" */
    pld_site_kind kind;
    int heads, head_size;
    int block; /**< number of its block in a transformer; −1: it has no number */
} pld_site;

typedef struct pld_plan {
    const char *name; /**< of the network, for profiles: "unet"; NULL: none */
    pld_parameters *parameters;
    pld_value *values;
    size_t value_count, value_capacity;
    pld_operator *operators;
    size_t operator_count, operator_capacity;
    pld_site *sites;
    size_t site_count, site_capacity;
    pld_value_id *offers; /**< what it computes for another plan, which takes it as values from outside */
    size_t offer_count, offer_capacity;
    int outside_count; /**< values from outside that it takes */
    pld_constant *constants;
    size_t constant_count, constant_capacity;
    size_t memory_floats;              /**< of all values, after pld_plan_layout */
    struct pld_executable *executable; /**< made of it by a backend (backends/backend.h); NULL: nothing yet */
    void (*release)(struct pld_plan *plan); /**< frees that */
} pld_plan;

/** An empty plan that borrows `parameters`; NULL for one that is only laid out, to learn its sizes. */
void pld_plan_init(pld_plan *plan, pld_parameters *parameters);
/** Free everything and empty the struct. */
void pld_plan_free(pld_plan *plan);

/** Give every value its offset: greedy, largest first, lowest place free during the value's life.
 *  PLD_ERROR_MEMORY when sizes overflow. */
pld_status pld_plan_layout(pld_plan *plan, pld_error *error);

#endif
