# SPDX-License-Identifier: Apache-2.0
"""Pack the reference's recorded draws of torch's CPU generator for tests/unit/core/test_rng.c.

    python tools/reference/rng_cases.py REFERENCE/rng tests/data/rng/torch_cpu.json

One row for each generator: its seed, what is drawn ("normal" or "uniform"), and the draws in order, each a string
of 8 hex digits a number (the bits of a float32).
"""
import json
import sys
from pathlib import Path


def main():
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    normal = json.loads((source / "randn.json").read_text())
    uniform = json.loads((source / "rand.json").read_text())
    rows = [{"seed": c["seed"], "kind": "uniform", "draws": [c["rand"]]} for c in uniform["uniform"]]
    for case in normal["by_length"]:
        rows += [{"seed": case["seed"], "kind": "normal", "draws": [draw]} for draw in case["randn"].values()]
    rows += [{"seed": c["seed"], "kind": "normal", "draws": [c["values"]]} for c in normal["shapes"]]
    rows += [{"seed": c["seed"], "kind": "normal", "draws": c["draws"]} for c in normal["consecutive"]]
    for row in rows:
        row["draws"] = ["".join(draw) for draw in row["draws"]]
    target.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
