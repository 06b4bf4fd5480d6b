# SPDX-License-Identifier: Apache-2.0
"""What one attention of a network computes with PLADIS: the network's own result plus a term of the text's keys.

With r = (sparse − dense)·V, of the text's keys alone,

    PLADIS   dense·V + λ·r                           (Kim & Sim 2025, arXiv 2503.07677)
    GAG      S·(1 + s·⟨r, S⟩/‖S‖²), S = dense·V + r  (Kim 2026, arXiv 2603.02531; the added part is at most η long)

In joint attention r is made of the text's columns, normalised among themselves, times the mass that the dense row gives the text, and only rows
of image queries have it. So dense·V is what ComfyUI's attention gives, whichever it is, and logits are made of image queries and text keys only.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from .rows import dense_and_sparse, wide, without_autocast

MAP_BYTES = 64 << 20  # logits of one chunk of queries; entmax needs about six times as much at once


@dataclass(frozen=True)
class Pladis:
    """dense·V + λ·r."""

    scale: float
    alpha: float

    @property
    def is_active(self) -> bool:
        return self.scale != 0

    def combine(self, dense: torch.Tensor, difference: torch.Tensor) -> torch.Tensor:
        """Both [B, H, L, D], in float32 or float64."""
        return dense + self.scale * difference


@dataclass(frozen=True)
class Gag:
    """Geometry-aware attention guidance: the part of r along the sparse output, at most `limit` long, `scale` times."""

    scale: float
    alpha: float
    limit: float

    @property
    def is_active(self) -> bool:
        return True

    def combine(self, dense: torch.Tensor, difference: torch.Tensor) -> torch.Tensor:
        """Both [B, H, L, D], in float32 or float64; each query of each head by itself."""
        sparse = dense + difference
        squares = sparse.square().sum(-1, keepdim=True)
        part = (difference * sparse).sum(-1, keepdim=True) / squares.clamp_min(torch.finfo(squares.dtype).tiny)
        norm = part.abs() * squares.sqrt()
        return sparse * (1 + self.scale * torch.where(norm > self.limit, part * self.limit / norm, part))


Rule = Pladis | Gag


@dataclass(frozen=True)
class Span:
    """Which keys are the text's.

    text:    the first so many tokens, of queries and of keys; None: cross-attention, where all keys are text
    tokens:  of joint attention, how many queries there are; an attention of another number is none of ours (SD 3.5's second one)
    keys:    of cross-attention, how many keys the text has, where a site has an attention beside the text's (Wan's of an image)
    live:    [B, S], False for keys that do not count, or None
    """

    text: int | None = None
    tokens: int | None = None
    keys: int | None = None
    live: torch.Tensor | None = None

    def is_met(self, queries: int, keys: int) -> bool:
        if self.text is None:
            return self.keys is None or keys == self.keys
        return queries == self.tokens and keys >= queries and 0 < self.text < queries


@dataclass(frozen=True)
class Heads:
    """q [B, H, L, D], k and v [B, H, S, D], the factor of the logits, and a mask [B or 1, H or 1, L or 1, S] of bools or to be added."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    factor: float
    mask: torch.Tensor | None

    def only(self, queries: slice, keys: slice) -> Heads:
        mask = self.mask
        if mask is not None:
            mask = (mask if mask.shape[2] == 1 else mask[:, :, queries])[..., keys]
        return Heads(self.q[:, :, queries], self.k[:, :, keys], self.v[:, :, keys], self.factor, mask)


