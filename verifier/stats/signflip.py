"""The exact sign-flip test over clusters, for contrasts that few clusters carry."""

from __future__ import annotations

import numpy as np

from verifier.stats.design import Floats
from verifier.stats.estimate import ContrastEstimate

FEW = 20
_SLACK = 1e-12


def few_move(estimate: ContrastEstimate) -> bool:
    """Whether fewer than 20 clusters have any query with d_q != 0."""
    return int(estimate.moving.sum()) < FEW


def p_above(estimate: ContrastEstimate, bound: float) -> float:
    """P value of theta <= bound against theta > bound, by flipping the signs of clusters.

    Every cluster g counts u_g = t_g - bound * w_g (its weighted sum of d_q less its share of
    the bound) and the u_g are taken as symmetric about 0 at theta = bound.  All flips of the
    moving clusters are enumerated (at most 2^19).  The others have u_g = -bound * w_g; given a
    flip of the moving ones, the probability that their flips make up what is missing, x, is
    bounded by Hoeffding's exp(-x^2 / (2 sum u_g^2)), so the result is never below the exact p.
    ValueError where 20 or more clusters move.
    """
    return _p(estimate.cluster_totals - bound * estimate.cluster_weights, estimate)


def p_below(estimate: ContrastEstimate, bound: float) -> float:
    """P value of theta >= bound against theta < bound; see `p_above`."""
    return _p(bound * estimate.cluster_weights - estimate.cluster_totals, estimate)


def _p(shifted: Floats, estimate: ContrastEstimate) -> float:
    if not few_move(estimate):
        raise ValueError(f"{FEW} clusters or more move: the interval's own level holds")
    moving, still = shifted[estimate.moving], shifted[~estimate.moving]
    missing = float(shifted.sum()) - _signed_sums(moving)
    scale = float(np.abs(shifted).sum())
    if len(still) == 0:
        return float(np.mean(missing <= _SLACK * scale))
    spare = float(np.sum(still**2))
    short = np.maximum(missing - _SLACK * scale, 0.0)
    bounds = np.where(short > 0, 0.0, 1.0)
    if spare > 0:
        bounds = np.exp(-(short**2) / (2 * spare))
    return float(np.mean(bounds))


def _signed_sums(values: Floats) -> Floats:
    """All 2^n sums of `values` with signs."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums
