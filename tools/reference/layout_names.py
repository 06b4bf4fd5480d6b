#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every tensor of the full-size single-file checkpoints: its name there, its shape, and diffusers' names for it.

    layout_names.py OUT.json.gz

The networks are made without memory (meta device) from the published configurations. Names of U-Nets and
autoencoders in diffusers come from its own converters, which get tensors of one number each, its row.
"""
import gzip
import json
import sys

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from oracle import ldm

DOWN, CROSS_DOWN = "DownBlock2D", "CrossAttnDownBlock2D"
UP, CROSS_UP = "UpBlock2D", "CrossAttnUpBlock2D"
WIDTHS = (320, 640, 1280, 1280)
DOWN_BLOCKS, UP_BLOCKS = (CROSS_DOWN,) * 3 + (DOWN,), (UP,) + (CROSS_UP,) * 3
UNETS = {
    "sd15": dict(block_out_channels=WIDTHS, down_block_types=DOWN_BLOCKS, up_block_types=UP_BLOCKS, cross_attention_dim=768,
                 attention_head_dim=8, sample_size=64),
    "sd21": dict(block_out_channels=WIDTHS, down_block_types=DOWN_BLOCKS, up_block_types=UP_BLOCKS, cross_attention_dim=1024,
                 attention_head_dim=[5, 10, 20, 20], use_linear_projection=True, sample_size=96),
    "sdxl": dict(block_out_channels=WIDTHS[:3], down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN),
                 up_block_types=(CROSS_UP, CROSS_UP, UP), cross_attention_dim=2048, attention_head_dim=[5, 10, 20],
                 transformer_layers_per_block=[1, 2, 10], use_linear_projection=True, addition_embed_type="text_time",
                 addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816, sample_size=128),
}
VAE = dict(block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
           up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=4)
LARGE = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, hidden_act="quick_gelu")
HUGE = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, hidden_act="gelu")
BIG = dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, hidden_act="gelu",
           projection_dim=1280)


def numbered(names, shapes):
    """A state dict of tensors of one number each, its row, with as many axes as the real ones have."""
    return {name: torch.full((1,) * len(shapes[name]), float(row)) for row, name in enumerate(names)}


def diffusers_names(state, prefix, convert, config):
    """original name -> diffusers name, by diffusers' converter."""
    names = [name for name in state if name.startswith(prefix)]
    shapes = {name: state[name] for name in names}
    converted = convert(numbered(names, shapes), config=config)
    return {names[int(value.flatten()[0])]: name for name, value in converted.items()}


def family(name):
    with torch.device("meta"):
        unet = UNet2DConditionModel(**UNETS[name])
        vae = AutoencoderKL(**VAE)
        first = CLIPTextModel(CLIPTextConfig(**(HUGE if name == "sd21" else LARGE)))
        second = CLIPTextModelWithProjection(CLIPTextConfig(**BIG)) if name == "sdxl" else None
    paths = ldm.unet_names(unet)
    state = {f"model.diffusion_model.{ldm.unet_key(paths, k)}": tuple(v.shape) for k, v in unet.state_dict().items()}
    state |= {f"first_stage_model.{k}": tuple(v.shape) for k, v in ldm.vae_to_ldm(vae).items()}
    rows = diffusers_names(state, "model.diffusion_model.", convert_ldm_unet_checkpoint, dict(unet.config))
    rows |= diffusers_names(state, "first_stage_model.", convert_ldm_vae_checkpoint, dict(vae.config))
    if name == "sd21":
        with torch.device("meta"):
            whole = CLIPTextModel(CLIPTextConfig(**(HUGE | {"num_hidden_layers": 24})))
        towers = {"cond_stage_model.model.": whole}
        clips = {}
    else:
        prefix = "cond_stage_model.transformer." if name == "sd15" else "conditioner.embedders.0.transformer."
        clips = {prefix: first}
        towers = {"conditioner.embedders.1.model.": second} if second else {}
    for prefix, model in clips.items():
        state |= {prefix + k: tuple(v.shape) for k, v in ldm.clip_names(model).items()}
    for prefix, model in towers.items():
        with torch.device("meta"):
            state |= {prefix + k: tuple(v.shape) for k, v in ldm.open_clip(model).items()}
    return [[original, list(shape), rows.get(original)] for original, shape in state.items()]


def main():
    data = json.dumps({name: family(name) for name in UNETS}, separators=(",", ":"))
    with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as out:
        out.write(data.encode())


if __name__ == "__main__":
    main()
