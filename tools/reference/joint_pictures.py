# SPDX-License-Identifier: Apache-2.0
"""Generations of FLUX.1, FLUX.2 klein, Stable Diffusion 3.5 and Z-Image that begin at a picture.

    python tools/reference/joint_pictures.py tests/data/reference/models tests/data/joint/pictures

Writes cases.json and cases.safetensors beside what picture_cases.py describes, with its picture and mask
(tests/data/pictures). Of diffusers' image-to-image and inpainting pipelines, but for FLUX.2 klein, which has none that is
given a picture to begin at (its inpainting one reads the picture as text, too): there the loop is written out around its
pipeline's own functions. `first_step` is the number of the first step taken.
"""
import json
import sys
from pathlib import Path

import diffusers
import numpy
import torch
from PIL import Image
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent))
from oracle.dit_families import install_flux  # noqa: E402
from oracle.flux2 import install_flux2  # noqa: E402
from oracle.generation import nudge, relative  # noqa: E402
from oracle.sd3_family import install_sd3  # noqa: E402
from oracle.zimage import install_zimage  # noqa: E402

SIDE, STEPS, ALPHA, SEED = 64, 6, 1.5, 11
COMMON = {"prompt": "a red fox in deep snow", "steps": STEPS, "seed": SEED, "sampler": "euler", "side": SIDE}


class Kept:
    """What the scheduler was given to add noise to, and what its first call returned."""

    def __init__(self, scheduler):
        self.scheduler, self.first, self.clean, self.noise = scheduler, None, None, None

    def __enter__(self):
        step, scale_noise = self.scheduler.step, self.scheduler.scale_noise

        def keep_step(*args, **kwargs):
            result = step(*args, **kwargs)
            self.first = result[0].detach().clone() if self.first is None else self.first
            return result

        def keep_noise(sample, timestep, noise=None):
            if self.clean is None:
                self.clean, self.noise = sample.detach().clone(), noise.detach().clone()
            return scale_noise(sample, timestep, noise)
        self.scheduler.step, self.scheduler.scale_noise = keep_step, keep_noise
        return self

    def __exit__(self, *_):
        del self.scheduler.step, self.scheduler.scale_noise


class OfDiffusers:
    """A family with pipelines: the classes, how PLADIS is put into it, and what its call is told of guidance."""

    def __init__(self, name, img2img, inpaint, install, guidance, cfg=1, negative=None):
        self.name, self.kinds, self.install, self.guidance = name, (img2img, inpaint), install, guidance
        self.fields = {"cfg": cfg, "negative": negative}

    def open(self, folder):
        self.base = diffusers.DiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
        self.network = self.base.transformer
        self.folder = folder

    def run(self, case, picture, mask):
        kind = getattr(diffusers, self.kinds[case["inpaint"]])
        wanted = {k: v for k, v in self.base.components.items() if v is not None}
        pipe = kind(**wanted)
        pipe.set_progress_bar_config(disable=True)
        pipe.scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
        extra = dict(mask_image=mask) if case["inpaint"] else {}
        if case["negative"] is not None:
            extra["negative_prompt"] = case["negative"]
        with Kept(pipe.scheduler) as kept:
            latents = pipe(prompt=case["prompt"], image=picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), height=SIDE,
                           width=SIDE, strength=case["strength"], num_inference_steps=STEPS, **self.guidance,
                           generator=torch.Generator().manual_seed(SEED), output_type="latent", **extra).images
        case["first_step"] = STEPS - pipe._num_timesteps
        return {"image_latents": kept.clean, "latents_init": kept.noise, "latents.first": kept.first, "latents": latents}


