# SPDX-License-Identifier: Apache-2.0
"""PLADIS attention on tensors of PyTorch, on any device and with gradients.

    dense  = softmax(z),  sparse = α-entmax(z),  z = softmax_scale · q·kᵀ + mask
    out    = [dense + λ·(sparse − dense)] · v

On a GPU of CUDA or ROCm with Triton, without gradients, in float16, bfloat16 or float32, with heads of up to 256 and a mask of keys alone,
one kernel (triton_attention.py) computes it and makes nothing beyond the result and, of a mask, [B, S] float32. Its speed is unmeasured, and
it is used where it agrees with the operations (_fused.py).

Elsewhere PyTorch's operations do. They take queries in chunks: the float32 maps of [B, H, queries of a chunk, S] that live at one time, up to
seven, take MAP_BYTES in all, unless those of one query take more. Beside them they make k and v in float32. Where gradients are wanted,
the maps of all chunks stay until the backward pass. Logits and weights are float32 under autocast too, and float64 for float64."""
from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn.functional import scaled_dot_product_attention

from ._fused import fused
from .torch_rows import below_largest, dense_and_sparse, pladis_weights, steps_of, wide, without_autocast

MAP_BYTES = 256 << 20
_LIVE_MAPS = 7


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, scale: float, alpha: float, softmax_scale: float | None = None,
              mask: torch.Tensor | None = None) -> torch.Tensor:
    """PLADIS attention: q [B, H, L, D], k and v [B, H or fewer, S, D], any strides; [B, H, L, D] of q's type.

    Fewer heads of k and v are shared by as many of q. scale: λ; 0 is scaled_dot_product_attention itself. alpha: α in (1, 2].
    softmax_scale: the factor of the logits, 1/√D. mask: of keys, [S] or [B, S], or what broadcasts to [B, H, L, S] with all four axes;
    bool (true: the key counts) or float (added to the logits). A row whose keys are all masked gives zeros.
    Raises ValueError for what does not fit. The text above says what is made in memory."""
    steps_of(alpha)
    mask = _mask(q, k, v, mask)
    factor = 1 / math.sqrt(q.shape[-1]) if softmax_scale is None else softmax_scale
    if scale == 0:
        return _dense(q, k, v, factor, mask)
    with without_autocast(q.device):
        k, v = k.to(q.dtype), v.to(q.dtype)

        def weighted(z: torch.Tensor) -> torch.Tensor:
            return pladis_weights(z, scale, alpha)

        def operations() -> torch.Tensor:
            return _in_chunks(q, k, v, factor, mask, weighted, slice(0, k.shape[2])).to(q.dtype)
        return fused(q, k, v, mask, operations, scale=scale, alpha=alpha, softmax_scale=factor)


