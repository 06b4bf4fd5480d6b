# SPDX-License-Identifier: Apache-2.0
"""Attention rows in PyTorch, on any device: no sorting, no bisection, a fixed number of steps.

With x = (α − 1)(z − max z) the threshold τ of α-entmax lies in [−1, 0), and Σ[x − τ]₊^p = 1 of p = 1/(α−1). Newton's iteration on the p-norm
N = (Σ[x − τ]₊^p)^(1/p), by τ += (N − 1)·N^(p−1) / Σ[x − τ]₊^(p−1), rises from −1 to it without a bracket. The last step is not added to τ,
where float32 would round it away, but subtracted from x − τ; weights are divided by their sum at the end. For α below 1.25, p is large, and
[x − τ]₊^p is exp(p·log1p(x − s)) of s = τ + 1, which is small there. (α-entmax: Peters, Niculae & Martins 2019, arXiv 1905.05702; PLADIS:
Kim & Sim 2025, arXiv 2503.07677.)

Steps by α, and the largest error of a float32 weight that was measured against float64 bisection: over rows of 1 to 4096 keys of normal,
tied, masked and nearly equal logits ("usual"), and over rows that were searched for what converges slowest ("worst found").

    α up to   steps   usual     worst found, of 4096 keys
    1.1         5     4e-7     2e-7
    1.25        6     2e-7     4e-7
    1.5         9     3e-7     4e-7
    1.75       12     2e-7     5e-7
    2          18     5e-7     3e-6

float64 takes two steps more. A row of −inf alone has weights 0, in softmax too; NaN or +inf in a row make its weights NaN."""
from __future__ import annotations

import contextlib
from typing import Any

import torch

_STEPS = ((1.1, 5), (1.25, 6), (1.5, 9), (1.75, 12), (2.0, 18))
LOG_BELOW = 1.25  # for α below it, powers are taken by log1p and exp
_LEAST = 1e-20  # far below each sum of a row that has a key


# Asked once: torch.compile does not follow the question.
_WITH_AUTOCAST = frozenset(kind for kind in ("cpu", "cuda", "xpu", "mps", "hpu", "xla", "mtia") if torch.amp.is_autocast_available(kind))


def steps_of(alpha: float, dtype: torch.dtype = torch.float32) -> int:
    """How many of Newton's steps α takes."""
    if not 1 < alpha <= 2:
        raise ValueError(f"alpha: found {alpha}, expected more than 1 and at most 2")
    return next(steps for most, steps in _STEPS if alpha <= most) + (2 if dtype == torch.float64 else 0)


def wide(z: torch.Tensor) -> torch.Tensor:
    """float32, or float64 of float64."""
    return z if z.dtype == torch.float64 else z.float()


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """For as long as a with block lasts, operations compute in the types of their inputs."""
    if device.type not in _WITH_AUTOCAST:
        return contextlib.nullcontext()
    context: contextlib.AbstractContextManager[Any] = torch.autocast(device.type, enabled=False)
    return context


def below_largest(z: torch.Tensor) -> torch.Tensor:
    """z − max z of each row; −inf where all are."""
    largest = z.detach().amax(-1, keepdim=True)
    return z - largest.masked_fill(largest == -torch.inf, 0)


def _softmax(below: torch.Tensor) -> torch.Tensor:
    weights = below.exp()
    return weights / weights.sum(-1, keepdim=True).clamp_min(_LEAST)


def _change(total: torch.Tensor, slope: torch.Tensor, p: float) -> torch.Tensor:
    """What Newton's iteration adds to τ, of Σ[x − τ]₊^p and Σ[x − τ]₊^(p−1); 0 for a row without keys."""
    logarithm = total.clamp_min(_LEAST).log() / p
    return logarithm.expm1() * total / (logarithm.exp() * slope).clamp_min(_LEAST)


def _by_powers(x: torch.Tensor, p: float, steps: int) -> torch.Tensor:
    tau = torch.full_like(x[..., :1], -1)
    change = torch.zeros_like(tau)
    for _ in range(steps):
        tau = tau + change
        above = (x - tau).clamp_min_(0)
        if p == 1:
            change = _change(above.sum(-1, keepdim=True), above.sign_().sum(-1, keepdim=True), p)
        else:
            power = above if p == 2 else above ** (p - 1)
            slope = power.sum(-1, keepdim=True)
            change = _change((above * power).sum(-1, keepdim=True), slope, p)
            del power
        del above
    above = (x - tau).sub_(change).clamp_min_(0)
    return above if p == 1 else above.pow_(p)


