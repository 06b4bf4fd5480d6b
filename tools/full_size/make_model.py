#!/usr/bin/env python3
"""Write a Stable Diffusion 1.5, 2.1 or XL diffusers folder of the real size with random weights.

    make_model.py --family sd15 --out DIR [--dtype f16] [--seed 1500]

Configurations, tensor names and shapes are those of the published models; only the tokenizer is the small one of the
reference cases, whose ids are valid rows of the real 49408-row embedding. Of SANA, SANA-Sprint and Anima it writes none:
compare_transformer.py takes any diffusers folder of theirs.

The weights are random but calibrated as the reference models are: residual streams stay of order one, cross-attention
logits have a standard deviation of about 2.2 so that PLADIS matters, and both outputs have an ordinary spread. The same
seed gives the same weights. One part is in memory at a time: SDXL needs 12 GB, the others 5 GB.
"""
import argparse
import shutil
import sys
from pathlib import Path

import diffusers
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "reference"))
from oracle import models, units  # noqa: E402
from oracle.attention import set_pladis  # noqa: E402
from oracle.store import published_clip_name, write_json, write_model  # noqa: E402
from oracle.text import load_tokenizer  # noqa: E402
from oracle.unet_families import PIPELINES, SCHEDULERS, Models  # noqa: E402

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
    "sdxl": {
        "seed": 3100,
        "text": {"width": 768, "layers": 12, "heads": 12, "act": "quick_gelu", "projection": 768},
        "text_2": {"width": 1280, "layers": 32, "heads": 20, "act": "gelu", "projection": 1280},
        "unet": {"widths": [320, 640, 1280], "heads": [5, 10, 20], "depths": [1, 2, 10], "context": 2048,
                 "time_ids_dim": 256, "sample_size": 128},
        "vae": {**VAE, "scaling": 0.13025, "sample_size": 1024},
    },
}
VOCABULARY = range(49408)  # the text encoder's embedding rows
STREAM_GAIN = 0.05         # scale of what enters and joins the residual streams, as in the reference models
CALIBRATION = {            # a small forward: the statistics hardly depend on the size of the picture
    "latent": [16, 16], "batch": 2, "timesteps": [981.0, 301.0],
    "prompts": ["a photo of a red fox sitting in deep snow", "two cats playing chess in a library, oil painting"],
    "time_ids": [[1024, 1024, 0, 0, 1024, 1024], [768, 1344, 16, 8, 768, 1344]],
}
DTYPES = {"f16": torch.float16, "f32": torch.float32}
CLASSES = {"text_encoder": "CLIPTextModel", "text_encoder_2": "CLIPTextModelWithProjection",
           "unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}


def write_texts(out, family, seed, dtype):
    """The tokenizers and text encoders; the calibration inputs of the U-Net: sample [2, 4, 16, 16], context
    [2, 77, C]."""
    cfg, parts = FAMILIES[family], {"unet": None}
    for tokenizer in sorted(tokenizer_folder(family).glob("tokenizer*")):
        shutil.copytree(tokenizer, out / tokenizer.name, dirs_exist_ok=True)
        parts[tokenizer.name] = load_tokenizer(tokenizer)
    parts["text_encoder"] = models.build_text(cfg["text"], VOCABULARY, seed, STREAM_GAIN)
    if "text_2" in cfg:
        parts["text_encoder_2"] = models.build_text(cfg["text_2"], VOCABULARY, seed + 1, STREAM_GAIN, True)
    for name in parts:
        if name.startswith("text"):
            write_model(out / name, parts[name], dtype, rename=published_clip_name)
    return units.unet_inputs(Models(family, parts), CALIBRATION, seed)


def write_denoiser(out, family, seed, dtype, inputs):
    unet = models.build_unet(family, FAMILIES[family], seed, STREAM_GAIN)
    models.calibrate_attention(unet, lambda: units.call_unet(unet, inputs))
    set_pladis(unet, 0.0, 1.5)
    models.scale_output(unet.conv_out, lambda: units.call_unet(unet, inputs), 0.9)
    unet.to(dtype).save_pretrained(out / "unet", max_shard_size="100GB")  # without a copy, which write_model makes


def write_index(out, family):
    names = [name for name in CLASSES if (out / name).is_dir()]
    index = {"_class_name": PIPELINES[family], "_diffusers_version": diffusers.__version__,
             "scheduler": ["diffusers", SCHEDULERS[family]["_class_name"]]}
    index.update({name: ["transformers" if name.startswith("text") else "diffusers", CLASSES[name]] for name in names})
    index.update({folder.name: ["transformers", "CLIPTokenizer"] for folder in out.glob("tokenizer*")})
    if family == "sdxl":
        index["force_zeros_for_empty_prompt"] = True
    write_json(out / "model_index.json", index)
    write_json(out / "scheduler" / "scheduler_config.json", SCHEDULERS[family])


def tokenizer_folder(family):
    return ROOT / "tests" / "data" / "reference" / "models" / family


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", required=True, choices=FAMILIES)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--dtype", default="f16", choices=DTYPES, help="type of the stored weights (%(default)s)")
    parser.add_argument("--seed", type=int, help="seed of the weights (the default depends on the family)")
    args = parser.parse_args()
    seed = FAMILIES[args.family]["seed"] if args.seed is None else args.seed
    dtype = DTYPES[args.dtype]
    inputs = write_texts(args.out, args.family, seed, dtype)
    write_model(args.out / "vae", models.build_vae(FAMILIES[args.family], seed + 2, STREAM_GAIN), dtype)
    write_denoiser(args.out, args.family, seed + 3, dtype, inputs)
    write_index(args.out, args.family)
    size = sum(file.stat().st_size for file in args.out.rglob("*.safetensors"))
    print(f"{args.out}: {args.family}, {size / 2**30:.2f} GiB of weights in {args.dtype}")


if __name__ == "__main__":
    main()
