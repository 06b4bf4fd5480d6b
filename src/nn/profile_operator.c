/* SPDX-License-Identifier: Apache-2.0 */
/** What a profile says about an operator. */
#include <stdio.h>

#include "nn/operators/operators.h"
#include "nn/profile.h"

static const pld_site *site_of(const pld_plan *plan, const pld_operator *op) {
    return op->kind == &pld_operator_attention ? &plan->sites[op->site] : NULL;
}

const char *pld_operator_label(const pld_plan *plan, const pld_operator *op) {
    const pld_site *site = site_of(plan, op);
    if (!site) {
        return op->kind->name;
    }
    return site->kind == PLD_SITE_CROSS ? "cross_attention" : "self_attention";
}

/** Keys that the queries of row `row` of the batch attend to. */
static int64_t key_count(const pld_run *run, const pld_operator *op, int64_t row) {
    const pld_value *query = &run->plan->values[op->in];
    bool cross = run->plan->sites[op->site].kind == PLD_SITE_CROSS;
    return cross && run->contexts ? run->contexts[row]->tokens : query->height * query->width;
}

double pld_operator_work(const pld_run *run, const pld_operator *op) {
    const pld_value *in = &run->plan->values[op->in];
    const pld_product_problem *p = &op->problem;
    if (site_of(run->plan, op)) {
        const pld_value *out = &run->plan->values[op->out];
        double work = 0;
        for (int64_t b = 0; b < out->batch; b++) {
            /* a causal row sees half of the keys */
            work += (op->causal ? 2.0 : 4.0) * (double)(in->height * in->width * in->channels) *
                    (double)key_count(run, op, pld_row_of_group(&out->groups, b));
        }
        return work;
    }
    if (p->out_channels == 0) {
        return 0;
    }
    double taps = p->kernel ? (double)(p->kernel * p->kernel) : 1;
    double pixels = p->kernel ? (double)(p->out_height * p->out_width) : (double)(p->height * p->width);
    return 2.0 * taps * (double)p->batch * pixels * (double)p->in_channels * (double)p->out_channels;
}

static const char *value_text(const pld_value *value, char *text, size_t size) {
    snprintf(text, size, "[%d, %dx%d, %d]", (int)value->batch, (int)value->height, (int)value->width,
             (int)value->channels);
    return text;
}

const char *pld_operator_shape(const pld_run *run, const pld_operator *op, char *text, size_t size) {
    char in[40], out[40];
    const pld_value *values = run->plan->values;
    if (op->in == PLD_NO_VALUE) {
        snprintf(text, size, "%s", value_text(&values[op->out], out, sizeof out));
    } else if (site_of(run->plan, op)) {
        snprintf(text, size, "%s %d heads, %d keys", value_text(&values[op->out], out, sizeof out), op->heads,
                 (int)key_count(run, op, 0));
    } else if (op->out == PLD_NO_VALUE) {
        snprintf(text, size, "%s", value_text(&values[op->in], in, sizeof in));
    } else {
        int used = snprintf(text, size, "%s -> %s", value_text(&values[op->in], in, sizeof in),
                            value_text(&values[op->out], out, sizeof out));
        if (op->problem.kernel && used > 0 && (size_t)used < size) {
            snprintf(text + used, size - (size_t)used, " %dx%d%s", (int)op->problem.kernel,
                     (int)op->problem.kernel, op->problem.stride > 1 ? " stride 2" : "");
        }
    }
    return text;
}

const char *pld_operator_implementation(const pld_operator *op) {
    return op->path ? op->path->name : "";
}
