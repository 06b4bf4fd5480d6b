# SPDX-License-Identifier: Apache-2.0
"""Fit the linear map from latents to colours that --preview uses, and write it into a model's pladis.json.

    python tools/fit_latent_rgb.py build/apps/cli/pladis models/demo prompts.txt

Draws each prompt of the file with two seeds, takes the final latents and the decoded picture out of --dump, and solves
for the 3 x (channels + 1) numbers that bring the latents nearest to the picture's means over each latent's place
(least squares). Every fifth picture is left out of the fit and tells how good it is. Needs numpy and safetensors.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from safetensors.numpy import load_file


def samples(program, model, prompts, folder):
    for number, prompt in enumerate(prompts):
        for seed in (1, 2):
            dump = Path(folder) / "dump.safetensors"
            subprocess.run([program, "generate", "-m", model, "-p", prompt, "-s", str(seed), "--dump", str(dump), "-q",
                            "-o", str(Path(folder) / "picture.png")], check=True)
            tensors = load_file(dump)
            latents, decoded = tensors["latents"][0], tensors["decoded"].reshape((3,) + tensors["decoded"].shape[-2:])
            channels, height, width = latents.shape
            factor = decoded.shape[1] // height
            means = decoded.reshape(3, height, factor, width, factor).mean((2, 4)).clip(-1, 1)
            ones = numpy.ones((1, height * width))
            yield number % 5 == 0, numpy.concatenate([latents.reshape(channels, -1), ones]).T, means.reshape(3, -1).T


def main():
    program, model, prompts = sys.argv[1], sys.argv[2], Path(sys.argv[3]).read_text().split("\n")
    with tempfile.TemporaryDirectory() as folder:
        rows = list(samples(program, model, [p for p in prompts if p.strip()], folder))
    fit = [(x, y) for held, x, y in rows if not held]
    held = [(x, y) for held, x, y in rows if held]
    factors = numpy.linalg.lstsq(numpy.concatenate([x for x, _ in fit]), numpy.concatenate([y for _, y in fit]),
                                 rcond=None)[0]
    x, y = (numpy.concatenate([pair[i] for pair in held]) for i in (0, 1))
    print("held out: mean error %.1f of 255, a constant colour would have %.1f" %
          (abs(x @ factors - y).mean() * 127.5, abs(y - y.mean(0)).mean() * 127.5))
    path = Path(model) / "pladis.json"
    settings = json.loads(path.read_text()) if path.exists() else {}
    settings["latent_rgb"] = [round(float(v), 4) for v in factors.reshape(-1)]
    lines = ["  %s: %s" % (json.dumps(key), json.dumps(value)) for key, value in settings.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
