# SPDX-License-Identifier: Apache-2.0
"""Generations of the tiny SDXL with the schedules of presets that no published case covers.

    python tools/reference/preset_cases.py tests/data/reference presets.json

makes cases/NAME for each row of the JSON file (beside this script): what diffusers' pipeline gives with that scheduler,
those timesteps and no CFG. `preset` names the row of `pladis list presets` that must give the same by itself.
"""
import json
import sys
from collections import namedtuple
from pathlib import Path

import diffusers
import torch
from diffusers import StableDiffusionXLPipeline

from oracle.generation import generate

Models = namedtuple("Models", "family parts scheduler")
COMMON = {"prompt": "a photo of a red fox sitting in deep snow", "negative": None, "width": 64, "height": 64, "cfg": 1.0,
          "seed": 77, "pladis": {"lambda": 2.0, "alpha": 1.5, "blocks": "all"}, "model": "sdxl"}


def main():
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    out = Path(sys.argv[1])
    pipe = StableDiffusionXLPipeline.from_pretrained(out / "models" / "sdxl", torch_dtype=torch.float32, variant="fp16",
                                                     add_watermarker=False)
    names = ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")
    models = Models("sdxl", {n: getattr(pipe, n) for n in names}, pipe.scheduler)
    for row in json.loads((Path(__file__).resolve().parent / sys.argv[2]).read_text()):
        generate(out, models, {**COMMON, **row})


if __name__ == "__main__":
    main()
