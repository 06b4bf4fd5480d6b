#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far one evaluation of a U-Net is off when the operands of its products are rounded, for several ways to round them.

    int8_schemes.py --model DIR [--prompt TEXT] [--outliers] [--layers]

DIR is a diffusers folder, such as models/demo. Linear layers and convolutions are emulated in PyTorch: both operands become
8-bit integers, a scale for each token and each row of weights (row), or for each 256, 64 numbers of them (256, 64), also after a
rotation of each group by a Hadamard matrix (256 rotated). What pladis keeps in 16 or 32 bit with --dtype int8 stays so here. bf16
is the same network with operands of bfloat16. --outliers multiplies one of 64 channels of what enters every layer by 30, and
divides the weights by it: the network computes the same, with activations as large models have them. --layers prints the
largest number of what enters each layer in standard deviations, and what each way costs there.
"""
import argparse
import math

import diffusers
import torch
import transformers

SKIPPED = ("conv_in", "conv_out", "time_emb", "add_embedding", "attn2.to_q", "attn2.to_k", "attn2.to_v")
OUTLIER, EVERY = 30.0, 64


def hadamard(n):
    h = torch.ones(1, 1)
    while h.shape[0] < n:
        h = torch.cat([torch.cat([h, h], 1), torch.cat([h, -h], 1)], 0)
    return h / math.sqrt(n)


def groups(x, size):
    """[.., depth] → [.., groups, size], filled up with zeros."""
    size = min(size or x.shape[-1], x.shape[-1])
    rest = -x.shape[-1] % size
    return torch.nn.functional.pad(x, (0, rest)).unflatten(-1, (-1, size))


def integers(x):
    """Symmetric 8-bit integers of the last axis, and their scale: the largest number has ±127."""
    most = x.abs().amax(-1, keepdim=True)
    factor = torch.where(most > 0, 127 / most, 0)
    return (x * factor).round(), most / 127


def signs(count):
    """±1, by bit 31 of the place times the golden ratio's 32-bit fraction, as pladis has it."""
    return torch.tensor([1.0 - 2.0 * ((i * 0x9E3779B1 & 0xFFFFFFFF) >> 31) for i in range(count)])


def rotated(x, signed):
    size = x.shape[-1] & -x.shape[-1]  # the largest power of two in it
    x = x * signs(x.shape[-1]) if signed else x
    return (x.unflatten(-1, (-1, size)) @ hadamard(size)).flatten(-2) if size > 1 else x


def product(x, w, scheme):
    """x [rows, depth] · w [columns, depth]ᵀ by a scheme."""
    if scheme == "f32":
        return x @ w.T
    if scheme == "bf16":
        return x.bfloat16().float() @ w.bfloat16().float().T
    size, turn, signed = {"row": (0, False, False), "256": (256, False, False), "64": (64, False, False),
                          "256 rotated": (256, True, False), "256 signed": (256, True, True)}[scheme]
    a, b = groups(x, size), groups(w, size)
    if turn:
        a, b = rotated(a, signed), rotated(b, signed)
    (a, a_scale), (b, b_scale) = integers(a), integers(b)
    sums = torch.einsum("rgd,cgd->grc", a, b)
    return (sums * (a_scale.permute(1, 0, 2) * b_scale.permute(1, 2, 0))).sum(0)


class Emulated(torch.nn.Module):
    """A linear layer or a convolution as a product of patches."""

    def __init__(self, name, layer, state):
        super().__init__()
        self.name, self.layer, self.state = name, layer, state
        self.bias = layer.bias

    def forward(self, x, *_args, **_kwargs):
        layer = self.layer
        if isinstance(layer, torch.nn.Linear):
            rows, weight = x.flatten(0, -2), layer.weight
        else:  # [tap, channel], as pladis has it
            kernel = layer.kernel_size[0]
            patches = torch.nn.functional.unfold(x, kernel, padding=layer.padding, stride=layer.stride)
            rows = patches.unflatten(1, (x.shape[1], -1)).permute(0, 3, 2, 1).flatten(0, 1).flatten(1)
            weight = layer.weight.permute(0, 2, 3, 1).flatten(1)
        if self.state["outliers"]:
            factors = torch.ones(rows.shape[1])
            factors[::EVERY] = OUTLIER
            rows, weight = rows * factors, weight / factors
        if self.state["layers"] is not None:
            exact = product(rows, weight, "f32")
            errors = {s: float((product(rows, weight, s) - exact).norm() / exact.norm()) for s in self.state["schemes"]}
            self.state["layers"][self.name] = (float(rows.abs().max() / rows.std()), errors)
        out = product(rows, weight, self.state["scheme"])
        out = out + layer.bias if layer.bias is not None else out
        if isinstance(layer, torch.nn.Linear):
            return out.unflatten(0, x.shape[:-1])
        height = (x.shape[2] + 2 * layer.padding[0] - layer.kernel_size[0]) // layer.stride[0] + 1
        return out.unflatten(0, (x.shape[0], height, -1)).permute(0, 3, 1, 2)


def emulate(module, state, prefix=""):
    for name, child in list(module.named_children()):
        path = f"{prefix}{name}"
        if isinstance(child, (torch.nn.Linear, torch.nn.Conv2d)):
            if not any(word in path for word in SKIPPED):
                setattr(module, name, Emulated(path, child, state))
        else:
            emulate(child, state, path + ".")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", default="a purple square above a yellow circle")
    parser.add_argument("--outliers", action="store_true")
    parser.add_argument("--layers", action="store_true")
    args = parser.parse_args()
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel.from_pretrained(args.model, subfolder="unet", torch_dtype=torch.float32).eval()
    text = transformers.CLIPTextModel.from_pretrained(args.model, subfolder="text_encoder", dtype=torch.float32).eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(args.model, subfolder="tokenizer")
    schemes = ["bf16", "row", "256", "64", "256 rotated", "256 signed"]
    state = {"scheme": "f32", "outliers": args.outliers, "layers": None, "schemes": schemes}
    emulate(unet, state)
    with torch.no_grad():
        ids = tokenizer(args.prompt, padding="max_length", return_tensors="pt").input_ids
        states = text(ids).last_hidden_state
        side = unet.config.sample_size
        latents = torch.randn(1, unet.config.in_channels, side, side)
        for level in (900, 500, 100):
            state["scheme"], state["layers"] = "f32", {} if args.layers else None
            exact = unet(latents, level, states).sample
            if args.layers:
                print(f"timestep {level}:  largest/deviation, relative errors {', '.join(schemes)}")
                for name, (largest, errors) in state["layers"].items():
                    print(f"  {name:58} {largest:6.1f}  " + "  ".join(f"{errors[s]:.1e}" for s in schemes))
            state["layers"] = None
            found = {}
            for scheme in schemes:
                state["scheme"] = scheme
                found[scheme] = float((unet(latents, level, states).sample - exact).norm() / exact.norm())
            print(f"timestep {level}: " + ", ".join(
                f"{s} {e:.2e} ({e / found['bf16']:.1f}x)" for s, e in found.items()))


if __name__ == "__main__":
    main()
