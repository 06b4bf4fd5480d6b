#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linear layers of a denoiser against PyTorch and NumPy (OpenBLAS), in turns, float32, on the same number of threads.

    bench_linear.py --pladis build/apps/cli/pladis --model random:sd15
    bench_linear.py --pladis build/apps/cli/pladis --model random:sdxl --width 512 --height 512 --turns 3

Each turn runs `pladis bench operators --only "unet, linear"`, whose results say which layers there are and how often an
evaluation runs each, then the same layers there: torch.nn.functional.linear, followed by the halves' product with GELU where
ours is a GEGLU, and numpy's matrix product alone, without bias or GEGLU. pladis reads 16-bit weights, the others float32. Sums
are those of one evaluation; ratios are medians over the turns, larger is better for pladis.
"""
import argparse
import json
import os
import re
import statistics
import time
from pathlib import Path

import bench_torch

SETTLE_SECONDS = 0.5  # threads of the other sides wait awake for a while when they have no work
SHAPE = re.compile(r"\[(\d+), (\d+)x(\d+), (\d+)\] -> \[\d+, \d+x\d+, (\d+)\]")
LAYERS = "unet, linear"


def layer_key(result):
    """(rows, inputs, outputs, is a GEGLU) of a result of `pladis bench operators`."""
    batch, width, height, inputs, outputs = map(int, SHAPE.fullmatch(result["shape"]).groups())
    return batch * width * height, inputs, outputs, result["name"].endswith(" geglu")


def run_layers(args):
    """Layer → (seconds of one, how often an evaluation runs it); the machine."""
    _, data = bench_torch.run_pladis(args, "operators", "--only", LAYERS, "--dtype", "f32", "--repeats", str(args.repeats))
    layers = {}
    for result in data["results"]:
        key = layer_key(result)
        seconds, count = layers.get(key, (0.0, 0))
        total = seconds * count + result["median"] * result["count"]
        layers[key] = (total / (count + result["count"]), count + result["count"])
    return layers, data


def median_seconds(run, repeats):
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def torch_layer(key):
    import torch
    import torch.nn.functional as F
    rows, inputs, outputs, geglu = key
    x, w = torch.randn(rows, inputs), torch.randn(outputs * (1 + geglu), inputs)
    bias = torch.randn(len(w))

    def run():
        out = F.linear(x, w, bias)
        if geglu:
            value, gate = out.chunk(2, dim=-1)
            out = value * F.gelu(gate)
        return out

    return run


def numpy_layer(key):
    import numpy
    rows, inputs, outputs, geglu = key
    draw = numpy.random.default_rng(1).standard_normal
    x, w = (draw(shape, numpy.float32) for shape in ((rows, inputs), (outputs * (1 + geglu), inputs)))
    out = numpy.empty((rows, len(w)), numpy.float32)
    return lambda: numpy.matmul(x, w.T, out=out)


SIDES = {"PyTorch": torch_layer, "NumPy": numpy_layer}


def measure(args):
    """For each turn, layer → seconds of pladis and of each side; layer → count; the last run of pladis, whose peak
    is the median of all."""
    import torch
    turns, counts, peaks, data = [], {}, [], None
    for turn in range(args.turns):
        time.sleep(SETTLE_SECONDS)
        ours, data = run_layers(args)
        peaks.append(data["machine"]["peak_gflops"])
        counts = {key: count for key, (_, count) in ours.items()}
        with torch.inference_mode():
            turns.append({key: [seconds] + [median_seconds(side(key), args.repeats) for side in SIDES.values()]
                          for key, (seconds, _) in ours.items()})
        print(f"turn {turn + 1} of {args.turns}", flush=True)
    data["machine"]["peak_gflops"] = statistics.median(peaks)
    return turns, counts, data


def gflop(key):
    rows, inputs, outputs, geglu = key
    return 2e-9 * rows * inputs * outputs * (1 + geglu)


def print_row(label, work, turns):
    """turns: seconds of pladis and each side, [turns][1 + sides]."""
    ours, *theirs = zip(*turns)
    seconds = statistics.median(ours)
    line = f"{label:44}{seconds * 1e3:11.2f} ms{work / seconds:8.1f}"
    ratios = [statistics.median(b / a for a, b in zip(ours, side)) for side in theirs]
    for side, ratio in zip(theirs, ratios):
        line += f"{work / statistics.median(side):12.1f}{ratio:7.2f}x"
    print(line)
    return dict(layer=label, gflop=work, turns=turns, ratios=dict(zip(SIDES, ratios)))


def print_report(args, turns, counts, data):
    facts = data["machine"]
    print(f"{facts['cpu']}, {facts['isa']}, {args.threads} threads, measured peak {facts['peak_gflops']:.0f} GFLOP/s; "
          f"pladis {data['commit']}; {args.model}; medians of {args.turns} turns of {args.repeats} each\n")
    print(f"{'layer':44}{'pladis':>14}{'GFLOP/s':>8}" + "".join(f"{side:>12}{'ratio':>8}" for side in SIDES))
    results = []
    for key in sorted(counts, key=lambda key: -counts[key] * gflop(key))[:args.most]:
        rows, inputs, outputs, geglu = key
        label = f"[{rows}, {inputs}] -> {outputs}{' geglu' if geglu else ''}, {counts[key]} times"
        results.append(print_row(label, gflop(key), [turn[key] for turn in turns]))
    whole = [[sum(turn[key][side] * counts[key] for key in counts) for side in range(1 + len(SIDES))] for turn in turns]
    results.append(print_row("all linear layers of an evaluation", sum(gflop(key) * counts[key] for key in counts), whole))
    return dict(machine=facts, commit=data["commit"], model=args.model, threads=args.threads, results=results)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pladis", required=True, help="the program")
    parser.add_argument("--model", default="random:sd15", help="random:sd15, random:sdxl or a diffusers folder (%(default)s)")
    parser.add_argument("--pladis-options", default="", help="further options of pladis bench")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="threads of each side")
    parser.add_argument("--width", type=int, default=0, help="width in pixels (the model's own)")
    parser.add_argument("--height", type=int, default=0, help="height in pixels (the model's own)")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each layer per turn (%(default)s)")
    parser.add_argument("--most", type=int, default=12, help="number of layers to list, those with the most work first (%(default)s)")
    parser.add_argument("--json", help="write the results to this file")
    args = parser.parse_args()
    if bool(args.width) != bool(args.height) or min(args.turns, args.repeats, args.threads, args.most) < 1:
        parser.error("--width and --height go together; --turns, --repeats, --threads and --most are at least 1")
    return args


def main():
    args = parse()
    # before the modules are loaded, which is when OpenBLAS reads it
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(args.threads)
    import torch
    torch.set_num_threads(args.threads)
    report = print_report(args, *measure(args))
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