class Override:
    """`optimized_attention_override` of one call of a site: calls the override that was there, or the attention, and adds PLADIS."""

    def __init__(self, rule: Rule, span: Span, earlier: Callable[..., torch.Tensor] | None, note: Callable[[], None]) -> None:
        self.rule, self.span, self.earlier, self.note = rule, span, earlier, note

    def __call__(self, attention: Callable[..., torch.Tensor], *args: Any, **kwargs: Any) -> torch.Tensor:
        out = attention(*args, **kwargs) if self.earlier is None else self.earlier(attention, *args, **kwargs)
        given = dict(zip(("q", "k", "v", "heads", "mask", "attn_precision", "skip_reshape", "skip_output_reshape"), args, strict=False))
        return self._add(out, **{**given, **kwargs})

    def _add(self, out: torch.Tensor, *, heads: int, skip_reshape: bool = False, skip_output_reshape: bool = False, **given: Any) -> torch.Tensor:
        """PLADIS' result, of the shape of `out`. q is [B, H, L, D] where skip_reshape says so, else [B, L, H·D]; k and v are so, too, or
        [B, S, H, D], and may have fewer heads."""
        q, k, v = given["q"], given["k"], given["v"]
        if not skip_reshape:
            size = q.shape[-1] // heads
            q, k, v = ((x if x.ndim == 4 else x.unflatten(-1, (-1, size))).transpose(1, 2) for x in (q, k, v))
        if k.shape[1] != q.shape[1]:
            k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], 1) for x in (k, v))
        if not self.span.is_met(q.shape[2], k.shape[2]):
            return out
        self.note()
        factor = given.get("scale")
        there = Heads(q, k, v, q.shape[-1] ** -0.5 if factor is None else factor, _mask_of_four(given.get("mask"), q, k))
        dense = out if skip_output_reshape else out.unflatten(-1, (heads, -1)).transpose(1, 2)
        changed = self._cross(dense, there) if self.span.text is None else self._joint(dense, there, self.span.text)
        return changed if skip_output_reshape else changed.transpose(1, 2).flatten(2)

    def _cross(self, dense: torch.Tensor, heads: Heads) -> torch.Tensor:
        live = self.span.live
        if live is not None and live.shape == (heads.k.shape[0], heads.k.shape[2]):
            heads = replace(heads, mask=_both(heads.mask, live[:, None, None, :]))
        return _changed(self.rule, dense, heads)

    def _joint(self, dense: torch.Tensor, heads: Heads, text: int) -> torch.Tensor:
        image = slice(text, None)
        mass = text_mass(heads.only(image, slice(None)), text)
        return torch.cat((dense[:, :, :text], _changed(self.rule, dense[:, :, image], heads.only(image, slice(text)), mass)), 2)


def _mask_of_four(mask: torch.Tensor | None, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor | None:
    """A mask of ComfyUI as [B or 1, H or 1, L or 1, S]: it may come as [L, S], [B, L, S] or [B, S]."""
    if mask is None:
        return None
    if mask.ndim == 2:
        return mask[:, None, None, :] if mask.shape == (q.shape[0], k.shape[2]) and mask.shape[0] != q.shape[2] else mask[None, None]
    return mask.unsqueeze(1) if mask.ndim == 3 else mask


def _both(mask: torch.Tensor | None, live: torch.Tensor) -> torch.Tensor:
    """A mask, of bools or to be added, together with one of bools."""
    if mask is None:
        return live
    return mask & live if mask.dtype == torch.bool else mask.masked_fill(~live, torch.finfo(mask.dtype).min)


def text_mass(heads: Heads, text: int) -> torch.Tensor:
    """What the dense rows give the first `text` keys, [B, H, L, 1]: attention over values that are 1 for them and 0 for the others, so that no map
    of [L, S] is made."""
    ones = torch.zeros_like(heads.k)
    ones[:, :, :text] = 1
    mask = heads.mask if heads.mask is None or heads.mask.dtype == torch.bool else heads.mask.to(heads.q.dtype)
    return wide(scaled_dot_product_attention(heads.q, heads.k, ones, attn_mask=mask, scale=heads.factor)[..., :1])


def _changed(rule: Rule, dense: torch.Tensor, heads: Heads, mass: torch.Tensor | None = None) -> torch.Tensor:
    """The rule's result of `dense` [B, H, L, D] and of r, by chunks of queries whose logits take at most MAP_BYTES."""
    out = torch.empty_like(dense)
    keys, values = wide(heads.k).transpose(-1, -2), wide(heads.v)
    batch, count, queries = heads.q.shape[:3]
    step = max(1, MAP_BYTES // (keys.element_size() * batch * count * max(1, heads.k.shape[2])))
    with without_autocast(out.device):
        for start in range(0, queries, step):
            rows = slice(start, start + step)
            part = heads.only(rows, slice(None))
            r = _difference(wide(part.q) @ keys * heads.factor, rule.alpha, part.mask) @ values
            out[:, :, rows] = rule.combine(wide(dense[:, :, rows]), r if mass is None else mass[:, :, rows] * r).to(out.dtype)
    return out


def _difference(z: torch.Tensor, alpha: float, mask: torch.Tensor | None) -> torch.Tensor:
    """sparse − dense along the last axis of logits [B, H, L, S]; 0 in a row of which every key is masked by bools or −inf."""
    if mask is not None:
        z = z.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else z + mask.to(z.dtype)
    dense, sparse = dense_and_sparse(z, alpha)
    return sparse - dense
