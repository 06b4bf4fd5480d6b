# SPDX-License-Identifier: Apache-2.0
"""The Triton kernel in the place of PyTorch's operations, where it runs and gives what they give.

The first call of a configuration (device, type, head size, α, kind of attention) computes both ways, and gives what the operations give. A kernel
that does not compile there, that asks for more than the device has, or that differs is left out from then on, with a line in the log "pladis"."""
from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

# Largest difference from PyTorch's operations, in the largest of their numbers: what rounding weights and results to the type can do,
# of which the weights of a row, at λ = 2, have up to three in all.
_TOLERANCES = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}
_works: dict[Any, bool] = {}


@functools.cache
def triton_module() -> ModuleType | None:
    """The module of the kernel; None without Triton."""
    try:
        return importlib.import_module(".triton_attention", __package__)
    except ImportError:
        return None


def _module_for(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> ModuleType | None:
    """The module of the kernel, where the kernel takes these tensors. While torch.compile follows, operations are what it can fuse."""
    if q.device.type != "cuda" or torch.compiler.is_compiling() or (torch.is_grad_enabled() and any(x.requires_grad for x in (q, k, v))):
        return None
    module = triton_module()
    return module if module is not None and q.shape[-1] <= module.LARGEST_HEAD and q.dtype in module.DTYPES else None


def _key_bias(mask: torch.Tensor, batch: int, keys: int) -> torch.Tensor | None:
    """What a mask of keys alone adds to the logits, float32 [B, S]; None of any other mask, and of one that wants a gradient."""
    if mask.requires_grad or any(mask.shape[axis] != 1 and mask.stride(axis) != 0 for axis in (1, 2)):
        return None
    row = mask[:, 0, 0]
    bias = torch.zeros_like(row, dtype=torch.float32).masked_fill(~row, -torch.inf) if row.dtype == torch.bool else row.float()
    return bias.expand(batch, keys)


def fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None, operations: Callable[[], torch.Tensor], *,
          alpha: float, text: tuple[int, int] | None = None, image: tuple[int, int] | None = None, **numbers: float) -> torch.Tensor:
    """By the kernel, else by `operations`, which computes the same. mask: with four axes; text, image, numbers: of triton_attention."""
    module = _module_for(q, k, v)
    bias = _key_bias(mask, q.shape[0], k.shape[2]) if module is not None and mask is not None else None
    if module is None or (mask is not None and bias is None):
        return operations()
    share = k.shape[2] if text is None else text[1] - text[0]
    configuration = (q.device, q.dtype, q.shape[-1], alpha, text is not None, bias is not None, share <= module.KEYS_IN_REGISTERS)
    works = _works.get(configuration)
    if works is False:
        return operations()
    try:
        made: torch.Tensor = module.triton_attention(q, k, v, alpha=alpha, bias=bias, text=text, image=image, **numbers)
    except Exception as problem:  # noqa: BLE001 # of Triton's compiler, of the driver, or of a device with too little shared memory
        _leave_out(configuration, f"fails: {type(problem).__name__}: {problem}")
        return operations()
    if works is None:
        expected = operations()
        if torch.isfinite(expected).all():
            error = ((made - expected).abs().max() / expected.abs().max().clamp_min(1e-20)).item() if expected.numel() else 0.0
            _works[configuration] = error <= _TOLERANCES[q.dtype]
            if not _works[configuration]:
                _leave_out(configuration, f"differs by {error:.1e} of the largest number")
        return expected
    return made


def _leave_out(configuration: Any, why: str) -> None:
    _works[configuration] = False
    device, dtype, size, alpha, *_ = configuration
    logging.getLogger("pladis").warning("the Triton kernel %s (%s, %s, heads of %d, α %g); PyTorch's operations are used", why, device, dtype, size, alpha)
