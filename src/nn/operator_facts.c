/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an operator: its work and its shapes. */
#include <stdio.h>

#include "nn/plan.h"

static bool is_product(const pld_operator *op) {
    return op->kind == PLD_OPERATOR_LINEAR || op->kind == PLD_OPERATOR_CONV;
}

/** Keys that the queries of row `row` of the batch attend to. */
static int64_t key_count(const pld_plan *plan, const pld_operator *op, pld_text_lengths texts, int64_t row) {
    const pld_attention_description *as = &op->attention.as;
    if (as->key == PLD_NO_VALUE) {
        return texts.of_row ? texts.of_row[row] : 1;
    }
    const pld_value *key = &plan->values[as->key];
    const int64_t tokens = key->height * key->width;
    return as->valid_keys && as->valid_keys < tokens ? as->valid_keys : tokens;
}

static double product_work(const pld_product_problem *p) {
    const double taps = p->kernel ? (double)(p->kernel * p->kernel) : 1;
    const double pixels = p->kernel ? (double)(p->out_height * p->out_width) : (double)(p->height * p->width);
    return 2.0 * taps * (double)p->batch * pixels * (double)p->in_channels * (double)p->out_channels /
           (double)(p->groups ? p->groups : 1);
}

static double attention_work(const pld_plan *plan, const pld_operator *op, pld_text_lengths texts) {
    const pld_value *in = &plan->values[op->in], *out = &plan->values[op->out];
    const pld_attention_description *as = &op->attention.as;
    double work = 0;
    for (int64_t b = 0; b < out->batch; b++) {
        int64_t keys = key_count(plan, op, texts, pld_row_of_group(&out->groups, b));
        keys = as->window && as->window < keys / 2 ? 2 * as->window : keys;
        const int64_t queries = in->height * in->width;
        /* causal rows see half of the keys that are queries, too, and those behind them all keys */
        const double seen = (double)queries - (as->causal ? (double)keys / 2 : 0);
        work += 4.0 * seen * (double)in->channels * (double)keys;
    }
    return work;
}

/** Products of keys with values, and of queries with their sums. */
static double linear_attention_work(const pld_plan *plan, const pld_operator *op) {
    const pld_value *out = &plan->values[op->out];
    const int64_t size = out->channels / op->attention.as.heads;
    return 4.0 * (double)(out->batch * out->height * out->width * out->channels) * (double)size;
}

static double depthwise_work(const pld_plan *plan, const pld_operator *op) {
    const pld_value *in = &plan->values[op->in];
    const double taps = (double)(op->depthwise.side * op->depthwise.side);
    return 2.0 * taps * (double)(in->batch * in->height * in->width * in->channels);
}

double pld_operator_work(const pld_plan *plan, const pld_operator *op, pld_text_lengths texts) {
    return is_product(op)                              ? product_work(&op->product.problem)
           : op->kind == PLD_OPERATOR_ATTENTION        ? attention_work(plan, op, texts)
           : op->kind == PLD_OPERATOR_LINEAR_ATTENTION ? linear_attention_work(plan, op)
           : op->kind == PLD_OPERATOR_DEPTHWISE        ? depthwise_work(plan, op)
                                                       : 0;
}

static const char *value_text(const pld_value *value, char *text, size_t size) {
    snprintf(text, size, "[%d, %dx%d, %d]", (int)value->batch, (int)value->height, (int)value->width,
             (int)value->channels);
    return text;
}

const char *pld_operator_shape(const pld_plan *plan, const pld_operator *op, pld_text_lengths texts,
                               char *text, size_t size) {
    char in[40] = "", out[40] = "", more[48] = "";
    const pld_value *values = plan->values;
    if (op->in != PLD_NO_VALUE && op->kind != PLD_OPERATOR_ATTENTION) {
        value_text(&values[op->in], in, sizeof in);
    }
    if (op->out != PLD_NO_VALUE) {
        value_text(&values[op->out], out, sizeof out);
    }
    if (op->kind == PLD_OPERATOR_ATTENTION) {
        snprintf(more, sizeof more, " %d heads, %d keys", op->attention.as.heads,
                 (int)key_count(plan, op, texts, 0));
    } else if (is_product(op) && op->product.problem.kernel) {
        const pld_product_problem *p = &op->product.problem;
        snprintf(more, sizeof more, " %dx%d%s", (int)p->kernel, (int)p->kernel,
                 p->stride > 1 ? " stride 2" : "");
    }
    snprintf(text, size, "%s%s%s%s", in, in[0] && out[0] ? " -> " : "", out, more);
    return text;
}
