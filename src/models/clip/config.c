/* SPDX-License-Identifier: Apache-2.0 */
#include "models/clip/clip.h"

#include <string.h>

#include "models/classes.h"
#include "models/families/rows.h"

static pld_status read_activation(const pld_json *top, pld_activation *activation, pld_error *error) {
    static const struct {
        const char *name;
        pld_activation activation;
    } names[] = {
        {"quick_gelu", PLD_QUICK_GELU}, {"gelu", PLD_GELU}, {"gelu_new", PLD_GELU_TANH}, {"silu", PLD_SILU}};
    const char *name = "quick_gelu"; /* transformers' default */
    PLD_TRY(pld_json_get_string(top, "hidden_act", PLD_JSON_OPTIONAL, &name, error));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i].name) == 0) {
            *activation = names[i].activation;
            return PLD_OK;
        }
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: field 'hidden_act': expected quick_gelu or gelu, found '%.60s'", top->file, name);
}

static pld_status read_fields(void *target, const pld_json *top, pld_error *error) {
    pld_clip_config *c = target;
    const pld_json_integer_field integers[] = {
        {"vocab_size", PLD_JSON_OPTIONAL, 3, 1 << 20, &c->vocabulary},
        {"hidden_size", PLD_JSON_OPTIONAL, 1, 1 << 14, &c->width},
        {"intermediate_size", PLD_JSON_OPTIONAL, 1, 1 << 16, &c->intermediate},
        {"num_hidden_layers", PLD_JSON_OPTIONAL, 1, 256, &c->layers},
        {"num_attention_heads", PLD_JSON_OPTIONAL, 1, 256, &c->heads},
        {"max_position_embeddings", PLD_JSON_OPTIONAL, 3, 4096, &c->positions},
        {"projection_dim", PLD_JSON_NULLABLE, 1, 1 << 14, &c->projection},
        {"eos_token_id", PLD_JSON_OPTIONAL, 0, 1 << 20, &c->eos_token_id},
    };
    PLD_TRY(pld_class_check_config(top, &pld_class_clip_text, error));
    PLD_TRY(pld_json_get_integer_fields(top, integers, sizeof integers / sizeof *integers, error));
    c->projection = pld_json_is_null(top, "projection_dim") ? 0 : c->projection;
    PLD_TRY(pld_json_get_number(top, "layer_norm_eps", PLD_JSON_OPTIONAL, &c->epsilon, error));
    if (!((float)c->epsilon > 0 && c->epsilon < 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'layer_norm_eps': expected a number in (0, 1), found %g", top->file,
                        c->epsilon);
    }
    if (c->width % c->heads != 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: hidden_size %lld cannot be divided into %lld heads",
                        top->file, (long long)c->width, (long long)c->heads);
    }
    return read_activation(top, &c->activation, error);
}

pld_status pld_clip_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_clip_config *config = target;
    /* transformers' defaults for what a file leaves out */
    *config = (pld_clip_config){.vocabulary = 49408,
                                .width = 512,
                                .intermediate = 2048,
                                .layers = 12,
                                .heads = 8,
                                .positions = 77,
                                .projection = 512,
                                .epsilon = 1e-5,
                                .eos_token_id = 49407};
    return read_fields(config, top, error);
}

pld_status pld_clip_config_read(const char *file, pld_clip_config *config, pld_error *error) {
    return pld_json_read_file(file, pld_clip_config_parse, config, error);
}
