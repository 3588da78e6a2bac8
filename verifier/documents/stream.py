"""A training stream as arrays, and the canonical bytes the store keeps of it."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verifier.errors import EvidenceError

MAGIC = b"stream-v1\n"
_MAX_CELLS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What an `assign` stage wrote, by position in the task: rows in order, batches by step.

    steps, queries, positives: (rows,) int32; negatives: (rows, n) int32.
    """

    steps: NDArray[np.int32]
    queries: NDArray[np.int32]
    positives: NDArray[np.int32]
    negatives: NDArray[np.int32]

    @property
    def rows(self) -> int:
        """How many training examples."""
        return len(self.steps)

    def pairs_digest(self) -> str:
        """Digest the multiset of (query, positive) pairs: what no factor of negatives touches."""
        pairs = self.queries.astype(np.int64) << 32 | self.positives.astype(np.int64)
        values, counts = np.unique(pairs, return_counts=True)
        body = values.astype("<i8").tobytes() + counts.astype("<i8").tobytes()
        return "sha256:" + hashlib.sha256(body).hexdigest()


def encode_stream(stream: Stream) -> bytes:
    """Return the canonical bytes of a stream: a header line, then zlib of little-endian int32."""
    header = {"rows": stream.rows, "negatives": int(stream.negatives.shape[1])}
    columns = (stream.steps, stream.queries, stream.positives, stream.negatives.ravel())
    body = b"".join(column.astype("<i4").tobytes() for column in columns)
    line = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    return MAGIC + line + b"\n" + zlib.compress(body, 6)


def decode_stream(data: bytes, *, where: str) -> Stream:
    """Read `encode_stream`'s bytes; EvidenceError for anything else, bounded in memory."""
    try:
        if not data.startswith(MAGIC):
            raise ValueError("it does not begin with the stream-v1 mark")
        line, _, packed = data[len(MAGIC) :].partition(b"\n")
        header = json.loads(line)
        rows, width = int(header["rows"]), int(header["negatives"])
        cells = rows * (3 + width)
        if min(rows, width) < 0 or cells > _MAX_CELLS:
            raise ValueError("its counts are out of range")
        unpack = zlib.decompressobj()
        body = unpack.decompress(packed, 4 * cells + 1)
        if len(body) != 4 * cells or not unpack.eof:
            raise ValueError(f"its body is not {4 * cells} bytes")
        flat = np.frombuffer(body, dtype="<i4").astype(np.int32)
        return Stream(
            steps=flat[:rows],
            queries=flat[rows : 2 * rows],
            positives=flat[2 * rows : 3 * rows],
            negatives=flat[3 * rows :].reshape(rows, width),
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise EvidenceError(
            f"not a stream: {error}", where=where, hint="remove it: it will be made again"
        ) from error
