# SPDX-License-Identifier: Apache-2.0
"""Run diffusers' schedulers on a stand-in for the network and keep what they compute.

    python tools/reference/sampling_cases.py tests/data/sampling/cases.json tests/data/sampling/cases.safetensors

Each row of the JSON file is one run:
    name      of the tensors in the output
    sampler   the program's name, which fixes the class below
    config    what scheduler_config.json states
    steps     or `timesteps`, an explicit list
    eta       where the scheduler's step takes one
    slack     a factor on the test's tolerances, where the problem is ill-conditioned: zero terminal SNR (differences
              of nearly equal square roots), steps of a single timestep (differences of nearly equal logarithms)
    seed      of the generator that draws the first noise and all later noise

Tensors of a row: timesteps (float64), sigmas (float32, as the scheduler holds them), init_noise_sigma, latents
[k, 64] after the calls that kept_calls() lists. tests/unit/sampling/test_samplers.c does the same in C and compares.
"""
import json
import sys
import warnings

import diffusers
import torch
from safetensors.torch import save_file

SHAPE = (1, 4, 4, 4)
CLASSES = {
    "ddim": diffusers.DDIMScheduler,
    "ddim_trailing": diffusers.DDIMScheduler,
    "pndm": diffusers.PNDMScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "euler_a": diffusers.EulerAncestralDiscreteScheduler,
    "heun": diffusers.HeunDiscreteScheduler,
    "dpm++2m": diffusers.DPMSolverMultistepScheduler,
    "dpm++2m_sde": diffusers.DPMSolverMultistepScheduler,
    "unipc": diffusers.UniPCMultistepScheduler,
    "lcm": diffusers.LCMScheduler,
    "tcd": diffusers.TCDScheduler,
}
FIXED = {
    "ddim_trailing": {"timestep_spacing": "trailing"},
    "dpm++2m": {"algorithm_type": "dpmsolver++"},
    "dpm++2m_sde": {"algorithm_type": "sde-dpmsolver++"},
}
TAKES_ETA = {"ddim", "ddim_trailing", "tcd"}
TAKES_GENERATOR = TAKES_ETA | {"euler_a", "dpm++2m_sde", "lcm"}


def network(model_input, timestep):
    """The stand-in: linear in the input, a fixed pattern over the elements, and the timestep. Float32."""
    pattern = (torch.arange(model_input.numel()) % 7 - 3).to(torch.float32).reshape(model_input.shape)
    time = timestep.to(torch.float32) * torch.tensor(0.0005, dtype=torch.float32)
    return (0.5 * model_input + 0.0625 * pattern) - time


def kept_calls(calls):
    """Which calls' results are kept: all of a short run, five of a long one."""
    return list(range(calls)) if calls <= 8 else [0, 1, calls // 2, calls - 2, calls - 1]


def run(row):
    name = row["sampler"]
    scheduler = CLASSES[name].from_config({**row["config"], **FIXED.get(name, {})})
    if "timesteps" in row:
        scheduler.set_timesteps(timesteps=row["timesteps"])
    else:
        scheduler.set_timesteps(row["steps"])
    if hasattr(scheduler, "set_begin_index"):
        # Left alone, a scheduler whose first two timesteps are equal starts at the second and runs off the end.
        scheduler.set_begin_index(0)
    generator = torch.Generator("cpu").manual_seed(row["seed"])
    extra = {}
    if name in TAKES_ETA and "eta" in row:
        extra["eta"] = row["eta"]
    if name in TAKES_GENERATOR:
        extra["generator"] = generator
    sample = torch.randn(SHAPE, generator=generator) * scheduler.init_noise_sigma
    latents = []
    for timestep in scheduler.timesteps:
        output = network(scheduler.scale_model_input(sample, timestep), timestep)
        sample = scheduler.step(output, timestep, sample, **extra).prev_sample
        latents.append(sample.flatten().clone())
    tensors = {
        "timesteps": scheduler.timesteps.to(torch.float64),
        "init_noise_sigma": torch.tensor([float(scheduler.init_noise_sigma)], dtype=torch.float32),
        "latents": torch.stack([latents[call] for call in kept_calls(len(latents))]),
    }
    if getattr(scheduler, "sigmas", None) is not None:
        tensors["sigmas"] = scheduler.sigmas.to(torch.float32)
    for key, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ArithmeticError(f"{key} is not finite")
    return {f"{row['name']}.{key}": tensor.contiguous() for key, tensor in tensors.items()}


def main():
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    rows = json.load(open(sys.argv[1]))
    if len({row["name"] for row in rows}) != len(rows):
        raise SystemExit("two rows have the same name")
    tensors = {}
    failures = 0
    for row in rows:
        try:
            tensors.update(run(row))
        except Exception as error:
            failures += 1
            print(f"{row['name']}: {type(error).__name__}: {error}", file=sys.stderr)
    if failures:
        raise SystemExit(f"{failures} rows failed")
    save_file(tensors, sys.argv[2])
    print(f"{len(rows)} rows, {len(tensors)} tensors")


if __name__ == "__main__":
    main()
