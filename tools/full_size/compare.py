#!/usr/bin/env python3
"""Compare one U-Net evaluation and one VAE decode of a full-size model with diffusers, in float32 on the same files.

    compare.py --model DIR --pladis BIN [--width 512 --height 512] [--cfg-scale 7.5] [--scales 2] [--noise]

pladis draws one picture in one step for each λ of --scales (α = 1.5) and dumps what happened.
diffusers then, one network after the other, gets the same prompts and the same unit-normal latents. Its VAE decodes the latents that pladis dumped,
so that the error of `decoded` is the decoder's alone. Relative errors are ‖a−b‖/‖b‖ over the tensor. The exit code is
1 when one is beyond its tolerance.
"""
import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "reference"))
from oracle.attention import set_pladis  # noqa: E402
from oracle.text import load_tokenizer  # noqa: E402
from oracle.units import tokenize  # noqa: E402

PROMPT = "a photo of a red fox sitting in deep snow, sharp focus"
NEGATIVE = "blurry, low quality, watermark"
ALPHA, SEED, TIMESTEP = 1.5, 42, 601
# One forward in float32 keeps 2e-5 on the tiny models, where float32 and float64 differ by 2e-7 to 7e-7. Nothing wider
# is granted to the full sizes, unless --noise measures that two orders of summation of PyTorch differ by more there:
# then the prediction may be off by twice as much as those two. (The random SDXL amplifies rounding in its 70 sparse
# sites: PyTorch differed from itself by 3.6e-4 at λ = 2 and a guidance of 7.5.)
NOISY = ("noise_pred", "latents")
TOLERANCES = {name: 2e-5 for name in ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds",
                                      "negative_pooled_prompt_embeds", "noise_pred", "latents", "decoded")}


def relative(a, b):
    """‖a−b‖/‖b‖ of two tensors of the same shape."""
    if a.shape != b.shape:
        raise SystemExit(f"shapes differ: {list(a.shape)} and {list(b.shape)}")
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


