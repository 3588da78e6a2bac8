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

    def effort_digest(self) -> str:
        """Digest what no factor of negatives touches: how often each query, how many steps, N.

        Which of several positives stands in a row is left out: it may be drawn by the seed.
        """
        values, counts = np.unique(self.queries, return_counts=True)
        shape = np.asarray([len(np.unique(self.steps)), self.negatives.shape[1]])
        parts = (values, counts, shape)
        body = b"|".join(part.astype("<i8").tobytes() for part in parts)
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
        if min(rows, width) < 0 or max(rows, width, cells) > _MAX_CELLS:
            raise ValueError("its counts are out of range")
        unpack = zlib.decompressobj()
        body = unpack.decompress(packed, 4 * cells + 1)
        if len(body) != 4 * cells or not unpack.eof or unpack.unused_data:
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
