/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/layouts.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

static const char latent_diffusion[] = "latent diffusion";
static const char diffusers[] = "diffusers";
static const char transformers[] = "transformers";
static const char open_clip[] = "OpenCLIP";

#define UNET_MARK         "input_blocks.0.0.weight"
#define VAE_MARK          "decoder.up.0.block.0.conv1.weight"
#define CLIP_MARK         "text_model.embeddings.token_embedding.weight"
#define OPEN_CLIP_MARK    "transformer.resblocks.0.attn.in_proj_weight"
#define DIFFUSERS_UNET    "down_blocks.0.resnets.0.time_emb_proj.weight"
#define DIFFUSERS_DECODER "decoder.up_blocks.0.resnets.0.conv1.weight"

/* Of each part the first row that fits counts. */
static const pld_part_layout layouts[] = {
    {"unet", latent_diffusion, "model.diffusion_model.", pld_unet_names, UNET_MARK},
    {"unet", latent_diffusion, "diffusion_model.", pld_unet_names, UNET_MARK},
    {"unet", latent_diffusion, "", pld_unet_names, UNET_MARK},
    {"unet", diffusers, "unet.", pld_diffusers_unet_names, DIFFUSERS_UNET},
    {"unet", diffusers, "model.diffusion_model.", pld_diffusers_unet_names, DIFFUSERS_UNET},
    {"unet", diffusers, "", pld_diffusers_unet_names, DIFFUSERS_UNET},
    {"vae", latent_diffusion, "first_stage_model.", pld_vae_names, VAE_MARK},
    {"vae", latent_diffusion, "vae.", pld_vae_names, VAE_MARK},
    {"vae", latent_diffusion, "", pld_vae_names, VAE_MARK},
    {"vae", diffusers, "vae.", pld_diffusers_vae_names, DIFFUSERS_DECODER},
    {"vae", diffusers, "first_stage_model.", pld_diffusers_vae_names, DIFFUSERS_DECODER},
    {"vae", diffusers, "", pld_diffusers_vae_names, DIFFUSERS_DECODER},
    {"text_encoder", transformers, "cond_stage_model.transformer.", pld_clip_names, CLIP_MARK},
    {"text_encoder", transformers, "cond_stage_model.transformer.", pld_clip_names,
     "embeddings.token_embedding.weight"},
    {"text_encoder", open_clip, "cond_stage_model.model.", pld_open_clip_names, OPEN_CLIP_MARK},
    {"text_encoder", transformers, "conditioner.embedders.0.transformer.", pld_clip_names, CLIP_MARK},
    {"text_encoder", transformers, "text_encoder.", pld_clip_names, CLIP_MARK},
    {"text_encoder", transformers, "", pld_clip_names, CLIP_MARK},
    {"text_encoder_2", open_clip, "conditioner.embedders.1.model.", pld_open_clip_names, OPEN_CLIP_MARK},
    {"text_encoder_2", transformers, "text_encoder_2.", pld_clip_names, CLIP_MARK},
};
enum { LAYOUT_COUNT = sizeof layouts / sizeof *layouts };

/* How the single files of a family hold its parts: prefixes of the rows above. */
static const struct {
    const char *family, *part, *prefix;
} originals[] = {
    {"sd1", "unet", "model.diffusion_model."},
    {"sd1", "vae", "first_stage_model."},
    {"sd1", "text_encoder", "cond_stage_model.transformer."},
    {"sd2", "unet", "model.diffusion_model."},
    {"sd2", "vae", "first_stage_model."},
    {"sd2", "text_encoder", "cond_stage_model.model."},
    {"sdxl", "unet", "model.diffusion_model."},
    {"sdxl", "vae", "first_stage_model."},
    {"sdxl", "text_encoder", "conditioner.embedders.0.transformer."},
    {"sdxl", "text_encoder_2", "conditioner.embedders.1.model."},
};

/* Tensors that checkpoints carry and drawing does not need; a star stands for any start. */
static const char *const passed_over[] = {
    "model_ema.",
    "alphas_cumprod",
    "betas",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
    "log_one_minus_alphas_cumprod",
    "posterior_",
    "logvar",
    "lvlb_weights",
    "denoiser.sigmas",
    "first_stage_model.loss.",
    "v_pred",
    "ztsnr",
    "edm_mean",
    "edm_std",
    "edm_vpred.",
    "cond_stage_model.logit_scale",
    "cond_stage_model.model.logit_scale",
    "cond_stage_model.model.attn_mask",
    "conditioner.embedders.1.model.logit_scale",
    "conditioner.embedders.1.model.attn_mask",
    "cond_stage_model.transformer.logit_scale",
    "conditioner.embedders.0.transformer.logit_scale",
};

