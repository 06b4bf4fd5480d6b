/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/causal.h"

#include <math.h>
#include <stdio.h>

/** One encoder on its way into a plan. */
typedef struct writing {
    pld_builder b;
    const pld_causal_rules *rules;
    const pld_causal_config *c;
    int64_t tokens;
    int64_t live; /* of them, that are keys; 0: all */
} writing;

/** What the table of angles depends on. */
typedef struct angles {
    int64_t tokens, width;
    double theta;
} angles;

/** table [2, T, width/2]: cosines, then sines, of place·theta^(−2i/width), in float32 as torch computes it. */
static void fill_angles(const void *description, float *table) {
    const angles *a = description;
    const int64_t half = a->width / 2;
    for (int64_t i = 0; i < half; i++) {
        const float power = (float)pow(a->theta, (double)((float)(2 * i) / (float)a->width));
        const float frequency = 1 / power;
        for (int64_t t = 0; t < a->tokens; t++) {
            const float angle = (float)t * frequency;
            table[t * half + i] = (float)cos((double)angle);
            table[(a->tokens + t) * half + i] = (float)sin((double)angle);
        }
    }
}

static pld_value_id norm(writing *w, const char *name, pld_value_id x) {
    pld_rms_norm_options options = PLD_RMS_NORM;
    options.plus_one = w->rules->norms_less_one;
    return pld_rms_norm_with(&w->b, name, x, w->c->epsilon, options);
}

/** x += y, or x += norm(y) where the class has a norm there. */
static void add(writing *w, const char *norm_name, const char *product, pld_value_id y, pld_value_id x) {
    pld_builder *b = &w->b;
    if (!norm_name) {
        pld_linear(b, product, y, w->c->width, pld_into(x, false));
        return;
    }
    pld_rms_norm_options options = PLD_RMS_NORM;
    options.plus_one = w->rules->norms_less_one;
    options.into = x;
    const pld_value_id change = pld_linear(b, product, y, w->c->width, PLD_NO_BIAS);
    pld_rms_norm_with(b, norm_name, change, w->c->epsilon, options);
}

/** Queries or keys NAME_proj [T, heads·head_size], normed where the class does so, and rotated. */
static pld_value_id rotated(writing *w, const char *product, const char *norm_name, pld_value_id x,
                            int64_t heads) {
    const pld_causal_config *c = w->c;
    const angles table = {.tokens = w->tokens, .width = c->head_size, .theta = c->theta};
    const pld_rotation_options options = {.heads = heads,
                                          .norm = w->rules->head_norms ? norm_name : NULL,
                                          .epsilon = c->epsilon,
                                          .width = c->head_size,
                                          .halves = true,
                                          .fill = fill_angles,
                                          .description = &table,
                                          .description_bytes = sizeof table};
    return pld_rotate_heads(&w->b, pld_linear(&w->b, product, x, heads * c->head_size, PLD_NO_BIAS),
                            &options);
}

static pld_value_id self_attention(writing *w, int64_t layer, pld_value_id x) {
    const pld_causal_config *c = w->c;
    const double scalar = c->query_scalar > 0 ? c->query_scalar : (double)c->head_size;
    const pld_value_id query = rotated(w, "q_proj", "q_norm", x, c->heads);
    const pld_value_id key = rotated(w, "k_proj", "k_norm", x, c->key_heads);
    const pld_value_id value = pld_linear(&w->b, "v_proj", x, c->key_heads * c->head_size, PLD_NO_BIAS);
    pld_attention_description attention = pld_self_attention(query, key, value, c->heads);
    attention.key_heads = (int)c->key_heads;
    attention.causal = true;
    attention.valid_keys = w->live;
    attention.window = c->slides[layer] && c->window < w->tokens ? c->window : 0;
    attention.scale = (float)(1 / sqrt(scalar));
    attention.soft_cap = (float)c->soft_cap;
    return pld_attend(&w->b, attention);
}

/** Scopes end before the norms behind them, whose names stand beside the modules'. */
static void add_in(writing *w, const char *module, const char *norm_name, const char *product, pld_value_id y,
                   pld_value_id x) {
    char path[64];
    snprintf(path, sizeof path, "%s.%s", module, product);
    add(w, norm_name, path, y, x);
}

