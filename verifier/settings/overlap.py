"""How much of a text occurs in others: exact Jaccard of character trigrams, by sparse products."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from verifier.documents.folding import fold

_ROWS = 512  # bounds the memory of one product


def trigrams(text: str) -> tuple[str, ...]:
    """Return the distinct character trigrams of a folded text with one blank on either side."""
    padded = f" {fold(text)} "
    grams = (padded[i : i + 3] for i in range(max(len(padded) - 2, 1)))
    return tuple(dict.fromkeys(grams))


def trigram_matrix(texts: Sequence[str], vocabulary: dict[str, int]) -> sparse.csr_array:
    """Return (texts, vocabulary) 0/1; `vocabulary` grows by the trigrams it did not know."""
    rows = [[vocabulary.setdefault(g, len(vocabulary)) for g in trigrams(t)] for t in texts]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    columns = np.fromiter((c for row in rows for c in row), dtype=np.int64, count=int(starts[-1]))
    ones = np.ones(len(columns), dtype=np.float64)
    return sparse.csr_array((ones, columns, starts), shape=(len(texts), len(vocabulary)))


def max_jaccard(texts: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Return the greatest trigram Jaccard of each text with any of the others, (texts,).

    0 where there are no others.  Numerators and denominators are exact integers, so the
    values are the same on every machine.
    """
    best = np.zeros(len(texts))
    if not others:
        return best
    vocabulary: dict[str, int] = {}
    right = trigram_matrix(others, vocabulary)
    left = trigram_matrix(texts, vocabulary)
    right.resize((len(others), len(vocabulary)))
    left_sizes, right_sizes = np.diff(left.indptr), np.diff(right.indptr)
    columns = right.T.tocsr()
    for start in range(0, len(texts), _ROWS):
        shared = (left[start : start + _ROWS] @ columns).tocsr()
        rows = np.repeat(np.arange(shared.shape[0]), np.diff(shared.indptr))
        union = left_sizes[start + rows] + right_sizes[shared.indices] - shared.data
        np.maximum.at(best, start + rows, shared.data / union)
    return best


def band(value: float, edges: Sequence[float]) -> str:
    """Name the band that a value falls into: `<.1`, `.1-.3`, ..., `>=.5` for these edges."""
    names = [f"{edge:g}".removeprefix("0") for edge in edges]
    place = sum(value >= edge for edge in edges)
    if place == 0:
        return f"<{names[0]}"
    return f">={names[-1]}" if place == len(edges) else f"{names[place - 1]}-{names[place]}"