/* Pieces of names that no network of ours has: one that has them resembles a part and is something else. */
static const struct {
    const char *part, *piece, *kind;
} strangers[] = {
    {"unet", "input_hint_block.", "a ControlNet, which is not supported"},
    {"unet", "zero_convs.", "a ControlNet, which is not supported"},
    {"unet", "controlnet_cond_embedding.", "a ControlNet, which is not supported"},
    {"unet", "controlnet_down_blocks.", "a ControlNet, which is not supported"},
    {"unet", "controlnet_mid_block.", "a ControlNet, which is not supported"},
    {"unet", "lora_controlnet", "a Control-LoRA, which is not supported"},
    {"unet", "motion_modules.",
     "a network for videos with AnimateDiff's motion modules, which is not supported"},
    {"unet", "temp_convs.", "a network for videos, which is not supported"},
    {"unet", "transformer_in.", "a network for videos, which is not supported"},
    {"unet", "time_stack.", "the network of Stable Video Diffusion, which is not supported"},
    {"unet", "temporal_res_block.", "the network of Stable Video Diffusion, which is not supported"},
    {"unet", "fuser.", "a network that is told of boxes (GLIGEN), which is not supported"},
    {"unet", "position_net.", "a network that is told of boxes (GLIGEN), which is not supported"},
    {"unet", "encoder_hid_proj.",
     "a U-Net with a projection of its text or of pictures (Kolors, IP-Adapter), which is not supported"},
    {"vae", "quantize.", "a vector-quantised autoencoder, which is not supported"},
    {"vae", "condition_encoder.", "an autoencoder that is told of a mask, which is not supported"},
    {"vae", "time_stack.", "the autoencoder of Stable Video Diffusion, which is not supported"},
    {"vae", "temporal_res_block.", "the autoencoder of Stable Video Diffusion, which is not supported"},
};

