# SPDX-License-Identifier: Apache-2.0
"""Rows and attention of PyTorch on the CPU against float64 bisection: errors, gradients, torch.compile, autocast, memory.
usage: test_torch_rows.py SOURCE_FOLDER [unittest's arguments]"""
import contextlib
import math
import os
import shutil
import sys
import unittest
import weakref
from types import SimpleNamespace
from unittest import mock

SOURCE = sys.argv[1]
sys.path.insert(0, os.path.join(SOURCE, "python"))
try:
    import torch
    from torch.nn.functional import scaled_dot_product_attention
    from torch.utils._python_dispatch import TorchDispatchMode
except ImportError:
    print("skipped: torch is not here")
    sys.exit(77)

from exact import exact_entmax  # noqa: E402
from pladis import _fused, torch_attention  # noqa: E402
from pladis.torch_attention import attention, joint_attention  # noqa: E402
from pladis.torch_rows import entmax_rows, joint_weights, pladis_weights, steps_of  # noqa: E402

ALPHAS = (1.01, 1.05, 1.25, 1.5, 1.75, 2.0)


def exact_attention(q, k, v, scale, alpha, bias=0, text=slice(None), image=slice(None)):
    q, k, v = q.double(), *(x.double().repeat_interleave(q.shape[1] // x.shape[1], 1) for x in (k, v))
    z = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
    w = z.softmax(-1).nan_to_num(0)
    dense = w[..., image, text].clone()
    w[..., image, text] += scale * (dense.sum(-1, keepdim=True) * exact_entmax(z[..., image, text], alpha) - dense)
    return w @ v


def slow_rows(keys, alpha):
    """Rows whose keys leave the support a few at a time: groups of growing size at growing distances below the threshold."""
    rows = []
    for kept, ratio, growth in ((1, 1.5, 2), (1, 1.75, 1.5), (2, 1.3, 3), (4, 2, 1.5), (16, 1.2, 4), (1, 1.4, 2.5)):
        kept = min(kept, keys)
        threshold = -kept ** (1 - alpha)
        x, groups, count = torch.zeros(keys, dtype=torch.double), [], kept
        while count < keys:
            size = min(keys - count, max(1, round(count * (ratio - 1))))
            groups.append((count, size))
            count += size
        for place, (start, size) in enumerate(reversed(groups)):
            x[start:start + size] = threshold - (1 + threshold) * growth ** -float(place)
        rows.append((x / (alpha - 1)).float())
    return torch.stack(rows)


def hard_rows(keys, alpha, generator):
    """Uniform, one spike, two nearly equal ones, normal, tied, masked, at scales from 0.01 to 50, and slow ones."""
    scales = torch.logspace(-2, math.log10(50), 9)[:, None]
    spike = torch.zeros(9, keys)
    spike[:, :1] = scales
    two = spike.clone()
    two[:, 1:2] = scales - 1e-5
    normal = torch.randn(9, keys, generator=generator) * scales
    masked = normal.masked_fill(torch.rand(9, keys, generator=generator) < 0.7, -math.inf)
    return torch.cat([torch.zeros(1, keys), spike, two, normal, normal.round(), masked, slow_rows(keys, alpha)])


class Rows(unittest.TestCase):
    def setUp(self):
        self.generator = torch.Generator().manual_seed(5)

    def test_errors(self):
        # The table of torch_rows.py; with its steps the error is float32's rounding.
        for alpha in ALPHAS:
            for keys in (1, 2, 5, 77, 4096):
                z = hard_rows(keys, alpha, self.generator)
                found, expected = entmax_rows(z, alpha), exact_entmax(z, alpha)
                self.assertLess((found - expected).abs().max().item(), 6e-7, (alpha, keys))
                self.assertLess((found.sum(-1) - (z > -math.inf).any(-1).float()).abs().max().item(), 1e-6)
                found = pladis_weights(z, 2, alpha)
                dense = z.double().softmax(-1).nan_to_num(0)
                self.assertLess((found - (2 * expected - dense)).abs().max().item(), 2e-6, (alpha, keys))

    def test_float64(self):
        for alpha in ALPHAS:
            z = torch.randn(20, 300, generator=self.generator, dtype=torch.double) * 3
            found = entmax_rows(z, alpha)
            self.assertEqual((found.dtype, pladis_weights(z, 2, alpha).dtype), (torch.float64, torch.float64))
            self.assertLess((found - exact_entmax(z, alpha)).abs().max().item(), 1e-12)

    def test_edges(self):
        for alpha in ALPHAS:
            dead = torch.full((2, 5), -math.inf, requires_grad=True)
            for rows in (entmax_rows(dead, alpha), pladis_weights(dead, 2, alpha), pladis_weights(dead, 0, alpha)):
                self.assertEqual(rows.abs().sum().item(), 0)
                self.assertEqual(torch.autograd.grad(rows.sum(), dead)[0].abs().sum().item(), 0)
            self.assertTrue(entmax_rows(torch.tensor([0, math.nan, 1]), alpha).isnan().all())
            self.assertTrue(entmax_rows(torch.tensor([0, math.inf, 1]), alpha).isnan().any())
            self.assertEqual(entmax_rows(torch.zeros(3, 0), alpha).shape, (3, 0))
            self.assertEqual(pladis_weights(torch.zeros(3, 0), 2, alpha).shape, (3, 0))
            for dtype in (torch.float16, torch.bfloat16):
                z = torch.randn(4, 50, generator=self.generator).to(dtype)
                self.assertTrue(torch.equal(entmax_rows(z, alpha), entmax_rows(z.float(), alpha)))
        for alpha in (1, 2.5, math.nan):
            with self.assertRaises(ValueError):
                entmax_rows(torch.zeros(3), alpha)

    def test_gradients(self):
        for alpha in ALPHAS:
            z = torch.randn(3, 7, generator=self.generator, dtype=torch.double, requires_grad=True)
            for function in (lambda z: entmax_rows(z, alpha), lambda z: pladis_weights(z, 1.7, alpha),
                             lambda z: joint_weights(z, slice(1, 5), slice(1, 3), 1.7, alpha)):
                self.assertTrue(torch.autograd.gradcheck(function, z))
                self.assertTrue(torch.autograd.gradgradcheck(function, z))

    def test_joint(self):
        z = torch.randn(2, 3, 9, 20, generator=self.generator) * 2
        kept = z.clone()
        w = joint_weights(z, slice(0, 6), slice(4, 9), 2.0, 1.5)
        self.assertTrue(torch.equal(z, kept))
        dense = z.double().softmax(-1)
        self.assertLess((w[..., :4, :] - dense[..., :4, :]).abs().max().item(), 1e-6)
        self.assertLess((w[..., 6:] - dense[..., 6:]).abs().max().item(), 1e-6)
        part = dense[..., 4:, :6]
        expected = part + 2 * (part.sum(-1, keepdim=True) * exact_entmax(z[..., 4:, :6], 1.5) - part)
        self.assertLess((w[..., 4:, :6] - expected).abs().max().item(), 2e-6)

    def test_autocast(self):
        z = torch.randn(4, 77, generator=self.generator) * 5
        q, k, v = (torch.randn(1, 2, n, 16, generator=self.generator) for n in (9, 12, 12))
        expected = pladis_weights(z, 2, 1.5), attention(q, k, v, scale=2, alpha=1.5), joint_weights(z, slice(0, 9), slice(0, 2), 2, 1.5)
        with torch.autocast("cpu", torch.bfloat16):
            found = pladis_weights(z, 2, 1.5), attention(q, k, v, scale=2, alpha=1.5), joint_weights(z, slice(0, 9), slice(0, 2), 2, 1.5)
        for a, b in zip(found, expected):
            self.assertEqual(a.dtype, torch.float32)
            self.assertTrue(torch.equal(a, b))


class Compiled(unittest.TestCase):
    def check(self, backend, alphas):
        z = torch.randn(2, 6, 33)
        q, k, v = (torch.randn(1, 2, n, 16) for n in (9, 12, 12))
        for alpha in alphas:
            torch._dynamo.reset()  # a function may be compiled a few times only

            def both(z, q, k, v, alpha=alpha):
                rows = pladis_weights(z, 2.0, alpha), joint_weights(z, slice(0, 9), slice(1, 6), 2.0, alpha)
                return (*rows, attention(q, k, v, scale=2.0, alpha=alpha),
                        joint_attention(q, k, v, text=slice(0, 5), image=slice(2, 9), scale=2.0, alpha=alpha))
            compiled = torch.compile(both, fullgraph=True, backend=backend)
            trained = torch.__version__ >= (2, 7)  # the partitioner of 2.6 takes minutes to split a graph like this for the backward pass
            for wanted in (False, True)[:1 + trained]:
                given = [x.clone().requires_grad_(wanted) for x in (z, q, k, v)]
                found, expected = compiled(*given), both(*given)
                for a, b in zip(found, expected):
                    self.assertLess((a - b).abs().max().item(), 1e-5)
            if not trained:
                continue
            weights = torch.randn(2, 6, 33)
            grads = [torch.autograd.grad((function(*given)[0] * weights).sum(), given[0])[0] for function in (compiled, both)]
            self.assertLess((grads[0] - grads[1]).abs().max().item(), 1e-5)

    def test_graph(self):
        self.check("aot_eager", (1.1, 1.5, 2.0))

    @unittest.skipUnless(shutil.which("g++") or shutil.which("clang++"), "no C++ compiler for torch.compile's inductor")
    def test_inductor(self):
        self.check("inductor", (1.5,))


class Live(TorchDispatchMode):
    """The most bytes that tensors made meanwhile take at one time."""

    def __init__(self):
        super().__init__()
        self.storages, self.now, self.most = set(), 0, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else (result,):
            if isinstance(tensor, torch.Tensor):
                self.note(tensor.untyped_storage())
        return result

    def note(self, storage):
        if id(storage) in self.storages:
            return
        size, key = storage.nbytes(), id(storage)
        self.storages.add(key)
        self.now += size
        self.most = max(self.most, self.now)

        def gone():
            self.storages.discard(key)
            self.now -= size
        weakref.finalize(storage, gone)


class Attention(unittest.TestCase):
    def setUp(self):
        self.generator = torch.Generator().manual_seed(6)
        self.budget = torch_attention.MAP_BYTES

    def tearDown(self):
        torch_attention.MAP_BYTES = self.budget

    def make(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def close(self, found, expected, tolerance=2e-5):
        self.assertLess((found.double() - expected).abs().max().item(), tolerance)

    def test_attention(self):
        for queries, keys, size in ((1, 1, 8), (50, 77, 40), (130, 300, 64)):
            q, k, v = self.make(2, queries, 4, size).transpose(1, 2), self.make(2, 2, keys, size), self.make(2, 2, keys, size)
            for scale, alpha in ((1, 1.5), (2, 1.5), (2, 2), (1.5, 1.25)):
                for torch_attention.MAP_BYTES in (self.budget, 7 * 4 * 8 * keys * 9):
                    self.close(attention(q, k, v, scale=scale, alpha=alpha), exact_attention(q, k, v, scale, alpha))
            self.assertTrue(torch.equal(attention(q, k, v, scale=0, alpha=1.5), scaled_dot_product_attention(q, k, v, enable_gqa=True)))
            for dtype, tolerance in ((torch.float16, 4e-3), (torch.bfloat16, 4e-2), (torch.float64, 1e-10)):
                x = [t.to(dtype) for t in (q, k, v)]
                found = attention(*x, scale=2, alpha=1.5)
                self.assertEqual(found.dtype, dtype)
                self.close(found, exact_attention(*x, 2, 1.5), tolerance)

    def test_masks(self):
        q, k, v = self.make(2, 4, 9, 16), self.make(2, 2, 12, 16), self.make(2, 2, 12, 16)
        keys = torch.rand(2, 12, generator=self.generator) < 0.6
        keys[:, 0] = True
        dead = keys.clone()
        dead[1] = False
        full = torch.rand(2, 4, 9, 12, generator=self.generator) < 0.6
        added = self.make(1, 4, 9, 12)
        torch_attention.MAP_BYTES = 7 * 4 * 8 * 12 * 4
        for mask in (keys, dead, keys[0], full, added, keys[:, None, None], torch.where(keys, 0.0, -10000.0)):
            bias = mask if mask.ndim == 4 else mask.reshape(-1, 1, 1, 12)
            bias = torch.where(bias, 0.0, -math.inf) if mask.dtype == torch.bool else bias
            self.close(attention(q, k, v, scale=2, alpha=1.5, mask=mask), exact_attention(q, k, v, 2, 1.5, bias))
            text, image = slice(1, 6), slice(2, 9)
            found = joint_attention(q, k, v, text=text, image=image, scale=2, alpha=1.5, mask=mask)
            self.close(found, exact_attention(q, k, v, 2, 1.5, bias, text, image))
        self.assertEqual(attention(q, k, v, scale=2, alpha=1.5, mask=dead)[1].abs().max().item(), 0)
        for mask in (torch.ones(3, 12, dtype=torch.bool), torch.ones(12, dtype=torch.int64), torch.ones(9, 12), torch.ones(2, 9, 12)):
            with self.assertRaises(ValueError):
                attention(q, k, v, scale=2, alpha=1.5, mask=mask)

    def test_refusals_and_empty(self):
        q = self.make(1, 2, 4, 8)
        for arguments in ((q, q[0], q), (q, q, q[:, :, :2]), (q, q[..., :4], q[..., :4]), (q[:, :1], q, q)):
            with self.assertRaises(ValueError):
                attention(*arguments, scale=2, alpha=1.5)
        with self.assertRaises(ValueError):
            attention(q, q, q, scale=2, alpha=3)
        self.assertEqual(attention(q[:, :, :0], q, q, scale=2, alpha=1.5).shape, (1, 2, 0, 8))
        self.assertEqual(attention(q, q[:, :, :0], q[:, :, :0], scale=2, alpha=1.5).abs().sum().item(), 0)

    def test_gradients(self):
        q, k, v = (x.double().requires_grad_() for x in (self.make(1, 2, 5, 4), self.make(1, 1, 6, 4), self.make(1, 1, 6, 4)))
        torch_attention.MAP_BYTES = 7 * 8 * 2 * 6 * 2
        self.assertTrue(torch.autograd.gradcheck(lambda *x: attention(*x, scale=2, alpha=1.5), (q, k, v)))
        self.assertTrue(torch.autograd.gradcheck(
            lambda *x: joint_attention(*x, text=slice(0, 4), image=slice(2, 5), scale=2, alpha=1.5), (q, k, v)))

    def test_memory(self):
        q, k, v = self.make(1, 4, 512, 8), self.make(1, 4, 300, 8), self.make(1, 4, 300, 8)
        torch_attention.MAP_BYTES = 1 << 20  # all maps of one kind would take 2.4 MB
        beside = 4 * (8 * q.numel() + 4 * k.numel())  # chunks of q and the result, k and v in float32
        for alpha in (1.1, 1.25, 1.5, 2.0):
            for function in (lambda: attention(q, k, v, scale=2, alpha=alpha),  # noqa: B023
                             lambda: joint_attention(q, k, v, text=slice(0, 290), image=slice(0, 512), scale=2, alpha=alpha)):  # noqa: B023
                with Live() as live:
                    function()
                self.assertLess(live.most, torch_attention.MAP_BYTES + beside)

    def test_kernel_that_fails_or_differs(self):
        """A kernel in Triton's place: right, wrong, and one that does not compile."""
        q, k, v = self.make(1, 2, 9, 16), self.make(1, 2, 12, 16), self.make(1, 2, 12, 16)
        keys = torch.arange(12) < 7
        ways = ((attention, {}), (attention, {"mask": keys}), (joint_attention, {"text": slice(0, 5), "image": slice(5, 9)}))

        def fails(*_, **__):
            raise RuntimeError("out of resource: shared memory")
        for function, settings in ways:
            settings = {"scale": 2, "alpha": 1.5, **settings}
            expected, exact = function(q, k, v, **settings), torch.full_like(q, 7)
            for computes, later, warned in ((lambda *_, **__: expected.clone(), None, False), (lambda *_, **__: exact, expected, True),
                                            (fails, expected, True)):
                kernel = mock.Mock(side_effect=computes)
                module = SimpleNamespace(triton_attention=kernel, KEYS_IN_REGISTERS=128)
                with mock.patch.object(_fused, "_module_for", lambda *_, m=module: m), mock.patch.dict(_fused._works, clear=True), \
                        (self.assertLogs("pladis") if warned else contextlib.nullcontext()):
                    for _ in range(3):
                        self.assertTrue(torch.equal(function(q, k, v, **settings), expected))
                self.assertEqual(kernel.call_count, 3 if later is None else 1)
                self.assertEqual(kernel.call_args.kwargs["bias"] is not None, "mask" in settings)

    def test_steps(self):
        self.assertEqual([steps_of(alpha) for alpha in (1.01, 1.25, 1.5, 1.75, 2)], [5, 6, 9, 12, 18])


if __name__ == "__main__":
    torch.manual_seed(4)
    torch.set_num_threads(1)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
