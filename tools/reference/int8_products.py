#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A linear layer and a convolution of 8-bit integers, emulated in PyTorch: tests/data/int8/products.safetensors.

    int8_products.py OUT.safetensors

Operands are made of their places, so that none is stored (`numbers`). Both sides are cut into pieces of 256 numbers of the
depth, rotated, and rounded to integers with a scale for each row and piece; the integers' products are added up exactly.
The rotation adds in the order of src/kernels/scalar/hadamard.c: in another a number in the middle of two integers would
fall to the other one.
"""
import sys

import torch
from safetensors.torch import save_file

PIECE, FACTOR = 256, 0x9E3779B1


def numbers(seed, *shape):
    """float32 in [−1, 1) with steps of 2^-15; every 50th is eight times as large."""
    count = torch.Size(shape).numel()
    i = torch.arange(count, dtype=torch.int64)
    mixed = (i + seed) * 2654435761 % 2**32
    mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 2**32
    x = ((mixed >> 16) - 32768).float() / 32768
    return torch.where(i % 50 == 7, x * 8, x).reshape(shape)


def hadamard(x):
    count = x.shape[-1]
    size = count & -count
    flips = torch.tensor([(i * FACTOR & 0xFFFFFFFF) >> 31 for i in range(count)], dtype=torch.bool)
    x = torch.where(flips, -x, x).unflatten(-1, (-1, size))
    distance = size // 2
    while distance:
        pairs = x.unflatten(-1, (-1, 2, distance))
        a, b = pairs[..., 0, :], pairs[..., 1, :]
        x = torch.stack([a + b, a - b], -2).flatten(-3)
        distance //= 2
    return x.flatten(-2), size


def integers(x):
    most = x.abs().amax(-1, keepdim=True)
    return (x * (torch.tensor(127.0) / most)).round().double(), most / 127


def product(x, w):
    """[rows, depth] · [columns, depth]ᵀ → [rows, columns] in float64."""
    out = torch.zeros(x.shape[0], w.shape[0], dtype=torch.float64)
    for first in range(0, x.shape[1], PIECE):
        (a, size), (b, _) = hadamard(x[:, first:first + PIECE]), hadamard(w[:, first:first + PIECE])
        (a, a_scale), (b, b_scale) = integers(a), integers(b)
        out += (a @ b.T) * a_scale.double() * b_scale.double().T / size
    return out


def main():
    linear = product(numbers(1, 37, 700), numbers(2, 40, 700)) + numbers(3, 40).double()
    x, w = numbers(4, 1, 24, 9, 7), numbers(5, 40, 24, 3, 3)
    patches = torch.nn.functional.unfold(x, 3, padding=1, stride=2)  # [1, channel·tap, pixel]
    rows = patches.unflatten(1, (24, 9)).permute(0, 3, 2, 1).flatten(0, 1).flatten(1)  # [pixel, tap·channel]
    convolution = product(rows, w.permute(0, 2, 3, 1).flatten(1))
    save_file({"linear": linear.float(), "convolution": convolution.float()}, sys.argv[1])
    exact = numbers(1, 37, 700) @ numbers(2, 40, 700).T + numbers(3, 40)
    print(f"the linear layer's own error: {float((linear - exact).norm() / exact.norm()):.2e}")


if __name__ == "__main__":
    main()
