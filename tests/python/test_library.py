# SPDX-License-Identifier: Apache-2.0
"""The library from Python: pictures, errors, cancelling, threads; and the structs that ctypes is told of.
usage: test_library.py PROGRAM SOURCE_FOLDER OFFSETS [unittest's arguments]; PLADIS_LIBRARY names the library"""
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM, SOURCE, OFFSETS = sys.argv[1:4]
sys.path.insert(0, os.path.join(SOURCE, "python"))
os.environ["PLADIS_MODEL_DIR"] = os.path.join(SOURCE, "models")
REFERENCE = os.path.join(SOURCE, "tests/data/reference/models")

import pladis  # noqa: E402
import pladis.scoring  # noqa: E402
from pladis import _structs  # noqa: E402

PROMPT = "a large red star above a small blue ring"


class Structs(unittest.TestCase):
    def test_are_those_of_the_headers(self):
        made = subprocess.run([sys.executable, f"{SOURCE}/tools/python_structs.py", f"{SOURCE}/include"], capture_output=True, text=True, check=True)
        with open(f"{SOURCE}/python/pladis/_structs.py") as file:
            self.assertEqual(file.read(), made.stdout, "tools/python_structs.py writes it")

    def test_lie_where_the_compiler_puts_them(self):
        places = json.loads(subprocess.run([OFFSETS], capture_output=True, text=True, check=True).stdout)
        self.assertGreater(len(places), 30)
        for name, fields in places.items():
            struct = getattr(_structs, name)
            self.assertEqual(ctypes.sizeof(struct), fields.pop(""), name)
            for field, place in fields.items():
                self.assertEqual(getattr(struct, field).offset, place, f"{name}.{field}")


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = pladis.Model("demo", threads=2)

    def test_are_the_programs(self):
        """The same PNG as `pladis generate` writes, texts included."""
        picture = self.model.generate(PROMPT, seed=133, steps=5, pladis_scale=1.5, pladis_alpha=1.7, negative_prompt="ring", guidance=["cfg-zero"],
                                      sampling_method="euler")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.png")
            subprocess.run([PROGRAM, "generate", "-m", f"{SOURCE}/models/demo", "-p", PROMPT, "-s", "133", "--steps", "5", "--pladis", "1.5", "--pladis-alpha",
                            "1.7", "-n", "ring", "--guidance", "cfg-zero", "--sampling-method", "euler", "-t", "2", "-q", "-o", path], check=True)
            with open(path, "rb") as file:
                self.assertEqual(picture.png, file.read())
        self.assertEqual((picture.width, picture.height, len(picture.pixels)), (128, 128, 128 * 128 * 3))
        self.assertEqual(picture.parameters["pladis"], 1.5)
        self.assertEqual(picture.report["steps"], 5)
        self.assertGreater(picture.report["stages"]["denoise"], 0)
        self.assertEqual(picture.report["attention"], {"pladis (lambda 1.5, alpha 1.7)": 10, "softmax": 10})

    def test_are_drawn_again_from_their_parameters(self):
        first = self.model.generate(PROMPT, seed=None, steps=3)
        parameters = {name: value for name, value in first.parameters.items() if value is not None}
        self.assertEqual(self.model.generate(**parameters).png, first.png)
        self.assertNotEqual(self.model.generate(PROMPT, seed=None, steps=3).seed, first.seed)

    def test_begin_with_a_picture(self):
        first = self.model.generate(PROMPT, steps=4)
        second = self.model.generate("a blue star", init_image=first.png, mask=first.png, strength=0.5, steps=4)
        self.assertEqual((second.width, second.parameters["strength"]), (128, 0.5))
        with self.assertRaises(pladis.UnsupportedError):
            self.model.generate("x", init_image=b"GIF89a")
        with self.assertRaises(pladis.ArgumentError):
            self.model.generate("x", init_image=object())

    def test_grids(self):
        grid = pladis.grid(self.model, "two green hearts", x=("pladis_scale", (0, 2)), y=("seed", (1, 2)), steps=3)
        self.assertEqual([[p.seed for p in row] for row in grid.pictures], [[1, 1], [2, 2]])
        self.assertEqual(grid._repr_html_().count("<img"), 4)
        self.assertEqual(grid.pictures[0][0]._repr_png_()[:4], b"\x89PNG")

    def test_image(self):
        picture = self.model.generate(PROMPT, steps=2)
        try:
            import numpy
            self.assertEqual(numpy.asarray(picture.image).tobytes(), picture.pixels)
        except ImportError:
            with self.assertRaises(ImportError):
                picture.array

    def test_convert(self):
        told = []
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.join(folder, "half")
            self.assertEqual(str(self.model.convert(place, type="bf16", progress=lambda done, whole: told.append(done / whole))), place)
            self.assertEqual(told[-1], 1)
            written = pladis.Model(place)
            self.assertEqual(written.info.parts["unet"]["dtype"], "bf16")
            self.assertEqual(pladis.scoring.score(PROMPT, written.generate(PROMPT, seed=133))["count"], True)
            self.assertGreater(os.path.getsize(self.model.convert(os.path.join(folder, "unet.gguf"), type="q8_0")), 1 << 20)

            def stop(done, whole):
                raise KeyError("enough")
            for kind, message, more in ((pladis.FileError, "half: already exists; `overwrite` replaces it", {}), (pladis.ArgumentError, "'q9'", {"type": "q9"}),
                                        (KeyError, "enough", {"progress": stop, "overwrite": True})):
                with self.assertRaisesRegex(kind, message):
                    self.model.convert(place, **more)
            with self.assertRaisesRegex(pladis.ArgumentError, "leave out .gguf"):
                self.model.convert(os.path.join(folder, "x.gguf"), layout="diffusers")
            self.assertEqual(sorted(os.listdir(folder)), ["half", "unet.gguf"])

    def test_scoring(self):
        picture = self.model.generate(PROMPT, seed=133)
        found = pladis.scoring.look(picture)
        self.assertEqual([(thing.colour, thing.shape) for thing in found.things], [("red", "star"), ("blue", "ring")])
        self.assertTrue(pladis.scoring.score(PROMPT, picture.png)["all"])
        self.assertEqual(pladis.scoring.score("a red star", picture)["count"], False)
        self.assertIsNone(pladis.scoring.score("a red star", picture)["position"])
        with self.assertRaisesRegex(pladis.ArgumentError, "found \"dog\""):
            pladis.scoring.score("a dog", picture)

    def test_what_is_wrong_is_said(self):
        for options, kind, words in (({"stepz": 3}, pladis.ArgumentError, "did you mean"), ({"steps": 0}, pladis.ArgumentError, "steps"),
                                     ({"pladis_alpha": 3}, pladis.ArgumentError, "pladis_alpha: found"),
                                     ({"width": 13}, pladis.ArgumentError, "multiple"), ({"sampling_method": "nothing"}, pladis.ArgumentError, "sampling"),
                                     ({"loras": ["/nothing.safetensors"]}, pladis.MissingError, "/nothing.safetensors")):
            with self.assertRaises(kind) as raised:
                self.model.generate("x", **options)
            self.assertIn(words, str(raised.exception))
        with self.assertRaises(pladis.MissingError):
            pladis.Model("no such model")
        with self.assertRaises(pladis.ArgumentError):
            pladis.Model("demo", max_memory="much")

    def test_progress_and_cancel(self):
        seen = []
        self.model.generate(PROMPT, steps=4, progress=lambda at: seen.append((at.stage, at.step)))
        self.assertIn(("denoise", 4), seen)
        with self.assertRaises(pladis.Cancelled):
            self.model.generate(PROMPT, steps=50, progress=lambda at: at.step < 3)
        with self.assertRaises(ZeroDivisionError): # what the callback raises comes out
            self.model.generate(PROMPT, steps=50, progress=lambda at: 1 // 0)
        self.assertEqual(self.model.generate(PROMPT, steps=2).report["steps"], 2)

    def test_control_c(self):
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        begin = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            self.model.generate(PROMPT, steps=900, width=512, height=512)
        self.assertLess(time.monotonic() - begin, 20)

    def test_threads(self):
        """Several threads draw at once, and each gets what it would get alone."""
        alone = [self.model.generate(PROMPT, seed=seed, steps=4).png for seed in range(4)]
        together = [None] * 4

        def draw(seed):
            together[seed] = self.model.generate(PROMPT, seed=seed, steps=4).png

        threads = [threading.Thread(target=draw, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(together, alone)

    def test_what_the_library_says_is_logged(self):
        with self.assertLogs("pladis", "INFO") as told:
            self.model.generate("a zeppelin", steps=1)
        self.assertIn("zeppelin", " ".join(told.output))


class Models(unittest.TestCase):
    def test_info_and_tokens(self):
        model = pladis.Model(f"{REFERENCE}/sd15")
        self.assertEqual((model.info.family, model.info.parts["unet"]["kind"]), ("stable-diffusion", "UNet2DConditionModel"))
        tokens = model.tokenize("a (red:1.5) fox")["tokenizer"][0]
        self.assertEqual(len(tokens["ids"]), len(tokens["weights"]))
        self.assertIn(1.5, tokens["weights"])

    def test_loras(self):
        model = pladis.Model(f"{REFERENCE}/sd15")
        lora = f"{SOURCE}/tests/data/loras/files/kohya.safetensors"
        small = {"steps": 2, "width": 64, "height": 64}
        plain, with_lora = model.generate("a fox", **small), model.generate("a fox", loras={lora: 0.7}, **small)
        by_tag = model.generate("a fox <lora:kohya:0.7>", lora_dir=os.path.dirname(lora), **small)
        self.assertNotEqual(plain.pixels, with_lora.pixels)
        self.assertEqual(by_tag.pixels, with_lora.pixels)
        self.assertEqual(model.generate("a fox", **small).pixels, plain.pixels)

    def test_options(self):
        names = {option.name for option in pladis.options()}
        self.assertLess({"steps", "pladis", "pladis_alpha", "guidance", "seed"}, names)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])