/* Files of other kinds, by a piece of a tensor's name. */
static const struct {
    const char *piece, *kind;
} other_kinds[] = {
    {"lora_unet_", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m"},
    {"lora_te", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m"},
    {"lora_A.weight", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m"},
    {"lora.down.weight", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m"},
    {"_lora.down.weight", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m"},
    {"joint_blocks.0.", "the network of Stable Diffusion 3, which is not supported"},
    {"double_blocks.0.", "the network of FLUX, which is not supported"},
    {"double_stream_blocks.0.", "the network of FLUX, which is not supported"},
    {"single_transformer_blocks.0.", "the network of FLUX, which is not supported"},
    {"input_hint_block.", "a ControlNet, which is not supported"},
    {"controlnet_cond_embedding.", "a ControlNet, which is not supported"},
    {"motion_modules.", "an AnimateDiff motion module, which is not supported"},
    {"image_proj.", "an IP-Adapter, which is not supported"},
    {"ip_adapter.", "an IP-Adapter, which is not supported"},
    {"conv_up1.", "an upscaler, which is not supported"},
    {"emb_params", "a textual-inversion embedding, which is not supported"},
    {"clip_l", "a textual-inversion embedding, which is not supported"},
    {"shared.weight", "a T5 text encoder, which the supported families do not use"},
    {"vision_model.embeddings.", "a CLIP image encoder, which is not supported"},
};

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/** Whether PREFIX + NAME is in the file. */
static bool has(const pld_weight_files *files, const char *prefix, const char *name) {
    char whole[PLD_LAYOUT_NAME];
    pld_weight weight;
    snprintf(whole, sizeof whole, "%s%s", prefix, name);
    return pld_weight_files_find(files, whole, &weight);
}

bool pld_layout_passes_over(const char *name) {
    for (size_t i = 0; i < sizeof passed_over / sizeof *passed_over; i++) {
        if (starts_with(name, passed_over[i])) {
            return true;
        }
    }
    return false;
}

/** What a network under `layout` is if it is none of ours, else NULL. */
static const char *stranger_under(const pld_weight_files *files, const pld_part_layout *layout) {
    for (size_t row = 0; row < sizeof strangers / sizeof *strangers; row++) {
        for (size_t i = 0;
             strcmp(strangers[row].part, layout->part) == 0 && i < pld_weight_files_count(files); i++) {
            const char *name = pld_weight_files_at(files, i).tensor->name;
            if (starts_with(name, layout->prefix) &&
                strstr(name + strlen(layout->prefix), strangers[row].piece)) {
                return strangers[row].kind;
            }
        }
    }
    return NULL;
}

const char *pld_layout_other_kind(const pld_layout_contents *contents) {
    const pld_weight_files *files = contents->files;
    if (contents->stranger) {
        return contents->stranger;
    }
    for (size_t kind = 0; kind < sizeof other_kinds / sizeof *other_kinds; kind++) {
        for (size_t i = 0; i < pld_weight_files_count(files); i++) {
            if (strstr(pld_weight_files_at(files, i).tensor->name, other_kinds[kind].piece)) {
                return other_kinds[kind].kind;
            }
        }
    }
    return NULL;
}

int pld_layout_last(const pld_weight_files *files, const pld_part_layout *layout) {
    int last = -1;
    char name[64];
    do {
        snprintf(name, sizeof name, "decoder.up.%d.block.0.conv1.weight", ++last);
    } while (has(files, layout->prefix, name));
    return last > 0 ? last - 1 : 0;
}

const pld_part_layout *pld_layout_find(const pld_layout_contents *contents, const char *part) {
    for (int i = 0; i < contents->count; i++) {
        if (strcmp(contents->parts[i]->part, part) == 0) {
            return contents->parts[i];
        }
    }
    return NULL;
}

const pld_part_layout *pld_layout_original(const char *family, const char *part) {
    for (size_t i = 0; i < sizeof originals / sizeof *originals; i++) {
        if (strcmp(originals[i].family, family) != 0 || strcmp(originals[i].part, part) != 0) {
            continue;
        }
        for (size_t j = 0; j < LAYOUT_COUNT; j++) {
            if (strcmp(layouts[j].part, part) == 0 && strcmp(layouts[j].prefix, originals[i].prefix) == 0) {
                return &layouts[j];
            }
        }
    }
    return NULL;
}

/** Whether some part that was found takes the tensor. */
static bool is_taken(const pld_layout_contents *contents, const int *last, const char *name) {
    for (int i = 0; i < contents->count; i++) {
        const pld_part_layout *layout = contents->parts[i];
        pld_renamed renamed[PLD_MOST_RENAMED];
        if (starts_with(name, layout->prefix) &&
            pld_names_to_diffusers(layout->names, last[i], name + strlen(layout->prefix), renamed) > 0) {
            return true;
        }
    }
    return false;
}

void pld_layout_detect(const pld_weight_files *files, pld_layout_contents *contents) {
    int last[PLD_MOST_LAYOUT_PARTS] = {0};
    *contents = (pld_layout_contents){.files = files};
    for (int i = 0; i < LAYOUT_COUNT && contents->count < PLD_MOST_LAYOUT_PARTS; i++) {
        if (!pld_layout_find(contents, layouts[i].part) && has(files, layouts[i].prefix, layouts[i].mark)) {
            const char *stranger = stranger_under(files, &layouts[i]);
            if (stranger) {
                contents->stranger = stranger;
                continue;
            }
            last[contents->count] = pld_layout_last(files, &layouts[i]);
            contents->parts[contents->count++] = &layouts[i];
        }
    }
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        const char *name = pld_weight_files_at(files, i).tensor->name;
        if (is_taken(contents, last, name)) {
            continue;
        }
        if (pld_layout_passes_over(name)) {
            contents->passed_over++;
        } else {
            contents->unknown++;
            contents->first_unknown = contents->first_unknown ? contents->first_unknown : name;
        }
    }
}

/** A growing list of aliases with the names that they own. */
typedef struct alias_list {
    pld_weight_alias *items;
    size_t count, capacity;
} alias_list;

static bool append(alias_list *list, size_t source, const pld_renamed *renamed) {
    if (!pld_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items)) {
        return false;
    }
    const pld_name_form form = renamed->form;
    const bool third = form >= PLD_FORM_FIRST_THIRD && form <= PLD_FORM_LAST_THIRD;
    char *name = pld_copy_string(renamed->name);
    list->items[list->count++] = (pld_weight_alias){.source = source,
                                                    .name = name,
                                                    .part = third ? (int)(form - PLD_FORM_FIRST_THIRD) : 0,
                                                    .parts = third ? 3 : 1,
                                                    .transposed = form == PLD_FORM_TRANSPOSED,
                                                    .flattened = form == PLD_FORM_CONV_1X1};
    return name != NULL;
}

/** Whether a tensor lies in a block of a text encoder that is to be left out. */
static bool in_left_out_layer(const char *name, int64_t layers) {
    static const char block[] = "text_model.encoder.layers.";
    uint64_t layer = 0;
    return layers > 0 && starts_with(name, block) &&
           pld_parse_natural(name + sizeof block - 1, INT32_MAX, &layer, NULL) && layer >= (uint64_t)layers;
}

static pld_status collect(const pld_weight_files *files, const pld_part_layout *layout, int64_t layers,
                          alias_list *list, pld_error *error) {
    const int last = pld_layout_last(files, layout);
    const size_t prefix = strlen(layout->prefix);
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        const char *name = pld_weight_files_at(files, i).tensor->name;
        pld_renamed renamed[PLD_MOST_RENAMED];
        if (!starts_with(name, layout->prefix) || pld_layout_passes_over(name)) {
            continue;
        }
        const size_t count = pld_names_to_diffusers(layout->names, last, name + prefix, renamed);
        for (size_t j = 0; j < count; j++) {
            if (!in_left_out_layer(renamed[j].name, layers) && !append(list, i, &renamed[j])) {
                return pld_fail_memory(error, sizeof *list->items, "list of weights");
            }
        }
    }
    return PLD_OK;
}

pld_status pld_layout_view(const pld_weight_files *files, const pld_part_layout *layout, int64_t layers,
                           pld_weight_files **view, pld_error *error) {
    alias_list list = {0};
    *view = NULL;
    pld_status status = collect(files, layout, layers, &list, error);
    if (status == PLD_OK) {
        status = pld_weight_files_view(files, list.items, list.count, view, error);
    }
    for (size_t i = 0; i < list.count; i++) {
        pld_free((char *)list.items[i].name);
    }
    pld_free(list.items);
    return status;
}
