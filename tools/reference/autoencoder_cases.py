# SPDX-License-Identifier: Apache-2.0
"""Small autoencoders of other classes than AutoencoderKL, in ways that published ones and those of make_reference.py are not.

    python tools/reference/autoencoder_cases.py tests/data/reference

writes models/NAME/vae and cases/NAME-vae of the kind "vae" for
    dc-conv     AutoencoderDC: strided convolutions and enlargement, filters of two sides in the decoder, relu
    dc-shuffle  AutoencoderDC without layers in the finest level: pixels become channels and the other way, no shortcut at
                the encoder's end, attention without filters
    qwen-vae    AutoencoderKLQwenImage of three levels, with means and deviations of its own, in bfloat16
with `decoded` of `latent` as a denoiser has it, and of `picture` the `moments` or, of AutoencoderDC, the `latents`.
"""
import sys
from pathlib import Path

import diffusers
import torch
from oracle.store import write_json, write_model, write_tensors

RES, VIT = "ResBlock", "EfficientViTBlock"
MODELS = {
    "dc-conv": ("AutoencoderDC", dict(
        latent_channels=8, attention_head_dim=4, encoder_block_types=[RES, RES, VIT], decoder_block_types=[RES, RES, VIT],
        encoder_block_out_channels=[8, 16, 16], decoder_block_out_channels=[8, 16, 16],
        encoder_layers_per_block=[1, 1, 2], decoder_layers_per_block=[1, 2, 1],
        encoder_qkv_multiscales=[[], [], [5]], decoder_qkv_multiscales=[[], [], [5, 3]],
        downsample_block_type="conv", upsample_block_type="interpolate", decoder_act_fns=["silu", "relu", "silu"],
        decoder_conv_act_fn="silu", scaling_factor=0.41407)),
    "dc-shuffle": ("AutoencoderDC", dict(
        latent_channels=4, attention_head_dim=8, encoder_block_types=[RES, VIT, VIT], decoder_block_types=[RES, VIT, VIT],
        encoder_block_out_channels=[16, 16, 32], decoder_block_out_channels=[16, 16, 32],
        encoder_layers_per_block=[0, 1, 1], decoder_layers_per_block=[0, 1, 1],
        encoder_qkv_multiscales=[[], [], [5]], decoder_qkv_multiscales=[[], [], [5]],
        encoder_out_shortcut=False, scaling_factor=0.7)),
    "qwen-vae": ("AutoencoderKLQwenImage", dict(
        base_dim=4, z_dim=4, dim_mult=[1, 2, 3], num_res_blocks=2, temperal_downsample=[True, False],
        latents_mean=[-0.7, 0.3, 0.1, 1.2], latents_std=[2.8, 1.4, 0.5, 1.9])),
}


def fill(model):
    """Products keep the spread of what they multiply, norms and biases differ from channel to channel."""
    g = torch.Generator().manual_seed(3)
    for p in model.parameters():
        if p.squeeze().ndim > 1:
            steps = 3 if p.ndim == 5 and p.shape[2] == 3 else 1  # of which one counts
            p.data = torch.randn(p.shape, generator=g) * (1.6 * steps / p[0].numel()) ** 0.5
        else:
            p.data = torch.rand(p.shape, generator=g) + 0.5
    for name, p in model.named_parameters():
        if name.endswith(".bias"):
            p.data -= 1
    return model.eval()


@torch.no_grad()
def main():
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    for name, (kind, config) in MODELS.items():
        model = fill(getattr(diffusers, kind)(**config))
        folder = out / "models" / name / "vae"
        write_model(folder, model, torch.bfloat16 if kind == "AutoencoderKLQwenImage" else torch.float32)
        model = type(model).from_pretrained(folder, torch_dtype=torch.float32).eval()
        video = kind == "AutoencoderKLQwenImage"
        channels = config["z_dim"] if video else config["latent_channels"]
        g = torch.Generator().manual_seed(5)
        latent = torch.randn(1, channels, 5, 6, generator=g)
        picture = torch.rand(1, 3, 24, 20, generator=g) * 2 - 1
        if video:
            mean, deviation = (torch.tensor(config[f]).view(1, -1, 1, 1, 1) for f in ("latents_mean", "latents_std"))
            decoded = model.decode(latent[:, :, None] / (1 / deviation) + mean).sample[:, :, 0]
            encoded = {"moments": model.encode(picture[:, :, None]).latent_dist.parameters[:, :, 0]}
            assert (decoded.abs() == 1).float().mean() < 0.5
        else:
            decoded = model.decode(latent / config["scaling_factor"]).sample
            encoded = {"latents": model.encode(picture).latent}
        tensors = {"latent": latent, "decoded": decoded, "picture": picture, **encoded}
        case = out / "cases" / f"{name}-vae"
        write_json(case / "case.json", {
            "name": f"{name}-vae", "kind": "vae", "model": name,
            "note": "decoded of the latent with its scaling undone; moments or latents of the picture, unscaled"})
        write_tensors(case / "tensors.safetensors", tensors)
        print(name, {k: (tuple(v.shape), round(float(v.std()), 3)) for k, v in tensors.items()})


if __name__ == "__main__":
    main()
