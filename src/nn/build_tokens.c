/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of transformers: norms and sums with factors of their own for each picture, patches, positions. */
#include <string.h>

#include "core/memory.h"
#include "nn/build_internal.h"

static int64_t channels_of(const pld_builder *b, pld_value_id x) {
    return pld_build_failed(b) ? 0 : b->plan->values[x].channels;
}

/** Append a norm of tokens. */
static pld_operator *token_norm(pld_builder *b, const pld_operator_kind *kind, const char *name,
                                pld_value_id x, double epsilon, pld_value_id *out) {
    *out = pld_build_like(b, x, channels_of(b, x));
    pld_operator *op = pld_build_append(b, kind, name, x, PLD_NO_VALUE, *out);
    if (op) {
        op->epsilon = (float)epsilon;
    }
    return op;
}

pld_value_id pld_rms_norm(pld_builder *b, const char *name, pld_value_id x, double epsilon) {
    pld_value_id out;
    pld_operator *op = token_norm(b, &pld_operator_rms_norm, name, x, epsilon, &out);
    if (op) {
        op->weight = pld_build_bind(b, op->name, ".weight", 1, (int64_t[]){channels_of(b, x)});
    }
    return out;
}

pld_value_id pld_layer_norm_modulated(pld_builder *b, pld_value_id x, double epsilon, pld_slice scale,
                                      pld_slice shift) {
    pld_value_id out;
    pld_operator *op = token_norm(b, &pld_operator_layer_norm, "", x, epsilon, &out);
    if (op) {
        op->scale = scale;
        op->shift = shift;
        pld_build_touch_last(b, scale.value);
        pld_build_touch_last(b, shift.value);
    }
    return out;
}

pld_value_id pld_gate_with(pld_builder *b, pld_value_id x, pld_value_id second, pld_activation activation) {
    pld_operator *op = pld_build_append(b, &pld_operator_gate, "", x, second, x);
    if (op) {
        op->activation = (int)activation;
    }
    return x;
}

/** Whether the items of a gate lie as those of a value: each its own, or one for all. */
static bool gate_is_even(const pld_builder *b, pld_slice gate, pld_value_id into) {
    const pld_value *factors = &b->plan->values[gate.value], *value = &b->plan->values[into];
    return factors->batch == 1 || factors->batch == value->batch;
}

pld_value_id pld_linear_gated_into(pld_builder *b, const char *name, pld_value_id x, pld_value_id into,
                                   pld_slice gate) {
    if (!pld_build_failed(b) && gate_is_even(b, gate, into)) {
        pld_linear_into(b, name, x, into, true);
        if (!pld_build_failed(b)) {
            b->plan->operators[b->plan->operator_count - 1].gate = gate;
            pld_build_touch_last(b, gate.value);
        }
        return into;
    }
    const pld_value_id change = pld_linear(b, name, x, channels_of(b, into), true);
    pld_operator *op = pld_build_append(b, &pld_operator_gated_add, "", change, PLD_NO_VALUE, into);
    if (op) {
        op->gate = gate;
        pld_build_touch_last(b, gate.value);
    }
    return into;
}

pld_value_id pld_add_table(pld_builder *b, const char *name, pld_value_id x, int64_t rows, int64_t channels) {
    const pld_value_id out = pld_build_failed(b) ? PLD_NO_VALUE : pld_build_rows_of(b, x, rows, 1, channels);
    pld_operator *op = pld_build_append(b, &pld_operator_add_table, name, x, PLD_NO_VALUE, out);
    if (op) {
        op->weight = pld_build_bind(b, op->name, "", 2, (int64_t[]){rows, channels});
    }
    return out;
}

pld_value_id pld_take(pld_builder *b, pld_value_id x, int64_t offset, int64_t height, int64_t width,
                      int64_t channels) {
    const pld_value_id out =
        pld_build_failed(b) ? PLD_NO_VALUE : pld_build_rows_of(b, x, height, width, channels);
    pld_operator *op = pld_build_append(b, &pld_operator_take, "", x, PLD_NO_VALUE, out);
    if (op) {
        op->offset = offset;
    }
    return out;
}

/** Index of a new constant of the plan. */
static int add_constant(pld_builder *b, size_t floats, void (*fill)(const void *description, float *table),
                        const void *description, size_t description_bytes) {
    pld_plan *plan = b->plan;
    if (pld_build_failed(b)) {
        return -1;
    }
    if (!pld_grow((void **)&plan->constants, &plan->constant_capacity, plan->constant_count + 1,
                  sizeof *plan->constants)) {
        b->status = pld_fail_memory(b->error, sizeof *plan->constants, "plan");
        return -1;
    }
    pld_constant *constant = &plan->constants[plan->constant_count];
    *constant = (pld_constant){.fill = fill, .floats = floats};
    memcpy(constant->description, description, description_bytes);
    return (int)plan->constant_count++;
}

pld_value_id pld_add_positions(pld_builder *b, pld_value_id x,
                               void (*fill)(const void *description, float *table), const void *description,
                               size_t description_bytes) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value value = b->plan->values[x];
    const int constant = add_constant(b, (size_t)(value.height * value.width * value.channels), fill,
                                      description, description_bytes);
    pld_operator *op = pld_build_append(b, &pld_operator_add_constant, "", x, PLD_NO_VALUE, x);
    if (op) {
        op->constant = constant;
    }
    return x;
}

/** Append a change between a picture and its patches. */
static pld_value_id patches(pld_builder *b, const pld_operator_kind *kind, pld_value_id x, pld_value_id out,
                            int patch, bool channels_inner) {
    pld_operator *op = pld_build_append(b, kind, "", x, PLD_NO_VALUE, out);
    if (op) {
        op->patch = patch;
        op->channels_inner = channels_inner;
    }
    return out;
}

pld_value_id pld_patch_embed(pld_builder *b, const char *name, pld_value_id x, int64_t channels, int patch) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    if (from.height % patch != 0 || from.width % patch != 0) {
        b->status =
            pld_fail(b->error, PLD_ERROR_INTERNAL, "'%s': %lld x %lld does not divide into patches of %d",
                     name, (long long)from.width, (long long)from.height, patch);
        return PLD_NO_VALUE;
    }
    const int64_t depth = from.channels * patch * patch;
    const pld_value_id rows = pld_build_rows_of(b, x, from.height / patch, from.width / patch, depth);
    patches(b, &pld_operator_patchify, x, rows, patch, false);
    return pld_linear_stored(b, name, rows, channels, (int64_t[]){channels, from.channels, patch, patch});
}

pld_value_id pld_unpatchify(pld_builder *b, pld_value_id x, int64_t channels, int patch,
                            bool channels_inner) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    const pld_value_id out = pld_build_rows_of(b, x, from.height * patch, from.width * patch, channels);
    return patches(b, &pld_operator_unpatchify, x, out, patch, channels_inner);
}

pld_value_id pld_relative_bias(pld_builder *b, const char *name, int64_t tokens, int64_t buckets,
                               int64_t most_distance, int64_t heads) {
    const pld_value_id out = pld_build_source(b, 1, heads, 1, 2 * tokens - 1);
    pld_operator *op =
        pld_build_append(b, &pld_operator_relative_bias, name, PLD_NO_VALUE, PLD_NO_VALUE, out);
    if (op) {
        op->groups = buckets;
        op->offset = most_distance;
        op->weight = pld_build_bind(b, op->name, ".weight", 2, (int64_t[]){buckets, heads});
    }
    return out;
}
