#!/usr/bin/env python3
"""Write a Stable Diffusion 1.5 or 2.1 diffusers folder of the real size with random weights.

    make_model.py --family sd15 --out DIR [--dtype f16] [--seed 1500]

Configurations, tensor names and shapes are those of the published models; only the tokenizer is the small one of the
reference cases, whose ids are valid rows of the real 49408-row embedding. The weights are random but calibrated as the
reference models are: residual streams stay of order one, cross-attention logits have a standard deviation of about
2.2 so that PLADIS matters, and both outputs have an ordinary spread. The same seed gives the same weights.
"""
import argparse
import shutil
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "reference"))
from oracle import models, units  # noqa: E402
from oracle.attention import set_pladis  # noqa: E402
from oracle.text import load_tokenizer  # noqa: E402
from oracle.unet_families import Models, save  # noqa: E402

VAE = {"widths": [128, 256, 512, 512], "scaling": 0.18215}
FAMILIES = {
    "sd15": {
        "seed": 1500,
        "text": {"width": 768, "layers": 12, "heads": 12, "act": "quick_gelu", "projection": 768},
        "unet": {"widths": [320, 640, 1280, 1280], "heads": 8, "context": 768, "sample_size": 64},
        "vae": {**VAE, "sample_size": 512},
    },
    "sd21": {
        "seed": 2100,
        "text": {"width": 1024, "layers": 23, "heads": 16, "act": "gelu", "projection": 512},
        "unet": {"widths": [320, 640, 1280, 1280], "heads": [5, 10, 20, 20], "context": 1024, "sample_size": 96},
        "vae": {**VAE, "sample_size": 768},
    },
}
VOCABULARY = range(49408)  # the text encoder's embedding rows
STREAM_GAIN = 0.05         # scale of what enters and joins the residual streams, as in the reference models
CALIBRATION = {            # a small forward: the statistics hardly depend on the size of the picture
    "latent": [16, 16], "batch": 2, "timesteps": [981.0, 301.0],
    "prompts": ["a photo of a red fox sitting in deep snow", "two cats playing chess in a library, oil painting"],
}
HALVES = {"f16": ["text_encoder", "unet", "vae"], "f32": []}


@torch.no_grad()
def build(family, seed):
    """The calibrated parts, in float32. Calibration inputs: sample [2, 4, 16, 16], context [2, 77, C]."""
    cfg = FAMILIES[family]
    tokenizer = load_tokenizer(tokenizer_folder(family))
    parts = {"tokenizer": tokenizer, "text_encoder": models.build_text(cfg["text"], VOCABULARY, seed, STREAM_GAIN),
             "vae": models.build_vae(cfg, seed + 2, STREAM_GAIN),
             "unet": models.build_unet(family, cfg, seed + 3, STREAM_GAIN)}
    bundle, unet = Models(family, parts), parts["unet"]
    inputs = units.unet_inputs(bundle, CALIBRATION, seed)
    models.calibrate_attention(unet, lambda: units.call_unet(unet, inputs))
    set_pladis(unet, 0.0, 1.5)
    models.scale_output(unet.conv_out, lambda: units.call_unet(unet, inputs), 0.9)
    return bundle


def tokenizer_folder(family):
    return ROOT / "tests" / "data" / "reference" / "models" / family / "tokenizer"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--dtype", default="f16", choices=HALVES, help="of the stored weights")
    parser.add_argument("--seed", type=int, help="the default differs by family")
    args = parser.parse_args()
    seed = FAMILIES[args.family]["seed"] if args.seed is None else args.seed
    bundle = build(args.family, seed)
    shutil.copytree(tokenizer_folder(args.family), args.out / "tokenizer", dirs_exist_ok=True)
    save(args.out, bundle, {}, HALVES[args.dtype])
    count = sum(p.numel() for part in ("text_encoder", "unet", "vae") for p in bundle.parts[part].parameters())
    print(f"{args.out}: {args.family}, {count / 1e6:.0f} million parameters in {args.dtype}")


if __name__ == "__main__":
    main()
