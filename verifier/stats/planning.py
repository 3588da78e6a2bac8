"""What more seeds or clusters would buy; the only place where variances are debiased."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import ndtri

from verifier.stats.estimate import ContrastEstimate, student

POWER = 0.8


def planned_half_width(
    estimate: ContrastEstimate, alpha: float, *, seeds: int, clusters: int | None = None
) -> float:
    """Half-width to expect with `seeds` seeds an arm and `clusters` clusters of the same kind.

    H(S')^2 = t(df)^2 (V_q - V_e + V_e S/S') + t(S'-1)^2 sum_b V_b S_b/S', the first part times
    G/G', df + 1 times G'/G.  For planning only: subtracting V_e is right on average, not surely.
    """
    count = estimate.clusters if clusters is None else clusters
    first, second = _parts(estimate, seeds, count)
    if seeds < 2 and second > 0:  # noqa: PLR2004 - one seed has no variance
        return math.inf
    df = (estimate.df_query + 1) * count / estimate.clusters - 1
    square = student(alpha, df) ** 2 * first
    if second > 0:
        square += student(alpha, seeds - 1) ** 2 * second
    return math.sqrt(square)


def detectable_effect(
    estimate: ContrastEstimate, alpha: float, *, seeds: int, margin: float, power: float = POWER
) -> float:
    """The true effect that would be supported with probability about `power`, margin included."""
    error = math.sqrt(sum(_parts(estimate, seeds, estimate.clusters)))
    half = planned_half_width(estimate, alpha, seeds=seeds)
    return margin + half + float(ndtri(power)) * error


def seeds_needed(
    estimate: ContrastEstimate, alpha: float, *, margin: float, most: int = 1000
) -> int | None:
    """The fewest seeds an arm that would decide at the present estimate; None: not even `most`."""
    gap = abs(estimate.value - margin)
    return _least(2, most, lambda n: planned_half_width(estimate, alpha, seeds=n) < gap)


def clusters_needed(
    estimate: ContrastEstimate, alpha: float, *, margin: float, seeds: int, most: int = 1_000_000
) -> int | None:
    """The fewest clusters that would decide with `seeds` seeds; None: not even `most`."""
    gap = abs(estimate.value - margin)
    return _least(
        2, most, lambda n: planned_half_width(estimate, alpha, seeds=seeds, clusters=n) < gap
    )


def _parts(estimate: ContrastEstimate, seeds: int, clusters: int) -> tuple[float, float]:
    """Expected variances from queries and from seeds."""
    if not estimate.blocks:
        return estimate.v_query * estimate.clusters / clusters, 0.0
    lasting = max(0.0, estimate.v_query - estimate.v_query_from_seeds)
    passing = sum(b.floor * b.seeds for b in estimate.blocks) / seeds
    first = (lasting + passing) * estimate.clusters / clusters
    return first, sum(b.variance * b.seeds for b in estimate.blocks) / seeds


def _least(low: int, high: int, enough: Callable[[int], bool]) -> int | None:
    """The least n in low..high with enough(n), which once true stays true; or None."""
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
