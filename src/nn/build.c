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

void pld_build_touch(pld_plan *plan, pld_value_id id, int op) {
    if (id != PLD_NO_VALUE) {
        pld_value *value = &plan->values[id];
        value->first = value->first < 0 ? op : value->first;
        value->last = op;
    }
}

/** Append; the name is scope.name (either may be empty). NULL after a failure. */
pld_operator *pld_build_append(pld_builder *b, const pld_operator_kind *kind, const char *name,
                               pld_value_id in, pld_value_id second, pld_value_id out) {
    pld_plan *plan = b->plan;
    if (pld_build_failed(b)) {
        return NULL;
    }
    if (!pld_grow((void **)&plan->operators, &plan->operator_capacity, plan->operator_count + 1,
                  sizeof *plan->operators)) {
        b->status = pld_fail_memory(b->error, sizeof *plan->operators, "plan");
        return NULL;
    }
    int index = (int)plan->operator_count++;
    pld_operator *op = &plan->operators[index];
    *op = (pld_operator){.kind = kind,
                         .in = in,
                         .second = second,
                         .out = out,
                         .key = PLD_NO_VALUE,
                         .value = PLD_NO_VALUE,
                         .residual = PLD_NO_VALUE,
                         .factors = PLD_NO_VALUE,
                         .vector = PLD_NO_VALUE,
                         .scale = PLD_NO_SLICE,
                         .shift = PLD_NO_SLICE,
                         .gate = PLD_NO_SLICE,
                         .relative_bias = PLD_NO_VALUE,
                         .constant = -1};
    const char *dot = b->scope[0] && name[0] ? "." : "";
    int length = snprintf(op->name, sizeof op->name, "%s%s%s", b->scope, dot, name);
    if (length < 0 || (size_t)length >= sizeof op->name) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL, "module path '%s.%s' is too long", b->scope, name);
        return NULL;
    }
    pld_build_touch(plan, in, index);
    pld_build_touch(plan, second, index);
    pld_build_touch(plan, out, index);
    return op;
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

pld_value_id pld_input(pld_builder *b, int64_t batch, int64_t height, int64_t width, int64_t channels) {
    pld_value_id id = pld_build_source(b, batch, height, width, channels);
    pld_keep(b, id);
    return id;
}

void pld_keep(pld_builder *b, pld_value_id x) {
    if (!pld_build_failed(b)) {
        b->plan->values[x].life = PLD_VALUE_KEPT;
    }
}

static const pld_conv_geometry no_kernel = {0, 0, 0, 0};

/** A linear layer (geometry.kernel 0) or convolution from x to `channels` channels, which are those of out
 *  unless a GEGLU halves them. `stored`: four axes of the weight where they are not those; or NULL. */
static pld_value_id product_of(pld_builder *b, const char *name, pld_value_id x, pld_value_id out,
                               int64_t channels, const pld_around *around, bool bias,
                               pld_conv_geometry geometry, const int64_t *stored) {
    const bool linear = geometry.kernel == 0;
    pld_operator *op =
        pld_build_append(b, linear ? &pld_operator_linear : &pld_operator_conv, name, x, PLD_NO_VALUE, out);
    if (!op) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    const pld_value to = b->plan->values[out];
    op->problem = (pld_product_problem){.batch = from.batch,
                                        .height = around->height ? around->height : from.height,
                                        .width = around->height ? around->width : from.width,
                                        .in_channels = from.channels,
                                        .out_height = to.height,
                                        .out_width = to.width,
                                        .out_channels = channels,
                                        .kernel = geometry.kernel,
                                        .stride = geometry.stride,
                                        .pad_before = geometry.pad_before,
                                        .pad_after = geometry.pad_after,
                                        .bias = bias,
                                        .accumulate = around->residual != PLD_NO_VALUE};
    op->residual = around->residual;
    op->factors = around->factors;
    op->vector = around->vector;
    const int index = (int)b->plan->operator_count - 1;
    pld_build_touch(b->plan, op->residual, index);
    pld_build_touch(b->plan, op->factors, index);
    pld_build_touch(b->plan, op->vector, index);
    op->geglu = channels != to.channels;
    const int64_t shape[4] = {channels, from.channels, geometry.kernel, geometry.kernel};
    op->weight = pld_build_bind(b, op->name, ".weight", linear && !stored ? 2 : 4, stored ? stored : shape);
    op->bias = bias ? pld_build_bind(b, op->name, ".bias", 1, shape) : NULL;
    return out;
}

static pld_value_id product(pld_builder *b, const char *name, pld_value_id x, pld_value_id out,
                            const pld_around *around, bool bias, pld_conv_geometry geometry) {
    return pld_build_failed(b)
               ? PLD_NO_VALUE
               : product_of(b, name, x, out, b->plan->values[out].channels, around, bias, geometry, NULL);
}

