#!/usr/bin/env python3
"""Goldens of t-SNE by openTSNE and scikit-learn: Tests/Goldens/tsne/<name>.safetensors.

Two inputs: `clusters`, unequal Gaussian clusters in 20 dimensions, and `curve`, a noisy curve without clusters in 6.

    features            [n, d]
    neighbors           [n, 10]  numbers of the nearest rows, nearest first (scikit-learn, brute force in float64)
    affinities          [5, n]   the first rows of openTSNE's P from exact neighbours
    embedding           [n, 2]   what openTSNE makes of it with its defaults (750 iterations)
    divergence          []       KL(P || Q) of it over all pairs, in float64
    early_divergence    []       the same after 250 exaggerated iterations alone
    trustworthiness     []       of it, scikit-learn, 10 neighbours
    recall              []       part of the 10 nearest that are among its 10 nearest

Metadata: `perplexity`, and the versions of openTSNE and scikit-learn.
"""

import argparse

import numpy as np
import openTSNE
import sklearn
from openTSNE.affinity import PerplexityBasedNN
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from common import GOLDENS, generator, write

PERPLEXITY = 30
NEIGHBORS = 10


def clusters(seed: int) -> np.ndarray:
    random = generator(seed, "clusters")
    n, d, k = 700, 20, 7
    which = random.choice(k, n, p=np.arange(1, k + 1) / (k * (k + 1) / 2))
    centres = 2 * random.standard_normal((k, d))
    widths = 0.5 + random.random(k)
    return centres[which] + widths[which, None] * random.standard_normal((n, d))


def curve(seed: int) -> np.ndarray:
    random = generator(seed, "curve")
    t = np.sort(random.random(500)) * 4 * np.pi
    path = np.stack([np.cos(t), np.sin(t), t / 3, np.cos(2 * t), 0 * t, 0 * t], axis=1)
    return path + 0.1 * random.standard_normal(path.shape)


def divergence(affinities, embedding: np.ndarray) -> float:
    """KL(P || Q) with the normalisation of every pair."""
    y = embedding.astype(np.float64)
    squared = ((y[:, None] - y[None]) ** 2).sum(-1)
    kernel = 1 / (1 + squared)
    np.fill_diagonal(kernel, 0)
    p = affinities.toarray()
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = p * np.log(p * kernel.sum() / kernel)
    return float(terms[p > 0].sum())


def nearest(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    return NearestNeighbors(n_neighbors=NEIGHBORS, algorithm="brute").fit(x).kneighbors(return_distance=False)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    seed = 0
    for name, draw in (("clusters", clusters), ("curve", curve)):
        x = draw(seed).astype(np.float32)
        affinities = PerplexityBasedNN(x.astype(np.float64), perplexity=PERPLEXITY, method="exact")
        options = {"perplexity": PERPLEXITY, "random_state": seed, "n_jobs": 1}
        embedding = np.asarray(openTSNE.TSNE(**options).fit(x)).astype(np.float32)
        early = np.asarray(openTSNE.TSNE(n_iter=0, **options).fit(x)).astype(np.float32)
        found, kept = nearest(x), nearest(embedding)
        recall = np.mean([len(set(a) & set(b)) / NEIGHBORS for a, b in zip(found, kept)])
        tensors = {
            "features": x,
            "neighbors": found,
            "affinities": affinities.P[:5].toarray(),
            "embedding": embedding,
            "divergence": divergence(affinities.P, embedding),
            "early_divergence": divergence(affinities.P, early),
            "trustworthiness": trustworthiness(x.astype(np.float64), embedding.astype(np.float64),
                                               n_neighbors=NEIGHBORS),
            "recall": recall,
        }
        write(GOLDENS / "tsne" / f"{name}.safetensors", tensors, seed, perplexity=PERPLEXITY,
              openTSNE=openTSNE.__version__, sklearn=sklearn.__version__)
        print({key: float(value) for key, value in tensors.items() if np.ndim(value) == 0})


if __name__ == "__main__":
    main()
