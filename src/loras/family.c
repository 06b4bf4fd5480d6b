/* SPDX-License-Identifier: Apache-2.0 */
/** For which models a LoRA seems to be made; a guess for messages, never for decisions. */
#include <string.h>

#include "loras/file.h"

/** Width of the text states → family, from attn2.to_k's input. */
static const struct {
    int64_t width;
    const char *family;
} widths[] = {{768, "Stable Diffusion 1.x"}, {1024, "Stable Diffusion 2.x"}, {2048, "SDXL"}};

/** Words in what trainers write into the metadata, the more special ones first. */
static const struct {
    const char *word, *family;
} words[] = {
    {"sdxl", "SDXL"},
    {"stable-diffusion-xl", "SDXL"},
    {"sd_v1", "Stable Diffusion 1.x"},
    {"stable-diffusion-v1", "Stable Diffusion 1.x"},
    {"sd_v2", "Stable Diffusion 2.x"},
    {"stable-diffusion-v2", "Stable Diffusion 2.x"},
    {"flux", "FLUX"},
    {"z-image", "Z-Image"},
    {"z_image", "Z-Image"},
    {"zimage", "Z-Image"},
    {"stable-diffusion-3", "Stable Diffusion 3"},
    {"sd3", "Stable Diffusion 3"},
};

static const char *family_of_metadata(const pld_tensor_file *tensors) {
    static const char *const keys[] = {"modelspec.architecture", "ss_base_model_version"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = pld_tensor_file_metadata_find(tensors, keys[i]);
        for (size_t j = 0; value && j < sizeof words / sizeof words[0]; j++) {
            if (strstr(value, words[j].word)) {
                return words[j].family;
            }
        }
    }
    return NULL;
}

static const char *family_of_width(const pld_lora_module *module) {
    const pld_stored_tensor *down = module->factors[PLD_LORA_DOWN];
    size_t length = strlen(module->path);
    static const char end[] = "attn2_to_k";
    if (module->part != PLD_LORA_UNET || !down || down->rank < 2 || length < sizeof end ||
        strcmp(module->path + length - (sizeof end - 1), end) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (down->shape[1] == widths[i].width) {
            return widths[i].family;
        }
    }
    return NULL;
}

/** Blocks that only the transformers of one family have, by how a path begins. */
static const struct {
    const char *start, *family;
} blocks[] = {
    {"double_blocks_", "FLUX"},
    {"single_blocks_", "FLUX"},
    {"single_transformer_blocks_", "FLUX"},
    {"joint_blocks_", "Stable Diffusion 3"},
    {"noise_refiner_", "Z-Image"},
    {"context_refiner_", "Z-Image"},
    {"layers_0_attention_", "Z-Image"}, /* a text encoder's is self_attn */
};

static const char *family_of_paths(const pld_lora_file *file) {
    for (size_t i = 0; i < pld_lora_file_count(file); i++) {
        const char *path = pld_lora_file_at(file, i)->path;
        for (size_t j = 0; j < sizeof blocks / sizeof blocks[0]; j++) {
            if (strncmp(path, blocks[j].start, strlen(blocks[j].start)) == 0) {
                return blocks[j].family;
            }
        }
    }
    return NULL;
}

const char *pld_lora_file_family(const pld_lora_file *file) {
    size_t parts[PLD_LORA_PART_COUNT] = {0};
    for (size_t i = 0; i < pld_lora_file_count(file); i++) {
        const pld_lora_module *module = pld_lora_file_at(file, i);
        const char *family = family_of_width(module);
        if (family) {
            return family;
        }
        parts[module->part]++;
    }
    const char *stated = family_of_metadata(pld_lora_file_tensors(file));
    if (stated) {
        return stated;
    }
    if (parts[PLD_LORA_TEXT_CONDITIONER]) {
        return "Anima";
    }
    const char *named = family_of_paths(file);
    if (named) {
        return named;
    }
    if (parts[PLD_LORA_TRANSFORMER] > parts[PLD_LORA_UNET]) {
        return "a transformer (FLUX, Stable Diffusion 3 or the like)";
    }
    return parts[PLD_LORA_TEXT_ENCODER_2] ? "SDXL" : NULL;
}
