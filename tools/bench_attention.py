#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attention of libpladis against PyTorch, in turns, in one process, on the same number of threads.

Needs torch and entmax. The library is called through its public C interface (include/pladis/attention.h).
PyTorch runs softmax attention by scaled_dot_product_attention and PLADIS as its authors do: the map of logits,
softmax and entmax of it, their mix, and the product with the values. Results are compared before they are timed.

    python tools/bench_attention.py build/src/libpladis.so [--threads N] [--rounds N] [--only TEXT] [--json FILE]
"""
import argparse
import ctypes
import json
import math
import statistics
import time

import torch
import torch.nn.functional as F
from entmax import entmax15, entmax_bisect, sparsemax

SOFTMAX, PLADIS = 0, 1
POINTER = ctypes.POINTER(ctypes.c_float)


def tensor_fields(name):
    strides = ("batch_stride", "token_stride", "head_stride")
    return [(name, POINTER)] + [(f"{name}_{stride}", ctypes.c_int64) for stride in strides]


class Problem(ctypes.Structure):
    """pld_attention_problem."""

    _fields_ = (
        [("struct_size", ctypes.c_size_t), ("batch", ctypes.c_int), ("heads", ctypes.c_int),
         ("head_size", ctypes.c_int), ("query_count", ctypes.c_int64), ("key_count", ctypes.c_int64)]
        + tensor_fields("query") + tensor_fields("key") + tensor_fields("value") + tensor_fields("out")
        + [("key_mask", ctypes.c_void_p), ("key_mask_batch_stride", ctypes.c_int64), ("scale", ctypes.c_float),
           ("rows", ctypes.c_int), ("lambda_", ctypes.c_float), ("alpha", ctypes.c_float),
           ("temperature", ctypes.c_float), ("joint_text_keys", ctypes.c_int64),
           ("joint_first_image_query", ctypes.c_int64), ("bf16", ctypes.c_bool), ("causal", ctypes.c_bool)])


class Parallel(ctypes.Structure):
    """pld_attention_parallel."""

    _fields_ = [("threads", ctypes.c_int), ("parallel_for", ctypes.c_void_p), ("user", ctypes.c_void_p)]


class Library:
    def __init__(self, path, threads):
        self.library = ctypes.CDLL(path)
        self.library.pld_attention_scratch_size.restype = ctypes.c_size_t
        self.parallel = Parallel(threads, None, None)
        self.threads = threads

    def prepare(self, q, k, v, heads, rows, lam, alpha):
        """A function that computes attention of token-major [tokens, heads * size] into a tensor it returns."""
        out = torch.empty_like(q)
        problem = Problem()
        self.library.pld_attention_problem_init(ctypes.byref(problem))
        if problem.struct_size != ctypes.sizeof(Problem):
            raise SystemExit("the library's pld_attention_problem has another size than this tool expects; update the tool")
        problem.heads, problem.head_size = heads, q.shape[1] // heads
        problem.query_count, problem.key_count = q.shape[0], k.shape[0]
        problem.rows, problem.lambda_, problem.alpha = rows, lam, alpha
        for name, tensor in (("query", q), ("key", k), ("value", v), ("out", out)):
            setattr(problem, name, ctypes.cast(tensor.data_ptr(), POINTER))
            setattr(problem, name + "_token_stride", tensor.shape[1])
            setattr(problem, name + "_head_stride", problem.head_size)
        size = self.library.pld_attention_scratch_size(ctypes.byref(problem), self.threads)
        scratch = ctypes.create_string_buffer(size)
        keep = (q, k, v)

        def run():
            status = self.library.pld_attention(ctypes.byref(problem), scratch, ctypes.c_size_t(size),
                                                ctypes.byref(self.parallel), None)
            assert status == 0 and keep
            return out

        return run


def split(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(0, 1).unsqueeze(0)


def join(x):
    return x[0].transpose(0, 1).flatten(1)


def torch_softmax(q, k, v, heads):
    return lambda: join(F.scaled_dot_product_attention(split(q, heads), split(k, heads), split(v, heads)))


def torch_pladis(q, k, v, heads, lam, alpha):
    sparse_of = {1.5: entmax15, 2.0: sparsemax}.get(alpha, lambda z, dim: entmax_bisect(z, alpha, dim=dim))

    def run():
        qh, kh, vh = split(q, heads), split(k, heads), split(v, heads)
        logits = qh @ kh.transpose(-1, -2) / math.sqrt(qh.shape[-1])
        dense = logits.softmax(-1)
        return join((dense + lam * (sparse_of(logits, dim=-1) - dense)) @ vh)

    return run


CASES = [  # name, heads, head size, queries, keys, [(rows, lambda, alpha)]
    ("sd15 512 self 64x64", 8, 40, 4096, 4096, [(SOFTMAX, 0, 1.5)]),
    ("sd15 256 self 32x32", 8, 40, 1024, 1024, [(SOFTMAX, 0, 1.5)]),
    ("sd15 512 cross 64x64", 8, 40, 4096, 77,
     [(SOFTMAX, 0, 1.5), (PLADIS, 2, 1.5), (PLADIS, 2, 2.0), (PLADIS, 2, 1.25)]),
    ("sd15 512 cross 32x32", 8, 80, 1024, 77, [(SOFTMAX, 0, 1.5), (PLADIS, 2, 1.5), (PLADIS, 2, 2.0)]),
    ("sd15 512 cross 16x16", 8, 160, 256, 77, [(SOFTMAX, 0, 1.5), (PLADIS, 2, 1.5), (PLADIS, 2, 2.0)]),
    ("sdxl 1024 cross 64x64", 10, 64, 4096, 77, [(SOFTMAX, 0, 1.5), (PLADIS, 2, 1.5), (PLADIS, 2, 2.0)]),
]


def seconds(run, threads):
    """Processor time when there is one thread only: other programs then disturb less."""
    clock = time.process_time if threads == 1 else time.perf_counter
    start = clock()
    run()
    return clock() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--only", default="", help="only shapes whose name contains this")
    parser.add_argument("--json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    library = Library(options.library, options.threads)
    results = []
    print(f"torch {torch.__version__}, {options.threads} thread(s), median of {options.rounds} alternating rounds")
    print(f"{'shape':24} {'rows':12} {'torch ms':>10} {'pladis ms':>10} {'ratio':>7} {'difference':>11}")
    for name, heads, size, queries, keys, rules in (case for case in CASES if options.only in case[0]):
        q, k = torch.randn(queries, heads * size) * 1.5, torch.randn(keys, heads * size) * 1.5
        v = torch.randn(keys, heads * size)
        for rows, lam, alpha in rules:
            theirs = torch_pladis(q, k, v, heads, lam, alpha) if rows else torch_softmax(q, k, v, heads)
            ours = library.prepare(q, k, v, heads, rows, lam, alpha)
            with torch.inference_mode():
                difference = (theirs() - ours()).abs().max().item()
                pairs = [(seconds(theirs, options.threads), seconds(ours, options.threads))
                         for _ in range(options.rounds)]
            a, b = (statistics.median(side) for side in zip(*pairs))
            ratio = statistics.median(x / y for x, y in pairs)
            label = f"pladis {alpha:g}" if rows else "softmax"
            print(f"{name:24} {label:12} {a * 1e3:10.2f} {b * 1e3:10.2f} {ratio:6.2f}x {difference:11.2e}", flush=True)
            results.append(dict(shape=name, rows=label, torch_seconds=a, pladis_seconds=b, ratio=ratio,
                                largest_difference=difference))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(dict(torch=torch.__version__, threads=options.threads, rounds=options.rounds,
                           results=results), file, indent=1)


if __name__ == "__main__":
    main()