def peak_bytes():
    """High-water mark of this process's resident memory, the measure that pladis reports too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def timed(function):
    """(result, seconds)."""
    start = time.perf_counter()
    return function(), time.perf_counter() - start


def run_pladis(args, scale, folder):
    """(tensors, report) of one step of the Euler sampler at TIMESTEP with λ = scale."""
    dump, report = folder / "dump.safetensors", folder / "report.json"
    subprocess.run([args.pladis, "generate", "-q", "-m", args.model, "-p", PROMPT, "-n", NEGATIVE, "--literal-prompt",
                    "--width", str(args.width), "--height", str(args.height), "--cfg-scale", str(args.cfg_scale),
                    "--sampling-method", "euler", "--scheduler", "discrete", "--spacing", "leading",
                    "--timesteps", str(TIMESTEP), "--seed", str(SEED), "--dtype", "f32", "--pladis", str(scale),
                    "--pladis-alpha", str(ALPHA), "--threads", str(args.threads), "--dump", dump, "--dump-steps",
                    "--report", report, "--output", folder / "picture.png", *args.option], check=True)
    return load_file(dump), json.loads(report.read_text())


@torch.no_grad()
def encode(model):
    """(context [2, 77, C], pooled [2, P] or None) of the negative and the positive prompt, and the seconds it took."""
    prompts = [NEGATIVE, PROMPT]
    xl = (model / "text_encoder_2").is_dir()

    def load(kind, name):
        return kind.from_pretrained(model / name, dtype=torch.float32).eval()

    def ids(name):
        return tokenize(load_tokenizer(model / name), prompts)

    encoder = load(CLIPTextModel, "text_encoder")
    first, seconds = timed(lambda: encoder(ids("tokenizer"), output_hidden_states=True))
    if not xl:
        return first.last_hidden_state, None, seconds
    encoder = load(CLIPTextModelWithProjection, "text_encoder_2")
    second, more = timed(lambda: encoder(ids("tokenizer_2"), output_hidden_states=True))
    context = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], -1)
    return context, second.text_embeds, seconds + more


@torch.no_grad()
def denoise(args, unet, scale, noise, context, added):
    """One guided evaluation with λ = scale and one step of Euler.

    noise [1, 4, h, w] is unit normal, context [B, 77, C] (negative first, or the positive alone), added the further
    conditions of SDXL or None. Returns noise_pred, latents [1, 4, h, w], the seconds of the evaluation, and with
    --noise the relative change of noise_pred when PyTorch sums in another order (no oneDNN).
    """
    config = json.loads((Path(args.model) / "scheduler" / "scheduler_config.json").read_text())
    scheduler = EulerDiscreteScheduler.from_config(config, timestep_spacing="leading")
    scheduler.set_timesteps(timesteps=[TIMESTEP])
    set_pladis(unet, scale, ALPHA)
    t = scheduler.timesteps[0]
    sample = noise * scheduler.init_noise_sigma
    rows = scheduler.scale_model_input(sample, t).repeat(len(context), 1, 1, 1)

    def guided():
        output = unet(rows, t, encoder_hidden_states=context, added_cond_kwargs=added).sample
        return output if len(output) == 1 else output[:1] + args.cfg_scale * (output[1:] - output[:1])

    noise_pred, seconds = timed(guided)
    again = None
    if args.noise:
        with torch.backends.mkldnn.flags(enabled=False):
            again = relative(guided(), noise_pred)
    return noise_pred, scheduler.step(noise_pred, t, sample).prev_sample, seconds, again


@torch.no_grad()
def decode(model, latents):
    """(picture [1, 3, H, W] in about -1…1, seconds) of latents [1, 4, h, w]."""
    vae = AutoencoderKL.from_pretrained(model / "vae", torch_dtype=torch.float32).eval()
    return timed(lambda: vae.decode(latents / vae.config.scaling_factor).sample)


def conditions(args):
    """(tensors, rows of context, further conditions, seconds): what the text encoders and the sizes give."""
    context, pooled, seconds = encode(Path(args.model))
    rows = slice(0, 2) if args.cfg_scale > 1 else slice(1, 2)
    tensors, added = {"prompt_embeds": context[1:]}, None
    if args.cfg_scale > 1:
        tensors["negative_prompt_embeds"] = context[:1]
    if pooled is not None:
        tensors["pooled_prompt_embeds"] = pooled[1:]
        if args.cfg_scale > 1:
            tensors["negative_pooled_prompt_embeds"] = pooled[:1]
        sizes = [[args.height, args.width, 0, 0, args.height, args.width]] * 2
        added = {"text_embeds": pooled[rows], "time_ids": torch.tensor(sizes, dtype=torch.float32)[rows]}
    return tensors, context[rows], added, seconds


def run_diffusers(args, dumps):
    """For each dump (tensors, seconds by stage, noise), with its noise and latents."""
    tensors, context, added, text_seconds = conditions(args)
    gc.collect()
    unet = UNet2DConditionModel.from_pretrained(Path(args.model) / "unet", torch_dtype=torch.float32).eval()
    results = []
    for scale, dump in zip(args.scales, dumps):
        noise_pred, latents, seconds, noise = denoise(args, unet, scale, dump["latents_init"], context, added)
        results.append(({**tensors, "noise_pred": noise_pred, "latents": latents},
                        {"text": text_seconds, "denoise": seconds}, noise))
    del unet
    gc.collect()
    for dump, (found, seconds, _) in zip(dumps, results):
        found["decoded"], seconds["decode"] = decode(Path(args.model), dump["latents"])
    return results


def print_errors(dump, want, noise):
    """The table of errors; True when all are within their tolerances."""
    dump = {**dump, "noise_pred": dump["noise_pred.00"]}
    good = True
    print(f"{'tensor':30}{'shape':>20}{'spread':>10}{'error':>12}{'tolerance':>12}")
    for name in (name for name in TOLERANCES if name in want):
        tolerance = max(TOLERANCES[name], 2 * noise if noise and name in NOISY else 0)
        error = relative(dump[name], want[name])
        fine = error <= tolerance  # false for NaN too
        good = good and fine
        shape = "x".join(map(str, want[name].shape))
        print(f"{name:30}{shape:>20}{want[name].std().item():10.3f}{error:12.2e}{tolerance:12.1e}"
              f"{'' if fine else '  TOO LARGE'}")
    if noise is not None:
        print(f"two orders of summation in PyTorch: noise_pred {noise:.2e}")
    return good


def print_costs(report, seconds):
    stages = report["stages"]
    print(f"{'':24}{'pladis':>12}{'diffusers':>12}")
    for name in seconds:
        ours = f"{stages[name]:10.1f} s" if name in stages else "-"
        print(f"{name:24}{ours:>12}{seconds[name]:10.1f} s")
    for name in sorted(set(stages) - set(seconds)):
        print(f"{name:24}{stages[name]:10.1f} s{'-':>12}")
    print(f"{'peak memory':24}{report['peak_memory_bytes'] / 2**30:8.2f} GiB{peak_bytes() / 2**30:8.2f} GiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--pladis", required=True, help="the program")
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=512)
    parser.add_argument("--cfg-scale", type=float, default=7.5)
    parser.add_argument("--scales", default="2", type=lambda text: [float(x) for x in text.split(",")],
                        help="values of λ, separated by commas")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of each side")
    parser.add_argument("--option", action="append", default=[], help="further option of pladis generate")
    parser.add_argument("--noise", action="store_true",
                        help="also evaluate without oneDNN, to see how far two orders of summation in float32 differ")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    runs = []
    for scale in args.scales:
        with tempfile.TemporaryDirectory() as folder:
            runs.append(run_pladis(args, scale, Path(folder)))
    good = True
    for scale, (dump, report), (want, seconds, noise) in zip(args.scales, runs,
                                                             run_diffusers(args, [dump for dump, _ in runs])):
        print(f"{args.model}, {args.width}x{args.height}, guidance {args.cfg_scale}, PLADIS λ {scale} α {ALPHA}, "
              f"t {TIMESTEP}, f32, {report['isa']}, {args.threads} threads; sites: {report['attention_sites']}")
        good = print_errors(dump, want, noise) and good
        print_costs(report, seconds)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