pld_value_id pld_linear_geglu(pld_builder *b, const char *name, pld_value_id x, int64_t channels) {
    return product_of(b, name, x, pld_build_like(b, x, channels), 2 * channels, &PLD_NOTHING_AROUND, true,
                      no_kernel, NULL);
}

pld_value_id pld_linear(pld_builder *b, const char *name, pld_value_id x, int64_t channels, bool bias) {
    return product(b, name, x, pld_build_like(b, x, channels), &PLD_NOTHING_AROUND, bias, no_kernel);
}

pld_value_id pld_linear_stored(pld_builder *b, const char *name, pld_value_id x, int64_t channels,
                               const int64_t *shape) {
    return pld_build_failed(b) ? PLD_NO_VALUE
                               : product_of(b, name, x, pld_build_like(b, x, channels), channels,
                                            &PLD_NOTHING_AROUND, true, no_kernel, shape);
}

pld_value_id pld_linear_narrow(pld_builder *b, const char *name, pld_value_id x, int64_t channels) {
    const pld_value_id out = pld_linear(b, name, x, channels, true);
    if (!pld_build_failed(b)) {
        b->plan->values[out].narrows = x;
    }
    return out;
}

pld_value_id pld_linear_f32(pld_builder *b, const char *name, pld_value_id x, int64_t channels, bool bias) {
    const pld_value_id out = pld_linear(b, name, x, channels, bias);
    if (!pld_build_failed(b)) {
        b->plan->operators[b->plan->operator_count - 1].f32 = true;
    }
    return out;
}

pld_value_id pld_linear_into(pld_builder *b, const char *name, pld_value_id x, pld_value_id into, bool bias) {
    pld_around around = PLD_NOTHING_AROUND;
    around.residual = into;
    return product(b, name, x, into, &around, bias, no_kernel);
}

pld_value_id pld_linear_plus(pld_builder *b, const char *name, pld_value_id x, pld_value_id residual) {
    pld_around around = PLD_NOTHING_AROUND;
    around.residual = residual;
    pld_value_id out =
        pld_build_failed(b) ? PLD_NO_VALUE : pld_build_like(b, residual, b->plan->values[residual].channels);
    return product(b, name, x, out, &around, true, no_kernel);
}

pld_value_id pld_conv(pld_builder *b, const char *name, pld_value_id x, int64_t channels,
                      pld_conv_geometry g) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    if (g.kernel == 1 && g.stride == 1) {
        return pld_linear(b, name, x, channels,
                          true); /* a 1×1 convolution of token-major data is a linear layer */
    }
    const pld_value from = b->plan->values[x];
    const int64_t pad = g.pad_before + g.pad_after;
    pld_value_id out = pld_build_rows_of(b, x, (from.height + pad - g.kernel) / g.stride + 1,
                                         (from.width + pad - g.kernel) / g.stride + 1, channels);
    return product(b, name, x, out, &PLD_NOTHING_AROUND, true, g);
}

pld_value_id pld_conv_around(pld_builder *b, const char *name, pld_value_id x, int64_t channels,
                             const pld_around *around) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[x];
    pld_value_id out = around->into_residual
                           ? around->residual
                           : pld_build_rows_of(b, x, around->height ? around->height : from.height,
                                               around->height ? around->width : from.width, channels);
    return product(b, name, x, out, around, true, PLD_CONV_3X3);
}

static void bind_norm(pld_builder *b, pld_operator *op, int64_t channels, double epsilon) {
    op->epsilon = (float)epsilon;
    op->weight = pld_build_bind(b, op->name, ".weight", 1, &channels);
    op->bias = pld_build_bind(b, op->name, ".bias", 1, &channels);
}

/** Append a group norm of either kind from x to out. */
static pld_operator *group_norm(pld_builder *b, const pld_operator_kind *kind, const char *name,
                                pld_value_id x, pld_value_id out, int64_t groups, double epsilon) {
    const int64_t channels = pld_build_failed(b) ? 0 : b->plan->values[x].channels;
    if (!pld_build_failed(b) && (groups < 1 || channels % groups != 0)) {
        b->status =
            pld_fail(b->error, PLD_ERROR_FORMAT,
                     "configuration: %lld channels of '%s.%s' cannot be divided into %lld norm groups",
                     (long long)channels, b->scope, name, (long long)groups);
    }
    pld_operator *op = pld_build_append(b, kind, name, x, PLD_NO_VALUE, out);
    if (op) {
        op->groups = groups;
        bind_norm(b, op, channels, epsilon);
    }
    return op;
}

