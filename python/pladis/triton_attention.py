# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PLR0912, PLR0915, PLR0917 - a kernel takes its sizes and strides one by one, and what it calls is made part of it
"""PLADIS attention in one Triton kernel: both normalisers and the product with V, without a map of [heads, queries, keys] in memory.

A program takes a block of queries of one head. It makes the logits of a block of keys at a time, and makes them anew in each pass over the
keys: one for softmax's largest logit and sum, one for each of Newton's steps towards the threshold of α-entmax (torch_rows.py says which), and one
for the weights' product with V. The steps end when no row of the block moves any more. Where the keys that take part in α-entmax are
at most 128, their logits stay in registers, and all steps are made on those. Logits, sums and the result are float32; the weights are rounded
to V's type before their product with V, as flash attention does.

Its results are tested against float64 in Triton's interpreter. Its speed is unmeasured."""
from __future__ import annotations

import contextlib

import torch
import triton  # type: ignore[import-not-found, import-untyped, unused-ignore]
import triton.language as tl  # type: ignore[import-not-found, import-untyped, unused-ignore]

from .torch_rows import steps_of

LARGEST_HEAD = 256
DTYPES = (torch.float16, torch.bfloat16, torch.float32)
KEYS_IN_REGISTERS = 128
SPARSEMAX, ENTMAX15, GENERAL = 1, 2, 0  # how powers are taken


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _logits(q, k, bias, columns, end, sizes, head_size, token_stride, size_stride, bias_stride, factor, HAS_BIAS: tl.constexpr):  # type: ignore[no-untyped-def]
    """q [queries, D] times the keys of columns [keys]: [queries, keys], −inf at and behind end."""
    live = columns < end
    keys = tl.load(k + columns.to(tl.int64)[None, :] * token_stride + sizes[:, None] * size_stride,
                   mask=live[None, :] & (sizes < head_size)[:, None], other=0.0)
    z = tl.dot(q, keys, input_precision="ieee") * factor
    if HAS_BIAS:
        z += tl.load(bias + columns * bias_stride, mask=live, other=0.0)[None, :]
    return tl.where(live[None, :], z, float("-inf"))


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _accumulate(z, largest, total):  # type: ignore[no-untyped-def]
    """The largest logit and Σ exp(z − largest) so far, with those of a block. largest: −inf before the first key."""
    grown = tl.maximum(largest, tl.max(z, 1))
    finite = tl.where(grown == float("-inf"), 0.0, grown)
    total = total * tl.exp(largest - finite) + tl.sum(tl.exp(z - finite[:, None]), 1)
    return grown, total


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _powers(z, largest, root, change, less_one, p, KIND: tl.constexpr):  # type: ignore[no-untyped-def]
    """[x − τ]₊^p and [x − τ]₊^(p−1) of x = (α − 1)(z − largest). root + change: τ, or τ + 1 of the general kind."""
    x = (z - largest[:, None]) * less_one - root[:, None] - change[:, None]
    if KIND == 1:
        weight = tl.maximum(x, 0.0)
        power = tl.where(weight > 0, 1.0, 0.0)
    elif KIND == 2:
        power = tl.maximum(x, 0.0)
        weight = power * power
    else:  # by log(1 + x), with what is lost in 1 + x put back
        x = tl.maximum(x, -1.0)
        above = 1.0 + x
        divisor = tl.where(above > 0, above, 1.0)
        logarithm = tl.log(divisor) + tl.where(above > 0, (x - (above - 1.0)) / divisor, 0.0)
        power = tl.where(above > 0, tl.exp((p - 1) * logarithm), 0.0)
        weight = tl.where(above > 0, tl.exp(p * logarithm), 0.0)
    return weight, power


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _newton(total, slope, p, KIND: tl.constexpr):  # type: ignore[no-untyped-def]
    """N − 1 of the p-norm N, and what Newton's iteration adds to τ; 0 for a row without keys."""
    live = total > 0
    total = tl.where(live, total, 1.0)
    slope = tl.where(live, slope, 1.0)
    if KIND == 1:
        excess = total - 1.0
        change = excess / slope
    elif KIND == 2:
        norm = tl.sqrt(total)
        excess = norm - 1.0
        change = excess * norm / slope
    else:
        logarithm = tl.log(total) / p
        small = logarithm * (1.0 + logarithm * (0.5 + logarithm * 0.16666667))
        excess = tl.where(tl.abs(logarithm) < 0.01, small, tl.exp(logarithm) - 1.0)
        change = excess * total / ((excess + 1.0) * slope)
    return excess, change


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def pladis_attention_kernel(  # type: ignore[no-untyped-def]
        query, key, value, bias, out,
        query_batch, query_head, query_token, query_size, key_batch, key_head, key_token, key_size,
        value_batch, value_head, value_token, value_size, out_batch, out_head, out_token, out_size, bias_batch, bias_key,
        heads, heads_a_key_head, queries, keys, head_size, text_start, text_end, image_start, image_end,
        factor, scale, less_one, p,
        KIND: tl.constexpr, STEPS: tl.constexpr, HAS_BIAS: tl.constexpr, JOINT: tl.constexpr, IN_REGISTERS: tl.constexpr,
        BLOCK_QUERIES: tl.constexpr, BLOCK_KEYS: tl.constexpr, BLOCK_SIZE: tl.constexpr):
    """A block of queries of a head. Names of tensors with an axis are strides. text: the columns that take part in α-entmax, all unless
    JOINT; image: the rows that do. less_one: α − 1. IN_REGISTERS: those columns fit into one block."""
    batch = (tl.program_id(1) // heads).to(tl.int64)
    head = (tl.program_id(1) % heads).to(tl.int64)
    rows = tl.program_id(0) * BLOCK_QUERIES + tl.arange(0, BLOCK_QUERIES)
    sizes = tl.arange(0, BLOCK_SIZE)
    block = tl.arange(0, BLOCK_KEYS)
    k = key + batch * key_batch + head // heads_a_key_head * key_head
    v = value + batch * value_batch + head // heads_a_key_head * value_head
    b = bias + batch * bias_batch
    inside = (rows < queries)[:, None] & (sizes < head_size)[None, :]
    wide_rows = rows.to(tl.int64)[:, None]
    q = tl.load(query + batch * query_batch + head * query_head + wide_rows * query_token + sizes[None, :] * query_size, mask=inside, other=0.0)

    none = tl.full([BLOCK_QUERIES], float("-inf"), tl.float32)
    zeros = tl.zeros([BLOCK_QUERIES], tl.float32)
    largest, total = none, zeros
    text_largest, text_total = none, zeros
    if IN_REGISTERS:
        kept = _logits(q, k, b, text_start + block, text_end, sizes, head_size, key_token, key_size, bias_key, factor, HAS_BIAS)
        text_largest, text_total = _accumulate(kept, none, zeros)
    else:
        for start in range(text_start, text_end, BLOCK_KEYS):
            z = _logits(q, k, b, start + block, text_end, sizes, head_size, key_token, key_size, bias_key, factor, HAS_BIAS)
            text_largest, text_total = _accumulate(z, text_largest, text_total)
    if JOINT:
        for start in range(0, keys, BLOCK_KEYS):
            z = _logits(q, k, b, start + block, keys, sizes, head_size, key_token, key_size, bias_key, factor, HAS_BIAS)
            largest, total = _accumulate(z, largest, total)
    else:
        largest, total = text_largest, text_total
    largest = tl.where(largest == float("-inf"), 0.0, largest)
    text_largest = tl.where(text_largest == float("-inf"), 0.0, text_largest)
    divisor = tl.where(total > 0, total, 1.0)

    # Newton's iteration; the last step stays apart from τ, where it would be rounded away
    root = zeros if KIND == 0 else zeros - 1.0
    change = zeros
    share = tl.where((rows >= image_start) & (rows < image_end), scale, 0.0)
    going = tl.max(tl.where((rows >= image_start) & (rows < image_end) & (rows < queries), 1, 0), 0)
    step = 0
    while (step < STEPS) & (going > 0):
        root += change
        if IN_REGISTERS:
            weight, power = _powers(kept, text_largest, root, zeros, less_one, p, KIND)
            weight_sum, power_sum = tl.sum(weight, 1), tl.sum(power, 1)
        else:
            weight_sum, power_sum = zeros, zeros
            for start in range(text_start, text_end, BLOCK_KEYS):
                z = _logits(q, k, b, start + block, text_end, sizes, head_size, key_token, key_size, bias_key, factor, HAS_BIAS)
                weight, power = _powers(z, text_largest, root, zeros, less_one, p, KIND)
                weight_sum += tl.sum(weight, 1)
                power_sum += tl.sum(power, 1)
        excess, change = _newton(weight_sum, power_sum, p, KIND)
        going = tl.max(tl.where((excess > 2e-6) & (root + change > root), 1, 0), 0)
        step += 1

    acc = tl.zeros([BLOCK_QUERIES, BLOCK_SIZE], tl.float32)
    mass = tl.exp(text_largest - largest) * text_total / divisor
    if IN_REGISTERS and not JOINT:
        weight, power = _powers(kept, text_largest, root, change, less_one, p, KIND)
        weight_sum = tl.sum(weight, 1)
        sparse = weight / tl.where(weight_sum > 0, weight_sum, 1.0)[:, None]
        dense = tl.exp(kept - largest[:, None]) / divisor[:, None]
        weights = dense + share[:, None] * (sparse - dense)
        values = tl.load(v + block.to(tl.int64)[:, None] * value_token + sizes[None, :] * value_size,
                         mask=(block < keys)[:, None] & (sizes < head_size)[None, :], other=0.0)
        acc = tl.dot(weights.to(values.dtype), values, acc, input_precision="ieee")
    else:
        for start in range(0, keys, BLOCK_KEYS):
            columns = start + block
            z = _logits(q, k, b, columns, keys, sizes, head_size, key_token, key_size, bias_key, factor, HAS_BIAS)
            weights = tl.exp(z - largest[:, None]) / divisor[:, None]
            if JOINT:
                if (start < text_end) & (start + BLOCK_KEYS > text_start):
                    text = (columns >= text_start) & (columns < text_end)
                    sparse, power = _powers(tl.where(text[None, :], z, float("-inf")), text_largest, root, change, less_one, p, KIND)
                    weights += tl.where(text, 1.0, 0.0)[None, :] * share[:, None] * (mass[:, None] * sparse - weights)
            else:
                sparse, power = _powers(z, text_largest, root, change, less_one, p, KIND)
                weights += share[:, None] * (sparse - weights)
            values = tl.load(v + columns.to(tl.int64)[:, None] * value_token + sizes[None, :] * value_size,
                             mask=(columns < keys)[:, None] & (sizes < head_size)[None, :], other=0.0)
            acc = tl.dot(weights.to(values.dtype), values, acc, input_precision="ieee")
    tl.store(out + batch * out_batch + head * out_head + wide_rows * out_token + sizes[None, :] * out_size, acc.to(out.dtype.element_ty), mask=inside)


def blocks_of(head_size: int, text: int, dtype: torch.dtype) -> dict[str, int | bool]:
    """The constants of the kernel that follow from sizes. text: how many keys take part in α-entmax."""
    size = max(16, 1 << (head_size - 1).bit_length())
    in_registers = text <= KEYS_IN_REGISTERS
    keys = max(16, 1 << (text - 1).bit_length()) if in_registers else 64
    queries = 64
    if dtype == torch.float32 or size > 128:
        queries, keys = 32 if size <= 128 else 16, keys if in_registers else 32
    return {"BLOCK_QUERIES": queries, "BLOCK_KEYS": keys, "BLOCK_SIZE": size, "IN_REGISTERS": in_registers}


def warps_of(head_size: int, alpha: float, dtype: torch.dtype) -> int:
    """Chosen by the registers and the stack that ptxas reports for compute capability 9.0, not by speed."""
    return 4 if dtype != torch.float32 and head_size <= 64 and alpha in {1.5, 2.0} else 8


def constants_of(alpha: float) -> dict[str, int]:
    """The constants of the kernel that follow from α in (1, 2]."""
    return {"KIND": {2.0: SPARSEMAX, 1.5: ENTMAX15}.get(alpha, GENERAL), "STEPS": steps_of(alpha)}


def triton_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, scale: float, alpha: float, softmax_scale: float,
                     bias: torch.Tensor | None = None, text: tuple[int, int] | None = None, image: tuple[int, int] | None = None) -> torch.Tensor:
    """PLADIS attention, q [B, H, L, D], k and v [B, H or fewer, S, D] of one type, any strides: [B, H, L, D], laid out as q where q is dense.

    bias: float32 [B, S], added to the logits; −inf: a key that does not count. text, image: start and end of the keys and of the queries of
    joint attention, where rows of image queries share the mass of the text among its keys; None: all. Beyond the result it makes nothing."""
    batch, heads, queries, size = q.shape
    keys = k.shape[2]
    if size > LARGEST_HEAD or q.dtype not in DTYPES or not q.dtype == k.dtype == v.dtype:
        raise ValueError(f"expected a head size up to {LARGEST_HEAD} and one type of {DTYPES}, found {size}, {q.dtype}, {k.dtype}, {v.dtype}")
    if k.shape != v.shape or k.shape[0] != batch or k.shape[3] != size or heads % k.shape[1]:
        raise ValueError(f"expected k and v [B, H or fewer, S, D] of q's B and D {tuple(q.shape)}, found {tuple(k.shape)} and {tuple(v.shape)}")
    out = torch.empty_like(q)
    if out.numel() == 0 or keys == 0:
        return out.zero_()
    text_start, text_end = text if text is not None else (0, keys)
    image_start, image_end = image if image is not None else (0, queries)
    blocks = blocks_of(size, text_end - text_start, q.dtype)
    grid = (triton.cdiv(queries, blocks["BLOCK_QUERIES"]), batch * heads)
    shared = bias if bias is not None else q
    joint = (text_start, text_end) != (0, keys)
    bias_strides = bias.stride() if bias is not None else (0, 0)
    with torch.cuda.device(q.device) if q.device.type == "cuda" else contextlib.nullcontext():
        pladis_attention_kernel[grid](
            q, k, v, shared, out, *q.stride(), *k.stride(), *v.stride(), *out.stride(), *bias_strides,
            heads, heads // k.shape[1], queries, keys, size, text_start, text_end, image_start, image_end,
            float(softmax_scale), float(scale), float(alpha - 1), float(1 / (alpha - 1)),
            HAS_BIAS=bias is not None, JOINT=joint, **constants_of(alpha), **blocks,
            num_warps=warps_of(size, alpha, q.dtype))
    return out
