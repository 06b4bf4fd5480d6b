/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/null/check.h"

#include "backends/executor.h"
#include "core/memory.h"

/** Operator `index` uses a value. */
static void live(const pld_plan *plan, pld_null_life *lives, int index) {
    const pld_operator *op = &plan->operators[index];
    const pld_value_slot *slots = pld_operator_kinds[op->kind].slots;
    for (int i = 0; i < PLD_MOST_SLOTS; i++) {
        const pld_value_id id = slots[i].name ? pld_slot_value(op, &slots[i]) : PLD_NO_VALUE;
        if (id != PLD_NO_VALUE) {
            lives[id].first = lives[id].last < 0 ? index : lives[id].first;
            lives[id].last = index;
        }
    }
}

static void find_lives(const pld_plan *plan, pld_null_life *lives) {
    for (size_t i = 0; i < plan->value_count; i++) {
        lives[i] = (pld_null_life){-1, -1};
    }
    for (int i = 0; i < (int)plan->operator_count; i++) {
        live(plan, lives, i);
    }
    for (size_t i = 0; i < plan->value_count; i++) { /* inputs and outputs are the caller's, too */
        if (plan->values[i].life == PLD_VALUE_KEPT) {
            lives[i] = (pld_null_life){-1, (int)plan->operator_count};
        }
    }
}

/** Value `narrow` is made in the place of `wide`, which nothing reads afterwards. */
static bool takes_place(const pld_plan *plan, const pld_null_life *lives, pld_value_id wide,
                        pld_value_id narrow) {
    const pld_value *value = &plan->values[narrow];
    return value->narrows == wide && lives[wide].last == lives[narrow].first &&
           value->offset == plan->values[wide].offset && value->channels <= plan->values[wide].channels;
}

static pld_status check_places(const pld_plan *plan, const pld_null_life *lives, pld_error *error) {
    for (pld_value_id i = 0; i < (int)plan->value_count; i++) {
        const pld_value *a = &plan->values[i];
        const size_t end = a->offset + pld_value_floats(a);
        if (end > plan->memory_floats) {
            return pld_fail(error, PLD_ERROR_INTERNAL, "%s: value %d ends beyond the plan's memory",
                            plan->name ? plan->name : "plan", i);
        }
        for (pld_value_id j = 0; j < i; j++) {
            const pld_value *b = &plan->values[j];
            const bool meet = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
            const bool overlap = a->offset < b->offset + pld_value_floats(b) && b->offset < end;
            if (meet && overlap && !takes_place(plan, lives, j, i) && !takes_place(plan, lives, i, j)) {
                return pld_fail(error, PLD_ERROR_INTERNAL, "%s: values %d and %d lie on each other",
                                plan->name ? plan->name : "plan", j, i);
            }
        }
    }
    return PLD_OK;
}

static pld_status check_shapes(const pld_plan *plan, pld_error *error) {
    for (size_t i = 0; i < plan->operator_count; i++) {
        const pld_operator *op = &plan->operators[i];
        const pld_operator_kind_facts *kind = &pld_operator_kinds[op->kind];
        const char *misfit = kind->misfit ? kind->misfit(plan, op) : NULL;
        if (misfit) {
            return pld_fail(error, PLD_ERROR_INTERNAL, "operator %zu, %s '%s': misfit of %s", i, kind->name,
                            op->name, misfit);
        }
    }
    return PLD_OK;
}

pld_status pld_null_begin(pld_executable *executable, pld_error *error) {
    const pld_plan *plan = executable->plan;
    pld_null_plan *own = executable->state = pld_allocate(1, sizeof *own);
    if (own) {
        own->lives = pld_allocate(plan->value_count, sizeof *own->lives);
        own->written = pld_allocate(plan->value_count, sizeof *own->written);
    }
    if (!own || !own->lives || !own->written) {
        return pld_fail_memory(error, plan->value_count * sizeof *own->lives, "plan");
    }
    find_lives(plan, own->lives);
    PLD_TRY(check_shapes(plan, error));
    return check_places(plan, own->lives, error);
}

