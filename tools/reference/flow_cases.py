# SPDX-License-Identifier: Apache-2.0
"""Run diffusers' schedulers of flow models alone and keep their arrays and short runs.

    python tools/reference/flow_cases.py tests/data/sampling/flow.json

An entry of the output:
    name, class, config, steps     the scheduler and what its constructor is given
    call                           further arguments of set_timesteps: mu, sigmas, timesteps, max_timesteps, …
    set                            attributes that a pipeline sets on the scheduler: sigma_min
    rule, image_tokens             a family's rule, and what its pipeline counts; `call` is what it gives then
    scheduler, training_levels     a schedule of ComfyUI in place of diffusers', by the rule written out below
    timesteps, sigmas              arrays, as float64
    seed, sample, samples          a run: the first sample and what each call of step returned, for the model
                                   v = a·x + b·t/1000 (SCM: a·x + b·t)
tests/unit/sampling/test_flow.c does the same in C and compares.
"""
import inspect
import json
import math
import sys
import warnings

import diffusers
import numpy
import scipy.stats
import torch
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu
from diffusers.pipelines.z_image.pipeline_z_image import get_default_z_image_sigmas

A, B, SEED, SIZE = -0.35, 0.55, 29, 20

FLUX = {"shift": 3.0, "use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 256,
        "max_image_seq_len": 4096}
QWEN = {"shift": 1.0, "use_dynamic_shifting": True, "base_shift": 0.5, "max_shift": 0.9, "base_image_seq_len": 256,
        "max_image_seq_len": 8192, "shift_terminal": 0.02}
