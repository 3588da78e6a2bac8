"""Where the relevant documents stand: all that a rank measure needs of a ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verifier.documents.ranking import Qrels, Ranking

_CELLS = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """The groups of tied documents that hold relevant ones, in order of query and rank.

    query: (hits,), the query; above: documents ranked above the group; size: documents in it;
    relevant: relevant ones in it; before: relevant ones above it; totals: (queries,), relevant
    documents in all.  All int64.  An untied document is a group of size 1.
    """

    query: NDArray[np.int64]
    above: NDArray[np.int64]
    size: NDArray[np.int64]
    relevant: NDArray[np.int64]
    before: NDArray[np.int64]
    totals: NDArray[np.int64]


def find_hits(ranking: Ranking, qrels: Qrels) -> Hits:
    """Locate the relevant documents of every query; ValueError if a query has none judged."""
    totals = np.diff(qrels.starts)
    if ranking.queries != qrels.queries:
        raise ValueError(f"{ranking.queries} queries ranked, {qrels.queries} judged")
    if not bool(np.all(totals > 0)):
        raise ValueError(f"query {int(np.argmin(totals > 0))} has no relevant document")
    width = 1 + max(int(ranking.documents.max(initial=0)), int(qrels.documents.max(initial=0)))
    step = max(1, _CELLS // width)
    parts = [
        _block(ranking, qrels, first, min(first + step, ranking.queries), width)
        for first in range(0, ranking.queries, step)
    ]
    query, above, size, relevant = (
        np.concatenate([np.zeros(0, dtype=np.int64), *(p[k] for p in parts)]) for k in range(4)
    )
    return Hits(
        query=query,
        above=above,
        size=size,
        relevant=relevant,
        before=count_before(query, relevant),
        totals=totals.astype(np.int64),
    )


def count_before(query: NDArray[np.int64], relevant: NDArray[np.int64]) -> NDArray[np.int64]:
    """Running sum of `relevant` inside each query, the entry itself left out."""
    running = np.cumsum(relevant) - relevant
    if len(query) == 0:
        return running
    heads = np.flatnonzero(np.diff(query, prepend=query[0] - 1))
    return running - np.repeat(running[heads], np.diff(heads, append=len(query)))


def _block(
    ranking: Ranking, qrels: Qrels, first: int, last: int, width: int
) -> tuple[NDArray[np.int64], ...]:
    """Query, above, size and relevant of the hits among queries `first` to `last`."""
    begin, end = int(ranking.starts[first]), int(ranking.starts[last])
    judged = qrels.documents[qrels.starts[first] : qrels.starts[last]]
    marks = np.zeros((last - first, width), dtype=np.bool_)
    rows = np.arange(last - first)
    marks[np.repeat(rows, np.diff(qrels.starts[first : last + 1])), judged] = True
    entries = np.repeat(rows, np.diff(ranking.starts[first : last + 1]))
    at = np.flatnonzero(marks[entries, ranking.documents[begin:end]])
    heads = np.flatnonzero(~ranking.tied[begin:end])
    groups, relevant = np.unique(np.searchsorted(heads, at, side="right") - 1, return_counts=True)
    ends = np.append(heads[1:], end - begin)
    head = heads[groups]
    query = entries[head]
    above = head - (ranking.starts[first + query] - begin)
    return query + first, above, ends[groups] - head, relevant
