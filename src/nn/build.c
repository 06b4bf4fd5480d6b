/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/build_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

void pld_builder_init(pld_builder *b, pld_plan *plan, pld_error *error) {
    *b = (pld_builder){.plan = plan, .error = error};
}

size_t pld_scope_enter(pld_builder *b, const char *format, ...) {
    size_t mark = strlen(b->scope);
    size_t used = mark;
    if (used && used + 1 < sizeof b->scope) {
        b->scope[used++] = '.';
    }
    va_list arguments;
    va_start(arguments, format);
    pld_print_arguments(b->scope + used, sizeof b->scope - used, format, arguments);
    va_end(arguments);
    return mark;
}

void pld_scope_leave(pld_builder *b, size_t mark) {
    b->scope[mark] = 0;
}

bool pld_build_failed(const pld_builder *b) {
    return b->status != PLD_OK;
}

static pld_value_id add_value(pld_builder *b, pld_value value) {
    pld_plan *plan = b->plan;
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    if (!pld_grow((void **)&plan->values, &plan->value_capacity, plan->value_count + 1, sizeof value)) {
        b->status = pld_fail_memory(b->error, sizeof value, "plan");
        return PLD_NO_VALUE;
    }
    plan->values[plan->value_count] = value;
    return (pld_value_id)plan->value_count++;
}

pld_value_id pld_build_value(pld_builder *b, pld_row_groups groups, int64_t batch, int64_t height,
                             int64_t width, int64_t channels) {
    return add_value(b, (pld_value){.batch = groups.count ? groups.count : batch,
                                    .groups = groups,
                                    .height = height,
                                    .width = width,
                                    .channels = channels,
                                    .first = -1,
                                    .last = -1,
                                    .held = -1,
                                    .narrows = PLD_NO_VALUE});
}

/** A value that is made of no other. */
pld_value_id pld_build_source(pld_builder *b, int64_t batch, int64_t height, int64_t width,
                              int64_t channels) {
    return pld_build_value(b, pld_row_groups_at_input(b->sharing), batch, height, width, channels);
}

/** A value of x's rows with another shape. */
pld_value_id pld_build_rows_of(pld_builder *b, pld_value_id x, int64_t height, int64_t width,
                               int64_t channels) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value *value = &b->plan->values[x];
    return pld_build_value(b, value->groups, value->batch, height, width, channels);
}

/** A value of x's tokens with another number of channels. */
pld_value_id pld_build_like(pld_builder *b, pld_value_id x, int64_t channels) {
    return pld_build_failed(b)
               ? PLD_NO_VALUE
               : pld_build_rows_of(b, x, b->plan->values[x].height, b->plan->values[x].width, channels);
}

pld_operator pld_build_operator(pld_builder *b, pld_operator_kind kind, const char *name, pld_value_id in,
                                pld_value_id out) {
    pld_operator op = pld_operator_of(kind);
    op.in = in;
    op.out = out;
    const char *dot = b->scope[0] && name[0] ? "." : "";
    int length = snprintf(op.name, sizeof op.name, "%s%s%s", b->scope, dot, name);
    if (!pld_build_failed(b) && (length < 0 || (size_t)length >= sizeof op.name)) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL, "module path '%s.%s' is too long", b->scope, name);
    }
    return op;
}

/** Operator number `index` uses a value (PLD_NO_VALUE: nothing). */
static void touch(pld_plan *plan, pld_value_id id, int index) {
    if (id != PLD_NO_VALUE) {
        pld_value *value = &plan->values[id];
        value->first = value->first < 0 ? index : value->first;
        value->last = index;
    }
}

void pld_build_append(pld_builder *b, const pld_operator *op) {
    pld_plan *plan = b->plan;
    if (pld_build_failed(b)) {
        return;
    }
    if (!pld_grow((void **)&plan->operators, &plan->operator_capacity, plan->operator_count + 1,
                  sizeof *plan->operators)) {
        b->status = pld_fail_memory(b->error, sizeof *plan->operators, "plan");
        return;
    }
    const int index = (int)plan->operator_count++;
    plan->operators[index] = *op;
    const pld_value_slot *slots = pld_operator_kinds[op->kind].slots;
    for (int i = 0; i < PLD_MOST_SLOTS; i++) {
        touch(plan, slots[i].name ? pld_slot_value(op, &slots[i]) : PLD_NO_VALUE, index);
    }
}