def _by_logarithms(x: torch.Tensor, p: float, steps: int) -> torch.Tensor:
    raised = torch.zeros_like(x[..., :1])  # τ + 1
    change = torch.zeros_like(raised)
    for _ in range(steps):
        raised = raised + change
        above = (x - raised).clamp_min_(-1)
        power = above.log1p().mul_(p - 1).exp_()
        slope = power.sum(-1, keepdim=True)
        change = _change(above.add_(1).mul_(power).sum(-1, keepdim=True), slope, p)
        del above, power
    return (x - raised).sub_(change).clamp_min_(-1).log1p_().mul_(p).exp_()


def _entmax(below: torch.Tensor, alpha: float, steps: int) -> torch.Tensor:
    """α-entmax of what below_largest gives, [..., S] of at least one key."""
    p = 1 / (alpha - 1)
    weights = (_by_logarithms if alpha < LOG_BELOW else _by_powers)(below * (alpha - 1), p, steps)
    return weights.div_(weights.sum(-1, keepdim=True).clamp_min(_LEAST))


class _Entmax(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """α-entmax with its gradient: with g = w^(2−α) on the support, dz = g·(dw − Σ g·dw / Σ g)."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, alpha: float, steps: int) -> torch.Tensor:
        weights = _entmax(below_largest(z), alpha, steps)
        ctx.save_for_backward(weights)
        ctx.alpha = alpha
        return weights

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (weights,), gradient = ctx.saved_tensors, gradients[0]
        support = weights > 0
        g = torch.where(support, torch.where(support, weights, 1) ** (2 - ctx.alpha), 0)
        mean = (g * gradient).sum(-1, keepdim=True) / g.sum(-1, keepdim=True).clamp_min(_LEAST)
        return g * (gradient - mean), None, None


def dense_and_sparse(z: torch.Tensor, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Softmax and α-entmax of the last axis, [..., S] each, in float32 or float64; differentiable."""
    steps = steps_of(alpha, z.dtype)
    with without_autocast(z.device):
        z = wide(z)
        if z.shape[-1] == 0:
            return z, z
        below = below_largest(z)
        if torch.is_grad_enabled() and z.requires_grad:
            return _softmax(below), _Entmax.apply(z, alpha, steps)
        del z
        return _softmax(below), _entmax(below, alpha, steps)


def entmax_rows(z: torch.Tensor, alpha: float = 1.5, *, steps: int | None = None) -> torch.Tensor:
    """α-entmax along the last axis, [..., S] to [..., S], in float32 or, of float64, in float64; differentiable, twice too. α in (1, 2];
    −inf: a key that does not count. steps: of Newton's iteration, in the place of those of the table above."""
    steps = steps_of(alpha, z.dtype) if steps is None else steps
    with without_autocast(z.device):
        z = wide(z)
        if z.shape[-1] == 0:
            return z
        return _Entmax.apply(z, alpha, steps) if torch.is_grad_enabled() and z.requires_grad else _entmax(below_largest(z), alpha, steps)


def pladis_weights(z: torch.Tensor, scale: float, alpha: float) -> torch.Tensor:
    """dense + λ·(sparse − dense) along the last axis, [..., S] to [..., S], in float32 or float64; differentiable. scale: λ; 0 is softmax."""
    if scale == 0:
        with without_autocast(z.device):
            return _softmax(below_largest(wide(z))) if z.shape[-1] else wide(z)
    dense, sparse = dense_and_sparse(z, alpha)
    with without_autocast(z.device):
        if torch.is_grad_enabled() and z.requires_grad:
            return dense + scale * (sparse - dense)
        return sparse.sub_(dense).mul_(scale).add_(dense) if z.shape[-1] else dense


def joint_weights(z: torch.Tensor, text: slice, image: slice, scale: float, alpha: float) -> torch.Tensor:
    """Joint attention, z [..., L, S]: in rows of image queries the columns of text keys keep the mass that the dense row gives them, and share
    it by PLADIS among themselves; all else is dense."""
    with without_autocast(z.device):
        weights = pladis_weights(z, 0, alpha)
        mass = weights[..., image, text].sum(-1, keepdim=True)
        weights[..., image, text] = pladis_weights(z[..., image, text], scale, alpha) * mass
        return weights
