"""A second scorer: pytrec_eval, by way of ir_measures, must find what our own scorer found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
from numpy.typing import NDArray

from verifier.documents.measures import Measure
from verifier.documents.ranking import Qrels, Ranking
from verifier.scoring.measures import Scores
from verifier.scoring.rows import entries_of, in_blocks

AGREEMENT = 1e-9
_BEYOND_CUT = 10  # documents fed below the cutoff, so that the second scorer cuts by itself
_BLOCK = 1_000_000  # documents fed at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """One query whose score the second scorer does not find; order: "worst" or "best"."""

    query: int
    order: str
    ours: float
    theirs: float


def check_second(
    ranking: Ranking,
    qrels: Qrels,
    measure: Measure,
    scores: Scores,
    *,
    sample: Sequence[int] | None = None,
) -> tuple[Disagreement, ...]:
    """Compare `scores` with pytrec_eval's, query by query; all agree within 1e-9 or are listed.

    It is fed strictly decreasing whole scores (exact in its float32) in the worst and the best
    order of ties.  Judged queries without results, which it drops, must score 0 with us.
    `sample`: queries to check; None means all.
    """
    chosen = np.arange(ranking.queries) if sample is None else np.unique(np.asarray(sample))
    if len(chosen) == 0:
        raise ValueError("want at least one query to check")
    found: list[Disagreement] = []
    for part in in_blocks(ranking.starts, chosen, values=_BLOCK):
        found.extend(_check(ranking, qrels, measure, scores, part))
    return tuple(found)


def _check(
    ranking: Ranking, qrels: Qrels, measure: Measure, scores: Scores, part: NDArray[np.int64]
) -> Iterable[Disagreement]:
    entries, query = entries_of(ranking.starts, part)
    documents = ranking.documents[entries]
    wanted, judged = entries_of(qrels.starts, part)
    width = 1 + int(max(documents.max(initial=0), qrels.documents.max(initial=0)))
    relevant = np.isin(query * width + documents, judged * width + qrels.documents[wanted])
    group = np.cumsum(~ranking.tied[entries])
    truth = _truth(qrels, part)
    best = np.lexsort((~relevant, group))
    worst = np.lexsort((relevant, group))
    sizes = np.diff(ranking.starts)[part]
    theirs = _evaluate(truth, documents[best], sizes, measure)
    same = bool(np.array_equal(relevant[best], relevant[worst]))
    yield from _compare("best", scores.best[part], theirs, part)
    if not same:
        theirs = _evaluate(truth, documents[worst], sizes, measure)
    yield from _compare("worst", scores.worst[part], theirs, part)


def _truth(qrels: Qrels, part: NDArray[np.int64]) -> dict[str, dict[str, int]]:
    return {
        str(k): {str(d): 1 for d in qrels.documents[qrels.starts[q] : qrels.starts[q + 1]].tolist()}
        for k, q in enumerate(part.tolist())
    }


def _evaluate(
    truth: dict[str, dict[str, int]],
    documents: NDArray[np.int32],
    sizes: NDArray[np.int64],
    measure: Measure,
) -> NDArray[np.float64]:
    """Their score of every query, 0 where the query has no results."""
    name, most = str(measure), None
    if measure.cutoff is not None:
        most = measure.cutoff + _BEYOND_CUT
        if measure.name == "RR":  # pytrec_eval has no RR@k: RR of the first k is the same
            name, most = "RR", measure.cutoff
    names = [str(d) for d in documents.tolist()]
    values = [float(v) for v in range(int(sizes.max(initial=0)), 0, -1)]
    run, first = {}, 0
    for k, size in enumerate(sizes.tolist()):
        last = first + (size if most is None else min(size, most))
        if size:
            run[str(k)] = dict(zip(names[first:last], values, strict=False))
        first += size
    theirs = np.zeros(len(sizes))
    evaluator = ir_measures.pytrec_eval.evaluator([ir_measures.parse_measure(name)], truth)
    for metric in evaluator.iter_calc(run) if run else ():
        theirs[int(metric.query_id)] = metric.value
    return theirs


def _compare(
    order: str, ours: NDArray[np.float64], theirs: NDArray[np.float64], part: NDArray[np.int64]
) -> Iterable[Disagreement]:
    for k in np.flatnonzero(~(np.abs(ours - theirs) <= AGREEMENT)).tolist():
        yield Disagreement(
            query=int(part[k]), order=order, ours=float(ours[k]), theirs=float(theirs[k])
        )
