/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/layouts.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

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
    "text_encoders.clip_l.logit_scale",
    "text_encoders.clip_g.logit_scale",
    "text_encoders.t5xxl.logit_scale",
};

/* Files of other kinds, by a piece of a tensor's name; the first row that fits counts. */
static const struct {
    const char *piece, *kind;
    int64_t inputs; /* that tensor is a matrix of as many columns; 0: any tensor */
} other_kinds[] = {
    {"lora_unet_", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m", 0},
    {"lora_te", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m", 0},
    {"lora_A.weight", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m", 0},
    {"lora.down.weight", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m", 0},
    {"_lora.down.weight", "a LoRA; give it with --lora, and the checkpoint that it was made for with -m", 0},
    {"controlnet_blocks.", "a ControlNet, which is not supported", 0},
    {"controlnet_x_embedder.", "a ControlNet, which is not supported", 0},
    {"redux_up.", "FLUX Redux, which is not supported: it takes pictures as prompts", 0},
    {"double_stream_modulation_img.", "a network like that of FLUX.2, which is not supported", 0},
    /* latents of 64, the masked picture's 64 and its mask's 256; latents and another picture's */
    {"img_in.weight", "the inpainting network FLUX Fill, which is not supported", 384},
    {"img_in.weight", "FLUX Control, which is not supported: it is conditioned on edges or depth", 128},
    {"joint_blocks.0.", "a network like that of Stable Diffusion 3, which is not supported", 0},
    {"distilled_guidance_layer.", "the network of Chroma, which is not supported", 0},
    {"double_blocks.0.", "the network of FLUX, which is not supported", 0},
    {"double_stream_blocks.0.", "the network of FLUX, which is not supported", 0},
    {"single_transformer_blocks.0.", "the network of FLUX, which is not supported", 0},
    {"input_hint_block.", "a ControlNet, which is not supported", 0},
    {"controlnet_cond_embedding.", "a ControlNet, which is not supported", 0},
    {"motion_modules.", "an AnimateDiff motion module, which is not supported", 0},
    {"image_proj.", "an IP-Adapter, which is not supported", 0},
    {"ip_adapter.", "an IP-Adapter, which is not supported", 0},
    {"conv_up1.", "an upscaler, which is not supported", 0},
    {"emb_params", "a textual-inversion embedding, which is not supported", 0},
    {"clip_l", "a textual-inversion embedding, which is not supported", 0},
    {"mlp.inverted_conv.", "the network of SANA, which is supported only as a diffusers folder", 0},
    {"ff.conv_inverted.",
     "a transformer like SANA's alone, which is no model; give the diffusers folder that it belongs to", 0},
    {"adaln_single.emb.",
     "a transformer like PixArt's alone, which is no model; give the diffusers folder that it belongs to", 0},
    {"cross_attn.kv_linear.", "the network of PixArt, which is supported only as a diffusers folder", 0},
    {"vision_model.embeddings.", "a CLIP image encoder, which is not supported", 0},
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

/** What a network of `class` under `layout` is if it is none of ours, else NULL. */
static const char *stranger_under(const pld_weight_files *files, const pld_part_class *class,
                                  const pld_part_layout *layout) {
    for (const pld_stranger *row = class->strangers; row && row->piece; row++) {
        for (size_t i = 0; i < pld_weight_files_count(files); i++) {
            const char *name = pld_weight_files_at(files, i).tensor->name;
            if (starts_with(name, layout->prefix) && strstr(name + strlen(layout->prefix), row->piece)) {
                return row->kind;
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
            const pld_stored_tensor *tensor = pld_weight_files_at(files, i).tensor;
            const int64_t inputs = other_kinds[kind].inputs;
            if (strstr(tensor->name, other_kinds[kind].piece) &&
                (!inputs || (tensor->rank == 2 && tensor->shape[1] == inputs))) {
                return other_kinds[kind].kind;
            }
        }
    }
    return NULL;
}

/** The last number for which the tensor called by `pattern` is there, where its %d is; NULL pattern: 0. */
static int last_of(const pld_weight_files *files, const char *prefix, const char *pattern) {
    int last = -1;
    char name[PLD_LAYOUT_NAME];
    if (!pattern) {
        return 0;
    }
    do {
        const char *number = strstr(pattern, "%d");
        snprintf(name, sizeof name, "%.*s%d%s", (int)(number - pattern), pattern, ++last, number + 2);
    } while (has(files, prefix, name));
    return last > 0 ? last - 1 : 0;
}

int pld_layout_last(const pld_weight_files *files, const pld_part_layout *layout) {
    return last_of(files, layout->prefix, layout->levels);
}

int pld_layout_last_of_view(const pld_weight_files *view, const pld_part_layout *layout) {
    return last_of(view, "", layout->diffusers_levels);
}

const pld_layout_part *pld_layout_find(const pld_layout_contents *contents, const char *part,
                                       const pld_part_class *class) {
    for (int i = 0; i < contents->count; i++) {
        const pld_layout_part *found = &contents->parts[i];
        const char *name = found->layout->part;
        if (found->class->read == class->read && (!name || strcmp(name, part) == 0)) {
            return found;
        }
    }
    return NULL;
}

/** Whether a part was found for which this layout stands, too, or one with these very names. */
static bool is_found(const pld_layout_contents *contents, const pld_part_class *class,
                     const pld_part_layout *layout) {
    for (int i = 0; i < contents->count; i++) {
        const pld_layout_part *part = &contents->parts[i];
        const char *name = part->layout->part;
        if (part->layout->names == layout->names && strcmp(part->layout->prefix, layout->prefix) == 0) {
            return true;
        }
        if (layout->part && name ? strcmp(name, layout->part) == 0 : contents->parts[i].class == class) {
            return true;
        }
    }
    return false;
}

const pld_layout_part *pld_layout_find_role(const pld_layout_contents *contents, pld_part_role role) {
    for (int i = 0; i < contents->count; i++) {
        if (contents->parts[i].class->role == role) {
            return &contents->parts[i];
        }
    }
    return NULL;
}

const pld_part_layout *pld_layout_with_prefix(const pld_part_class *class, const char *part,
                                              const char *prefix) {
    for (const pld_part_class *const *other = pld_part_classes; *other; other++) {
        const pld_part_layout *row = (*other)->read == class->read ? (*other)->layouts : NULL;
        for (; row && row->naming; row++) {
            if ((!row->part || strcmp(row->part, part) == 0) && strcmp(row->prefix, prefix) == 0) {
                return row;
            }
        }
    }
    return NULL;
}

/** Whether some part that was found takes the tensor. */
static bool is_taken(const pld_layout_contents *contents, const int *last, const char *name) {
    for (int i = 0; i < contents->count; i++) {
        const pld_part_layout *layout = contents->parts[i].layout;
        pld_renamed renamed[PLD_MOST_RENAMED];
        if (starts_with(name, layout->prefix) &&
            pld_names_to_diffusers(layout->names, last[i], name + strlen(layout->prefix), renamed) > 0) {
            return true;
        }
    }
    return false;
}

/** Look for a network of one class: the first of its layouts that fits counts. */
static void detect_class(pld_layout_contents *contents, const pld_part_class *class) {
    for (const pld_part_layout *row = class->layouts; row->naming && contents->count < PLD_MOST_LAYOUT_PARTS;
         row++) {
        if (is_found(contents, class, row) || !has(contents->files, row->prefix, row->mark)) {
            continue;
        }
        const char *stranger = stranger_under(contents->files, class, row);
        if (stranger) {
            contents->stranger = stranger;
        } else {
            contents->parts[contents->count++] = (pld_layout_part){class, row};
        }
    }
}

void pld_layout_detect(const pld_weight_files *files, pld_layout_contents *contents) {
    int last[PLD_MOST_LAYOUT_PARTS] = {0};
    *contents = (pld_layout_contents){.files = files};
    for (const pld_part_class *const *class = pld_part_classes; *class; class ++) {
        detect_class(contents, *class);
    }
    for (int i = 0; i < contents->count; i++) {
        last[i] = pld_layout_last(files, contents->parts[i].layout);
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
    char *name = pld_copy_string(renamed->name);
    list->items[list->count++] = (pld_weight_alias){.source = source,
                                                    .name = name,
                                                    .rows = renamed->rows,
                                                    .transposed = form == PLD_FORM_TRANSPOSED,
                                                    .flattened = form == PLD_FORM_CONV_1X1};
    return name != NULL;
}

/** Whether a tensor, by diffusers' name, lies in a layer that is to be left out. */
static bool in_left_out_layer(const pld_part_layout *layout, const char *name, int64_t layers) {
    uint64_t layer = 0;
    return layers > 0 && layout->layers && starts_with(name, layout->layers) &&
           pld_parse_natural(name + strlen(layout->layers), INT32_MAX, &layer, NULL) &&
           layer >= (uint64_t)layers;
}

/** Whether a tensor says something of a whole fused matrix, as the scale of its numbers does: its weight and its bias alone are
 * cut into parts. */
static bool is_of_the_whole(const pld_renamed *renamed) {
    const char *end = strrchr(renamed->name, '.');
    return renamed->rows.of > 1 && (!end || (strcmp(end, ".weight") != 0 && strcmp(end, ".bias") != 0));
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
            const bool left_out =
                in_left_out_layer(layout, renamed[j].name, layers) || is_of_the_whole(&renamed[j]);
            if (!left_out && !append(list, i, &renamed[j])) {
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
