"""Scores of a ranking by a measure, for the worst, expected and best order of its ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verifier.documents.measures import NAMES, NEED_CUTOFF, Measure
from verifier.documents.ranking import Qrels, Ranking
from verifier.errors import UsageError
from verifier.scoring.hits import Hits, find_hits
from verifier.scoring.ties import expect_first, expect_none, sum_to


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """One measure of every query, over the orders of ties; each (queries,) float64.

    worst <= expected <= best; all three equal where no tie holds a relevant document.
    """

    worst: NDArray[np.float64]
    expected: NDArray[np.float64]
    best: NDArray[np.float64]


def score(ranking: Ranking, qrels: Qrels, measure: Measure) -> Scores:
    """Score every judged query; one without results scores 0.

    Definitions are those of ir_measures with binary relevance.  The expectation is over
    uniformly random orders inside every group of ties (McSherry and Najork 2008).  ValueError
    where ranking and judgements do not fit; UsageError for a measure that is not a rank measure.
    """
    hits = find_hits(ranking, qrels)
    worst = place_hits(hits, measure, hits.size - hits.relevant)
    best = place_hits(hits, measure, np.zeros_like(hits.size))
    expected = expect_hits(hits, measure)
    # Rounding alone could put an expectation a last bit outside.
    return Scores(worst=worst, expected=np.clip(expected, worst, best), best=best)


def tied_mass(ranking: Ranking) -> float | None:
    """Share of ranked documents that tie with another one; None for a ranking of nothing."""
    if len(ranking.documents) == 0:
        return None
    follows = np.append(ranking.tied[1:], np.False_)
    return float(np.mean(ranking.tied | follows))


def place_hits(hits: Hits, measure: Measure, offset: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores when in every group the relevant documents stand together after `offset` others."""
    cut = _cutoff(hits, measure)
    first = hits.above + offset
    inside = np.clip(cut - first, 0, hits.relevant)
    match measure.name:
        case "RR":
            at_head = (hits.before == 0) & (inside > 0)
            gains = np.where(at_head, 1.0 / (first + 1), 0.0)
        case "AP":
            gains = inside + (hits.before - first) * sum_to("1/i", first, first + inside)
            alone = hits.relevant == 1
            gains[alone] = (inside * (hits.before + 1) / (first + 1))[alone]
        case "nDCG":
            gains = sum_to("1/log2(i+1)", first, first + inside)
        case _:
            gains = inside.astype(np.float64)
    summed = _sum(hits, gains)
    return np.minimum(summed, 1.0) if measure.name == "Success" else _scaled(hits, measure, summed)


def expect_hits(hits: Hits, measure: Measure) -> NDArray[np.float64]:
    """Expected scores over random orders inside every group."""
    cut = _cutoff(hits, measure)
    inside = np.clip(cut - hits.above, 0, hits.size)
    share = hits.relevant / hits.size
    match measure.name:
        case "RR":
            gains = np.zeros(len(hits.query))
            head = np.flatnonzero((hits.before == 0) & (inside > 0))
            gains[head] = expect_first(
                hits.above[head], hits.size[head], hits.relevant[head], inside[head]
            )
        case "Success":
            none = np.ones(len(hits.totals))
            np.minimum.at(none, hits.query, expect_none(hits.size, hits.relevant, inside))
            return 1.0 - none
        case "AP":
            harmonic = sum_to("1/i", hits.above, hits.above + inside)
            others = (hits.relevant - 1) / np.maximum(hits.size - 1, 1)
            gains = share * (
                (hits.before + 1) * harmonic + others * (inside - (hits.above + 1) * harmonic)
            )
        case "nDCG":
            gains = share * sum_to("1/log2(i+1)", hits.above, hits.above + inside)
        case _:
            gains = share * inside
    return _scaled(hits, measure, _sum(hits, gains))


def _cutoff(hits: Hits, measure: Measure) -> int:
    """The last rank that counts; without a cutoff one that no document is beyond."""
    if measure.name not in NAMES or (measure.cutoff is None and measure.name in NEED_CUTOFF):
        raise UsageError(
            f"{measure} cannot be computed from rankings",
            where="measure",
            hint=f"use one of {', '.join(NAMES)}, with a cutoff: P@10",
        )
    if measure.cutoff is not None:
        return int(measure.cutoff)
    return int((hits.above + hits.size).max(initial=0)) + int(hits.totals.max(initial=1))


def _sum(hits: Hits, gains: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.bincount(hits.query, weights=gains, minlength=len(hits.totals))
    return sums.astype(np.float64, copy=False)


def _scaled(hits: Hits, measure: Measure, summed: NDArray[np.float64]) -> NDArray[np.float64]:
    match measure.name:
        case "P":
            return summed / float(_cutoff(hits, measure))
        case "R" | "AP":
            return summed / hits.totals
        case "nDCG":
            most = np.minimum(hits.totals, _cutoff(hits, measure))
            return summed / sum_to("1/log2(i+1)", np.zeros_like(most), most)
        case _:
            return summed