pld_value_id pld_group_norm_of(pld_builder *b, const char *name, pld_value_id x, int64_t groups,
                               double epsilon, bool silu) {
    pld_value_id out = pld_build_failed(b) ? PLD_NO_VALUE : pld_build_like(b, x, b->plan->values[x].channels);
    pld_operator *op = group_norm(b, &pld_operator_group_norm, name, x, out, groups, epsilon);
    if (op) {
        op->silu = silu;
    }
    return out;
}

pld_value_id pld_group_norm_factors(pld_builder *b, const char *name, pld_value_id x, int64_t groups,
                                    double epsilon) {
    pld_value_id out =
        pld_build_failed(b) ? PLD_NO_VALUE : pld_build_rows_of(b, x, 2, 1, b->plan->values[x].channels);
    group_norm(b, &pld_operator_group_norm_factors, name, x, out, groups, epsilon);
    return out;
}

pld_value_id pld_layer_norm(pld_builder *b, const char *name, pld_value_id x, double epsilon) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const int64_t channels = b->plan->values[x].channels;
    pld_value_id out = pld_build_like(b, x, channels);
    pld_operator *op = pld_build_append(b, &pld_operator_layer_norm, name, x, PLD_NO_VALUE, out);
    if (op) {
        bind_norm(b, op, channels, epsilon);
    }
    return out;
}

pld_value_id pld_activate(pld_builder *b, pld_value_id x, pld_activation activation) {
    pld_operator *op = pld_build_append(b, &pld_operator_activation, "", x, PLD_NO_VALUE, x);
    if (op) {
        op->activation = (int)activation;
    }
    return x;
}

/** Register the site of the attention at the builder's scope; its index. */
static int add_site(pld_builder *b, pld_site_kind kind, int heads, int64_t width) {
    pld_plan *plan = b->plan;
    if (!pld_grow((void **)&plan->sites, &plan->site_capacity, plan->site_count + 1, sizeof *plan->sites)) {
        b->status = pld_fail_memory(b->error, sizeof *plan->sites, "plan");
        return 0;
    }
    pld_site *site = &plan->sites[plan->site_count];
    *site = (pld_site){
        .kind = kind, .heads = heads, .head_size = (int)(width / heads), .block = b->block_count - 1};
    memcpy(site->name, b->scope, sizeof site->name);
    return (int)plan->site_count++;
}

/** Append the attention of `query` at a new site; its output through `*out`. NULL after a failure. */
static pld_operator *attend(pld_builder *b, pld_site_kind kind, pld_value_id query, int heads,
                            pld_value_id *out) {
    *out = PLD_NO_VALUE;
    if (pld_build_failed(b)) {
        return NULL;
    }
    const int64_t width = b->plan->values[query].channels;
    if (heads < 1 || width % heads != 0) {
        b->status = pld_fail(b->error, PLD_ERROR_FORMAT,
                             "configuration: width %lld of '%s' cannot be divided into %d heads",
                             (long long)width, b->scope, heads);
        return NULL;
    }
    const int site = add_site(b, kind, heads, width);
    const pld_value from = b->plan->values[query];
    const pld_row_groups groups =
        pld_build_failed(b) ? from.groups : pld_row_groups_after(b->sharing, (size_t)site);
    *out = pld_build_value(b, groups, from.batch, from.height, from.width, width);
    pld_operator *op = pld_build_append(b, &pld_operator_attention, "", query, PLD_NO_VALUE, *out);
    if (op) {
        op->heads = heads;
        op->site = site;
    }
    return op;
}

pld_value_id pld_attend(pld_builder *b, pld_value_id query, pld_value_id key, pld_value_id value, int heads,
                        bool causal) {
    pld_value_id out;
    pld_operator *op = attend(b, PLD_SITE_SELF, query, heads, &out);
    if (op) {
        op->key = key;
        op->value = value;
        op->causal = causal;
        pld_build_touch(b->plan, key, (int)b->plan->operator_count - 1);
        pld_build_touch(b->plan, value, (int)b->plan->operator_count - 1);
    }
    return out;
}

pld_value_id pld_attend_biased(pld_builder *b, pld_value_id query, pld_value_id key, pld_value_id value,
                               int heads, pld_value_id relative_bias) {
    const pld_value_id out = pld_attend(b, query, key, value, heads, false);
    if (!pld_build_failed(b)) {
        pld_operator *op = &b->plan->operators[b->plan->operator_count - 1];
        op->logit_scale = 1;
        op->relative_bias = relative_bias;
        pld_build_touch_last(b, relative_bias);
    }
    return out;
}

/** Take the next `count` values from outside; the number of the first. */
static int take_outside(pld_builder *b, int count) {
    const int first = b->plan->outside_count;
    b->plan->outside_count += count;
    return first;
}

