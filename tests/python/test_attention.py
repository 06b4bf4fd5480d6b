# SPDX-License-Identifier: Apache-2.0
"""Attention and rows from Python against float64: entmax by bisection of its threshold, the rest by numpy.
usage: test_attention.py SOURCE_FOLDER [unittest's arguments]"""
import os
import resource
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

SOURCE = sys.argv[1]
sys.path.insert(0, os.path.join(SOURCE, "python"))
try:
    import numpy as np
except ImportError:
    print("skipped: numpy is not here")
    sys.exit(77)
try:
    import torch
except ImportError:
    torch = None
    print("torch is not here: its tensors are not tried")

import pladis  # noqa: E402


def exact_softmax(z):
    w = np.exp(z - z.max(-1, keepdims=True))
    return w / w.sum(-1, keepdims=True)


def exact_entmax(z, alpha):
    """Weights max(0, (α−1)z − τ)^(1/(α−1)) of the τ with which they sum to 1."""
    z = z.astype(np.float64) * (alpha - 1)
    low, high = z.max(-1, keepdims=True) - 1, z.max(-1, keepdims=True)
    for _ in range(200):
        middle = (low + high) / 2
        above = (np.maximum(z - middle, 0) ** (1 / (alpha - 1))).sum(-1, keepdims=True) >= 1
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    w = np.maximum(z - low, 0) ** (1 / (alpha - 1))
    return w / w.sum(-1, keepdims=True)


def exact_attention(q, k, v, scale, alpha, mask=None):
    z = np.einsum("bhld,bhsd->bhls", q.astype(np.float64), k.astype(np.float64)) / np.sqrt(q.shape[-1])
    if mask is not None:
        z = np.where(mask[:, None, None, :], z, -1e30)
    dense = exact_softmax(z)
    return (dense + scale * (exact_entmax(z, alpha) - dense)) @ v.astype(np.float64)


