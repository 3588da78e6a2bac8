"""Estimates of contrasts with queries in clusters and seeds both random (METHOD part 2)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from verifier.stats.design import Design, Floats

_ROUNDING = 1e-12
_TWO = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An interval for a contrast, in the measure's own units; each side has its own level."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:  # false for NaN too
            raise ValueError(f"want low <= high, got [{self.low}, {self.high}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedBlock:
    """The seed part of one block of arms that share their seeds.

    variance: of the contrast, what the interval uses, at least `floor`; observed: before the
    floor; floor: what seed-by-query residuals alone give (e in METHOD); seeds: S, df = S - 1.
    """

    arms: tuple[str, ...]
    seeds: int
    observed: float
    floor: float

    @property
    def variance(self) -> float:
        """The block's part of the squared standard error."""
        return max(self.observed, self.floor)

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return self.seeds - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContrastEstimate:
    """One contrast: its value and every part of its interval.

    v_query: variance from queries, what seeds add to it included (v_query_from_seeds), with
    df_query degrees of freedom; blocks: the seed parts.  cluster_totals and cluster_weights: (G,),
    weighted sums of d_q and of weights; moving: (G,) bool, clusters with some d_q != 0.
    varies: False where v_query is nothing but rounding.
    """

    value: float
    v_query: float
    v_query_from_seeds: float
    df_query: float
    blocks: tuple[SeedBlock, ...]
    cluster_totals: Floats = field(repr=False)
    cluster_weights: Floats = field(repr=False)
    moving: NDArray[np.bool_] = field(repr=False)
    varies: bool

    def __post_init__(self) -> None:
        parts = (self.v_query, self.v_query_from_seeds, *(b.variance for b in self.blocks))
        if not (math.isfinite(self.value) and all(math.isfinite(p) and p >= 0 for p in parts)):
            raise ValueError("want a finite value and finite variances of at least 0")

    @property
    def clusters(self) -> int:
        """G, how many clusters of queries there are."""
        return len(self.cluster_totals)

    @property
    def seeds(self) -> int | None:
        """The fewest seeds of any block; None if no arm depends on a seed."""
        return min((b.seeds for b in self.blocks), default=None)

    @property
    def v_seeds(self) -> float:
        """Variance from seeds, all blocks together."""
        return sum(b.variance for b in self.blocks)

    def half_width(self, alpha: float) -> float:
        """One-sided half-width: squared half-widths of the query part and the blocks add."""
        if not 0 < alpha < 0.5:  # noqa: PLR2004 - one-sided
            raise ValueError(f"want 0 < alpha < 0.5, got {alpha}")
        squares = student(alpha, self.df_query) ** 2 * self.v_query
        squares += sum(student(alpha, b.df) ** 2 * b.variance for b in self.blocks)
        return math.sqrt(squares)

    def interval(self, alpha: float) -> Interval:
        """The interval whose lower and upper bound each have level `alpha`."""
        half = self.half_width(alpha)
        return Interval(low=self.value - half, high=self.value + half)


def student(alpha: float, df: float) -> float:
    """Upper `alpha` quantile of Student's t; infinite without degrees of freedom."""
    return -float(stdtrit(df, alpha)) if df > 0 else math.inf


def estimate_contrast(
    scores: Mapping[str, Floats],
    coefficients: Mapping[str, float],
    design: Design,
    *,
    paired: bool,
    blocks: Sequence[Collection[str]] = (),
    deterministic: Collection[str] = (),
) -> ContrastEstimate:
    """Estimate sum_i c_i mu_i over queries in clusters and seeds.

    scores: arm -> (S_i, Q) float64.  paired: one seed index is one block over all arms (nuisance
    draws); blocks: else, arms of one trained model; every other arm is a block of its own.
    deterministic: arms whose seeds cannot matter, whose seed part is 0.  ValueError for missing
    arms, scores that are not finite, S < 2 in a stochastic block, G < 2.
    """
    arms = {name: _checked(scores, name, design) for name in coefficients}
    if not arms or any(c == 0 or not math.isfinite(c) for c in coefficients.values()):
        raise ValueError("want at least one arm, and coefficients that are finite and not 0")
    d = sum((c * arms[a].mean(axis=0) for a, c in coefficients.items()), np.zeros(design.queries))
    parts = tuple(
        _seed_block(block, arms, coefficients, design)
        for block in partition(
            [a for a in coefficients if a not in deterministic], paired=paired, blocks=blocks
        )
    )
    v_query = design.spread(d)
    scale = max((abs(c) * float(np.abs(arms[a]).max()) for a, c in coefficients.items()))
    moving = np.bincount(design.clusters, weights=(np.abs(d) > _ROUNDING * scale)) > 0
    return ContrastEstimate(
        value=float(design.total(d)),
        v_query=v_query,
        v_query_from_seeds=sum(b.floor for b in parts),
        df_query=design.effective_groups - 1,
        blocks=parts,
        cluster_totals=design.cluster_sums(d),
        cluster_weights=design.cluster_sums(np.ones(design.queries)),
        moving=moving,
        varies=math.sqrt(v_query) > _ROUNDING * scale,
    )


def _checked(scores: Mapping[str, Floats], name: str, design: Design) -> Floats:
    if name not in scores:
        raise ValueError(f"no scores of arm {name!r}")
    values = np.asarray(scores[name], dtype=np.float64)
    if values.ndim != _TWO or values.shape[0] < 1 or values.shape[1] != design.queries:
        raise ValueError(f"want (seeds, {design.queries}) scores of {name!r}, got {values.shape}")
    if not bool(np.isfinite(values).all()):
        raise ValueError(f"a score of {name!r} is not finite")
    return values


def partition(
    arms: Sequence[str], *, paired: bool, blocks: Sequence[Collection[str]]
) -> list[tuple[str, ...]]:
    """The arms in blocks that share seeds; every arm in one block only."""
    if paired:
        return [tuple(arms)] if arms else []
    named = [tuple(a for a in arms if a in block) for block in blocks]
    inside = [a for block in named for a in block]
    if len(inside) != len(set(inside)):
        raise ValueError("an arm is in two blocks")
    return [b for b in named if b] + [(a,) for a in arms if a not in inside]


def _seed_block(
    block: tuple[str, ...],
    arms: Mapping[str, Floats],
    coefficients: Mapping[str, float],
    design: Design,
) -> SeedBlock:
    """Variance over seeds of the block's part of the contrast, and its floor."""
    seeds = len(arms[block[0]])
    if any(len(arms[a]) != seeds for a in block):
        raise ValueError(f"arms {', '.join(block)} share seeds but not their number")
    if seeds < _TWO:
        raise ValueError(f"want at least two seeds of {', '.join(block)}")
    values = sum((coefficients[a] * arms[a] for a in block), np.zeros((seeds, design.queries)))
    observed = float(np.var(design.total(values), ddof=1)) / seeds
    residuals = values - values.mean(axis=0)
    floor = design.spread(residuals) / (seeds * (seeds - 1))
    return SeedBlock(arms=block, seeds=seeds, observed=observed, floor=floor)