def joint_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, text: slice, image: slice, scale: float, alpha: float,
                    softmax_scale: float | None = None, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Joint attention of text and image tokens, shapes, masks and errors as those of attention.

    Only rows of image queries change, and in them only the columns of text keys: their dense mass m = Σ_text dense is shared among them by
    PLADIS, so out = dense·v + λ·m·(α-entmax(z_text) − softmax(z_text))·v_text. text: the keys, image: the queries, slices of step 1.
    Without the kernel, scaled_dot_product_attention makes the dense part of all rows, and chunks of image rows the rest."""
    steps_of(alpha)
    if text.step not in (None, 1) or image.step not in (None, 1):
        raise ValueError(f"text, image: expected slices of step 1, found {text} and {image}")
    mask = _mask(q, k, v, mask)
    factor = 1 / math.sqrt(q.shape[-1]) if softmax_scale is None else softmax_scale
    first_row, last_row = _bounds(image, q.shape[2])
    first, last = _bounds(text, k.shape[2])
    if scale == 0 or first >= last or first_row >= last_row:
        return _dense(q, k, v, factor, mask)
    with without_autocast(q.device):
        k, v = k.to(q.dtype), v.to(q.dtype)

        def weighted(z: torch.Tensor) -> torch.Tensor:
            powers = below_largest(z).exp()
            mass = powers[..., first:last].sum(-1, keepdim=True) / powers.sum(-1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny)
            del powers
            dense, sparse = dense_and_sparse(z[..., first:last], alpha)
            return (sparse - dense) * (mass * scale)
        rows = slice(first_row, last_row)

        def operations() -> torch.Tensor:
            row_mask = mask[:, :, rows] if mask is not None and mask.shape[2] != 1 else mask
            change = _in_chunks(q[:, :, rows], k, v, factor, row_mask, weighted, slice(first, last))
            dense = _dense(q, k, v, factor, mask)
            changed = (dense[:, :, rows] + change).to(q.dtype)
            if torch.is_grad_enabled() and dense.requires_grad:
                return torch.cat([dense[:, :, :first_row], changed, dense[:, :, last_row:]], 2)
            dense[:, :, rows] = changed
            return dense
        return fused(q, k, v, mask, operations, scale=scale, alpha=alpha, softmax_scale=factor, text=(first, last), image=(first_row, last_row))


def _bounds(part: slice, count: int) -> tuple[int, int]:
    """Begin and end of a slice of step 1 among so many. (slice.indices, which older torch.compile does not follow.)"""
    begin, end = (default if given is None else min(count, given if given >= 0 else max(0, given + count))
                  for given, default in ((part.start, 0), (part.stop, count)))
    return begin, end


def _mask(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor | None:
    """The mask with four axes, after a look at all shapes."""
    if q.ndim != 4 or k.ndim != 4 or k.shape != v.shape or k.shape[0] != q.shape[0] or k.shape[3] != q.shape[3] or q.shape[1] % max(1, k.shape[1]):
        raise ValueError(f"expected q [B, H, L, D], k and v [B, H or fewer, S, D], found {tuple(q.shape)}, {tuple(k.shape)} and {tuple(v.shape)}")
    if mask is None:
        return None
    found = tuple(mask.shape)
    if mask.ndim <= 2:
        mask = mask.reshape(-1, 1, 1, mask.shape[-1]) if mask.ndim else mask
    expected = (q.shape[0], q.shape[1], q.shape[2], k.shape[2])
    if mask.ndim != 4 or any(size not in (1, whole) for size, whole in zip(mask.shape, expected, strict=True)):
        keys = f"[{expected[3]}], [{expected[0]}, {expected[3]}]"
        raise ValueError(f"mask: expected {keys} or what broadcasts to {list(expected)}, found {list(found)}")
    if mask.dtype != torch.bool and not mask.is_floating_point():
        raise ValueError(f"mask: expected bool or a floating type, found {mask.dtype}")
    return mask


def _dense(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, factor: float, mask: torch.Tensor | None) -> torch.Tensor:
    added = mask if mask is None or mask.dtype == torch.bool else mask.to(q.dtype)
    return scaled_dot_product_attention(q, k, v, attn_mask=added, scale=factor, enable_gqa=q.shape[1] != k.shape[1])


def _in_chunks(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, factor: float, mask: torch.Tensor | None,  # noqa: PLR0917
               weighted: Callable[[torch.Tensor], torch.Tensor], columns: slice) -> torch.Tensor:
    """weighted(logits)·v of the columns, [B, H, L, D] in float32 or float64, a chunk of queries at a time."""
    batch, heads, queries, size = q.shape
    key_heads, keys = k.shape[1], k.shape[2]
    if queries == 0 or keys == 0:
        return torch.zeros(q.shape, dtype=wide(q).dtype, device=q.device)
    bytes_a_query = _LIVE_MAPS * wide(q[:0]).element_size() * batch * heads * keys
    rows = max(1, MAP_BYTES // max(1, bytes_a_query))
    keys_turned, values = wide(k).transpose(-1, -2), wide(v[:, :, columns])

    def logits(start: int) -> torch.Tensor:
        chunk = wide(q[:, :, start:start + rows]) * factor
        count = chunk.shape[2]
        z = (chunk.reshape(batch, key_heads, -1, size) @ keys_turned).view(batch, heads, count, keys)
        if mask is None:
            return z
        part = mask if mask.shape[2] == 1 else mask[:, :, start:start + rows]
        if part.dtype == torch.bool:
            return z.masked_fill_(~part, -torch.inf)
        return z + part if torch.is_grad_enabled() and part.requires_grad else z.add_(part)

    parts = []
    for start in range(0, queries, rows):
        weights = weighted(logits(start))
        count = weights.shape[2]
        parts.append((weights.reshape(batch, key_heads, -1, weights.shape[-1]) @ values).view(batch, heads, count, size))
        del weights
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)
