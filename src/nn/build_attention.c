/* SPDX-License-Identifier: Apache-2.0 */
/* Attention, and what queries and keys go through before it. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "nn/build_internal.h"

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

static int64_t tokens_of(const pld_value *value) {
    return value->height * value->width;
}

/** What a description asks for that does not go together; NULL: nothing. */
static const char *contradiction(const pld_plan *plan, const pld_attention_description *d) {
    const bool outside = d->key == PLD_NO_VALUE;
    const int64_t keys = outside ? 0 : tokens_of(&plan->values[d->key]);
    const int64_t queries = tokens_of(&plan->values[d->query]);
    const bool joint = d->kind == PLD_SITE_JOINT;
    if (outside != (d->value == PLD_NO_VALUE) || (outside && (d->kind != PLD_SITE_CROSS || d->causal))) {
        return "keys and values come from the plan, or of a cross-attention both from outside";
    }
    if (d->kind == PLD_SITE_LINEAR &&
        (keys != queries || d->key_heads || d->causal || d->scale != 0 || d->soft_cap != 0 ||
         d->relative_bias != PLD_NO_VALUE || d->mask != PLD_NO_VALUE || d->valid_keys || d->zero_keys)) {
        return "a linear attention has as many keys as queries, and no logits";
    }
    if (d->causal ? keys != queries || d->zero_keys > 0 || joint : d->window > 0) {
        return "a causal attention has as many queries as keys and no zero keys; a window needs one";
    }
    if (d->valid_keys < 0 || d->zero_keys < 0 || (!outside && d->valid_keys > keys) ||
        (d->valid_keys > 0 && (outside || d->window > 0))) {
        return "valid keys lie within those of the plan, and know no window";
    }
    if (joint ? d->text_tokens < 1 || keys != queries || d->image_columns < 1 || d->image_padding < 0 ||
                    (keys - d->text_tokens - d->image_padding) % d->image_columns != 0 ||
                    (d->first_text_token != 0 && d->first_text_token + d->text_tokens != keys)
              : d->text_tokens != 0) {
        return "the text of a joint attention begins or ends the tokens, and the others are a picture";
    }
    return NULL;
}

static bool check(pld_builder *b, const pld_attention_description *d) {
    if (pld_build_failed(b)) {
        return false;
    }
    const int64_t width = b->plan->values[d->query].channels;
    if (d->heads < 1 || width % (d->interleaved ? 3 * d->heads : d->heads) != 0) {
        b->status =
            pld_fail(b->error, PLD_ERROR_FORMAT,
                     "%s: width %lld of '%s' cannot be divided into %d heads, as the configuration wants",
                     pld_parameters_path(b->plan->parameters), (long long)width, b->scope, d->heads);
        return false;
    }
    if (d->key_heads < 0 || (d->key_heads > 0 && d->heads % d->key_heads != 0)) {
        b->status = pld_fail(b->error, PLD_ERROR_FORMAT,
                             "%s: %d heads of '%s' cannot share %d heads of keys, as the configuration wants",
                             pld_parameters_path(b->plan->parameters), d->heads, b->scope, d->key_heads);
        return false;
    }
    const char *wrong = contradiction(b->plan, d);
    if (wrong) {
        b->status = pld_fail(b->error, PLD_ERROR_INTERNAL, "attention of '%s': %s", b->scope, wrong);
    }
    return !wrong;
}

pld_value_id pld_attend(pld_builder *b, pld_attention_description d) {
    static const char *const labels[] = {[PLD_SITE_SELF] = "self_attention",
                                         [PLD_SITE_CROSS] = "cross_attention",
                                         [PLD_SITE_JOINT] = "joint_attention",
                                         [PLD_SITE_LINEAR] = "linear_attention"};
    const pld_operator_kind kind =
        d.kind == PLD_SITE_LINEAR ? PLD_OPERATOR_LINEAR_ATTENTION : PLD_OPERATOR_ATTENTION;
    if (!check(b, &d)) {
        return PLD_NO_VALUE;
    }
    const pld_value from = b->plan->values[d.query];
    const int64_t width = d.interleaved ? from.channels / 3 : from.channels;
    const int site = add_site(b, d.kind, d.heads, width);
    const pld_row_groups groups =
        pld_build_failed(b) ? from.groups : pld_row_groups_after(b->sharing, (size_t)site);
    const pld_value_id out = pld_build_value(b, groups, from.batch, from.height, from.width, width);
    pld_operator op = pld_build_operator(b, kind, "", d.query, out);
    op.label = labels[d.kind];
    op.attention = (pld_attention_operator){.as = d, .site = site};
    if (d.key == PLD_NO_VALUE) {
        op.attention.outside = pld_build_outside(b, 2);
    }
    pld_build_append(b, &op);
    return out;
}

pld_value_id pld_rotate_heads(pld_builder *b, pld_value_id x, const pld_rotation_options *o) {
    if (pld_build_failed(b)) {
        return PLD_NO_VALUE;
    }
    const pld_value value = b->plan->values[x];
    const int64_t size = o->heads > 0 && value.channels % o->heads == 0 ? value.channels / o->heads : 0;
    if (size == 0 || o->width < 0 || o->width > size || o->width % 2 != 0) {
        b->status = pld_fail(b->error, PLD_ERROR_FORMAT,
                             "%s: %lld numbers of each of %lld heads of '%s' (width %lld) cannot turn, as "
                             "the configuration wants",
                             pld_parameters_path(b->plan->parameters), (long long)o->width,
                             (long long)o->heads, b->scope, (long long)value.channels);
        return PLD_NO_VALUE;
    }
    pld_operator op = pld_build_operator(b, PLD_OPERATOR_ROTATION, o->norm ? o->norm : "", x, x);
    op.rotation = (pld_rotation){.heads = (int)o->heads,
                                 .epsilon = (float)o->epsilon,
                                 .width = o->width,
                                 .halves = o->halves,
                                 .constant = -1};
    if (o->norm) {
        const int64_t weights = o->norm_of_all ? value.channels : size;
        op.rotation.norm = o->norm_of_all ? PLD_HEADS_NORM_ALL : PLD_HEADS_NORM_EACH;
        op.rotation.weight = pld_build_bind(b, op.name, ".weight", 1, &weights);
    }
    if (o->width > 0) {
        op.rotation.constant = pld_build_constant(b, (size_t)(tokens_of(&value) * o->width), o->fill,
                                                  o->description, o->description_bytes);
    }
    pld_build_append(b, &op);
    return x;
}