pld_value_id pld_attend_outside(pld_builder *b, pld_value_id query, int heads) {
    pld_value_id out;
    pld_operator *op = attend(b, PLD_SITE_CROSS, query, heads, &out);
    if (op) {
        op->outside = take_outside(b, 2);
    }
    return out;
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

pld_value_id pld_concat(pld_builder *b, pld_value_id x, pld_value_id second) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    pld_value_id out = pld_build_like(b, x, b->plan->values[x].channels + b->plan->values[second].channels);
    pld_build_append(b, &pld_operator_concat, "", x, second, out);
    return out;
}

void pld_freeu(pld_builder *b, pld_value_id x, pld_value_id skip, int stage) {
    pld_operator *op = pld_build_failed(b) ? NULL : pld_build_append(b, &pld_operator_freeu, "", x, skip, x);
    if (op) {
        op->stage = stage;
    }
}

pld_value_id pld_upsample(pld_builder *b, pld_value_id x, int64_t height, int64_t width) {
    pld_value_id out = pld_build_failed(b)
                           ? PLD_NO_VALUE
                           : pld_build_rows_of(b, x, height, width, b->plan->values[x].channels);
    pld_build_append(b, &pld_operator_upsample, "", x, PLD_NO_VALUE, out);
    return out;
}

pld_value_id pld_copy(pld_builder *b, pld_value_id x) {
    pld_value_id out = pld_build_failed(b) ? PLD_NO_VALUE : pld_build_like(b, x, b->plan->values[x].channels);
    pld_build_append(b, &pld_operator_copy, "", x, PLD_NO_VALUE, out);
    return out;
}

pld_value_id pld_rows_like(pld_builder *b, pld_value_id x, pld_value_id other) {
    if (pld_build_failed(b) || b->plan->values[x].batch == b->plan->values[other].batch) {
        return x;
    }
    const pld_value from = b->plan->values[x];
    const pld_row_groups groups = b->plan->values[other].groups;
    if (groups.count < from.groups.count || from.groups.count == 0) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL,
                             "'%s': rows that have parted cannot be joined again", b->scope);
        return PLD_NO_VALUE;
    }
    pld_value_id out = pld_build_value(b, groups, from.batch, from.height, from.width, from.channels);
    pld_build_append(b, &pld_operator_copy_rows, "", x, PLD_NO_VALUE, out);
    return out;
}

pld_value_id pld_embed(pld_builder *b, const char *tokens, const char *positions, int64_t batch,
                       int64_t count, int64_t vocabulary, int64_t channels) {
    pld_value_id out = pld_build_source(b, batch, count, 1, channels);
    pld_operator *op = pld_build_append(b, &pld_operator_embed, tokens, PLD_NO_VALUE, PLD_NO_VALUE, out);
    if (op) {
        char second[2 * PLD_PLAN_NAME] = "";
        snprintf(second, sizeof second, "%s.%s", b->scope, positions ? positions : "");
        op->weight = pld_build_bind(b, op->name, ".weight", 2, (int64_t[]){vocabulary, channels});
        op->bias = positions ? pld_build_bind(b, second, ".weight", 2, (int64_t[]){count, channels}) : NULL;
    }
    return out;
}

pld_value_id pld_timestep(pld_builder *b, int64_t batch, int64_t channels, bool flip_sin_to_cos,
                          double shift) {
    pld_value_id out = pld_build_source(b, batch, 1, 1, channels);
    pld_operator *op =
        pld_build_append(b, &pld_operator_timestep, "time_proj", PLD_NO_VALUE, PLD_NO_VALUE, out);
    if (op) {
        op->activation = !flip_sin_to_cos;
        op->epsilon = (float)shift;
    }
    return out;
}

pld_value_id pld_add_outside(pld_builder *b, pld_value_id x) {
    pld_operator *op = pld_build_append(b, &pld_operator_add_outside, "", x, PLD_NO_VALUE, x);
    if (op) {
        op->outside = take_outside(b, 1);
    }
    return x;
}

pld_value_id pld_pool(pld_builder *b, pld_value_id x, int32_t token) {
    pld_value_id out =
        pld_build_failed(b) ? PLD_NO_VALUE : pld_build_rows_of(b, x, 1, 1, b->plan->values[x].channels);
    pld_operator *op = pld_build_append(b, &pld_operator_pool, "", x, PLD_NO_VALUE, out);
    if (op) {
        op->token = token;
    }
    return out;
}

void pld_tap(pld_builder *b, const char *name, pld_value_id x) {
    pld_operator *op = pld_build_append(b, &pld_operator_tap, "", x, PLD_NO_VALUE, x);
    if (op) {
        snprintf(op->name, sizeof op->name, "%s", name);
    }
}
