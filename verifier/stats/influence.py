"""Other ways to look at a contrast: what carries it, and how often it goes which way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from verifier.stats.design import Design, Floats, Ints

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The language or cluster without which the estimate moves most, and where it moves to."""

    code: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many queries the contrast is above, at and below zero on, seeds averaged."""

    wins: int
    ties: int
    losses: int


def contrast_by_query(scores: Mapping[str, Floats], coefficients: Mapping[str, float]) -> Floats:
    """d_q: the contrast of every query, seeds averaged; (Q,) float64."""
    first, *rest = (c * np.asarray(scores[a]).mean(axis=0) for a, c in coefficients.items())
    return np.asarray(sum(rest, first))


def leave_out_language(d: Floats, design: Design) -> LeftOut | None:
    """The most influential language; None if there is only one."""
    return _most(d, design, design.languages)


def leave_out_cluster(d: Floats, design: Design) -> LeftOut | None:
    """The most influential cluster; None if there is only one."""
    return _most(d, design, design.clusters)


def tally(d: Floats) -> Tally:
    """Wins, ties and losses over queries; differences of rounding are ties."""
    small = _ROUNDING * max(1.0, float(np.abs(d).max()))
    wins, losses = int(np.sum(d > small)), int(np.sum(d < -small))
    return Tally(wins=wins, ties=len(d) - wins - losses, losses=losses)


def probability_above(a: Floats, b: Floats, design: Design) -> float:
    """P(A > B): how often one seed of arm `a` scores above one of arm `b`, ties half.

    a: (S_a, Q), b: (S_b, Q); over all pairs of seeds (Bouthillier et al. 2021).
    """
    gaps = design.total(a)[:, None] - design.total(b)[None, :]
    small = _ROUNDING * max(1.0, float(np.abs(gaps).max()))
    return float(np.mean(gaps > small) + 0.5 * np.mean(np.abs(gaps) <= small))


def _most(d: Floats, design: Design, codes: Ints) -> LeftOut | None:
    """Leave out each code in turn, weighting the rest as the design does."""
    size, strata = int(codes.max()) + 1, design.strata
    if size < 2:  # noqa: PLR2004 - something must be left
        return None
    cells = codes * strata + design.languages
    totals = np.bincount(cells, weights=d, minlength=size * strata).reshape(size, strata)
    counts = np.bincount(cells, minlength=size * strata).reshape(size, strata)
    kept_totals, kept = totals.sum(axis=0) - totals, counts.sum(axis=0) - counts
    if design.by_language:
        means = np.divide(kept_totals, kept, out=np.zeros_like(totals), where=kept > 0)
        values = means.sum(axis=1) / (kept > 0).sum(axis=1)
    else:
        values = kept_totals.sum(axis=1) / kept.sum(axis=1)
    moved = np.round(np.abs(values - float(design.total(d))), 12)  # equal ones: the first
    code = int(np.argmax(moved))
    return LeftOut(code=code, value=float(values[code]))