void pld_build_simple(pld_builder *b, pld_operator_kind kind, const char *name, pld_value_id in,
                      pld_value_id out) {
    const pld_operator op = pld_build_operator(b, kind, name, in, out);
    pld_build_append(b, &op);
}

int pld_build_constant(pld_builder *b, size_t floats, void (*fill)(const void *description, float *table),
                       const void *description, size_t description_bytes) {
    pld_plan *plan = b->plan;
    if (pld_build_failed(b)) {
        return -1;
    }
    pld_constant wanted = {.fill = fill, .floats = floats};
    if (description_bytes > 0) {
        memcpy(wanted.description, description, description_bytes);
    }
    for (size_t i = 0; i < plan->constant_count; i++) {
        const pld_constant *have = &plan->constants[i];
        if (have->fill == fill && have->floats == floats &&
            memcmp(have->description, wanted.description, sizeof wanted.description) == 0) {
            return (int)i;
        }
    }
    if (!pld_grow((void **)&plan->constants, &plan->constant_capacity, plan->constant_count + 1,
                  sizeof *plan->constants)) {
        b->status = pld_fail_memory(b->error, sizeof *plan->constants, "plan");
        return -1;
    }
    plan->constants[plan->constant_count] = wanted;
    return (int)plan->constant_count++;
}

int64_t pld_build_channels(const pld_builder *b, pld_value_id x) {
    return pld_build_failed(b) ? 0 : b->plan->values[x].channels;
}

/** Bind NAME.suffix of an operator; nothing in a plan without parameters. */
pld_parameter *pld_build_bind(pld_builder *b, const char *module, const char *suffix, int rank,
                              const int64_t *shape) {
    char name[2 * PLD_PLAN_NAME + 16];
    snprintf(name, sizeof name, "%s%s", module, suffix);
    pld_parameter *parameter = NULL;
    if (!pld_build_failed(b) && b->plan->parameters) {
        b->status = pld_parameters_bind(b->plan->parameters, name, rank, shape, &parameter, b->error);
    }
    return parameter;
}

pld_parameter *pld_build_bind_last_step(pld_builder *b, const char *module, const char *suffix,
                                        const int64_t shape[4], int64_t steps) {
    char name[2 * PLD_PLAN_NAME + 16];
    snprintf(name, sizeof name, "%s%s", module, suffix);
    pld_parameter *parameter = NULL;
    if (!pld_build_failed(b) && b->plan->parameters) {
        b->status =
            pld_parameters_bind_last_step(b->plan->parameters, name, shape, steps, &parameter, b->error);
    }
    return parameter;
}

void pld_pass_over(pld_builder *b, const char *name) {
    char whole[2 * PLD_PLAN_NAME + 16];
    snprintf(whole, sizeof whole, "%s.%s", b->scope, name);
    if (!pld_build_failed(b) && b->plan->parameters) {
        pld_parameters_ignore(b->plan->parameters, whole);
    }
}

pld_value_id pld_input(pld_builder *b, int64_t batch, int64_t height, int64_t width, int64_t channels) {
    pld_value_id id = pld_build_source(b, batch, height, width, channels);
    pld_keep(b, id);
    if (!pld_build_failed(b)) {
        b->plan->values[id].input = true;
    }
    return id;
}

void pld_keep(pld_builder *b, pld_value_id x) {
    if (!pld_build_failed(b)) {
        b->plan->values[x].life = PLD_VALUE_KEPT;
    }
}

void pld_offer(pld_builder *b, pld_value_id x) {
    pld_plan *plan = b->plan;
    if (pld_build_failed(b)) {
        return;
    }
    if (!pld_grow((void **)&plan->offers, &plan->offer_capacity, plan->offer_count + 1,
                  sizeof *plan->offers)) {
        b->status = pld_fail_memory(b->error, sizeof *plan->offers, "plan");
        return;
    }
    pld_keep(b, x);
    plan->offers[plan->offer_count++] = x;
}

void pld_tap(pld_builder *b, const char *name, pld_value_id x) {
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_TAP, "", x, PLD_NO_VALUE);
    snprintf(op.name, sizeof op.name, "%s", name);
    pld_build_append(b, &op);
}
