#!/usr/bin/env python3
"""Make the reference data of the further families (README-additions.md), beside those of make_reference.py.

    python make_additions.py --variant public  --out .
    python make_additions.py --variant private --config FILE --out DIR
    (--only anima,… restricts the run)

The corpus comes from VARIANT.json, everything else from additions-VARIANT.json (or --config), both sought in --out,
then beside this script.
"""
import argparse
import importlib
import json
import os
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
import diffusers
import torch
import transformers

SECTIONS = {"anima": "anima", "flux2": "flux2_base"}


def main():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--variant", choices=("public", "private"), default="public")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--only", default=",".join(SECTIONS))
    args = parser.parse_args()

    def find(name):
        return next(p / name for p in (args.out, here) if (p / name).exists())
    config = json.loads((args.config or find(f"additions-{args.variant}.json")).read_text())
    base = json.loads(find(f"{args.variant}.json").read_text())
    config = {**{k: base[k] for k in ("corpus", "stream_gain")}, **config}
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in args.only.split(","):
        if name in config:
            print(f"== {name}", flush=True)
            importlib.import_module(f"oracle.{SECTIONS[name]}").section(args.out, config)


if __name__ == "__main__":
    main()
