# SPDX-License-Identifier: Apache-2.0
"""pladis.diffusers against the reference: one forward of each family, whole generations, and what it must get along with.
usage: test_diffusers.py SOURCE_FOLDER [unittest's arguments]; PLADIS_REFERENCE_CASES: a folder with cases/ and models/"""
import json
import os
import sys
import types
import unittest
import warnings

SOURCE = sys.argv[1]
sys.path.insert(0, os.path.join(SOURCE, "python"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
warnings.filterwarnings("ignore")
try:
    import diffusers
    import torch
    from safetensors.torch import load_file
except ImportError as problem:
    print(f"skipped: {problem}")
    sys.exit(77)

import pladis.diffusers  # noqa: E402

REFERENCE = os.environ.get("PLADIS_REFERENCE_CASES") or os.path.join(SOURCE, "tests", "data", "reference")
diffusers.utils.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()
torch.set_grad_enabled(False)


def tensors_of(name):
    folder = os.path.join(REFERENCE, "cases", name)
    with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
        return load_file(os.path.join(folder, "tensors.safetensors")), json.load(file)


def skip_unless_here(*parts, kind=None):
    if kind is not None and not hasattr(diffusers, kind):
        raise unittest.SkipTest(f"diffusers {diffusers.__version__} has no {kind}")
    if not os.path.exists(os.path.join(REFERENCE, *parts)):
        raise unittest.SkipTest(f"{'/'.join(parts)} is not in the reference data here")


def network_of(model, kind, folder="transformer"):
    skip_unless_here("models", model, folder, kind=kind)
    if kind.startswith("Cosmos"): # resizes its padding mask, which is zero, by torchvision
        module = sys.modules[getattr(diffusers, kind).__module__]
        module.transforms = types.SimpleNamespace(InterpolationMode=types.SimpleNamespace(NEAREST=0), functional=types.SimpleNamespace(
            resize=lambda x, size, interpolation=None: torch.zeros(*x.shape[:-2], *size)))
    return getattr(diffusers, kind).from_pretrained(os.path.join(REFERENCE, "models", model), subfolder=folder, torch_dtype=torch.float32).eval()


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def some(*names):
    return lambda t: {name: t[name] for name in names}


# case: (model, class, arguments of a call of its tensors, tolerance as the reference states it)
FORWARDS = {
    "sd15-unet-pladis": ("sd15", "UNet2DConditionModel", some("sample", "timestep", "encoder_hidden_states"), 2e-5),
    "pixart-forward": ("pixart", "PixArtTransformer2DModel", lambda t: {
        "hidden_states": t["sample"], **some("timestep", "encoder_hidden_states", "encoder_attention_mask")(t),
        "added_cond_kwargs": {"resolution": None, "aspect_ratio": None}}, 2e-5),
    "sana-forward": ("sana", "SanaTransformer2DModel", lambda t: {
        "hidden_states": t["sample"], **some("timestep", "encoder_hidden_states", "encoder_attention_mask")(t)}, 2e-5),
    "sana-sprint-forward": ("sana-sprint", "SanaTransformer2DModel", lambda t: {
        "hidden_states": t["sample"], **some("timestep", "guidance", "encoder_hidden_states", "encoder_attention_mask")(t)}, 2e-5),
    "anima-forward": ("anima", "CosmosTransformer3DModel", lambda t: {
        **some("hidden_states", "timestep", "encoder_hidden_states")(t), "padding_mask": torch.zeros(1, 1, 48, 80)}, 2e-5),
    "flux-dev-forward": ("flux-dev", "FluxTransformer2DModel", some(
        "hidden_states", "timestep", "guidance", "pooled_projections", "encoder_hidden_states", "img_ids", "txt_ids"), 2e-5),
    "flux2-klein-forward": ("flux2-klein", "Flux2Transformer2DModel", some(
        "hidden_states", "timestep", "encoder_hidden_states", "img_ids", "txt_ids"), 2e-5),
    "flux2-dev-forward": ("flux2-dev", "Flux2Transformer2DModel", some(
        "hidden_states", "timestep", "guidance", "encoder_hidden_states", "img_ids", "txt_ids"), 5e-5),
    "sd35-forward": ("sd35", "SD3Transformer2DModel", some(
        "hidden_states", "timestep", "pooled_projections", "encoder_hidden_states"), 2e-5),
    "qwen-image-forward": ("qwen-image", "QwenImageTransformer2DModel", lambda t: {
        **some("hidden_states", "timestep", "encoder_hidden_states")(t), "encoder_hidden_states_mask": t["encoder_hidden_states_mask"].bool(),
        "img_shapes": [[(1, 4, 7)]] * 2, **({"txt_seq_lens": [43, 43]} if diffusers.__version__ < "0.37" else {})}, 2e-5),
    "krea2-forward": ("krea2", "Krea2Transformer2DModel", lambda t: {
        **some("hidden_states", "timestep", "encoder_hidden_states", "position_ids")(t),
        "encoder_attention_mask": t["encoder_attention_mask"].bool()}, 2e-5),
    "z-image-forward": ("z-image", "ZImageTransformer2DModel", lambda t: {
        "x": [row[:, None] for row in t["latents"]], "t": t["timestep"], "cap_feats": [t["caption.0"], t["caption.1"]]}, 2e-5),
}


class Forwards(unittest.TestCase):
    """One evaluation of each family, dense and with every setting of its case."""


def add_forward(name, row):
    model, kind, arguments, tolerance = row

    def test(self):
        skip_unless_here("cases", name)
        tensors, case = tensors_of(name)
        network, call = network_of(model, kind, "unet" if kind.startswith("UNet") else "transformer"), arguments(tensors)

        def run():
            out = network(**call, return_dict=False)[0]
            return torch.stack(out) if isinstance(out, list) else out
        dense = run()
        if "output.dense" in tensors:
            self.assertLess(relative(dense, tensors["output.dense"]), tolerance)
        for setting in case.get("settings") or [{"output": "output", "lambda": 2.0, "alpha": 1.5}]:
            count = pladis.diffusers.enable(network, setting["lambda"], setting["alpha"], setting.get("blocks", "all"))
            self.assertGreater(count, 0)
            error = relative(run(), tensors[setting["output"]])
            print(f"{name} {setting.get('blocks', 'all')}: {count} sites, {error:.1e}", flush=True)
            self.assertLess(error, tolerance)
        # In PyTorch's operations, as on another device.
        kernels = pladis.diffusers._kernels
        pladis.diffusers._kernels = lambda: None
        try:
            self.assertLess(relative(run(), tensors[setting["output"]]), tolerance)
        finally:
            pladis.diffusers._kernels = kernels
        pladis.diffusers.enable(network, scale=0)
        self.assertTrue(torch.equal(run(), dense))
        pladis.diffusers.disable(network)
        self.assertTrue(torch.equal(run(), dense))

    setattr(Forwards, "test_" + name.replace("-", "_"), test)


for name_, row_ in FORWARDS.items():
    add_forward(name_, row_)

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