/** What comes from outside for row `row`: so many values from number `first` on, each [tokens, channels]; 0 tokens: those of
 * the text. */
static pld_status check_outside(const pld_executable *executable, const pld_operator *op, int64_t row,
                                int first, int count, int64_t tokens, int64_t channels, pld_error *error) {
    const pld_context *const *contexts = executable->run->contexts;
    const pld_context *context = contexts ? contexts[row] : NULL;
    for (int i = first; i < first + count; i++) {
        if (!context || i >= (int)context->plan->offer_count) {
            return pld_fail(error, PLD_ERROR_INTERNAL,
                            "%s '%s' takes value %d from outside, which is not there", op->label, op->name,
                            i);
        }
        const pld_value *value = &context->plan->values[context->plan->offers[i]];
        if (value->channels != channels ||
            value->height * value->width != (tokens ? tokens : context->tokens)) {
            return pld_fail(error, PLD_ERROR_INTERNAL, "%s '%s': value %d from outside has another shape",
                            op->label, op->name, i);
        }
    }
    return PLD_OK;
}

static pld_status check_context(const pld_executable *executable, const pld_operator *op, pld_error *error) {
    const pld_attention_description *as = &op->attention.as;
    const bool attends = op->kind == PLD_OPERATOR_ATTENTION && as->key == PLD_NO_VALUE;
    if (!attends && op->kind != PLD_OPERATOR_ADD_OUTSIDE && op->kind != PLD_OPERATOR_TAKE_OUTSIDE) {
        return PLD_OK;
    }
    const pld_value *out = &executable->plan->values[op->out];
    const int64_t width =
        attends && as->key_heads ? out->channels / as->heads * as->key_heads : out->channels;
    for (int64_t b = 0; b < out->batch; b++) {
        PLD_TRY(check_outside(executable, op, pld_row_of_group(&out->groups, b),
                              attends ? op->attention.outside : op->outside, attends ? 2 : 1,
                              attends ? 0 : out->height * out->width, width, error));
    }
    return PLD_OK;
}

/** The first operator of a run finds nothing written but the inputs. */
static void begin_run(const pld_executable *executable) {
    const pld_plan *plan = executable->plan;
    pld_null_plan *own = executable->state;
    for (size_t i = 0; i < plan->value_count; i++) {
        own->written[i] = plan->values[i].input;
    }
}

pld_status pld_null_run(pld_executable *executable, const pld_operator *op, pld_error *error) {
    const pld_plan *plan = executable->plan;
    pld_null_plan *own = executable->state;
    pld_null_counts *counts = &((pld_null_device *)executable->device)->counts;
    if (op == plan->operators) {
        begin_run(executable);
    }
    const pld_value_slot *slots = pld_operator_kinds[op->kind].slots;
    for (int pass = 0; pass < 2; pass++) { /* all that is read before what is written */
        const pld_value_access access = pass ? PLD_WRITES : PLD_READS;
        for (int i = 0; i < PLD_MOST_SLOTS; i++) {
            const pld_value_id id = slots[i].name ? pld_slot_value(op, &slots[i]) : PLD_NO_VALUE;
            if (id == PLD_NO_VALUE || !(slots[i].access & access)) {
                continue;
            }
            if (!pass && !own->written[id]) {
                return pld_fail(error, PLD_ERROR_INTERNAL,
                                "operator %zu, %s '%s', reads %s, value %d, which nothing has written",
                                (size_t)(op - plan->operators), op->label, op->name, slots[i].name, id);
            }
            own->written[id] = true;
        }
    }
    PLD_TRY(check_context(executable, op, error));
    counts->operators++;
    counts->work += pld_run_operator_work(executable->run, op);
    return PLD_OK;
}
