# SPDX-License-Identifier: Apache-2.0
"""What a request to the server takes beside the library's work, on the demo model: for small pictures, the time that a client waits for an
answer less the seconds that the library's stages took for the same pictures in a command of the same options. In turns, medians.
usage: server_overhead.py PLADIS SOURCE_FOLDER [PICTURES]"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(sys.argv[2], "tests/server"))
from harness import Server  # noqa: E402

PICTURES = int(sys.argv[3]) if len(sys.argv) > 3 else 40
ROUNDS = 5
OPTIONS = {"prompt": "a red star", "steps": 1, "width": 32, "height": 32, "dtype": "f32"}


def library(folder):
    """Seconds of a picture in the library, but for opening the model and its first picture."""
    def seconds(count):
        report = os.path.join(folder, "report.json")
        command = [sys.argv[1], "generate", "-m", f"{sys.argv[2]}/models/demo", "-q", "-b", str(count), "--report", report, "-o", f"{folder}/x%d.png"]
        for name, value in OPTIONS.items():
            command += [f"--{name}", str(value)]
        subprocess.run(command, check=True)
        stages = json.load(open(report))["stages"]
        return sum(value for name, value in stages.items() if name != "open")
    return (seconds(PICTURES + 1) - seconds(1)) / PICTURES


def client(server, path, fields):
    times = []
    for seed in range(PICTURES):
        begin = time.perf_counter()
        server.post(path, {**fields, "seed": 42 + seed})
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


with Server("-q", "--no-history") as server, tempfile.TemporaryDirectory() as folder:
    server.post("/v1/images/generations", OPTIONS)
    rows = [(library(folder), client(server, "/v1/images/generations", OPTIONS), client(server, "/sdapi/v1/txt2img", OPTIONS)) for _ in range(ROUNDS)]
    own, openai, a1111 = (1000 * statistics.median(column) for column in zip(*rows))
    print(f"library {own:.2f} ms a picture; a client waits {openai:.2f} ms (OpenAI), {a1111:.2f} ms (A1111): "
          f"overhead {1000 * statistics.median(r[1] - r[0] for r in rows):.2f} ms, {1000 * statistics.median(r[2] - r[0] for r in rows):.2f} ms")