/** x += attention, x += down_proj(up_proj(y)·act(gate_proj(y))), each of a norm of x. */
static void layer(writing *w, int64_t index, pld_value_id x) {
    pld_builder *b = &w->b;
    const pld_causal_rules *rules = w->rules;
    const size_t mark = pld_scope_enter(b, "layers.%d", (int)index);
    pld_value_id normed = norm(w, rules->before_attention, x);
    size_t inner = pld_scope_enter(b, "self_attn");
    const pld_value_id attended = self_attention(w, index, normed);
    pld_scope_leave(b, inner);
    add_in(w, "self_attn", rules->after_attention, "o_proj", attended, x);
    normed = norm(w, rules->before_feed_forward, x);
    inner = pld_scope_enter(b, "mlp");
    const pld_value_id hidden =
        pld_linear(b, "up_proj", normed, w->c->intermediate, pld_gated_by("gate_proj", rules->activation));
    pld_scope_leave(b, inner);
    add_in(w, "mlp", rules->after_feed_forward, "down_proj", hidden, x);
    pld_scope_leave(b, mark);
}

static void tap_hidden_state(writing *w, int64_t index, pld_value_id x) {
    char name[32];
    snprintf(name, sizeof name, "hidden_states.%02d", (int)index);
    pld_tap(&w->b, name, x);
}

/** The states after so many layers beside those that were taken before. */
static pld_value_id take_state(writing *w, pld_value_id x, pld_value_id taken) {
    const pld_value_id state = pld_copy(&w->b, x);
    return taken == PLD_NO_VALUE ? state : pld_concat(&w->b, taken, state);
}

/** The layers, as far as they are wanted, and the states that come of them. */
static pld_value_id run_layers(writing *w, const pld_text_request *o, pld_value_id x) {
    const int64_t wanted = o->state_count > 0 ? o->states_after[o->state_count - 1] : w->c->layers - o->skip;
    pld_value_id taken = PLD_NO_VALUE;
    int next = 0;
    for (int64_t done = 0;; done++) {
        if (done < w->c->layers) {
            tap_hidden_state(w, done, x);
        }
        if (next < o->state_count && o->states_after[next] == done) {
            taken = take_state(w, x, taken);
            next++;
        }
        if (done == wanted || w->b.status != PLD_OK) {
            return o->state_count > 0 ? taken : x;
        }
        layer(w, done, x);
    }
}

static pld_status check_request(const pld_causal_config *c, const pld_text_request *o, pld_error *error) {
    for (int i = 0; i < o->state_count; i++) {
        const int64_t least = i > 0 ? o->states_after[i - 1] + 1 : 0;
        if (o->states_after[i] < least || o->states_after[i] > c->layers) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "text encoder: states after %lld layers are wanted, but it has %lld",
                            (long long)o->states_after[i], (long long)c->layers);
        }
    }
    return PLD_OK;
}

pld_status pld_causal_build(const pld_causal_rules *rules, const pld_causal_config *c, pld_plan *plan,
                            const pld_text_request *o, pld_text_values *values, pld_error *error) {
    static const char table[] = "embed_tokens";
    writing w = {.rules = rules, .c = c, .tokens = o->tokens, .live = o->live < o->tokens ? o->live : 0};
    PLD_TRY(check_request(c, o, error));
    pld_builder_init(&w.b, plan, error);
    plan->name = "text_encoder";
    /* whole language models hold the encoder in a module of its own */
    const bool inside = pld_parameters_has(plan->parameters, "model.embed_tokens.weight");
    const size_t mark = inside ? pld_scope_enter(&w.b, "model") : 0;
    pld_value_id x = rules->scaled_embedding
                         ? pld_embed_scaled(&w.b, table, sqrt((double)c->width), o->batch, o->tokens,
                                            c->vocabulary, c->width)
                         : pld_embed(&w.b, table, NULL, o->batch, o->tokens, c->vocabulary, c->width);
    x = run_layers(&w, o, x);
    if (o->final_norm && o->state_count == 0) {
        x = norm(&w, "norm", x);
        tap_hidden_state(&w, c->layers, x);
        pld_tap(&w.b, "last_hidden_state", x);
    }
    if (inside) {
        pld_scope_leave(&w.b, mark);
    }
    pld_keep(&w.b, x);
    *values = (pld_text_values){x, PLD_NO_VALUE};
    return w.b.status;
}

void pld_causal_facts(const void *config, pld_text_encoder_facts *facts) {
    const pld_causal_config *c = config;
    *facts = (pld_text_encoder_facts){.vocabulary = c->vocabulary, .width = c->width, .layers = c->layers};
}
