# SPDX-License-Identifier: Apache-2.0
"""Generations that begin at a picture, by diffusers' image-to-image and inpainting pipelines.

    python tools/reference/picture_cases.py tests/data/reference/models tests/data/pictures

Writes init.png and mask.png (of another size than the run's, so that resizing is compared too), cases.json and
cases.safetensors. A row of cases.json is one run; its tensors are NAME.TENSOR:
    image_latents   the picture's, drawn from the posterior and scaled
    latents_init    the unit noise
    latents.first   after the first call of the scheduler
    latents         after the last
`sensitivity` is the relative change of `latents` when every model output is disturbed by noise of relative size 1e-6.
Resized pictures (Pillow's Lanczos, as diffusers calls it) are in resized.safetensors: WIDTHxHEIGHT [H, W, 3] uint8.
tests/parity/pictures.c does the same in C and compares.
"""
import json
import sys
from pathlib import Path

import diffusers
import numpy
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from oracle.attention import set_pladis  # noqa: E402
from oracle.generation import nudge, relative  # noqa: E402
from sampling_cases import CLASSES, FIXED  # noqa: E402

SIDE = 64
SAMPLERS = [name for name in CLASSES if name != "ddim_trailing"]
OFTEN = ("ddim", "euler", "dpm++2m")


def draw_pictures(folder):
    """A gradient with shapes, 90 x 70, and a mask with a soft edge, 50 x 80."""
    y, x = numpy.mgrid[0:70, 0:90]
    data = numpy.stack([x * 255 // 89, y * 255 // 69, (x * y) % 256], -1).astype(numpy.uint8)
    picture = Image.fromarray(data)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((10, 12, 48, 50), fill=(230, 40, 30))
    draw.rectangle((50, 30, 80, 62), fill=(20, 60, 200))
    picture.save(folder / "init.png")
    y, x = numpy.mgrid[0:80, 0:50]
    grey = numpy.clip(128 + 6 * (28 - numpy.hypot(x - 22, y - 40)), 0, 255).astype(numpy.uint8)
    mask = Image.fromarray(grey, "L")
    mask.save(folder / "mask.png")
    return picture, mask


def all_cases():
    for model in ("sd15", "sd21"):
        for sampler in SAMPLERS:
            for strength in (0.3, 0.6, 1.0) if sampler in OFTEN else (0.6,):
                for inpaint in (False, True):
                    yield {"model": model, "sampler": sampler, "strength": strength, "inpaint": inpaint,
                           "pladis": 2.0 if strength != 0.3 else 0.0, "steps": 6, "cfg": 5.0, "seed": 11,
                           "prompt": "a red fox in deep snow", "negative": "blurry"}


class FirstCall:
    """Keeps what the first call of the scheduler returned, and the noise and latents before it."""

    def __init__(self, pipe):
        self.pipe, self.first, self.clean, self.noise = pipe, None, None, None

    def __enter__(self):
        scheduler = self.pipe.scheduler
        step, add_noise = scheduler.step, scheduler.add_noise

        def keep_step(*args, **kwargs):
            result = step(*args, **kwargs)
            if self.first is None:
                self.first = result[0].detach().clone()
            return result

        def keep_noise(clean, noise, timesteps):
            if self.clean is None:
                self.clean, self.noise = clean.detach().clone(), noise.detach().clone()
            return add_noise(clean, noise, timesteps)
        import inspect
        keep_step.__signature__ = inspect.signature(step)
        scheduler.step, scheduler.add_noise = keep_step, keep_noise
        return self

    def __exit__(self, *_):
        del self.pipe.scheduler.step, self.pipe.scheduler.add_noise


def run(parts, base, case, picture, mask):
    cls = CLASSES[case["sampler"]]
    parts = dict(parts, scheduler=cls.from_config(base.config, **FIXED.get(case["sampler"], {})))
    kind = diffusers.StableDiffusionInpaintPipeline if case["inpaint"] else diffusers.StableDiffusionImg2ImgPipeline
    pipe = kind(**parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    set_pladis(pipe.unet, case["pladis"], 1.5, "all")
    extra = dict(mask_image=mask, height=SIDE, width=SIDE) if case["inpaint"] else {}
    image = picture if case["inpaint"] else picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    with FirstCall(pipe) as kept:
        latents = pipe(prompt=case["prompt"], negative_prompt=case["negative"], image=image,
                       strength=case["strength"], num_inference_steps=case["steps"], guidance_scale=case["cfg"],
                       generator=torch.Generator("cpu").manual_seed(case["seed"]), output_type="latent",
                       **extra).images
    return {"image_latents": kept.clean, "latents_init": kept.noise, "latents.first": kept.first, "latents": latents}


@torch.no_grad()
def main():
    models, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    picture, mask = draw_pictures(out)
    cases, tensors, loaded = list(all_cases()), {}, {}
    for case in cases:
        if case["model"] not in loaded:
            pipe = diffusers.StableDiffusionPipeline.from_pretrained(models / case["model"], safety_checker=None,
                                                                     torch_dtype=torch.float32)
            loaded = {case["model"]: ({k: getattr(pipe, k) for k in ("vae", "text_encoder", "tokenizer", "unet")},
                                      pipe.scheduler)}
        parts, base = loaded[case["model"]]
        case["name"] = "{model}-{sampler}-{strength}-{kind}".format(
            kind="inpaint" if case["inpaint"] else "img2img", **case)
        found = run(parts, base, case, picture, mask)
        hook = nudge(parts["unet"])
        case["sensitivity"] = relative(run(parts, base, case, picture, mask)["latents"], found["latents"])
        hook.remove()
        print(case["name"], case["sensitivity"], flush=True)
        tensors.update({f"{case['name']}.{key}": value.contiguous().float() for key, value in found.items()})
    (out / "cases.json").write_text(json.dumps(cases, indent=0) + "\n")
    save_file(tensors, out / "cases.safetensors")
    sizes = [(64, 64), (40, 70), (90, 33), (17, 11), (128, 100)]
    save_file({f"{w}x{h}": torch.from_numpy(numpy.array(picture.resize((w, h), Image.Resampling.LANCZOS)))
               for w, h in sizes}, out / "resized.safetensors")


if __name__ == "__main__":
    main()
