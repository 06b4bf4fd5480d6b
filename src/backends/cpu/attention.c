/* SPDX-License-Identifier: Apache-2.0 */
/** Attention at a site: one kernel call for each row of the batch (or group of equal rows), under the variant
 * of the row's branch. */
#include "kernels/attention.h"

#include <string.h>

#include "backends/cpu/operators.h"
#include "backends/cpu/variants/variant.h"
#include "core/memory.h"

/** Mask of the keys of item `from` as bytes, at the beginning of the scratch. */
static size_t mask_bytes(const pld_executable *e, const pld_operator *op) {
    const pld_value_id mask = op->attention.as.mask;
    return mask == PLD_NO_VALUE ? 0
                                : ((size_t)pld_value_at(e, mask)->channels + PLD_ALIGNMENT - 1) /
                                      PLD_ALIGNMENT * PLD_ALIGNMENT;
}

/** What the description says of every item: sizes and rules, no addresses. */
static pld_attention_problem problem_of(const pld_executable *e, const pld_operator *op) {
    const pld_attention_description *as = &op->attention.as;
    const pld_value *query = pld_value_at(e, op->in);
    const int64_t width = query->channels;
    pld_attention_problem p;
    pld_attention_problem_init(&p, sizeof p);
    p.heads = as->heads;
    p.key_heads = as->key_heads;
    p.head_size = (int)(width / as->heads);
    p.query_count = (int64_t)pld_value_tokens(query);
    p.key_count = as->key == PLD_NO_VALUE ? 1 : (int64_t)pld_value_tokens(pld_value_at(e, as->key));
    p.key_count = as->valid_keys ? as->valid_keys : p.key_count;
    /* Text keys are few: there float32 costs nothing, and PLADIS magnifies roundings of logits. */
    p.bf16 = e->settings.bf16 && as->kind != PLD_SITE_CROSS;
    p.causal = as->causal;
    p.window = as->window;
    p.scale = as->scale;
    p.soft_cap = as->soft_cap;
    p.zero_keys = as->zero_keys;
    const int64_t key_width = as->key_heads ? (int64_t)p.head_size * as->key_heads : width;
    p.query_token_stride = p.out_token_stride = width;
    p.key_token_stride = p.value_token_stride = key_width;
    p.query_head_stride = p.key_head_stride = p.value_head_stride = p.out_head_stride = p.head_size;
    if (as->kind == PLD_SITE_JOINT) { /* the text begins or ends the tokens; the others are the image's */
        p.joint_text_keys = as->text_tokens;
        p.joint_first_text_key = as->first_text_token;
        p.joint_first_image_query = as->first_text_token == 0 ? as->text_tokens : 0;
        p.joint_image_queries = p.query_count - as->text_tokens;
    }
    return p;
}

/** Point the problem at the context of a row, from which its keys and values come. */
static void attend_context(const pld_operator *op, const pld_context *context, pld_attention_problem *p) {
    p->key_count = context->tokens;
    p->zero_keys = op->attention.as.zero_keys + context->zero_keys;
    p->key = pld_cpu_outside(context, op->attention.outside);
    p->value = pld_cpu_outside(context, op->attention.outside + 1);
}

/** The problem of item `b` of the output. Keys and values lie in the plan, or in the context of the item's row. */
static pld_attention_problem item_problem(const pld_executable *e, const pld_operator *op, int64_t b) {
    const pld_attention_description *as = &op->attention.as;
    const pld_value *query = pld_value_at(e, op->in), *out = pld_value_at(e, op->out);
    const int64_t row = pld_row_of_group(&out->groups, b);
    const int64_t from = pld_group_of_row(&query->groups, row);
    pld_attention_problem p = problem_of(e, op);
    p.query = pld_cpu_data(e, op->in) + (size_t)from * pld_item_floats(query);
    p.out = pld_cpu_data(e, op->out) + (size_t)b * pld_item_floats(out);
    if (as->key == PLD_NO_VALUE) {
        attend_context(op, e->run->contexts[row], &p);
    } else {
        const size_t step = pld_item_floats(pld_value_at(e, as->key));
        p.key = pld_cpu_data(e, as->key) + (size_t)from * step;
        p.value = pld_cpu_data(e, as->value) + (size_t)from * step;
    }
    if (as->relative_bias != PLD_NO_VALUE) { /* from the middle of each head's table */
        const int64_t tokens = (int64_t)pld_value_tokens(query);
        p.bias_head_stride = 2 * tokens - 1;
        p.bias_query_stride = -1;
        p.bias = pld_cpu_data(e, as->relative_bias) + tokens - 1;
    }
    if (as->mask != PLD_NO_VALUE) {
        const pld_value *mask = pld_value_at(e, as->mask);
        const float *counts = pld_cpu_data(e, as->mask) + pld_item_for(mask, out, b) * mask->channels;
        uint8_t *bytes = pld_cpu_scratch(e);
        for (int64_t key = 0; key < p.key_count; key++) {
            bytes[key] = counts[key] != 0;
        }
        p.key_mask = bytes;
    }
    return p;
}

