/* SPDX-License-Identifier: Apache-2.0 */
#include "models/classes.h"
#include "models/families/rows.h"
#include "models/fixed_fields.h"
#include "models/t5/t5.h"

static const pld_fixed_field fixed_fields[] = {
    {"feed_forward_proj", "\"gated-gelu\"", false},
    /* What transformers derives from it, and takes from the file where it stands there. */
    {"dense_act_fn", "\"gelu_new\"", false},
    {"is_gated_act", "true", false},
};

static pld_status read_fields(pld_t5_config *c, const pld_json *top, pld_error *error) {
    const pld_json_integer_field integers[] = {
        {"vocab_size", PLD_JSON_OPTIONAL, 3, 1 << 20, &c->vocabulary},
        {"d_model", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->width},
        {"d_kv", PLD_JSON_OPTIONAL, 1, 4096, &c->head_size},
        {"d_ff", PLD_JSON_OPTIONAL, 1, 1 << 17, &c->intermediate},
        {"num_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"num_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"relative_attention_num_buckets", PLD_JSON_OPTIONAL, 4, 1 << 12, &c->buckets},
        {"relative_attention_max_distance", PLD_JSON_OPTIONAL, 2, 1 << 20, &c->most_distance},
    };
    PLD_TRY(pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error));
    return pld_json_get_number(top, "layer_norm_epsilon", PLD_JSON_OPTIONAL, &c->epsilon, error);
}

/** The buckets of each sign are halved, and distances beyond the first half are counted by logarithm. */
static pld_status check_values(const pld_t5_config *c, const pld_json *top, pld_error *error) {
    if (!((float)c->epsilon > 0 && c->epsilon < 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'layer_norm_epsilon': expected a number in (0, 1), found %g", top->file,
                        c->epsilon);
    }
    if (c->buckets % 4 != 0 || c->most_distance <= c->buckets / 4) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: fields 'relative_attention_num_buckets' and 'relative_attention_max_distance': expected a "
            "multiple of 4 and more than a quarter of it, found %lld and %lld",
            top->file, (long long)c->buckets, (long long)c->most_distance);
    }
    return PLD_OK;
}

pld_status pld_t5_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_t5_config *config = target;
    /* transformers' defaults for what a file leaves out */
    *config = (pld_t5_config){.vocabulary = 32128,
                              .width = 512,
                              .head_size = 64,
                              .intermediate = 2048,
                              .layers = 6,
                              .heads = 8,
                              .buckets = 32,
                              .most_distance = 128,
                              .epsilon = 1e-6};
    PLD_TRY(pld_class_check_config(top, &pld_class_t5, error));
    if (!pld_json_has(top, "feed_forward_proj")) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: field 'feed_forward_proj' is missing, which means relu; only \"gated-gelu\" is implemented",
            top->file);
    }
    PLD_TRY(pld_check_fixed_fields(top, fixed_fields, sizeof fixed_fields / sizeof *fixed_fields, error));
    PLD_TRY(read_fields(config, top, error));
    return check_values(config, top, error);
}
