"""What a run would score by chance: the judgements dealt out at random within each language."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from verifier.documents.measures import Measure
from verifier.documents.ranking import Qrels, Ranking
from verifier.scoring.hits import Hits, count_before
from verifier.scoring.measures import expect_hits
from verifier.scoring.rows import entries_of, in_blocks

_Ints = NDArray[np.int64]
_BLOCK = 1 << 20


def score_chance(
    ranking: Ranking, qrels: Qrels, measure: Measure, languages: NDArray[np.integer]
) -> NDArray[np.float64]:
    """The exact mean of a measure when judgements are permuted among queries of one language.

    languages: (queries,) codes 0..L-1.  Returns (L,) float64; ties count by their expectation;
    NaN-free: a language code without queries is refused (ValueError).  Over all permutations
    every (query, judgements) pair of a language is equally frequent, so the mean over the
    n * n pairs is the limit of the mean over random permutations.
    """
    if not ranking.queries == qrels.queries == len(languages):
        raise ValueError("want one language for every ranked and judged query")
    counts = np.bincount(languages)
    if len(counts) == 0 or int(counts.min()) == 0:
        raise ValueError("want language codes 0..L-1, each with a query")
    sets, sizes = _sets(qrels)
    means = np.empty(len(counts))
    for language, count in enumerate(counts):
        members = np.flatnonzero(languages == language)
        dealt, times = np.unique(sets[members], return_counts=True)
        documents, owner = _documents(qrels, sets, dealt)
        total = 0.0
        for part in in_blocks(ranking.starts, members, values=_BLOCK):
            hits, own = _pairs(ranking, part, documents, owner, sizes[dealt])
            total += float(expect_hits(hits, measure) @ times[own])
        means[language] = total / count**2
    return means


def _sets(qrels: Qrels) -> tuple[_Ints, _Ints]:
    """For every query the number of its set of relevant documents; the size of every set."""
    seen: dict[bytes, int] = {}
    sets = np.empty(qrels.queries, dtype=np.int64)
    sizes: list[int] = []
    for query in range(qrels.queries):
        documents = qrels.documents[qrels.starts[query] : qrels.starts[query + 1]]
        sets[query] = seen.setdefault(documents.tobytes(), len(seen))
        if len(sizes) < len(seen):
            sizes.append(len(documents))
    return sets, np.asarray(sizes, dtype=np.int64)


def _documents(qrels: Qrels, sets: _Ints, dealt: _Ints) -> tuple[_Ints, _Ints]:
    """All (document, place in `dealt`) pairs of the sets `dealt`, by document."""
    _, holder = np.unique(sets, return_index=True)
    places, owner = entries_of(qrels.starts, holder[dealt])
    documents = qrels.documents[places].astype(np.int64)
    order = np.argsort(documents, kind="stable")
    return documents[order], owner[order]


def _pairs(
    ranking: Ranking, part: _Ints, documents: _Ints, owner: _Ints, sizes: _Ints
) -> tuple[Hits, _Ints]:
    """Hits of every query of `part` against every set that it meets at all.

    A (query, set) pair stands as one query in the hits; returned beside them: its set.
    """
    entries, query = entries_of(ranking.starts, part)
    ranked = ranking.documents[entries]
    heads = np.flatnonzero(~ranking.tied[entries])
    group = np.cumsum(~ranking.tied[entries]) - 1
    first = np.searchsorted(documents, ranked, side="left")
    last = np.searchsorted(documents, ranked, side="right")
    entry = np.repeat(np.arange(len(entries)), last - first)
    inside = np.arange(len(entry)) - np.repeat(
        np.cumsum(last - first) - (last - first), last - first
    )
    dealt = owner[first[entry] + inside]
    keys = (query[entry] * len(sizes) + dealt) * max(1, len(heads)) + group[entry]
    keys, relevant = np.unique(keys, return_counts=True)
    pairs, groups = np.divmod(keys, max(1, len(heads)))
    met, pair = np.unique(pairs, return_inverse=True)
    top = np.cumsum(np.bincount(query, minlength=len(part))) - np.bincount(
        query, minlength=len(part)
    )
    own = met % len(sizes)
    hits = Hits(
        query=pair,
        above=heads[groups] - top[query[heads[groups]]],
        size=np.append(heads[1:], len(entries))[groups] - heads[groups],
        relevant=relevant,
        before=count_before(pair, relevant),
        totals=sizes[own],
    )
    return hits, own
