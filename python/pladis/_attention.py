# SPDX-License-Identifier: Apache-2.0
"""PLADIS attention and α-entmax on arrays of numpy and tensors of torch; on the CPU without a copy of what is float32 already.

    dense  = softmax(z),  sparse = α-entmax(z),  z = scale · q·kᵀ
    out    = [dense + λ·(sparse − dense)] · v

(PLADIS: Kim & Sim 2025, arXiv 2503.07677; α-entmax: Peters, Niculae & Martins 2019, arXiv 1905.05702.) On the CPU no map is ever stored."""
from __future__ import annotations

import ctypes
import functools
import itertools
import operator
import os
import re
import sys
import threading
from ctypes import byref
from typing import Any

from ._library import call, initialised, library, structs
from .errors import ArgumentError


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as problem:
        raise ImportError("pladis.attention needs numpy or torch") from problem
    return numpy


def _is_tensor(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "torch"


def _strides(array: Any) -> tuple[int, ...]:
    """Strides of an array of float32 or of a tensor, in elements."""
    return tuple(array.stride()) if _is_tensor(array) else tuple(stride // 4 for stride in array.strides)


class _View:
    """An array or tensor as float32 numbers in memory, with strides in elements; what is float32 already is not copied."""

    def __init__(self, value: Any, name: str, ranks: tuple[int, ...]) -> None:
        self.tensor = _is_tensor(value)
        if self.tensor:
            if value.device.type != "cpu":
                raise ArgumentError(f"{name}: expected a tensor on the CPU, found one on {value.device}")
            self.given = value
            self.kept = value.detach().float()
        else:
            numpy = _numpy()
            shared = hasattr(value, "__dlpack__") and not hasattr(value, "__array__")  # arrays of other libraries
            self.kept = self.given = numpy.from_dlpack(value) if shared else numpy.asarray(value)
            if self.kept.dtype != numpy.float32:
                self.kept = self.kept.astype(numpy.float32)
            if any(stride % 4 for stride in self.kept.strides):
                self.kept = numpy.ascontiguousarray(self.kept)
        self.shape, self.strides = tuple(self.kept.shape), _strides(self.kept)
        if len(self.shape) not in ranks:
            raise ArgumentError(f"{name}: expected {' or '.join(map(str, ranks))} dimensions, found {len(self.shape)}")
        rows_turned = len(self.shape) > 1 and self.shape[-2] > 1 and self.strides[-2] == 0
        if (self.shape[-1] > 1 and self.strides[-1] != 1) or min(self.strides) < 0 or rows_turned: # what the library does not take
            self.kept = self.kept.contiguous() if self.tensor else _numpy().ascontiguousarray(self.kept)
            self.strides = _strides(self.kept)
        self.pointer = self.kept.data_ptr() if self.tensor else self.kept.ctypes.data

    def strided(self) -> tuple[int, int, int]:
        """Strides of batch, head and token; an axis that is broadcast says so."""
        batch, head, token = self.strides[:3]
        shared = -1 # PLD_STRIDE_SHARED
        return (batch or shared if self.shape[0] > 1 else batch, head or shared if self.shape[1] > 1 else head, token)


def _like(value: Any, view: _View, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Room for a result of a kind, laid out as `value` is where that is [B, L, H, D] in memory, as networks have it."""
    token_major = len(shape) == 4 and shape[1] > 1 and view.strides[1] < view.strides[2]
    made_shape = (shape[0], shape[2], shape[1], shape[3]) if token_major else shape
    if view.tensor:
        import torch
        made = torch.empty(made_shape, dtype=torch.float32)
        return (made.transpose(1, 2) if token_major else made), made.data_ptr()
    numpy = _numpy()
    made = numpy.empty(made_shape, numpy.float32)
    return (made.swapaxes(1, 2) if token_major else made), made.ctypes.data


def _as(result: Any, view: _View) -> Any:
    """A result in the type of what was given."""
    dtype = view.given.dtype
    if view.tensor:
        return result.to(dtype)
    return result if str(dtype) == "float32" else result.astype(dtype)


def _in_pytorch(*values: Any) -> bool:
    """Whether PyTorch's operations are asked for: another device, float64, or gradients."""
    if not all(_is_tensor(value) for value in values):
        return False
    import torch
    if len({value.device for value in values}) > 1:
        raise ArgumentError(f"expected tensors on one device, found them on {', '.join(sorted({str(value.device) for value in values}))}")
    return any(value.device.type != "cpu" or value.dtype == torch.float64 or (value.requires_grad and torch.is_grad_enabled()) for value in values)


def attention(q: Any, k: Any, v: Any, *, scale: float = 2.0, alpha: float = 1.5, softmax_scale: float | None = None, mask: Any = None,
              text: slice | None = None, image: slice | None = None) -> Any:
    """PLADIS attention: of arrays, and of tensors on the CPU, by the library, which makes no map.

    q: [B, H, L, D], k and v: [B, H or fewer, S, D]; arrays or tensors of float32, float16 or bfloat16 (computed in float32), arrays of
    float64 too, and what shares its memory by DLPack; any strides. Fewer heads of k and v are shared by as many of q. scale: λ, 0 is
    plain attention; alpha: α in (1, 2]; softmax_scale: the factor of the logits, 1/√D; mask: [B, S] or [S], true where a key counts.
    text, image: joint attention. Only the rows of queries in `image` change, and there the keys in `text` share by PLADIS the mass that
    the dense row gives them.
    Returns [B, H, L, D] of q's type. Raises ArgumentError for what does not fit.

    Tensors on other devices, of float64, or with gradients are computed by PyTorch: pladis.torch_attention says how.
    """
    if _in_pytorch(q, k, v):
        from . import torch_attention
        if text is None or image is None:
            return torch_attention.attention(q, k, v, scale=scale, alpha=alpha, softmax_scale=softmax_scale, mask=mask)
        return torch_attention.joint_attention(q, k, v, text=text, image=image, scale=scale, alpha=alpha, softmax_scale=softmax_scale, mask=mask)
    views = [_View(value, name, (4,)) for value, name in ((q, "q"), (k, "k"), (v, "v"))]
    query, key, value = views
    if key.shape[:3] != value.shape[:3] or key.shape[0] != query.shape[0] or not query.shape[3] == key.shape[3] == value.shape[3]:
        raise ArgumentError(f"expected k [B, H, S, D] and v [B, H, S, D] of q's B and D {query.shape}, found {key.shape} and {value.shape}")
    batch, heads, queries, size = query.shape
    out, address = _like(q, query, (batch, heads, queries, size))
    problem = initialised(structs.pld_attention_problem)
    problem.batch, problem.heads, problem.key_heads, problem.head_size = batch, heads, key.shape[1], size
    joint = (text, image) if text is not None and image is not None else None
    problem.zero_keys = 0 if joint or mask is not None else _zero_keys(key, value)
    problem.query_count, problem.key_count = queries, key.shape[2] - problem.zero_keys
    for name, view in (("query", query), ("key", key), ("value", value)):
        setattr(problem, name, ctypes.cast(view.pointer, ctypes.POINTER(ctypes.c_float)))
        for axis, stride in zip(("batch", "head", "token"), view.strided(), strict=True):
            setattr(problem, f"{name}_{axis}_stride", stride)
    problem.out = ctypes.cast(address, ctypes.POINTER(ctypes.c_float))
    problem.out_batch_stride, problem.out_head_stride, problem.out_token_stride = _strides(out)[:3]
    problem.scale = softmax_scale or 0
    problem.rows = structs.PLD_ROWS_PLADIS if scale != 0 else structs.PLD_ROWS_SOFTMAX
    setattr(problem, "lambda", scale)
    problem.alpha = alpha
    if scale != 0 and joint:
        _join(problem, *joint)
    kept_mask = _mask(mask, problem)
    if min(out.shape) > 0:
        _run(problem)
    del kept_mask
    return _as(out, query)


def _zero_keys(key: _View, value: _View) -> int:
    """How many keys at the end are zeros and have values of zeros in every row and head, as those of padding in Anima: the library counts such
    keys without a look at them. One key is always left."""
    if 0 in key.shape or key.kept[:, :, -1].any() or value.kept[:, :, -1].any():
        return 0
    live = ((key.kept != 0) | (value.kept != 0)).any(-1).any(0).any(0)  # [S]
    return sum(1 for _ in itertools.takewhile(operator.not_, reversed(live.tolist()[1:])))


def _join(problem: Any, text: slice, image: slice) -> None:
    """Which keys are text, and which queries are the image's."""
    first, last, _ = text.indices(problem.key_count)
    problem.joint_text_keys, problem.joint_first_text_key = last - first, first
    begin, end, _ = image.indices(problem.query_count)
    problem.joint_image_queries, problem.joint_first_image_query = end - begin, begin
    if last <= first or end <= begin: # no text, or no image: nothing changes
        problem.rows, problem.joint_text_keys, problem.joint_first_text_key = structs.PLD_ROWS_SOFTMAX, 0, 0
        problem.joint_image_queries = problem.joint_first_image_query = 0


def _mask(mask: Any, problem: Any) -> Any:
    """Keys that count, as bytes [B, S]."""
    if mask is None:
        return None
    numpy = _numpy()
    bytes_ = numpy.ascontiguousarray(mask.numpy() if _is_tensor(mask) else mask, dtype=bool).astype(numpy.uint8)
    if bytes_.shape not in ((problem.batch, problem.key_count), (problem.key_count,)):
        raise ArgumentError(f"mask: expected [{problem.batch}, {problem.key_count}] or [{problem.key_count}], found {list(bytes_.shape)}")
    problem.key_mask = ctypes.cast(bytes_.ctypes.data, ctypes.POINTER(ctypes.c_uint8))
    problem.key_mask_batch_stride = problem.key_count if bytes_.ndim == 2 else -1
    return bytes_


_kept = threading.local()


def _scratch(size: int) -> Any:
    """So many bytes to work in, this thread's, kept for the next call."""
    if not hasattr(_kept, "scratch") or ctypes.sizeof(_kept.scratch) < size:
        _kept.scratch = ctypes.create_string_buffer(size)
    return _kept.scratch


def _run(problem: Any) -> None:
    parallel = initialised(structs.pld_attention_parallel)
    parallel.threads = _threads()
    if "torch" in sys.modules and parallel.threads > 1 and (openmp := _openmp()):
        parallel.loop, parallel.user = ctypes.cast(library.pld_openmp_loop, ctypes.c_void_p), openmp
    size = library.pld_attention_scratch_size(byref(problem), parallel.threads)
    call("pld_attention", byref(problem), _scratch(max(1, size)), size, byref(parallel))


@functools.cache
def _openmp() -> int | None:
    """The address of GOMP_parallel in the OpenMP runtime that torch computes with. Its threads wait busily for a while after each of torch's
    operations, and would take the cores from threads of the library."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
            paths = {line.split(maxsplit=5)[-1].strip() for line in file if re.search(r"/lib(gomp|omp|iomp5)[^/]*$", line)}
    except OSError:
        return None
    for path in sorted(paths, key=lambda path: ("torch" not in path, path)):
        try:
            return ctypes.cast(ctypes.CDLL(path).GOMP_parallel, ctypes.c_void_p).value
        except (OSError, AttributeError):
            continue
    return None


def _threads() -> int:
    """As many as torch uses where it is loaded, else one for each core that this process may use."""
    torch = sys.modules.get("torch")
    return torch.get_num_threads() if torch is not None and hasattr(torch, "get_num_threads") else len(os.sched_getaffinity(0))


def _rows(logits: Any, mask: Any, name: str, *factors: float) -> Any:
    view = _View(logits, "logits", tuple(range(1, 9)))
    numpy = _numpy()
    keys = view.shape[-1]
    source = view.kept.contiguous().numpy() if view.tensor else numpy.ascontiguousarray(view.kept)
    out = numpy.empty(view.shape, numpy.float32)
    rows = out.size // keys if keys else 0
    kept = None
    if mask is not None:
        kept = numpy.ascontiguousarray(numpy.broadcast_to(mask.numpy() if _is_tensor(mask) else mask, view.shape), dtype=bool).astype(numpy.uint8)
    if rows:
        size = library.pld_rows_scratch_size(keys)
        scratch = _scratch(max(1, size))
        call(name, source.ctypes.data, rows, keys, kept.ctypes.data if kept is not None else None, keys, *factors, out.ctypes.data, scratch, size)
    if view.tensor:
        import torch
        return _as(torch.from_numpy(out), view)
    return _as(out, view)


def entmax(logits: Any, alpha: float = 1.5, *, mask: Any = None) -> Any:
    """α-entmax along the last axis: logits [..., S] to weights [..., S] that are not negative and sum to 1; α in (1, 2]. mask: true where
    a key counts, of a shape that can be broadcast. Tensors on other devices, of float64, or with gradients are computed by PyTorch."""
    if _in_pytorch(logits):
        from .torch_rows import entmax_rows
        return entmax_rows(_masked(logits, mask), alpha).to(logits.dtype)
    return _rows(logits, mask, "pld_entmax_rows", alpha)


def pladis_rows(logits: Any, scale: float = 2.0, alpha: float = 1.5, *, mask: Any = None) -> Any:
    """(1 − λ)·softmax + λ·α-entmax along the last axis: logits [..., S] to weights [..., S]. Otherwise as entmax."""
    if _in_pytorch(logits):
        from .torch_rows import pladis_weights
        return pladis_weights(_masked(logits, mask), scale, alpha).to(logits.dtype)
    return _rows(logits, mask, "pld_pladis_rows", scale, alpha)


def _masked(logits: Any, mask: Any) -> Any:
    if mask is None:
        return logits
    import torch
    return logits.masked_fill(~torch.as_tensor(mask, dtype=torch.bool, device=logits.device), -float("inf"))
