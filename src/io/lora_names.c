/* SPDX-License-Identifier: Apache-2.0 */
#include "io/lora_names.h"

#include <string.h>

/** Beginnings of names, the more special ones first. What follows is the module's path. */
static const struct {
    const char *prefix;
    pld_lora_part part;
} prefixes[] = {
    /* transformers use the U-Net's prefixes too; what follows gives them away */
    {"lora_unet_double_blocks_", PLD_LORA_TRANSFORMER},
    {"lora_unet_single_blocks_", PLD_LORA_TRANSFORMER},
    {"lora_unet_joint_blocks_", PLD_LORA_TRANSFORMER},
    {"lora_unet_layers_", PLD_LORA_TRANSFORMER},
    {"lora_unet_blocks_", PLD_LORA_TRANSFORMER},
    {"diffusion_model.double_blocks.", PLD_LORA_TRANSFORMER},
    {"diffusion_model.single_blocks.", PLD_LORA_TRANSFORMER},
    {"diffusion_model.joint_blocks.", PLD_LORA_TRANSFORMER},
    {"diffusion_model.blocks.", PLD_LORA_TRANSFORMER},
    {"diffusion_model.layers.", PLD_LORA_TRANSFORMER},
    {"diffusion_model.transformer_blocks.", PLD_LORA_TRANSFORMER},
    {"lora_transformer_", PLD_LORA_TRANSFORMER},
    {"transformer.", PLD_LORA_TRANSFORMER},
    {"transformer_blocks.", PLD_LORA_TRANSFORMER},
    {"single_transformer_blocks.", PLD_LORA_TRANSFORMER},
    {"base_model.model.transformer_blocks.", PLD_LORA_TRANSFORMER},

    {"lora_unet_", PLD_LORA_UNET},
    {"lycoris_text_model_", PLD_LORA_TEXT_ENCODER},
    {"lycoris_", PLD_LORA_UNET},
    {"unet.base_model.model.", PLD_LORA_UNET},
    {"unet.", PLD_LORA_UNET},
    {"diffusion_model.", PLD_LORA_UNET},
    {"lora_te2_", PLD_LORA_TEXT_ENCODER_2},
    {"lora_te1_", PLD_LORA_TEXT_ENCODER},
    {"lora_te_", PLD_LORA_TEXT_ENCODER},
    {"text_encoder_2.", PLD_LORA_TEXT_ENCODER_2},
    {"text_encoder.", PLD_LORA_TEXT_ENCODER},
    {"base_model.model.text_model.", PLD_LORA_TEXT_ENCODER},
    {"base_model.model.unet.", PLD_LORA_UNET},
    {"base_model.model.", PLD_LORA_UNET},
};

/** Paths that stand without a prefix: diffusers once saved the U-Net's attention processors alone. */
static const char *const bare_unet[] = {"down_blocks.", "mid_block.", "up_blocks."};

/** Ends of names, the more special ones first. In the oldest style the projection is part of the suffix, and
 *  is given back to the path as the U-Net or the text encoder calls it. */
typedef struct suffix_row {
    const char *suffix;
    pld_lora_factor factor;
    const char *style;
    const char *refused;
    const char *unet, *text; /* appended to the path; NULL: nothing */
} suffix_row;

#define OLD(name, unet, text)                                                                                \
    {".processor." name "_lora.down.weight", PLD_LORA_DOWN, "diffusers", NULL, unet, text},                  \
        {".processor." name "_lora.up.weight", PLD_LORA_UP, "diffusers", NULL, unet, text},                  \
        {"." name "_lora.down.weight", PLD_LORA_DOWN, "diffusers", NULL, unet, text}, {                      \
        "." name "_lora.up.weight", PLD_LORA_UP, "diffusers", NULL, unet, text                               \
    }
