"""Crossed bootstrap over clusters and seeds: shown beside the interval, never deciding."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from verifier.stats.design import Design, Floats
from verifier.stats.draws import StableDraws
from verifier.stats.estimate import partition

_CELLS = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Percentile bounds at level alpha a side, and the standard deviation of the draws."""

    low: float
    high: float
    sd: float
    draws: int


def bootstrap_contrast(
    scores: Mapping[str, Floats],
    coefficients: Mapping[str, float],
    design: Design,
    *,
    paired: bool,
    alpha: float,
    draws: int,
    rng: StableDraws,
    blocks: Sequence[Collection[str]] = (),
    deterministic: Collection[str] = (),
) -> Bootstrap:
    """Draw clusters and, in every block, seeds with replacement; both at once.

    Languages are fixed strata: a cluster that is drawn n times counts its deviations from its
    languages' means n times.  The same draws give the same result.
    """
    if draws < 1 or not 0 < alpha < 0.5:  # noqa: PLR2004 - one-sided
        raise ValueError(f"want draws >= 1 and 0 < alpha < 0.5, got {draws} and {alpha}")
    stochastic = [a for a in coefficients if a not in deterministic]
    shared = partition(stochastic, paired=paired, blocks=blocks)
    still = [(a,) for a in coefficients if a in deterministic]
    values = [_block(scores, coefficients, block) for block in [*shared, *still]]
    values[len(shared) :] = [v.mean(axis=0, keepdims=True) for v in values[len(shared) :]]
    means = [design.total(v) for v in values]
    sums = [design.cluster_sums(design.centred(v)) for v in values]
    drawn = np.concatenate(
        [
            sum(
                _draw_seeds(mean, counts @ part.T, rng)
                for mean, part in zip(means, sums, strict=True)
            )
            for counts in _cluster_counts(design.groups, draws, rng)
        ]
    )
    low, high = np.quantile(drawn, [alpha, 1 - alpha])
    return Bootstrap(low=float(low), high=float(high), sd=float(np.std(drawn)), draws=draws)


def _block(
    scores: Mapping[str, Floats], coefficients: Mapping[str, float], block: Sequence[str]
) -> Floats:
    first, *rest = (coefficients[a] * np.asarray(scores[a], dtype=np.float64) for a in block)
    return np.asarray(sum(rest, first))


def _cluster_counts(groups: int, draws: int, rng: StableDraws) -> Iterator[Floats]:
    """How often each cluster is drawn, in blocks of (some draws, G)."""
    step = max(1, _CELLS // groups)

    for first in range(0, draws, step):
        some = min(step, draws - first)
        chosen = rng.integers(groups, (some, groups))
        cells = (chosen + (np.arange(some) * groups)[:, None]).ravel()
        table = np.bincount(cells, minlength=some * groups).reshape(some, groups)
        yield table.astype(np.float64)


def _draw_seeds(mean: Floats, deviations: Floats, rng: StableDraws) -> Floats:
    """Means over seeds drawn with replacement of mean[s] + deviations[draw, s], one a draw."""
    draws, seeds = deviations.shape
    chosen = rng.integers(seeds, (draws, seeds))
    values: Floats = mean[chosen] + np.take_along_axis(deviations, chosen, axis=1)
    return np.asarray(values.mean(axis=1))
