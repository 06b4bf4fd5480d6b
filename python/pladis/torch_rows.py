# SPDX-License-Identifier: Apache-2.0
"""Attention rows in PyTorch, on any device: no sorting, no bisection, a fixed number of steps.

With x = (α − 1)(z − max z) the threshold τ of α-entmax lies in [−1, 0), and Σ[x − τ]₊^(1/(α−1)) = 1. Newton's iteration on the p-norm,
p = 1/(α−1) and N = (Σ[x − τ]₊^p)^(1/p), by τ += (N − 1)·N^(p−1) / Σ[x − τ]₊^(p−1), rises from −1 to it without a bracket; weights are divided
by their sum at the end. (α-entmax: Peters, Niculae & Martins 2019, arXiv 1905.05702; PLADIS: Kim & Sim 2025, arXiv 2503.07677.)"""
from __future__ import annotations

from typing import Any

import torch

STEPS = 10  # the largest error of a weight, over rows of up to 4096 keys, stands in tests/python/test_torch_rows.py


def _threshold_weights(z: torch.Tensor, alpha: float, steps: int) -> torch.Tensor:
    """α-entmax of the last axis of finite or −inf logits [..., S]."""
    p = 1 / (alpha - 1)
    largest = z.amax(-1, keepdim=True)
    largest = torch.where(torch.isinf(largest), torch.zeros_like(largest), largest)
    x = (z - largest) * (alpha - 1)
    tau = torch.full_like(largest, -1)
    for _ in range(steps):
        above = (x - tau).clamp_min(0)
        power = above ** (p - 1) if p != 1 else (above > 0).to(z.dtype)
        norm = (above * power).sum(-1, keepdim=True) ** (1 / p)
        tau = tau + (norm - 1) * norm ** (p - 1) / power.sum(-1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny)
    weights = (x - tau).clamp_min(0) ** p
    return weights / weights.sum(-1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny)


class _Entmax(torch.autograd.Function):
    """α-entmax with its gradient: with g = w^(2−α) on the support, dz = g·(dw − Σ g·dw / Σ g)."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, alpha: float, steps: int) -> torch.Tensor:
        weights = _threshold_weights(z, alpha, steps)
        ctx.save_for_backward(weights)
        ctx.alpha = alpha
        return weights

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (weights,), gradient = ctx.saved_tensors, gradients[0]
        g = torch.where(weights > 0, weights ** (2 - ctx.alpha), torch.zeros_like(weights))
        mean = (g * gradient).sum(-1, keepdim=True) / g.sum(-1, keepdim=True).clamp_min(torch.finfo(g.dtype).tiny)
        return g * (gradient - mean), None, None


def entmax_rows(z: torch.Tensor, alpha: float = 1.5, *, steps: int = STEPS) -> torch.Tensor:
    """α-entmax along the last axis, [..., S] to [..., S], in float32 or, of float64, in float64; differentiable. α in (1, 2]; −inf: a key
    that does not count."""
    if not 1 < alpha <= 2:
        raise ValueError(f"alpha: found {alpha}, expected more than 1 and at most 2")
    with torch.autocast(z.device.type, enabled=False):
        wide = z if z.dtype == torch.float64 else z.float()
        needs_gradient = wide.requires_grad and torch.is_grad_enabled()
        return _Entmax.apply(wide, alpha, steps) if needs_gradient else _threshold_weights(wide, alpha, steps)


def pladis_weights(z: torch.Tensor, scale: float, alpha: float) -> torch.Tensor:
    """dense + λ·(sparse − dense) along the last axis, in float32 or float64."""
    wide = z if z.dtype == torch.float64 else z.float()
    dense = wide.softmax(-1)
    return dense if scale == 0 else dense + scale * (entmax_rows(wide, alpha) - dense)


def joint_weights(z: torch.Tensor, text: slice, image: slice, scale: float, alpha: float) -> torch.Tensor:
    """Joint attention, z [..., L, S]: in rows of image queries the columns of text keys keep the mass that the dense row gives them, and share
    it by PLADIS among themselves; all else is dense."""
    wide = z if z.dtype == torch.float64 else z.float()
    weights = wide.softmax(-1).clone()
    rows = wide[..., image, text]
    mass = weights[..., image, text].sum(-1, keepdim=True)
    weights[..., image, text] = mass * pladis_weights(rows, scale, alpha)
    return weights
