"""Rank documents for queries by inner product, so that ties and depth are the judge's own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from verifier.documents.ranking import Ranking
from verifier.errors import OutputError

_CELLS = 4 << 20  # scores held at once: 32 MiB as float64, 16 MiB as float32
_COLUMN_FLOATS = 4 << 20  # document coordinates converted to float64 at once
_FLOAT32_MAX = float(np.finfo(np.float32).max)


def read_vectors(data: bytes, *, rows: int, columns: int, where: str) -> NDArray[np.float32]:
    """Read little-endian float32 vectors, row after row.

    Returns (rows, columns) float32.  OutputError for a wrong size, NaN or infinity, naming the
    first bad row (from 0).
    """
    want = 4 * rows * columns
    if rows < 1 or columns < 1 or len(data) != want:
        raise OutputError(
            f"{len(data)} bytes, want {want} ({rows} rows of {columns} float32)",
            where=where,
            hint="write one little-endian float32 vector per line of the input, in its order",
            rule="vectors.size",
        )
    vectors = np.frombuffer(data, dtype="<f4").astype(np.float32).reshape(rows, columns)
    finite = np.isfinite(vectors)
    if not bool(finite.all()):
        row = int(np.argmin(finite.all(axis=1)))
        nan = bool(np.isnan(vectors[row]).any())
        raise OutputError(
            f"row {row} holds {'NaN' if nan else 'an infinite number'}",
            where=where,
            hint="look for a division by zero or a learning rate that diverged",
            rule="vectors.nan" if nan else "vectors.infinite",
        )
    return vectors


def rank_vectors(
    queries: NDArray[np.float32], documents: NDArray[np.float32], *, depth: int, where: str
) -> Ranking:
    """Rank by inner product: the `depth` best documents and all tied with the last of them.

    queries: (Q, d) float32; documents: (D, d) float32.  Products are summed in float64 and
    rounded to float32; documents tie when these rounded scores are equal.  So nearly equal
    scores (closer than one part in 10^7) tie, whatever the linear-algebra library's order of
    summation; identical vectors always tie, because each is multiplied once.  OutputError for
    a score beyond float32.
    """
    if queries.shape[1:] != documents.shape[1:] or len(queries.shape[1:]) != 1:
        raise ValueError("want queries (Q, d) and documents (D, d)")
    if depth < 1 or len(documents) < 1:
        raise ValueError("want a depth and at least one document")
    distinct, place = _distinct_rows(documents)
    lengths, ranked, tied = [np.zeros(1, dtype=np.int64)], [], []
    block = max(1, _CELLS // len(documents))
    for first in range(0, len(queries), block):
        scores = _products(queries[first : first + block], distinct, first=first, where=where)
        full = scores if len(distinct) == len(documents) else scores[:, place]
        part = _rank_all(full) if depth >= len(documents) else _rank_best(full, depth)
        lengths.append(part[0])
        ranked.append(part[1])
        tied.append(part[2])
    return Ranking(
        starts=np.cumsum(np.concatenate(lengths)),
        documents=np.concatenate([*ranked, np.zeros(0, dtype=np.int32)]),
        tied=np.concatenate([*tied, np.zeros(0, dtype=np.bool_)]),
    )


def _distinct_rows(
    vectors: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Rows without repetition, and for every row its place among them (-0.0 equals 0.0)."""
    plain = np.ascontiguousarray(vectors + np.float32(0.0))
    if plain.shape[1] == 0:
        raise ValueError("want vectors of at least one dimension")
    whole = plain.view(np.dtype((np.void, plain.dtype.itemsize * plain.shape[1]))).ravel()
    places: dict[bytes, int] = {}
    place = np.fromiter(
        (places.setdefault(row.tobytes(), len(places)) for row in whole),
        dtype=np.int64,
        count=len(whole),
    )
    if len(places) == len(plain):
        return plain, place
    _, firsts = np.unique(place, return_index=True)
    return plain[firsts], place


def _column_blocks(documents: NDArray[np.float32]) -> Iterator[slice]:
    step = max(1, _COLUMN_FLOATS // documents.shape[1])
    for first in range(0, len(documents), step):
        yield slice(first, first + step)


def _products(
    queries: NDArray[np.float32], documents: NDArray[np.float32], *, first: int, where: str
) -> NDArray[np.float32]:
    """Inner products, (queries, documents) float32, rounded once from float64."""
    wide = queries.astype(np.float64)
    scores = np.empty((len(queries), len(documents)), dtype=np.float32)
    for part in _column_blocks(documents):
        product = wide @ documents[part].astype(np.float64).T
        beyond = np.abs(product).max(axis=1) > _FLOAT32_MAX
        if bool(beyond.any()):
            raise OutputError(
                f"the score of query row {first + int(np.argmax(beyond))} is beyond float32",
                where=where,
                hint="normalise the vectors",
                rule="vectors.overflow",
            )
        scores[:, part] = product
    return scores


_Part = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]


def _rank_all(scores: NDArray[np.float32]) -> _Part:
    """Lengths, documents and ties when every document is ranked."""
    np.negative(scores, out=scores)
    order = np.argsort(scores, axis=1, kind="stable").astype(np.int32)
    values = np.take_along_axis(scores, order, axis=1)
    tied = np.zeros(values.shape, dtype=np.bool_)
    tied[:, 1:] = values[:, 1:] == values[:, :-1]
    lengths = np.full(len(scores), scores.shape[1], dtype=np.int64)
    return lengths, order.ravel(), tied.ravel()


def _rank_best(scores: NDArray[np.float32], depth: int) -> _Part:
    """Lengths, documents and ties of the best `depth` and of all tied with the last."""
    last = np.partition(scores, scores.shape[1] - depth, axis=1)[:, scores.shape[1] - depth]
    flat = np.flatnonzero(scores >= last[:, None])
    rows, columns = np.divmod(flat, scores.shape[1])
    values = scores.ravel()[flat]
    order = np.lexsort((columns, -values, rows))
    rows, values = rows[order], values[order]
    tied = np.zeros(len(order), dtype=np.bool_)
    tied[1:] = (rows[1:] == rows[:-1]) & (values[1:] == values[:-1])
    lengths = np.bincount(rows, minlength=len(scores)).astype(np.int64)
    return lengths, columns[order].astype(np.int32), tied