class Klein:
    """FLUX.2 klein: the mean of the encoded picture, in patches, normed by the autoencoder's statistics."""
    name, fields = "flux2-klein", {"cfg": 1, "negative": None}

    def open(self, folder):
        self.pipe = diffusers.Flux2KleinPipeline.from_pretrained(folder, torch_dtype=torch.float32)
        self.network, self.install = self.pipe.transformer, install_flux2

    def run(self, case, picture, mask):
        pipe, generator = self.pipe, torch.Generator().manual_seed(SEED)
        pixels = pipe.image_processor.preprocess(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        clean = pipe._encode_vae_image(pixels, generator)
        noise = torch.randn(clean.shape, generator=generator)
        states, text_ids = pipe.encode_prompt(case["prompt"])
        ids = pipe._prepare_latent_ids(clean)
        tokens = clean.shape[-2] * clean.shape[-1]
        mu = diffusers.pipelines.flux2.pipeline_flux2_klein.compute_empirical_mu(tokens, STEPS)
        scheduler = pipe.scheduler.from_config(pipe.scheduler.config)
        scheduler.set_timesteps(sigmas=numpy.linspace(1.0, 1 / STEPS, STEPS), mu=mu)
        case["first_step"] = first = int(STEPS - STEPS * case["strength"])
        sigmas = scheduler.sigmas
        x, found = sigmas[first] * noise + (1 - sigmas[first]) * clean, {"image_latents": clean, "latents_init": noise}
        redrawn = torch.from_numpy(numpy.array(mask.resize((SIDE, SIDE), Image.Resampling.LANCZOS)) >= 128)
        redrawn = redrawn[::SIDE // clean.shape[-2], ::SIDE // clean.shape[-1]]
        for i in range(first, STEPS):
            v = self.network(hidden_states=pipe._pack_latents(x), encoder_hidden_states=states, txt_ids=text_ids, img_ids=ids,
                             timestep=scheduler.timesteps[i][None] / 1000).sample
            x = x + (sigmas[i + 1] - sigmas[i]) * v.transpose(1, 2).reshape(x.shape)
            found.setdefault("latents.first", pipe._pack_latents(x))
            if case["inpaint"]:
                x = torch.where(redrawn, x, sigmas[i + 1] * noise + (1 - sigmas[i + 1]) * clean)
        bn = pipe.vae.bn
        x = x * torch.sqrt(bn.running_var + pipe.vae.config.batch_norm_eps).view(1, -1, 1, 1) + bn.running_mean.view(1, -1, 1, 1)
        return {**found, "latents": pipe._unpatchify_latents(x)}


FAMILIES = [
    OfDiffusers("flux-dev", "FluxImg2ImgPipeline", "FluxInpaintPipeline", install_flux, {"guidance_scale": 3.5}),
    OfDiffusers("sd35", "StableDiffusion3Img2ImgPipeline", "StableDiffusion3InpaintPipeline", install_sd3,
                {"guidance_scale": 4.5}, 4.5, "blurry"),
    OfDiffusers("z-image", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline", install_zimage, {"guidance_scale": 3}, 4, "blurry"),
    Klein(),
]


@torch.no_grad()
def main():
    models, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    given = Path(__file__).resolve().parents[2] / "tests" / "data" / "pictures"
    picture, mask = Image.open(given / "init.png").convert("RGB"), Image.open(given / "mask.png").convert("L")
    cases, tensors = [], {}
    for family in FAMILIES:
        family.open(models / family.name)
        for strength, inpaint, scale in ((0.3, False, 0.0), (0.6, False, 2.0), (1.0, False, 2.0), (0.6, True, 2.0)):
            case = {"name": f"{family.name}-{strength}-{'inpaint' if inpaint else 'img2img'}", "model": family.name,
                    "strength": strength, "inpaint": inpaint, "pladis": scale, **COMMON, **family.fields}
            family.install(family.network, scale, ALPHA)
            found = family.run(case, picture, mask)
            hook = nudge(family.network)
            case["sensitivity"] = relative(family.run(case, picture, mask)["latents"], found["latents"])
            hook.remove()
            print(case["name"], case["first_step"], case["sensitivity"], {k: tuple(v.shape) for k, v in found.items()}, flush=True)
            cases.append({k: v for k, v in case.items() if v is not None})
            tensors.update({f"{case['name']}.{key}": value.contiguous().float() for key, value in found.items()})
    (out / "cases.json").write_text(json.dumps(cases, indent=0) + "\n")
    save_file(tensors, out / "cases.safetensors")


if __name__ == "__main__":
    main()
