#!/usr/bin/env python3
"""Goldens of the statistics of comparisons by SciPy, statsmodels and NumPy: Tests/Goldens/statistics.json.

    versions     of scipy, statsmodels and numpy
    mcnemar      tables of discordant images with p-values: the exact one by scipy.stats.binomtest, the corrected one by
                 statsmodels (whose statistic for equal counts is 1 / n, where ours is 0; such a table is left out)
    bootstrap    scores of three methods on the same images; for each pair the 95 % percentile interval of the paired
                 difference by scipy.stats.bootstrap with many resamples, and the standard error of the difference
    quantiles    of sorted numbers, by numpy
    samples      numbers with their mean and standard deviation (ddof 1)
"""

import json
from pathlib import Path

import numpy
import scipy
import statsmodels
from scipy.stats import binomtest, bootstrap
from statsmodels.stats.contingency_tables import mcnemar

rng = numpy.random.default_rng(0)

tables = [(0, 0), (1, 0), (3, 3), (2, 9), (12, 12), (0, 24), (10, 15), (30, 20), (7, 60), (150, 121), (400, 100)]
mcnemar_cases = []
for b, c in tables:
    exact = binomtest(min(b, c), b + c, 0.5).pvalue if b + c else 1.0
    case = {"only_first": b, "only_second": c, "exact": exact}
    if b != c:
        case["corrected"] = float(mcnemar([[0, b], [c, 0]], exact=False, correction=True).pvalue)
    mcnemar_cases.append(case)

images, seeds = 160, 3
hardness = rng.random(images)
scores = [
    (rng.random((seeds, images)) < 0.35 + 0.6 * quality * (1 - hardness)).mean(0).tolist()
    for quality in (0.4, 0.6, 0.9)
]
intervals = []
for i in range(3):
    for j in range(i + 1, 3):
        difference = numpy.array(scores[i]) - numpy.array(scores[j])
        result = bootstrap((difference,), numpy.mean, n_resamples=200_000, batch=10_000, method="percentile", rng=rng)
        intervals.append(
            {
                "first": i,
                "second": j,
                "low": float(result.confidence_interval.low),
                "high": float(result.confidence_interval.high),
                "standard_error": float(result.standard_error),
            })

numbers = numpy.sort(rng.normal(size=37))
parts = [0, 0.025, 0.1, 0.5, 0.777, 0.975, 1]
samples = [[91.6, 90.5, 90.7], [55.25, 54.75], [1.0, 1.0, 1.0, 2.0]]

golden = {
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": numpy.__version__},
    "seed": 0,
    "mcnemar": mcnemar_cases,
    "bootstrap": {"scores": scores, "intervals": intervals},
    "quantiles": {
        "numbers": numbers.tolist(),
        "parts": parts,
        "values": [float(numpy.quantile(numbers, part)) for part in parts],
    },
    "samples": [
        {"numbers": s, "mean": float(numpy.mean(s)), "deviation": float(numpy.std(s, ddof=1))} for s in samples
    ],
}
path = Path(__file__).resolve().parents[2] / "Tests/Goldens/statistics.json"
path.write_text(json.dumps(golden, indent=1) + "\n")
