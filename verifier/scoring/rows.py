"""Rows of different lengths kept one after another: row i is values[starts[i]:starts[i + 1]]."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def entries_of(
    starts: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of all values of `rows`, and for each value its row's place in `rows`."""
    lengths = starts[rows + 1] - starts[rows]
    row = np.repeat(np.arange(len(rows)), lengths)
    inside = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return starts[rows][row] + inside, row


def in_blocks(
    starts: NDArray[np.int64], rows: NDArray[np.int64], *, values: int
) -> Iterator[NDArray[np.int64]]:
    """Cut `rows` into parts of about `values` values each; no part is empty."""
    ends = np.cumsum(starts[rows + 1] - starts[rows])
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.unique(np.searchsorted(ends, np.arange(values, total, values)))
    yield from (part for part in np.split(rows, cuts) if len(part))
