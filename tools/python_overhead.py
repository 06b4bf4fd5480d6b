# SPDX-License-Identifier: Apache-2.0
"""What a picture of the demo model takes from Python beside the library's work: the time of model.generate(…) and of its PNG, less the seconds
that the library's stages took for the same pictures in a command of the same options. In turns, medians.
usage: python_overhead.py PLADIS SOURCE_FOLDER [PICTURES]      PLADIS_LIBRARY names the library of that build"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(sys.argv[2], "python"))
os.environ.setdefault("PLADIS_MODEL_DIR", os.path.join(sys.argv[2], "models"))
import pladis  # noqa: E402

PICTURES = int(sys.argv[3]) if len(sys.argv) > 3 else 20
ROUNDS = 5
PROMPT = "a red star above a blue ring"
OPTIONS = {"steps": 4, "dtype": "f32", "pladis_scale": 2}


def program(folder):
    """Seconds of a picture in the library, but for opening the model and its first picture."""
    def seconds(count):
        report = os.path.join(folder, "report.json")
        command = [sys.argv[1], "generate", "-m", "demo", "-p", PROMPT, "-q", "-s", "42", "-b", str(count), "--report", report, "-o", f"{folder}/x%d.png"]
        for name, value in OPTIONS.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        subprocess.run(command, check=True)
        with open(report, encoding="utf-8") as file:
            stages = json.load(file)["stages"]
        return sum(value for name, value in stages.items() if name != "open")
    return (seconds(PICTURES + 1) - seconds(1)) / PICTURES


def python(model):
    times = []
    for seed in range(PICTURES):
        begin = time.perf_counter()
        picture = model.generate(PROMPT, seed=43 + seed, **OPTIONS)
        kept = picture.png
        times.append(time.perf_counter() - begin)
        del picture, kept
    return statistics.mean(times)


model = pladis.Model("demo")
model.generate(PROMPT, seed=42, **OPTIONS)
with tempfile.TemporaryDirectory() as folder:
    rows = [(program(folder), python(model)) for _ in range(ROUNDS)]
own, called = (1000 * statistics.median(column) for column in zip(*rows, strict=True))
print(f"library {own:.2f} ms a picture, from Python {called:.2f} ms: {1000 * statistics.median(b - a for a, b in rows):.2f} ms more")
