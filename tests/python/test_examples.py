# SPDX-License-Identifier: Apache-2.0
"""What the documents show is run: README's lines from Python and for diffusers, and the notebook, with the demo model and, where
diffusers is, with a tiny pipeline. usage: test_examples.py SOURCE_FOLDER [unittest's arguments]"""
import contextlib
import json
import os
import re
import sys
import tempfile
import unittest
from unittest import mock

SOURCE = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(SOURCE, "python"))
os.environ["PLADIS_MODEL_DIR"] = os.path.join(SOURCE, "models")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
TINY = os.path.join(os.environ.get("PLADIS_REFERENCE_CASES") or os.path.join(SOURCE, "tests", "data", "reference"), "models", "sd15")
try:
    import diffusers
    import torch
except ImportError:
    diffusers = None
    print("diffusers is not here: its examples are not tried")
try:
    import PIL  # noqa: F401
except ImportError:
    print("skipped: Pillow is not here")
    sys.exit(77)


def blocks_of(document):
    with open(os.path.join(SOURCE, document), encoding="utf-8") as file:
        return re.findall(r"```python\n(.*?)```", file.read(), flags=re.S)


def run_notebook():
    """Run the notebook's cells one after another; the values of their last lines."""
    with open(os.path.join(SOURCE, "examples", "pladis.ipynb"), encoding="utf-8") as file:
        cells = [cell for cell in json.load(file)["cells"] if cell["cell_type"] == "code"]
    names, shown = {"__name__": "notebook"}, []
    for cell in cells:
        lines = "".join(cell["source"])
        *before, last = lines.rstrip().split("\n")
        if re.match(r"(pladis\.grid|Table)\(", last):
            exec("\n".join(before), names)
            shown.append(eval(last, names))
        else:
            exec(lines, names)
    return shown


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder.name)

    def block(self, word):
        (found,) = [block for block in blocks_of("README.md") if word in block]
        self.assertLessEqual(found.strip().count("\n"), 4, "five lines")
        return found

    def test_python(self):
        exec(self.block("pladis.Model"), {})
        with open("star.png", "rb") as file:
            self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")

    @unittest.skipUnless(diffusers, "diffusers is not here")
    def test_diffusers(self):
        names, seen = {}, []
        with tiny_pipelines(seen), mock.patch.object(diffusers.DiffusionPipeline, "to", lambda self, *_: self):
            exec(self.block("pladis.diffusers.enable").replace('").images', '", num_inference_steps=2).images'), names)
        self.assertEqual(seen, ["stabilityai/stable-diffusion-xl-base-1.0"])
        self.assertTrue(os.path.exists("fox.png"))

    def check_notebook(self, **settings):
        with mock.patch.dict(os.environ, {f"PLADIS_NOTEBOOK_{name.upper()}": value for name, value in settings.items()}):
            grid, table = run_notebook()
        self.assertEqual([len(row) for row in grid.pictures], [3, 3])
        self.assertEqual(grid._repr_html_().count("<img"), 6)
        self.assertEqual([len(row) for row in table.rows], [3, 3, 3])
        self.assertRegex(table._repr_markdown_(), r"\| λ = 2 \| \d+\.\d \([+-]\d+\.\d ± \d+\.\d\) \|")

    def test_notebook(self):
        self.check_notebook(steps="4")

    @unittest.skipUnless(diffusers, "diffusers is not here")
    def test_notebook_with_a_pipeline(self):
        with tiny_pipelines([]):
            self.check_notebook(model="stabilityai/sd-turbo", clip=tiny_clip(self.folder.name), steps="2")


@contextlib.contextmanager
def tiny_pipelines(seen):
    """Whatever pipeline is asked for, in seen, the tiny one is loaded, in float32. It draws 128 pixels, enough for its four levels."""
    load = diffusers.DiffusionPipeline.from_pretrained.__func__

    def tiny(kind, name, **_):
        seen.append(name)
        pipe = load(kind, TINY, torch_dtype=torch.float32)
        pipe.unet.register_to_config(sample_size=128 // pipe.vae_scale_factor)
        return pipe
    with mock.patch.object(diffusers.DiffusionPipeline, "from_pretrained", classmethod(tiny)):
        yield


def tiny_clip(folder):
    """A CLIP with random weights and the tiny pipeline's vocabulary."""
    import transformers
    tokenizer = transformers.CLIPTokenizer.from_pretrained(os.path.join(TINY, "tokenizer"))
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = transformers.CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=77, bos_token_id=tokenizer.bos_token_id,
                                       eos_token_id=tokenizer.eos_token_id, **sizes)
    vision = transformers.CLIPVisionConfig(image_size=32, patch_size=16, **sizes)
    clip = transformers.CLIPModel(transformers.CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=8))
    place = os.path.join(folder, "clip")
    clip.save_pretrained(place)
    tokenizer.save_pretrained(place)
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(place)
    return place


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