MULTISTEP = {"prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 2.5}
FRACTIONS = "fractions"  # sigmas 1 … 1/n


def entries():
    euler, heun, lcm = (f"FlowMatch{k}Scheduler" for k in ("EulerDiscrete", "HeunDiscrete", "LCM"))
    dpm, unipc, scm = (f"{k}Scheduler" for k in ("DPMSolverMultistep", "UniPCMultistep", "SCM"))
    rows = [("euler", euler, {}, 5, {}), ("euler-shift", euler, {"shift": 3.0}, 5, {}),
            ("euler-shift-3-digits", euler, {"shift": 1.738}, 9, {}), ("euler-1", euler, {"shift": 3.0}, 1, {}),
            ("euler-few-training", euler, {"shift": 2.0, "num_train_timesteps": 100}, 4, {}),
            ("euler-fractions", euler, {"shift": 3.0}, 4, {"sigmas": FRACTIONS}),
            ("euler-timesteps", euler, {"shift": 3.0}, 4, {"timesteps": [1000.0, 812.5, 433.0, 100.25]}),
            ("euler-dynamic", euler, FLUX, 4, {"mu": 0.63}),
            ("euler-dynamic-fractions", euler, FLUX, 4, {"mu": 0.81, "sigmas": FRACTIONS}),
            ("euler-dynamic-long", euler, FLUX, 28, {"mu": 1.15, "sigmas": FRACTIONS}),
            ("euler-linear", euler, {**FLUX, "time_shift_type": "linear"}, 4, {"mu": 0.9, "sigmas": FRACTIONS}),
            ("euler-terminal", euler, QWEN, 5, {"mu": 0.7, "sigmas": FRACTIONS}),
            ("euler-terminal-static", euler, {"shift": 2.0, "shift_terminal": 0.1}, 5, {}),
            ("euler-inverted", euler, {"shift": 3.0, "invert_sigmas": True}, 4, {}),
            ("euler-stochastic", euler, {"shift": 3.0, "stochastic_sampling": True}, 4, {}),
            ("heun-shift", heun, {"shift": 3.0}, 4, {}), ("heun-1", heun, {"shift": 3.0}, 1, {}),
            ("lcm", lcm, {"shift": 3.0}, 4, {}), ("lcm-dynamic", lcm, FLUX, 4, {"mu": 0.5, "sigmas": FRACTIONS}),
            ("lcm-1", lcm, {"shift": 3.0}, 1, {}),
            ("scm-1", scm, {}, 1, {"intermediate_timesteps": None}), ("scm-2", scm, {}, 2, {}),
            ("scm-3", scm, {}, 3, {"intermediate_timesteps": None}),
            ("scm-sigma-data", scm, {"sigma_data": 0.8}, 2, {"max_timesteps": 1.55, "intermediate_timesteps": 1.0})]
    for kind in ("karras", "exponential", "beta"):
        rows += [(f"euler-{kind}", euler, {"shift": 3.0, f"use_{kind}_sigmas": True}, 5, {}),
                 (f"euler-dynamic-{kind}", euler, {**FLUX, f"use_{kind}_sigmas": True}, 5,
                  {"mu": 0.63, "sigmas": FRACTIONS})]
    for order in (1, 2, 3):
        rows += [(f"dpm-{order}", dpm, {**MULTISTEP, "solver_order": order}, 5, {}),
                 (f"dpm-sde-{order}", dpm, {**MULTISTEP, "solver_order": order, "algorithm_type": "sde-dpmsolver++"},
                  5, {}),
                 (f"unipc-{order}", unipc, {**MULTISTEP, "solver_order": order}, 5, {})]
    rows += [("dpm-heun", dpm, {**MULTISTEP, "solver_type": "heun"}, 5, {}),
             ("dpm-3-16", dpm, {**MULTISTEP, "solver_order": 3, "lower_order_final": False}, 16, {}),
             ("dpm-sigma-min", dpm, {**MULTISTEP, "final_sigmas_type": "sigma_min"}, 5, {}),
             ("dpm-dynamic", dpm, {**MULTISTEP, "use_dynamic_shifting": True}, 5, {"mu": 0.71}),
             ("dpm-epsilon", dpm, {**MULTISTEP, "prediction_type": "epsilon"}, 5, {}),
             ("dpm-v", dpm, {**MULTISTEP, "prediction_type": "v_prediction"}, 5, {}),
             ("unipc-fractions", unipc, MULTISTEP, 5, {"sigmas": FRACTIONS}),
             ("unipc-bh1", unipc, {**MULTISTEP, "solver_type": "bh1", "solver_order": 3,
                                   "final_sigmas_type": "sigma_min"}, 5, {}),
             ("unipc-dynamic", unipc, {**MULTISTEP, "use_dynamic_shifting": True}, 5, {"mu": 0.71}),
             ("unipc-terminal", unipc, {**MULTISTEP, "shift_terminal": 0.05}, 5, {}),
             ("unipc-karras", unipc, {**MULTISTEP, "use_karras_sigmas": True}, 5, {}),
             ("unipc-uncorrected", unipc, {**MULTISTEP, "solver_order": 3, "disable_corrector": [0, 2]}, 6, {})]
    out = [dict(zip(("name", "class", "config", "steps", "call"), row)) for row in rows]
    out.append({"name": "euler-sigma-min-0", "class": euler, "config": {"shift": 3.0}, "steps": 5, "call": {},
                "set": {"sigma_min": 0.0}})
    for rule, config, tokens, steps in (
            ("fractions", QWEN, 4096, 7), ("fractions", QWEN, 24, 3), ("flux", FLUX, 1024, 4), ("flux", FLUX, 4096, 28),
            ("flux", FLUX, 9000, 4), ("flux2", FLUX, 1024, 4), ("flux2", FLUX, 4300, 50), ("flux2", FLUX, 4301, 50),
            ("krea2_turbo", {**FLUX, "max_image_seq_len": 6400}, 4096, 8), ("z_image", {"shift": 3.0}, 4096, 8),
            ("z_image", {"shift": 3.0}, 4096, 9), ("training_ends", FLUX, 1000, 5)):
        out.append({"name": f"{rule}-{tokens}-{steps}", "class": euler, "config": config, "steps": steps,
                    "call": pipeline_call(rule, config, tokens, steps), "rule": rule, "image_tokens": tokens,
                    "alone": True})
    for kind in ("simple", "normal", "sgm_uniform", "ddim_uniform", "beta_uniform"):
        for steps in (1, 4, 7, 20):
            out.append({"name": f"{kind}-{steps}", "class": euler, "config": {"shift": 3.0}, "steps": steps,
                        "call": {}, "scheduler": kind})
        out.append({"name": f"{kind}-flux", "class": euler, "config": FLUX, "steps": 6,
                    "call": {"mu": 1.15}, "scheduler": kind, "training_levels": 10000})
        out.append({"name": f"{kind}-unshifted", "class": euler, "config": {}, "steps": 30, "call": {},
                    "scheduler": kind})
        even = kind == "normal"  # so that no time lies in the middle between two levels
        for steps, betas in ((1, "scaled_linear"), (7 + even, "scaled_linear"), (21 - even, "linear")):
            name = dpm if steps in (7, 8) else "EulerDiscreteScheduler"
            out.append({"name": f"{kind}-betas-{steps}", "class": name, "config": {
                "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": betas}, "steps": steps, "call": {},
                "scheduler": kind})
    return out


def pipeline_call(rule, config, tokens, steps):
    """What the family's pipeline gives set_timesteps."""
    call = {} if rule == "training_ends" else {"sigmas": FRACTIONS}
    if rule == "z_image":
        call["sigmas"] = get_default_z_image_sigmas(steps)
    if rule == "flux2":
        call["mu"] = compute_empirical_mu(tokens, steps)
    elif rule == "krea2_turbo":
        call["mu"] = 1.15
    elif config.get("use_dynamic_shifting"):
        call["mu"] = calculate_shift(tokens, *(config[k] for k in ("base_image_seq_len", "max_image_seq_len",
                                                                   "base_shift", "max_shift")))
    return call


def comfy_flow(entry):
    """ComfyUI's flow: sigma(t) = s·t / (1 + (s − 1)·t), a table of it at (i + 1)/count, and the time of a noise
    level, which is the level itself."""
    shift = math.exp(entry["call"]["mu"]) if "mu" in entry["call"] else entry["config"].get("shift", 1.0)
    count = entry.get("training_levels", 1000)

    def sigma(t):
        return shift * t / (1 + (shift - 1) * t)
    table = [sigma((i + 1) / count) for i in range(count)]
    sigmas = comfy(entry["scheduler"], entry["steps"], table, sigma, table[-1], table[0])
    return sigmas, [1000 * s for s in sigmas[:-1]]


def comfy_betas(entry, scheduler):
    """ComfyUI's noise levels of betas: the time of a level is its index, between them log σ is linear; the network is
    told the index of the nearest level."""
    table = ((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod).sqrt().double().numpy()
    logs = numpy.log(table)
    sigmas = comfy(entry["scheduler"], entry["steps"], table,
                   lambda t: math.exp(numpy.interp(t, numpy.arange(len(table)), logs)), len(table) - 1, 0)
    return sigmas, [int(numpy.abs(math.log(s) - logs).argmin()) for s in sigmas[:-1]]


def comfy(kind, steps, table, sigma, last_time, first_time):
    """The rules of ComfyUI's schedules over a table of noise levels and the noise level at a time."""
    count = len(table)
    if kind == "simple":
        got = [table[count - 1 - int(i * (count / steps))] for i in range(steps)]
    elif kind in ("normal", "sgm_uniform"):
        points = steps + (kind == "sgm_uniform")
        got = [sigma(float(t)) for t in numpy.linspace(last_time, first_time, points)[:steps]]
    elif kind == "ddim_uniform":
        got = list(table[1::max(count // steps, 1)][::-1])
    else:
        shares = scipy.stats.beta.ppf([1 - i / steps for i in range(steps)], 0.6, 0.6)
        indices = [int(numpy.rint(q * (count - 1))) for q in shares]
        got = [table[k] for i, k in enumerate(indices) if i == 0 or k != indices[i - 1]]
    return [*got, 0.0]


def listed(x):
    return None if x is None else [float(v) for v in torch.as_tensor(x, dtype=torch.float64).flatten()]


def short(values):
    """Float32 numbers with the digits that tell them apart."""
    return None if values is None else [float(f"{v:.9g}") for v in values]


def compute(entry):
    scheduler = getattr(diffusers, entry["class"])(**entry["config"])
    for key, value in entry.get("set", {}).items():
        setattr(scheduler, key, value)
    call = dict(entry["call"])
    if call.get("sigmas") == FRACTIONS:
        call["sigmas"] = numpy.linspace(1.0, 1 / entry["steps"], entry["steps"])
    if "scheduler" in entry:
        flow = entry["class"].startswith("Flow")
        sigmas, timesteps = comfy_flow(entry) if flow else comfy_betas(entry, scheduler)
        return {**entry, "timesteps": short(timesteps), "sigmas": short(sigmas)}
    given = {} if "timesteps" in call or "sigmas" in call else {"num_inference_steps": entry["steps"]}
    scheduler.set_timesteps(**given, **call)
    out = {**entry, "timesteps": short(listed(scheduler.timesteps)),
           "sigmas": short(listed(getattr(scheduler, "sigmas", None)))}
    if "sigmas" in call:
        out["call"] = {**entry["call"], "sigmas": listed(call["sigmas"])}
    alone = out.pop("alone", False) or entry["steps"] > 16
    return out if alone else {**out, **run(scheduler)}


def run(scheduler):
    scm = isinstance(scheduler, diffusers.SCMScheduler)
    generator = torch.Generator("cpu").manual_seed(SEED)
    x = torch.randn(1, 1, 1, SIZE, generator=generator)
    x = x * scheduler.config.sigma_data if scm else x
    out = {"seed": SEED, "sample": short(listed(x)), "samples": []}
    extra = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
    scheduler.set_begin_index(0)
    for t in scheduler.timesteps[:-1] if scm else scheduler.timesteps:
        prediction = A * x + B * (t.float() / (1.0 if scm else 1000.0))
        x = scheduler.step(prediction, t, x, return_dict=False, **extra)[0]
        if not torch.isfinite(x).all():
            raise ArithmeticError("a sample is not finite")
        out["samples"].append(short(listed(x)))
    return out


def main():
    warnings.filterwarnings("ignore")
    diffusers.utils.logging.set_verbosity_error()
    computed = [compute(entry) for entry in entries()]
    if len({entry["name"] for entry in computed}) != len(computed):
        raise SystemExit("two entries have the same name")
    with open(sys.argv[1], "w") as file:
        head = json.dumps({"a": A, "b": B})[1:-1]
        rows = ",\n".join(json.dumps({k: v for k, v in e.items() if v not in (None, {})} | {"config": e["config"]})
                          for e in computed)
        file.write(f'{{{head}, "entries": [\n{rows}\n]}}\n')
    print(f"{len(computed)} entries")


if __name__ == "__main__":
    main()