class Attention(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(7)

    def make(self, *shape, dtype=np.float32):
        return self.random.standard_normal(shape).astype(dtype)

    def test_other_arrays(self):
        """What is no array of numpy or torch, but shares its memory."""
        class Shared:
            def __init__(self, array):
                self.array = array

            def __dlpack__(self, **arguments):
                return self.array.__dlpack__(**arguments)

            def __dlpack_device__(self):
                return self.array.__dlpack_device__()
        q, k, v = self.make(1, 2, 5, 8), self.make(1, 2, 9, 8), self.make(1, 2, 9, 8)
        np.testing.assert_array_equal(pladis.attention(*map(Shared, (q, k, v))), pladis.attention(q, k, v))
        np.testing.assert_array_equal(pladis.entmax(Shared(q)), pladis.entmax(q))
        np.testing.assert_array_equal(pladis.entmax([[0.0, 1.0]]), pladis.entmax(np.array([[0.0, 1.0]])))

    def test_keys_of_zeros(self):
        """Padding whose keys and values are zeros takes part, at the end and elsewhere."""
        q = self.make(2, 3, 40, 16)
        for live in ((9, 4), (1, 1), (0, 0), (40, 12)):
            k, v = self.make(2, 3, 40, 16), self.make(2, 3, 40, 16)
            for row, count in enumerate(live):
                k[row, :, count:], v[row, :, count:] = 0, 0
            k[:, :, 2] = 0
            for scale, alpha in ((0, 1.5), (2, 1.5), (1, 2.0)):
                expected = exact_attention(q, k, v, scale, alpha)
                np.testing.assert_allclose(pladis.attention(q, k, v, scale=scale, alpha=alpha), expected, atol=5e-6)
                if torch:
                    found = pladis.attention(*map(torch.from_numpy, (q, k, v)), scale=scale, alpha=alpha)
                    np.testing.assert_allclose(found.numpy(), expected, atol=5e-6)

    def test_memory(self):
        """No map is made: that of these would take 512 MiB."""
        q, k, v = self.make(1, 8, 4096, 16), self.make(1, 8, 4096, 16), self.make(1, 8, 4096, 16)
        pladis.attention(q[:, :, :64], k, v)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pladis.attention(q, k, v)
        self.assertLess((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 16)

    def test_rows(self):
        for keys in (1, 2, 77, 300):
            z = 3 * self.make(5, 4, keys)
            for alpha in (1.05, 1.25, 1.5, 2.0):
                # The library promises 1e-6 a weight; sums of rows are float32's.
                np.testing.assert_allclose(pladis.entmax(z, alpha), exact_entmax(z, alpha), atol=2e-6)
                rows = pladis.pladis_rows(z, 1.7, alpha)
                np.testing.assert_allclose(rows, exact_softmax(z.astype(np.float64)) * -0.7 + 1.7 * exact_entmax(z, alpha), atol=4e-6)
        mask = np.array([True, False, True, True])
        self.assertEqual(pladis.entmax(self.make(3, 4), 1.5, mask=mask)[:, 1].tolist(), [0, 0, 0])

    def test_attention(self):
        for batch, heads, queries, keys, size in ((1, 1, 1, 1, 8), (2, 3, 50, 77, 40), (1, 8, 64, 300, 64)):
            q, k, v = self.make(batch, heads, queries, size), self.make(batch, heads, keys, size), self.make(batch, heads, keys, size)
            for scale, alpha in ((0, 1.5), (1, 1.5), (2, 1.5), (2, 2), (1.5, 1.25)):
                np.testing.assert_allclose(pladis.attention(q, k, v, scale=scale, alpha=alpha), exact_attention(q, k, v, scale, alpha), atol=2e-5)

    def test_masks(self):
        q, k, v = self.make(2, 2, 9, 16), self.make(2, 2, 12, 16), self.make(2, 2, 12, 16)
        mask = self.random.random((2, 12)) < 0.6
        mask[:, 0] = True
        np.testing.assert_allclose(pladis.attention(q, k, v, mask=mask), exact_attention(q, k, v, 2, 1.5, mask), atol=2e-5)
        np.testing.assert_allclose(pladis.attention(q, k, v, mask=mask[0]), exact_attention(q, k, v, 2, 1.5, np.stack([mask[0]] * 2)), atol=2e-5)

    def test_strides_and_types(self):
        q, k, v = self.make(2, 9, 3, 16), self.make(2, 12, 3, 16), self.make(2, 12, 3, 16)
        turned = [x.transpose(0, 2, 1, 3) for x in (q, k, v)] # token-major, as networks have them
        expected = pladis.attention(*(np.ascontiguousarray(x) for x in turned))
        np.testing.assert_array_equal(pladis.attention(*turned), expected)
        np.testing.assert_array_equal(pladis.attention(turned[0][:, :, ::-1], *turned[1:])[:, :, ::-1], expected)
        half = [x.astype(np.float16) for x in turned]
        self.assertEqual(pladis.attention(*half).dtype, np.float16)
        shared = pladis.attention(turned[0], turned[1][:, :1], turned[2][:, :1]) # one head of keys for all
        np.testing.assert_allclose(shared, pladis.attention(turned[0], np.repeat(turned[1][:, :1], 3, 1), np.repeat(turned[2][:, :1], 3, 1)), atol=1e-6)
        self.assertEqual(pladis.attention(turned[0][:, :, :0], *turned[1:]).shape, (2, 3, 0, 16))

    def test_wrong_ones_are_refused(self):
        q = self.make(1, 2, 4, 8)
        for arguments, options in (((q, q[0], q), {}), ((q, q, q[:, :, :2]), {}), ((q, q[..., :4], q[..., :4]), {}), ((q, q, q), {"alpha": 3}),
                                   ((q, q, q), {"mask": np.ones((3, 3), bool)}), ((q, q, q), {"scale": float("nan")})):
            with self.assertRaises(pladis.ArgumentError):
                pladis.attention(*arguments, **options)
            with ThreadPoolExecutor(1) as thread, self.assertRaises(pladis.ArgumentError):  # as the first call of a thread
                thread.submit(pladis.attention, *arguments, **options).result()

    @unittest.skipUnless(torch, "torch is not here")
    def test_tensors(self):
        q, k, v = (torch.from_numpy(self.make(2, 3, n, 16)) for n in (9, 12, 12))
        expected = pladis.attention(q.numpy(), k.numpy(), v.numpy())
        found = pladis.attention(q, k, v)
        self.assertIsInstance(found, torch.Tensor)
        self.assertIsNotNone(pladis._attention._openmp(), "torch's threads are not found")
        np.testing.assert_array_equal(found.numpy(), expected)
        turned = q.transpose(1, 2).contiguous().transpose(1, 2)
        np.testing.assert_array_equal(pladis.attention(turned, k, v).numpy(), expected)
        for dtype in (torch.bfloat16, torch.float16, torch.float64):
            self.assertEqual(pladis.attention(q.to(dtype), k.to(dtype), v.to(dtype)).dtype, dtype)
        z = torch.from_numpy(self.make(4, 20))
        np.testing.assert_allclose(pladis.entmax(z).numpy(), exact_entmax(z.numpy(), 1.5), atol=2e-6)
        with self.assertRaises(pladis.ArgumentError):
            pladis.attention(q.to("meta"), k, v)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
