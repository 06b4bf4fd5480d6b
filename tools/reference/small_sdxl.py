#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small SDXL of tests/data/reference: as make_reference.py makes it, narrower and with fewer cases.

    small_sdxl.py --out DIR [--config public.json]

It adds what the larger set has no case for: picture sizes that differ from the picture's own, and clip-skip (without
guidance, because diffusers leaves the negative prompt at the penultimate state).
"""
import argparse
import json
from pathlib import Path

import diffusers
import torch
import transformers

from oracle import unet_families

PLADIS = {"lambda": 2.0, "alpha": 1.5, "blocks": "all"}
DISTILLED = {"cfg": 1.0, "negative": None, "steps": 4, "pladis": PLADIS}
SMALLER = {
    "unet": {"widths": [8, 16, 16], "groups": 4, "context": 40, "heads": [1, 2, 2], "depths": [1, 1, 2],
             "time_ids_dim": 8, "sample_size": 8},
    "vae": {"widths": [8, 8, 8, 16], "groups": 4, "scaling": 0.13025, "sample_size": 64, "force_upcast": True},
    "text": {"width": 16, "layers": 3, "heads": 2, "act": "quick_gelu", "projection": 16},
    "text_2": {"width": 24, "layers": 4, "heads": 3, "act": "gelu", "projection": 12},
    "single_file": [],
    "vae_size": [32, 32],
    "generations": [
        {"name": "pladis", "sampler": "euler", "pladis": PLADIS, "decode": True, "store_embeds": True},
        {"name": "pladis-downup", "sampler": "euler", "steps": 2, "pladis": {**PLADIS, "blocks": "down,up"}},
        {"name": "empty-negative", "sampler": "euler", "steps": 2, "negative": None, "pladis": PLADIS,
         "store_embeds": True},
        {"name": "empty-string-negative", "sampler": "euler", "steps": 2, "negative": "", "pladis": PLADIS},
        {"name": "sizes", "sampler": "euler", "steps": 2, "pladis": PLADIS, "original_size": [768, 1344],
         "crops_coords_top_left": [16, 8], "target_size": [512, 640]},
        {"name": "clip-skip", "sampler": "euler", "steps": 2, "clip_skip": 2, "cfg": 1.0},
        {"name": "rescale", "sampler": "euler", "steps": 2, "rescale": 0.7, "pladis": PLADIS},
        {"name": "odd-size", "sampler": "euler", "steps": 2, "width": 104, "height": 72, "pladis": PLADIS},
        {"name": "dpm++2m-karras", "sampler": "dpm++2m-karras", "steps": 4},
        {"name": "turbo-1-pladis", "sampler": "euler_a-trailing", **DISTILLED, "steps": 1},
        {"name": "lightning-4-pladis", "sampler": "euler-trailing", **DISTILLED},
        {"name": "dmd2-4-pladis", "sampler": "lcm", "timesteps": [999, 749, 499, 249], **DISTILLED},
        {"name": "hyper-tcd-4-pladis", "sampler": "tcd", "eta": 1.0, **DISTILLED},
        {"name": "hyper-ddim-4-pladis", "sampler": "ddim-trailing", **DISTILLED},
    ],
}


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--config", type=Path, default=here / "public.json")
    args = parser.parse_args()
    config = json.loads(args.config.read_text())
    sdxl = {**config["sdxl"], **SMALLER}
    del sdxl["lora"]
    sdxl["text_prompts"] = sdxl["text_prompts"][1:2]
    sdxl["unit"] = {**sdxl["unit"], "fine": False}
    del sdxl["unet_cases"]["unet"]
    sdxl["sweep"] = [row for row in sdxl["sweep"] if row[2] != "all" or row[0] != 1.5]
    config["sdxl"] = sdxl
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    unet_families.section("sdxl")(args.out, config)


if __name__ == "__main__":
    main()
