# SPDX-License-Identifier: Apache-2.0
"""α-entmax of tensors in float64, which tests compare with."""
import torch


def exact_entmax(z, alpha):
    """float64 weights by bisection of the threshold; 0 in rows of −inf."""
    p, z = 1 / (alpha - 1), z.double()
    largest = z.amax(-1, keepdim=True)
    x = (z - torch.where(largest.isinf(), 0, largest)) * (alpha - 1)
    low, high = torch.full_like(largest, -1), torch.zeros_like(largest)
    for _ in range(60):
        middle = (low + high) / 2
        above = ((x - middle).clamp_min(0) ** p).sum(-1, keepdim=True) >= 1
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    w = (x - low).clamp_min(0) ** p
    return w / w.sum(-1, keepdim=True).clamp_min(1e-300)
