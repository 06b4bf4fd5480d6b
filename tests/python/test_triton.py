# SPDX-License-Identifier: Apache-2.0
"""The Triton kernel in Triton's interpreter, on the CPU, against float64 bisection; and whether it compiles for a GPU, which needs none.
bfloat16 is compiled alone: the interpreter's products of it are wrong.
usage: test_triton.py SOURCE_FOLDER [unittest's arguments]"""
import importlib.util
import math
import os
import subprocess
import sys
import unittest

SOURCE = sys.argv[1]
COMPILE = "--compile" in sys.argv  # this program again, without the interpreter
if not COMPILE:
    os.environ["TRITON_INTERPRET"] = "1"
sys.path.insert(0, os.path.join(SOURCE, "python"))
for needed in ("torch", "triton"):
    if importlib.util.find_spec(needed) is None:
        print(f"skipped: {needed} is not here")
        sys.exit(77)
import torch  # noqa: E402
import triton  # noqa: E402

from exact import exact_entmax  # noqa: E402
from pladis import triton_attention as ours  # noqa: E402


def exact_attention(q, k, v, scale, alpha, bias=None, text=None, image=None):
    q, k, v = q.double(), *(x.double().repeat_interleave(q.shape[1] // x.shape[1], 1) for x in (k, v))
    z = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + (0 if bias is None else bias[:, None, None])
    w = z.softmax(-1).nan_to_num(0)
    t, i = slice(*(text or (None,))), slice(*(image or (None,)))
    dense = w[..., i, t].clone()
    w[..., i, t] += scale * (dense.sum(-1, keepdim=True) * exact_entmax(z[..., i, t], alpha) - dense)
    return w @ v


class Interpreted(unittest.TestCase):
    def check(self, dtype, queries, keys, size, scale, alpha, masked=False, text=None, image=None, heads=(2, 1)):
        generator = torch.Generator().manual_seed(queries + keys)
        q = (1.5 * torch.randn(2, queries, heads[0], size, generator=generator)).to(dtype).transpose(1, 2)  # token-major, as networks have them
        k = torch.randn(2, heads[1], size, keys, generator=generator).to(dtype).transpose(2, 3)
        v = torch.randn(2, keys, heads[1], size, generator=generator).to(dtype).transpose(1, 2)
        bias = None
        if masked:
            bias = torch.where(torch.rand(2, keys, generator=generator) < 0.6, 0.0, -math.inf)
            bias[1, :] = -math.inf if keys < 10 else bias[1] + 0.5
        found = ours.triton_attention(q, k, v, scale=scale, alpha=alpha, softmax_scale=size ** -0.5, bias=bias, text=text, image=image)
        self.assertEqual((found.dtype, found.shape), (q.dtype, q.shape))
        # float16 rounds the weights, up to 2, and the result; float32 the logits
        tolerance = 2e-5 if dtype == torch.float32 else 4e-3
        error = (found.double() - exact_attention(q, k, v, scale, alpha, bias, text, image)).abs().max().item()
        self.assertLess(error, tolerance, (dtype, queries, keys, size, scale, alpha, masked, text, image))

    def test_shapes(self):
        for dtype in (torch.float32, torch.float16):
            for queries, keys, size in ((1, 1, 16), (7, 5, 40), (64, 77, 64), (130, 77, 128), (7, 300, 16), (1, 300, 128)):
                self.check(dtype, queries, keys, size, 2, 1.5)
                self.check(dtype, queries, keys, size, 1.5, 1.25, masked=True)

    def test_scales_and_alphas(self):
        for keys in (77, 140):
            for scale in (0, 0.5, 1, 2):
                for alpha in (1.01, 1.25, 1.5, 1.75, 2.0):
                    self.check(torch.float32, 7, keys, 16, scale, alpha, heads=(1, 1))

    def test_joint(self):
        for dtype in (torch.float32, torch.float16):
            for text, image in (((0, 20), (20, 70)), ((3, 50), (0, 33)), ((50, 70), (0, 50)), ((20, 20 + 1), (69, 70))):
                self.check(dtype, 70, 70, 40, 2, 1.5, masked=True, text=text, image=image)
            self.check(dtype, 40, 200, 16, 2, 2.0, text=(0, 150), image=(10, 40))
            self.check(dtype, 40, 200, 16, 2, 1.25, text=(33, 190), image=(0, 40), masked=True)

    def test_edges(self):
        q = torch.randn(1, 2, 4, 16)
        self.assertEqual(ours.triton_attention(q[:, :, :0], q, q, scale=2, alpha=1.5, softmax_scale=1).shape, (1, 2, 0, 16))
        self.assertEqual(ours.triton_attention(q, q[:, :, :0], q[:, :, :0], scale=2, alpha=1.5, softmax_scale=1).abs().sum().item(), 0)
        for arguments in ((q.double(),) * 3, (q, q, q.half()), (q, q, q[:, :, :2]), (torch.randn(1, 1, 1, 300),) * 3):
            with self.assertRaises(ValueError):
                ours.triton_attention(*arguments, scale=2, alpha=1.5, softmax_scale=1)


CASES = [(head_size, text, alpha, bias, joint) for head_size, text, alpha, bias, joint in (
    (64, 77, 1.5, False, False), (64, 300, 2.0, True, False), (128, 512, 1.5, False, True), (64, 77, 1.25, True, False))]


def compile_all():
    """Compile for compute capability 9.0 and say what the kernels take: no driver is asked."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    kernel = ours.pladis_attention_kernel
    for dtype, name in ((torch.float16, "fp16"), (torch.bfloat16, "bf16"), (torch.float32, "fp32")):
        for head_size, text, alpha, bias, joint in CASES:
            constants = {**ours.constants_of(alpha), **ours.blocks_of(head_size, text, dtype), "HAS_BIAS": bias, "JOINT": joint}
            constants |= {f"{tensor}_size": 1 for tensor in ("query", "key", "value", "out")}
            signature, attributes = {}, {}
            for place, argument in enumerate(kernel.arg_names):
                pointer = argument in {"query", "key", "value", "bias", "out"}
                number = "fp32" if argument in {"factor", "scale", "less_one", "p"} else "i32"
                kind = f"*{'fp32' if argument == 'bias' else name}" if pointer else number
                signature[argument] = "constexpr" if argument in constants else kind
                if pointer or argument.endswith(("_token", "_head", "_batch")):
                    attributes[(place,)] = [["tt.divisibility", 16]]
            places = {(kernel.arg_names.index(argument),): value for argument, value in constants.items()}
            warps = ours.warps_of(head_size, alpha, dtype)
            made = triton.compile(ASTSource(fn=kernel, signature=signature, constexprs=places, attrs=attributes), target=GPUTarget("cuda", 90, 32),
                                  options={"num_warps": warps})
            product = next((kind for kind in ("wgmma", "mma.sync") if kind in made.asm["ptx"]), "fma")
            print(f"compiled: {name}, head size {head_size}, {text} keys in α-entmax, alpha {alpha}, {warps} warps: "
                  f"{len(made.asm['cubin'])} bytes of cubin, {made.metadata.shared} bytes of shared memory, products by {product}")


class CompiledForGpu(unittest.TestCase):
    def test_compiles(self):
        environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
        command = [sys.executable, os.path.abspath(__file__), SOURCE, "--compile"]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if run.returncode == 77:
            print(run.stdout.strip(), flush=True)
            self.skipTest(run.stdout.strip())
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.count("compiled: "), 3 * len(CASES))
        print(run.stdout, end="", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if COMPILE:
        try:
            from triton.knobs import nvidia
            print(f"ptxas {nvidia.ptxas.version}")
        except Exception as problem: # a Triton for other devices, or without ptxas
            print(f"skipped: this Triton does not compile for CUDA: {problem}")
            sys.exit(77)
        compile_all()
        sys.exit(0)
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
