# SPDX-License-Identifier: Apache-2.0
"""Quantiles of beta distributions by scipy, for tests/unit/sampling/test_schedule.c.

    python tools/reference/beta_quantiles.py tests/data/sampling/beta_quantiles.safetensors

`rows` [n, 4] float64: probability, a, b, quantile. The schedule's own shape (0.6, 0.6) at every probability that 1
to 64 steps ask for, and other shapes from flat to peaked at probabilities down to 1e-12.
"""
import sys

import numpy
import scipy.stats
import torch
from safetensors.torch import save_file


def main():
    rows = []
    for steps in range(1, 65):
        rows += [(p, 0.6, 0.6) for p in 1 - numpy.linspace(0, 1, steps)]
    hard = [1e-12, 1e-9, 1e-6, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999]
    for a in (0.2, 0.6, 1, 2.5, 8):
        for b in (0.2, 0.6, 1, 2.5, 8):
            rows += [(p, a, b) for p in hard]
    rows = sorted(set(rows))
    table = [(p, a, b, scipy.stats.beta.ppf(p, a, b)) for p, a, b in rows]
    save_file({"rows": torch.tensor(table, dtype=torch.float64)}, sys.argv[1])


if __name__ == "__main__":
    main()
