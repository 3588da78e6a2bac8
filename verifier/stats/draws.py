"""Random integers that are the same under every release of numpy.

numpy promises the raw output of its bit generators, not what its Generator makes of it; a verdict
prints numbers drawn here, so only the raw output is used.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


class StableDraws:
    """A stream of integers from a seed text; each call goes on where the last one ended."""

    def __init__(self, seed: str) -> None:
        key = hashlib.sha256(seed.encode()).digest()[:16]
        self._raw = np.random.Philox(key=np.frombuffer(key, dtype="<u8"))

    def integers(self, below: int, size: tuple[int, ...]) -> NDArray[np.int64]:
        """Return integers in [0, below), uniform up to below / 2**64; ValueError for below < 1."""
        if below < 1:
            raise ValueError("want something to draw from")
        count = int(np.prod(size))
        raw = np.asarray(self._raw.random_raw(count), dtype=np.uint64)
        return (raw % np.uint64(below)).astype(np.int64).reshape(size)
