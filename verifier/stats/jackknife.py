"""A second, independent road to the half-width: leave out one cluster, leave out one seed.

Nothing is shared with `estimate` but the definition of the contrast and Student's t.  Variances
come from values recomputed without a cluster or a seed, not from sums of squared residuals.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from verifier.stats.design import Design, Floats
from verifier.stats.estimate import student

AGREEMENT = 0.02


def jackknife_half_width(
    scores: Mapping[str, Floats],
    coefficients: Mapping[str, float],
    design: Design,
    *,
    alpha: float,
    paired: bool,
    blocks: Sequence[Collection[str]] = (),
    deterministic: Collection[str] = (),
) -> float:
    """Half-width of `estimate_contrast(...).half_width(alpha)` by leaving out.

    Arguments as there.  Must agree within AGREEMENT, relatively.
    """
    shares = np.zeros(design.groups)
    np.add.at(shares, design.clusters, design.weights)
    effective = 1 / float(shares @ shares)
    queries = sum(c * np.mean(scores[a], axis=0) for a, c in coefficients.items())
    spread = (design.groups - 1) / design.groups * np.sum(leave_out_clusters(queries, design) ** 2)
    square = student(alpha, effective - 1) ** 2 * float(spread)
    stochastic = {a: c for a, c in coefficients.items() if a not in deterministic}
    shared = [list(stochastic)] if paired else [[a for a in stochastic if a in b] for b in blocks]
    alone = [[a] for a in stochastic if not any(a in block for block in shared)]
    for block in [b for b in shared if b] + alone:
        values = np.sum([stochastic[a] * np.asarray(scores[a]) for a in block], axis=0)
        square += student(alpha, len(values) - 1) ** 2 * leave_out_seeds(values, design)
    return math.sqrt(square)


def leave_out_clusters(values: Floats, design: Design) -> Floats:
    """How much the weighted mean of `values`, (Q,), changes without each cluster: (G,).

    Each language's mean is recomputed without the cluster.  A language that goes altogether
    changes nothing: with one cluster it has no spread to show.
    """
    groups, strata = design.groups, design.strata
    cells = design.languages * groups + design.clusters
    totals = np.bincount(cells, weights=values, minlength=strata * groups).reshape(strata, groups)
    counts = np.bincount(cells, minlength=strata * groups).reshape(strata, groups)
    share = np.bincount(design.languages, weights=design.weights)
    whole, size = totals.sum(axis=1, keepdims=True), counts.sum(axis=1, keepdims=True)
    left = size - counts
    without = np.divide(whole - totals, left, out=np.zeros_like(totals), where=left > 0)
    return np.asarray(share @ np.where(left > 0, whole / size - without, 0.0), dtype=np.float64)


def leave_out_seeds(values: Floats, design: Design) -> float:
    """Variance over seeds of the mean of `values`, (S, Q), by leaving out one seed at a time.

    The larger of two: that of the weighted mean, and the sum over clusters of those of the
    changes that leaving out the cluster makes in each seed, times (G-1)/G.
    """
    means = (values @ design.weights)[:, None]
    changes = np.stack([leave_out_clusters(row, design) for row in values])
    floor = float(np.sum(_leave_one_out(changes))) * (design.groups - 1) / design.groups
    return max(float(_leave_one_out(means)[0]), floor)


def _leave_one_out(rows: Floats) -> Floats:
    """Jackknife variance of the mean over rows, for each column."""
    count = len(rows)
    without = (rows.sum(axis=0) - rows) / (count - 1)
    away: Floats = without - without.mean(axis=0)
    return np.asarray((count - 1) / count * np.sum(away**2, axis=0))
