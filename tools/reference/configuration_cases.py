# SPDX-License-Identifier: Apache-2.0
"""What null means in configurations, and U-Nets without the usual middle block.

    python tools/reference/configuration_cases.py tests/data

writes configurations/null.json: for each part and each field of its class, what diffusers or transformers does with null
in place of the value: "same" as without the field, "differs" (it runs and gives something else), or "error". And into
reference/ the models mid-none and mid-resnet (mid_block_type null and UNetMidBlock2D) with one forward each.
"""
import inspect
import logging
import sys
import warnings
from collections import namedtuple
from pathlib import Path

import diffusers
import torch
import transformers

from oracle.store import write_json, write_model
from oracle.units import unet_case

UNET = dict(block_out_channels=[32, 64], down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
            up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"], cross_attention_dim=16, attention_head_dim=8,
            layers_per_block=1, norm_num_groups=32)
VAE = dict(block_out_channels=[32, 32], down_block_types=["DownEncoderBlock2D"] * 2, layers_per_block=1,
           up_block_types=["UpDecoderBlock2D"] * 2)
TEXT = dict(vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=77, projection_dim=16, eos_token_id=60, bos_token_id=40, pad_token_id=1)
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
SCHEDULERS = ["DDIMScheduler", "PNDMScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler",
              "HeunDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "LCMScheduler",
              "TCDScheduler", "FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler",
              "FlowMatchLCMScheduler"]


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def filled(model, scale=0.1):
    g = torch.Generator().manual_seed(1)
    for p in model.parameters():
        p.data = torch.randn(p.shape, generator=g) * scale
    return model.eval()


def run_unet(config):
    model = filled(diffusers.UNet2DConditionModel.from_config(config))
    return model(noise(2, 1, 4, 8, 8), 3, noise(3, 1, 5, 16)).sample


def run_vae(config):
    model = filled(diffusers.AutoencoderKL.from_config(config))
    mean = model.encode(noise(2, 1, 3, 16, 16)).latent_dist.mean
    return torch.cat([mean.flatten(), model.decode(mean / model.config.scaling_factor).sample.flatten()])


def run_text(config, kind=transformers.CLIPTextModelWithProjection):
    model = filled(kind(transformers.CLIPTextConfig.from_dict(config)))
    out = model(torch.tensor([[40, 5, 6, 60, 60]]))
    pooled = getattr(out, "text_embeds", None)
    return torch.cat([out.last_hidden_state.flatten()] + ([] if pooled is None else [pooled.flatten()]))


def run_scheduler(name):
    def run(config):
        scheduler = getattr(diffusers, name).from_config(config)
        scheduler.set_timesteps(4)
        g = torch.Generator().manual_seed(5)
        latents = torch.randn(1, 4, 4, 4, generator=g) * getattr(scheduler, "init_noise_sigma", 1)
        seen = []
        more = {"generator": g} if "generator" in inspect.signature(scheduler.step).parameters else {}
        for t in scheduler.timesteps:
            scale = getattr(scheduler, "scale_model_input", lambda sample, _: sample)
            taken = torch.sin(scale(latents, t) * 2)
            latents = scheduler.step(taken, t, latents, **more).prev_sample
            seen.append(latents.flatten())
        return torch.cat(seen)
    return run


@torch.no_grad()
def outcome(run, base, field):
    absent = {k: v for k, v in base.items() if k != field}
    torch.manual_seed(0)
    try:
        null = run({**absent, field: None})
    except Exception:
        return "error"
    torch.manual_seed(0)
    try:
        without = run(absent)
    except Exception:
        return "differs"
    return "same" if null.shape == without.shape and torch.equal(null, without) else "differs"


def fields_of(kind):
    return [f for f in inspect.signature(kind.__init__).parameters if f != "self"]


def nulls(out):
    text = ["vocab_size", "hidden_size", "intermediate_size", "projection_dim", "num_hidden_layers",
            "num_attention_heads", "max_position_embeddings", "hidden_act", "layer_norm_eps", "eos_token_id",
            "bos_token_id", "pad_token_id"]
    parts = {"unet": (run_unet, UNET, fields_of(diffusers.UNet2DConditionModel)),
             "vae": (run_vae, VAE, fields_of(diffusers.AutoencoderKL)),
             "text_encoder": (lambda c: run_text(c, transformers.CLIPTextModel), TEXT, text),
             "text_encoder_2": (run_text, TEXT, text)}
    for name in SCHEDULERS:
        fields = fields_of(getattr(diffusers, name))
        base = {**BETAS, **({"skip_prk_steps": True} if "skip_prk_steps" in fields else {})}
        parts[name] = (run_scheduler(name), base, fields)
    write_json(out / "configurations" / "null.json",
               {part: {f: outcome(run, base, f) for f in fields} for part, (run, base, fields) in parts.items()})


class Models(namedtuple("Models", "family parts")):
    """What unet_case asks of the models of a family; text states are noise."""

    def context(self, prompts):
        return noise(7, len(prompts), 77, 16)


def middles(out):
    case = {"latent": [8, 8], "timesteps": [981.0, 420.0], "prompts": ["a red fox", "two cats"]}
    for name, kind in (("mid-none", None), ("mid-resnet", "UNetMidBlock2D")):
        config = {**UNET, "block_out_channels": [8, 16], "norm_num_groups": 4, "attention_head_dim": 2,
                  "sample_size": 8, "mid_block_type": kind}
        write_model(out / "reference" / "models" / name / "unet",
                    filled(diffusers.UNet2DConditionModel.from_config(config), 0.2), torch.float16)
        unet = diffusers.UNet2DConditionModel.from_pretrained(out / "reference" / "models" / name / "unet").float()
        unet_case(out / "reference", f"{name}-unet", name, Models("sd15", {"unet": unet.eval()}), case, 11,
                  (2.0, 1.5, "all"))


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
    torch.set_num_threads(1)
    out = Path(sys.argv[1])
    nulls(out)
    middles(out)


if __name__ == "__main__":
    main()
