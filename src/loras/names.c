/* SPDX-License-Identifier: Apache-2.0 */
#include "loras/names.h"

#include <string.h>

/** Beginnings of names, the more special ones first. What follows the prefix is the module's path. */
static const struct {
    const char *prefix;
    pld_lora_part part;
    const char *follows; /* the path must begin so; NULL: as it likes */
} prefixes[] = {
    {"lora_unet_llm_adapter_", PLD_LORA_TEXT_CONDITIONER, NULL},
    {"diffusion_model.llm_adapter.", PLD_LORA_TEXT_CONDITIONER, NULL},
    {"text_conditioner.", PLD_LORA_TEXT_CONDITIONER, NULL},
    /* transformers use the U-Net's prefixes too; what follows gives them away */
    {"lora_unet_", PLD_LORA_TRANSFORMER, "double_blocks_"},
    {"lora_unet_", PLD_LORA_TRANSFORMER, "single_blocks_"},
    {"lora_unet_", PLD_LORA_TRANSFORMER, "joint_blocks_"},
    {"lora_unet_", PLD_LORA_TRANSFORMER, "layers_"},
    {"lora_unet_", PLD_LORA_TRANSFORMER, "noise_refiner_"},
    {"lora_unet_", PLD_LORA_TRANSFORMER, "context_refiner_"},
    {"lora_unet_", PLD_LORA_TRANSFORMER, "blocks_"},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "double_blocks."},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "single_blocks."},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "joint_blocks."},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "blocks."},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "layers."},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "noise_refiner."},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "context_refiner."},
    {"diffusion_model.", PLD_LORA_TRANSFORMER, "transformer_blocks."},
    {"lora_transformer_", PLD_LORA_TRANSFORMER, NULL},
    {"transformer.", PLD_LORA_TRANSFORMER, NULL},
    {"", PLD_LORA_TRANSFORMER, "transformer_blocks."},
    {"", PLD_LORA_TRANSFORMER, "single_transformer_blocks."},
    {"base_model.model.", PLD_LORA_TRANSFORMER, "transformer_blocks."},
    {"base_model.model.", PLD_LORA_TRANSFORMER, "single_transformer_blocks."},
    {"", PLD_LORA_TRANSFORMER, "layers."},
    {"", PLD_LORA_TRANSFORMER, "noise_refiner."},
    {"", PLD_LORA_TRANSFORMER, "context_refiner."},
    {"base_model.model.", PLD_LORA_TRANSFORMER, "layers."},

    {"lora_unet_", PLD_LORA_UNET, NULL},
    {"lycoris_text_model_", PLD_LORA_TEXT_ENCODER, NULL},
    {"lycoris_", PLD_LORA_UNET, NULL},
    {"unet.base_model.model.", PLD_LORA_UNET, NULL},
    {"unet.", PLD_LORA_UNET, NULL},
    {"diffusion_model.", PLD_LORA_UNET, NULL},
    {"lora_te3_", PLD_LORA_TEXT_ENCODER_3, NULL},
    {"lora_te2_", PLD_LORA_TEXT_ENCODER_2, NULL},
    {"lora_te1_", PLD_LORA_TEXT_ENCODER, NULL},
    {"lora_te_", PLD_LORA_TEXT_ENCODER, NULL},
    {"text_encoder_3.", PLD_LORA_TEXT_ENCODER_3, NULL},
    {"text_encoder_2.", PLD_LORA_TEXT_ENCODER_2, NULL},
    {"text_encoder.", PLD_LORA_TEXT_ENCODER, NULL},
    {"base_model.model.", PLD_LORA_TEXT_ENCODER, "text_model."},
    {"base_model.model.", PLD_LORA_TEXT_ENCODER, "encoder.layers."},
    {"base_model.model.unet.", PLD_LORA_UNET, NULL},
    {"base_model.model.", PLD_LORA_UNET, NULL},
};

/** Paths that stand without a prefix: diffusers saves the adapter of a U-Net alone so. */
static const char *const bare_unet[] = {"down_blocks.", "mid_block.",      "up_blocks.",    "conv_in.",
                                        "conv_out.",    "time_embedding.", "add_embedding."};

