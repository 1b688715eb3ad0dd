"""The other side of compare-tsne: openTSNE and scikit-learn, one line of JSON for each line.

    embed INPUT.npy OUTPUT.npy EARLY LATE    openTSNE's defaults but for the iterations; seconds of it all
    neighbors INPUT.npy K                    scikit-learn's exact search; seconds
    evaluate INPUT.npy EMBEDDING.npy         KL divergence over all pairs, with affinities from exact neighbours

With LOCK in the environment each part of a computation holds that lock, and with REALTIME runs before everything else;
only these parts are counted.
"""

import contextlib
import fcntl
import json
import os
import sys
import time

import numpy as np
import openTSNE
import sklearn
import torch
from openTSNE.affinity import PerplexityBasedNN, joint_probabilities_nn
from sklearn.neighbors import NearestNeighbors

PERPLEXITY = 30
THREADS = len(os.sched_getaffinity(0))
STEP = 50


class Clock:
    """Seconds of what happens inside `running`."""

    def __init__(self):
        self.seconds = 0.0
        self.longest = 0.0

    @contextlib.contextmanager
    def running(self):
        lock = os.environ.get("LOCK")
        with open(lock or os.devnull, "a") as file:
            if lock:
                fcntl.flock(file, fcntl.LOCK_EX)
            if os.environ.get("REALTIME"):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
            began = time.perf_counter()
            yield
            seconds = time.perf_counter() - began
            if os.environ.get("REALTIME"):
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        self.seconds += seconds
        self.longest = max(self.longest, seconds)


def embed(path: str, output: str, early: int, late: int) -> dict:
    x = np.load(path)
    clock = Clock()
    with clock.running():
        affinities = PerplexityBasedNN(x, perplexity=PERPLEXITY, n_jobs=THREADS, random_state=0)
    neighbors = clock.seconds
    with clock.running():
        begin = openTSNE.initialization.pca(x, random_state=0)
        embedding = openTSNE.TSNEEmbedding(begin, affinities, n_jobs=THREADS, random_state=0)
    # In parts, between which others may run; momentum and gains live on in the embedding's optimiser.
    for count, options in ((early, {"exaggeration": 12}), (late, {})):
        for done in range(0, count, STEP):
            with clock.running():
                embedding.optimize(n_iter=min(STEP, count - done), momentum=0.8, inplace=True, **options)
    np.save(output, np.asarray(embedding, dtype=np.float32))
    return {"seconds": clock.seconds, "neighbor_seconds": neighbors, "reported": float(embedding.kl_divergence)}


def neighbors(path: str, k: int) -> dict:
    x = np.load(path)
    clock = Clock()
    with clock.running():
        NearestNeighbors(n_neighbors=k, algorithm="brute", n_jobs=THREADS).fit(x).kneighbors()
    return {"seconds": clock.seconds}


def exact_neighbors(x: np.ndarray, k: int) -> tuple:
    """Indices and distances of the k nearest, chosen from k + 40 candidates of float32 in float64."""
    rows = torch.from_numpy(x - x.mean(0, dtype=np.float64).astype(np.float32))
    norms = (rows * rows).sum(1)
    exact = torch.from_numpy(x).double()
    indices, distances = [], []
    for first in range(0, len(rows), 1000):
        block = rows[first:first + 1000]
        near = torch.topk(norms - 2 * block @ rows.T, k + 41, dim=1, largest=False).indices
        squared = ((exact[first:first + 1000, None] - exact[near]) ** 2).sum(-1)
        squared[near == torch.arange(first, first + len(block))[:, None]] = torch.inf
        best = torch.topk(squared, k, dim=1, largest=False, sorted=True)
        indices.append(torch.gather(near, 1, best.indices))
        distances.append(best.values.sqrt())
    return torch.cat(indices).numpy(), torch.cat(distances).numpy()


def evaluate(path: str, embedded: str) -> dict:
    """KL(P || Q): P from exact neighbours by openTSNE, Q normalised over all pairs."""
    x, y = np.load(path), torch.from_numpy(np.load(embedded)).double()
    cache = path + ".affinities.npz"
    if not os.path.exists(cache):
        p = joint_probabilities_nn(*exact_neighbors(x, 3 * PERPLEXITY), [PERPLEXITY], n_jobs=THREADS).tocoo()
        np.savez(cache, row=p.row, col=p.col, data=p.data)
    with np.load(cache) as p:
        row, column, data = (torch.from_numpy(p[name]) for name in ("row", "col", "data"))
    total = 0.0
    for first in range(0, len(y), 1000):
        squared = torch.cdist(y[first:first + 1000], y, compute_mode="donot_use_mm_for_euclid_dist") ** 2
        total += float((1 / (1 + squared)).sum())
    total -= len(y)
    squared = ((y[row.long()] - y[column.long()]) ** 2).sum(1)
    keep = data > 0
    terms = data[keep] * (torch.log(data[keep]) + torch.log1p(squared[keep]) + np.log(total))
    return {"divergence": float(terms.sum())}


def main() -> None:
    torch.set_num_threads(THREADS)
    versions = {"openTSNE": openTSNE.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__,
                "torch": torch.__version__, "threads": THREADS}
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        what, *words = line.split()
        if what == "embed":
            answer = embed(words[0], words[1], int(words[2]), int(words[3]))
        elif what == "neighbors":
            answer = neighbors(words[0], int(words[1]))
        else:
            answer = evaluate(words[0], words[1])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