#define ROW(suffix, factor, style)                                                                           \
    { suffix, PLD_##factor, style, NULL, NULL, NULL }
#define REFUSED(suffix, what)                                                                                \
    { suffix, PLD_LORA_DIFFERENCE, "LyCORIS", what, NULL, NULL }

static const suffix_row suffixes[] = {
    OLD("to_q", "_to_q", "_q_proj"),
    OLD("to_k", "_to_k", "_k_proj"),
    OLD("to_v", "_to_v", "_v_proj"),
    OLD("to_out", "_to_out_0", "_out_proj"),
    ROW(".lora_down.weight", LORA_DOWN, "kohya"),
    ROW(".lora_up.weight", LORA_UP, "kohya"),
    ROW(".lora_mid.weight", LORA_MIDDLE, "kohya"),
    ROW(".lora_linear_layer.down.weight", LORA_DOWN, "diffusers"),
    ROW(".lora_linear_layer.up.weight", LORA_UP, "diffusers"),
    ROW(".lora.down.weight", LORA_DOWN, "diffusers"),
    ROW(".lora.up.weight", LORA_UP, "diffusers"),
    ROW(".lora_A.weight", LORA_DOWN, "PEFT"),
    ROW(".lora_B.weight", LORA_UP, "PEFT"),
    ROW(".lora_A.default.weight", LORA_DOWN, "PEFT"),
    ROW(".lora_B.default.weight", LORA_UP, "PEFT"),
    ROW(".lora_A.default_0.weight", LORA_DOWN, "PEFT"),
    ROW(".lora_B.default_0.weight", LORA_UP, "PEFT"),
    ROW(".lora_magnitude_vector.default.weight", LORA_MAGNITUDE, "PEFT"),
    ROW(".lora_magnitude_vector.weight", LORA_MAGNITUDE, "PEFT"),
    ROW(".lora_magnitude_vector", LORA_MAGNITUDE, "PEFT"),
    ROW(".hada_w1_a", LOHA_W1_A, "LyCORIS"),
    ROW(".hada_w1_b", LOHA_W1_B, "LyCORIS"),
    ROW(".hada_w2_a", LOHA_W2_A, "LyCORIS"),
    ROW(".hada_w2_b", LOHA_W2_B, "LyCORIS"),
    ROW(".hada_t1", LOHA_T1, "LyCORIS"),
    ROW(".hada_t2", LOHA_T2, "LyCORIS"),
    ROW(".lokr_w1", LOKR_W1, "LyCORIS"),
    ROW(".lokr_w1_a", LOKR_W1_A, "LyCORIS"),
    ROW(".lokr_w1_b", LOKR_W1_B, "LyCORIS"),
    ROW(".lokr_w2", LOKR_W2, "LyCORIS"),
    ROW(".lokr_w2_a", LOKR_W2_A, "LyCORIS"),
    ROW(".lokr_w2_b", LOKR_W2_B, "LyCORIS"),
    ROW(".lokr_t2", LOKR_T2, "LyCORIS"),
    ROW(".diff", LORA_DIFFERENCE, "LyCORIS"),
    ROW(".diff_b", LORA_BIAS_DIFFERENCE, "LyCORIS"),
    ROW(".alpha", LORA_ALPHA, "kohya"),
    ROW(".dora_scale", LORA_MAGNITUDE, "kohya"),
    REFUSED(".oft_blocks", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".oft_diag", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".oft_R.weight", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".on_input", "an (IA)^3 adapter"),
    REFUSED(".a1.weight", "a GLoRA"),
    REFUSED(".a2.weight", "a GLoRA"),
    REFUSED(".b1.weight", "a GLoRA"),
    REFUSED(".b2.weight", "a GLoRA"),
    REFUSED(".lora_embedding_A", "a change of an embedding"),
    REFUSED(".lora_embedding_B", "a change of an embedding"),
    REFUSED(".lora_A.bias", "a LoRA with biases"),
    REFUSED(".lora_B.bias", "a LoRA with biases"),
    REFUSED(".reshape_weight", "a change that enlarges weights"),
    REFUSED(".set_weight", "a replacement of weights"),
};

static const suffix_row *find_suffix(const char *name, size_t length) {
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t size = strlen(suffixes[i].suffix);
        if (length > size && strcmp(name + length - size, suffixes[i].suffix) == 0) {
            return &suffixes[i];
        }
    }
    return NULL;
}

/** The part that a name begins with; `*path` is what follows. */
static pld_lora_part find_part(const char *name, const char **path) {
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t size = strlen(prefixes[i].prefix);
        if (strncmp(name, prefixes[i].prefix, size) == 0) {
            *path = name + size;
            return prefixes[i].part;
        }
    }
    *path = name;
    for (size_t i = 0; i < sizeof bare_unet / sizeof bare_unet[0]; i++) {
        if (strncmp(name, bare_unet[i], strlen(bare_unet[i])) == 0) {
            return PLD_LORA_UNET;
        }
    }
    return PLD_LORA_UNKNOWN;
}

static bool append(char *path, size_t *used, const char *text, size_t length) {
    if (*used + length >= PLD_LORA_PATH) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        path[(*used)++] = text[i];
        if (text[i] == '.') {
            path[*used - 1] = '_';
        }
    }
    path[*used] = '\0';
    return true;
}

bool pld_lora_name_parse(const char *name, pld_lora_name *parsed) {
    const char *path;
    size_t length = strlen(name);
    const suffix_row *suffix = find_suffix(name, length);
    if (!suffix) {
        return false;
    }
    *parsed = (pld_lora_name){.factor = suffix->factor,
                              .module_length = length - strlen(suffix->suffix),
                              .style = suffix->style,
                              .refused = suffix->refused};
    parsed->part = find_part(name, &path);
    size_t skipped = (size_t)(path - name);
    if (skipped >= parsed->module_length) {
        return false;
    }
    size_t used = 0;
    bool text = parsed->part == PLD_LORA_TEXT_ENCODER || parsed->part == PLD_LORA_TEXT_ENCODER_2;
    const char *more = text ? suffix->text : suffix->unet;
    return append(parsed->path, &used, path, parsed->module_length - skipped) &&
           (!more || append(parsed->path, &used, more, strlen(more)));
}

const char *pld_lora_part_name(pld_lora_part part) {
    static const char *const names[PLD_LORA_PART_COUNT] = {"unet", "text_encoder", "text_encoder_2",
                                                           "transformer", "unknown part"};
    return names[part];
}

const char *pld_lora_factor_name(pld_lora_factor factor) {
    static const char *const names[PLD_LORA_FACTOR_COUNT] = {"lora_down (lora_A)",
                                                             "lora_up (lora_B)",
                                                             "lora_mid",
                                                             "hada_w1_a",
                                                             "hada_w1_b",
                                                             "hada_w2_a",
                                                             "hada_w2_b",
                                                             "hada_t1",
                                                             "hada_t2",
                                                             "lokr_w1",
                                                             "lokr_w1_a",
                                                             "lokr_w1_b",
                                                             "lokr_w2",
                                                             "lokr_w2_a",
                                                             "lokr_w2_b",
                                                             "lokr_t2",
                                                             "diff",
                                                             "diff_b",
                                                             "alpha",
                                                             "dora_scale"};
    return names[factor];
}
