# SPDX-License-Identifier: Apache-2.0
"""What PLADIS attention costs in PyTorch beside plain attention: medians of alternating runs, and ratios to scaled_dot_product_attention.

usage: torch_attention.py [--device cpu|cuda] [--repeats N] [--quick]

Ways: SDPA; by sorting (maps of softmax and of α-entmax from a sorted row, of the whole, with α 1.5 and 2); PyTorch's operations of pladis;
on CUDA the Triton kernel; on the CPU the library. On CUDA tensors are float16 and the first call, which compiles, is not counted."""
from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
from collections.abc import Callable

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "python"))
import torch  # noqa: E402
from pladis import _fused, torch_attention  # noqa: E402
from torch.nn.functional import scaled_dot_product_attention  # noqa: E402

# name: batch, heads, queries, keys, head size, text keys of joint attention
SHAPES = {"SDXL 4096 × 77": (2, 10, 4096, 77, 64, 0), "SDXL 1024 × 77": (2, 20, 1024, 77, 64, 0), "FLUX 4096 + 512": (1, 24, 4608, 4608, 128, 512)}
QUICK = {"SDXL 1024 × 77": (2, 20, 1024, 77, 64, 0), "joint 256 + 128": (1, 6, 384, 384, 128, 128)}


def sorted_entmax(z: torch.Tensor, alpha: float) -> torch.Tensor:
    """α-entmax of α 1.5 or 2, exactly, from the sorted row: the threshold of each support size k, and the largest k that is its own."""
    x = (z - z.amax(-1, keepdim=True)) * (alpha - 1)
    ordered = x.sort(-1, descending=True).values
    count = torch.arange(1, z.shape[-1] + 1, device=z.device, dtype=z.dtype)
    mean = ordered.cumsum(-1) / count
    if alpha == 2:
        thresholds = mean - 1 / count
    else:
        spread = (ordered.square().cumsum(-1) / count - mean.square()) * count
        thresholds = mean - ((1 - spread) / count).clamp_min(0).sqrt()
    support = (thresholds <= ordered).sum(-1, keepdim=True)
    return (x - thresholds.gather(-1, support - 1)).clamp_min(0) ** (1 / (alpha - 1))


def by_sorting(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, alpha: float, text: int) -> torch.Tensor:
    z = (q @ k.transpose(-1, -2)).float() / math.sqrt(q.shape[-1])
    weights = z.softmax(-1)
    if text:
        dense = weights[:, :, text:, :text]
        weights[:, :, text:, :text] += 2 * (dense.sum(-1, keepdim=True) * sorted_entmax(z[:, :, text:, :text], alpha) - dense)
    else:
        weights += 2 * (sorted_entmax(z, alpha) - weights)
    return weights.to(v.dtype) @ v


def ways(shape: tuple[int, ...], device: str) -> dict[str, Callable[[], torch.Tensor]]:
    batch, heads, queries, keys, size, text = shape
    dtype = torch.float16 if device == "cuda" else torch.float32
    q, k, v = (torch.randn(batch, heads, n, size, device=device, dtype=dtype) for n in (queries, keys, keys))
    made: dict[str, Callable[[], torch.Tensor]] = {"SDPA": lambda: scaled_dot_product_attention(q, k, v)}

    def ours(alpha: float, kernel: bool) -> torch.Tensor:
        find, factor = _fused.triton_module, 1 / math.sqrt(size)
        if not kernel:
            _fused.triton_module = lambda: None  # type: ignore[assignment]
        try:
            if text:
                return torch_attention.joint_attention(q, k, v, text=slice(0, text), image=slice(text, queries), scale=2, alpha=alpha, softmax_scale=factor)
            return torch_attention.attention(q, k, v, scale=2, alpha=alpha, softmax_scale=factor)
        finally:
            _fused.triton_module = find  # type: ignore[assignment]
    for alpha in (1.5, 2.0):
        made[f"by sorting, α {alpha}"] = lambda a=alpha: by_sorting(q, k, v, a, text)  # type: ignore[misc]
        made[f"PyTorch of pladis, α {alpha}"] = lambda a=alpha: ours(a, False)  # type: ignore[misc]
        if device == "cuda" and _fused.triton_module() is not None:
            made[f"Triton of pladis, α {alpha}"] = lambda a=alpha: ours(a, True)  # type: ignore[misc]
        if device == "cpu" and not text:
            try:
                import pladis
                library = pladis.attention
                made[f"library, α {alpha}"] = lambda a=alpha, f=library: f(q, k, v, scale=2.0, alpha=a)  # type: ignore[misc]
            except (ImportError, OSError, pladis.PladisError) as problem:
                print(f"the library is left out: {problem}")
    return made


def measure(shape: tuple[int, ...], device: str, repeats: int) -> dict[str, list[float]]:
    """Seconds of each way, in turn."""
    found = ways(shape, device)
    expected = found["by sorting, α 1.5"]()
    error = (found["PyTorch of pladis, α 1.5"]() - expected).abs().max().item()
    if not error < 0.05:
        raise RuntimeError(f"the ways differ by {error}")
    del expected
    times: dict[str, list[float]] = {name: [] for name in found}
    for turn in range(repeats + 1):
        for name, way in found.items():
            start = time.perf_counter()
            way()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:
                times[name].append(time.perf_counter() - start)
    return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="small shapes and three repeats")
    options = parser.parse_args()
    where = f"CPU, PyTorch on {torch.get_num_threads()} threads and the library on {len(os.sched_getaffinity(0))}"
    if options.device == "cuda":
        where = torch.cuda.get_device_name()
    print(f"{where}, torch {torch.__version__}")
    for name, shape in (QUICK if options.quick else SHAPES).items():
        times = measure(shape, options.device, 3 if options.quick else options.repeats)
        dense = statistics.median(times["SDPA"])
        print(f"\n{name}, batch {shape[0]}, {shape[1]} heads of {shape[4]}")
        for way, seconds in times.items():
            print(f"  {way:28} {1e3 * statistics.median(seconds):10.2f} ms  {statistics.median(seconds) / dense:6.2f} × SDPA")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
