#!/usr/bin/env python3
"""Goldens of what `ssf-analyze weights` measures: Tests/Goldens/weights/distances.safetensors.

For every case `<name>`, by numpy and scipy in float64:

    <name>.before, <name>.after   [n], [m]     two sets of numbers
    <name>.wasserstein            []           scipy.stats.wasserstein_distance
    <name>.edges                  [bins + 1]   numpy.linspace over `bounds`
    <name>.bounds                 [2]          both are exact in float32
    <name>.counts.before, .after  [bins + 2]   numpy.histogram; first and last are what lies below and above the edges
    <name>.divergence             []           scipy.stats.entropy(after, before) of the counts + 0.5

The scalars stand as pairs (value in float32, the rest in float32), so that nothing is lost of them.
"""

import argparse

import numpy as np
import scipy
from scipy.stats import entropy, wasserstein_distance

from common import GOLDENS, generator, write

BINS = 40


def cases(seed: int) -> dict:
    def noise(name: str, count: int) -> np.ndarray:
        return generator(seed, name).standard_normal(count)

    base = 0.05 * noise("base", 3000)
    scale = 1 + 0.1 * noise("scale", 30)
    return {
        # What SSF does: every row by a factor of its own.
        "scaled": (base, (base.reshape(30, 100) * scale[:, None]).reshape(-1)),
        # What full fine-tuning does: a little of everything.
        "moved": (base, base + 1e-4 * noise("moved", 3000)),
        "same": (base[:500], base[:500]),
        # Unequal counts, heavy tails, and a distance that is larger than either.
        "apart": (noise("apart", 700) ** 3, 20 + noise("others", 900)),
        # Ties, zeros of both signs, the smallest and large numbers.
        "ties": (np.array([0.0, -0.0, 1e-45, 0.5, 0.5, 0.5, -3e4, 3e4] * 20),
                 np.array([0.5, 0.5, -0.5, 1e-30, 2e4] * 30)),
        "one": (np.array([1.0]), np.array([-2.5])),
    }


def exact(value: float) -> np.ndarray:
    first = np.float32(value)
    return np.array([first, np.float32(value - np.float64(first))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tensors = {}
    for name, (before, after) in cases(arguments.seed).items():
        before, after = (values.astype(np.float32).astype(np.float64) for values in (before, after))
        spread = float(before.max() - before.min()) or 1.0
        lower, upper = (float(np.float32(v)) for v in (before.min() + 0.1 * spread, before.max() - 0.2 * spread))
        if name == "one":
            lower, upper = 0.5, 1.0
        edges = np.linspace(lower, upper, BINS + 1)
        counts = {}
        for kind, values in (("before", before), ("after", after)):
            inside, _ = np.histogram(values, bins=edges)
            counts[kind] = np.concatenate([[(values < lower).sum()], inside, [(values > upper).sum()]])
        tensors |= {
            f"{name}.before": before, f"{name}.after": after,
            f"{name}.wasserstein": exact(wasserstein_distance(before, after)),
            f"{name}.edges": edges, f"{name}.bounds": np.array([lower, upper]),
            f"{name}.counts.before": counts["before"].astype(np.int32),
            f"{name}.counts.after": counts["after"].astype(np.int32),
            f"{name}.divergence": exact(entropy(counts["after"] + 0.5, counts["before"] + 0.5)),
        }
    write(GOLDENS / "weights" / "distances.safetensors", tensors, arguments.seed, scipy=scipy.__version__, bins=BINS)


if __name__ == "__main__":
    main()