/** Ends of names, the more special ones first; a star stands for one component, the name of an adapter. In
 * the oldest style the projection is part of the suffix, and is given back to the path as the U-Net or the
 * text encoder calls it. */
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
    ROW(".lora_A.*.weight", LORA_DOWN, "PEFT"),
    ROW(".lora_B.*.weight", LORA_UP, "PEFT"),
    ROW(".lora_magnitude_vector", LORA_OUTPUT_MAGNITUDE, "PEFT"),
    ROW(".lora_magnitude_vector.weight", LORA_OUTPUT_MAGNITUDE, "PEFT"),
    ROW(".lora_magnitude_vector.*.weight", LORA_OUTPUT_MAGNITUDE, "PEFT"),
    ROW(".lora_magnitude_vector.*", LORA_OUTPUT_MAGNITUDE, "PEFT"),
    ROW(".magnitude", LORA_OUTPUT_MAGNITUDE, "ai-toolkit"),
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
    ROW(".w_norm", LORA_DIFFERENCE, "LyCORIS"),
    ROW(".b_norm", LORA_BIAS_DIFFERENCE, "LyCORIS"),
    ROW(".alpha", LORA_ALPHA, "kohya"),
    ROW(".dora_scale", LORA_MAGNITUDE, "kohya"),
    REFUSED(".oft_blocks", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".oft_diag", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".oft_R", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".oft_R.weight", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".oft_r", "an orthogonal fine-tuning (OFT)"),
    REFUSED(".boft_R", "an orthogonal fine-tuning (BOFT)"),
    REFUSED(".boft_s", "an orthogonal fine-tuning (BOFT)"),
    REFUSED(".hra_u", "a Householder reflection adapter (HRA)"),
    REFUSED(".on_input", "an (IA)^3 adapter"),
    REFUSED(".ia3_l", "an (IA)^3 adapter"),
    REFUSED(".lora_A", "an AdaLoRA"),
    REFUSED(".lora_B", "an AdaLoRA"),
    REFUSED(".lora_E", "an AdaLoRA"),
    REFUSED(".vera_lambda_b", "a VeRA"),
    REFUSED(".vera_lambda_d", "a VeRA"),
    REFUSED(".lambda_layer", "a T-LoRA"),
    REFUSED(".bm.weight", "a GLoRA"),
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

/** Length of a module's name in front of `suffix`; 0 when the name does not end so. */
static size_t before_suffix(const char *name, size_t length, const char *suffix) {
    const char *star = strchr(suffix, '*');
    const size_t tail = strlen(star ? star + 1 : suffix);
    if (length <= tail || memcmp(name + length - tail, suffix + strlen(suffix) - tail, tail) != 0) {
        return 0;
    }
    size_t end = length - tail;
    if (!star) {
        return end;
    }
    const size_t head = (size_t)(star - suffix);
    const size_t component = end;
    while (end > 0 && name[end - 1] != '.') {
        end--;
    }
    const bool fits = end < component && end > head && memcmp(name + end - head, suffix, head) == 0;
    return fits ? end - head : 0;
}

static const suffix_row *find_suffix(const char *name, size_t length, size_t *module_length) {
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        *module_length = before_suffix(name, length, suffixes[i].suffix);
        if (*module_length) {
            return &suffixes[i];
        }
    }
    return NULL;
}

/** The part that a name begins with; `*path` is what follows. */
static pld_lora_part find_part(const char *name, const char **path) {
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        const size_t size = strlen(prefixes[i].prefix);
        const char *follows = prefixes[i].follows;
        if (strncmp(name, prefixes[i].prefix, size) == 0 &&
            (!follows || strncmp(name + size, follows, strlen(follows)) == 0)) {
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

bool pld_lora_module_parse(const char *name, size_t length, pld_lora_name *parsed) {
    const char *path;
    *parsed = (pld_lora_name){.module_length = length, .part = find_part(name, &path)};
    const size_t skipped = (size_t)(path - name);
    size_t used = 0;
    parsed->path_start = skipped;
    parsed->flattened = skipped > 0 && name[skipped - 1] == '_';
    return skipped < length && append(parsed->path, &used, path, length - skipped);
}

bool pld_lora_name_parse(const char *name, pld_lora_name *parsed) {
    size_t length;
    const suffix_row *suffix = find_suffix(name, strlen(name), &length);
    if (!suffix || !pld_lora_module_parse(name, length, parsed)) {
        return false;
    }
    const bool text = parsed->part == PLD_LORA_TEXT_ENCODER || parsed->part == PLD_LORA_TEXT_ENCODER_2;
    const char *more = text ? suffix->text : suffix->unet;
    size_t used = strlen(parsed->path);
    parsed->factor = suffix->factor;
    parsed->style = suffix->style;
    parsed->refused = suffix->refused;
    parsed->flattened = parsed->flattened || more;
    return !more || append(parsed->path, &used, more, strlen(more));
}

const char *pld_lora_part_name(pld_lora_part part) {
    static const char *const names[PLD_LORA_PART_COUNT] = {
        "unet",        "text_encoder", "text_encoder_2", "text_encoder_3", "text_conditioner",
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
                                                             "dora_scale",
                                                             "lora_magnitude_vector"};
    return names[factor];
}