static pld_branch branch_of(const pld_run *run, int64_t row) {
    return run->branch_of_row ? run->branch_of_row[row] : PLD_BRANCH_CONDITIONAL;
}

/** The most keys, and zero keys, that a context of the run has. */
static void widest_context(const pld_executable *e, const pld_operator *op, pld_attention_problem *p) {
    const pld_context *const *contexts = e->run->contexts;
    const pld_value *out = pld_value_at(e, op->out);
    int64_t zeros = e->context_zero_keys;
    p->key_count = e->context_tokens > 0 ? e->context_tokens : 1;
    for (int64_t b = 0; contexts && b < out->batch; b++) {
        const pld_context *context = contexts[pld_row_of_group(&out->groups, b)];
        p->key_count = context->tokens > p->key_count ? context->tokens : p->key_count;
        zeros = context->zero_keys > zeros ? context->zero_keys : zeros;
    }
    p->zero_keys += zeros;
}

/** The most that any variant asks for: scratch is made once, variants change from run to run. */
static size_t attention_scratch(const pld_executable *e, const pld_operator *op) {
    pld_attention_problem p = problem_of(e, op);
    if (op->attention.as.key == PLD_NO_VALUE) {
        widest_context(e, op, &p);
    }
    const size_t dense = pld_attention_scratch_size_with(pld_cpu_kernels(e), &p, pld_cpu_threads(e));
    if (op->attention.as.causal) {
        return mask_bytes(e, op) + dense;
    }
    p.rows = PLD_ROWS_PLADIS;
    p.lambda = 2; /* any but 0, which is softmax */
    p.alpha = 1.5F;
    const size_t sparse = pld_attention_scratch_size_with(pld_cpu_kernels(e), &p, pld_cpu_threads(e));
    return mask_bytes(e, op) + (sparse > dense ? sparse : dense);
}

/** One output for all queries, as for queries that are all the same. */
static void repeat_first_row(float *out, int64_t tokens, int64_t channels) {
    for (int64_t token = 1; token < tokens; token++) {
        memcpy(out + token * channels, out, (size_t)channels * sizeof *out);
    }
}

/** Show the observer the attention of each row for which item `b` of the output stands. */
static void observe_item(const pld_executable *e, const pld_operator *op, int64_t b,
                         const pld_attention_call *call) {
    const pld_row_groups *groups = &pld_value_at(e, op->out)->groups;
    const int64_t first = pld_row_of_group(groups, b);
    for (int64_t row = first; row < (groups->count ? groups->rows : first + 1); row++) {
        if (pld_group_of_row(groups, row) == b) {
            const pld_attention_view view = {(size_t)op->attention.site,
                                             branch_of(e->run, row),
                                             call->choice,
                                             &call->problem,
                                             call->height,
                                             call->width};
            e->run->observe(e->run->observe_user, &view);
        }
    }
}

/** Item `b` of the output under the entry of its row's branch. */
static pld_status run_item(const pld_executable *e, const pld_operator *op, int64_t b, pld_error *error) {
    static const pld_attention_choice softmax = {.rows = &pld_variant_softmax};
    const pld_value *query = pld_value_at(e, op->in);
    const pld_attention_description *as = &op->attention.as;
    const int64_t tokens = query->height * query->width;
    const int64_t picture = tokens - as->text_tokens - as->image_padding;
    const pld_branch branch = branch_of(e->run, pld_row_of_group(&pld_value_at(e, op->out)->groups, b));
    const pld_variant_table *variants = e->run->variants;
    pld_attention_call call = {
        .executable = e,
        .op = op,
        .choice = variants ? pld_variant_choice(variants, (size_t)op->attention.site, branch) : &softmax,
        .problem = item_problem(e, op, b),
        .height = as->image_columns ? picture / as->image_columns : query->height,
        .width = as->image_columns ? as->image_columns : query->width,
        .channels = query->channels,
        .scratch = (char *)pld_cpu_scratch(e) + mask_bytes(e, op),
        .scratch_bytes = e->scratch_bytes - mask_bytes(e, op),
        .parallel = {.threads = pld_cpu_threads_for(e, (size_t)(tokens * query->channels))}};
    float *out = call.problem.out;
    PLD_TRY(pld_attention_need_spare(&call, error));
    if (e->run->observe) {
        observe_item(e, op, b, &call);
    }
    if (call.choice->query) {
        PLD_TRY(pld_cpu_variants[call.choice->query->kind](&call, NULL, error));
    }
    const pld_attention_variant *outer = call.choice->contexts ? call.choice->contexts : call.choice->rows;
    PLD_TRY(pld_cpu_variants[outer->kind](&call, out, error));
    if (call.problem.query_count < tokens) {
        repeat_first_row(out, tokens, query->channels);
    }
    return PLD_OK;
}

static pld_status run_attention(pld_executable *e, const pld_operator *op, pld_error *error) {
    for (int64_t b = 0; b < pld_value_at(e, op->out)->batch; b++) {
        PLD_TRY(run_item(e, op, b, error));
    }
    pld_cpu_nag_join(e, op);
    return PLD_OK;
}

const pld_operator_code pld_cpu_attention = {NULL, attention_scratch, run_attention};
