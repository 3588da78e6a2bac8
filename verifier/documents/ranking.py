"""Rankings and judgements as arrays, and the compact canonical bytes that evidence keeps.

A ranking keeps order and ties and drops score values: no rank measure needs more.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verifier.errors import EvidenceError

MAGIC = b"ranking-v1\n"
_TIED = np.uint32(1 << 31)
_MAX_ENTRIES = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The ranked documents of every query, best first, ties kept.

    starts: (queries + 1,) int64; documents: (entries,) int32, positions in the corpus;
    tied: (entries,) bool, True where an entry has the same score as the one before it in
    the same query.  Inside a group of ties documents stand in ascending order.
    """

    starts: NDArray[np.int64]
    documents: NDArray[np.int32]
    tied: NDArray[np.bool_]

    def __post_init__(self) -> None:
        entries = len(self.documents)
        ok = (
            self.starts.ndim == self.documents.ndim == self.tied.ndim == 1
            and len(self.starts) >= 1
            and self.starts[0] == 0
            and self.starts[-1] == entries == len(self.tied)
            and bool(np.all(np.diff(self.starts) >= 0))
            and (entries == 0 or int(self.documents.min()) >= 0)
        )
        if not ok:
            raise ValueError("want starts ascending from 0 to len(documents) == len(tied)")
        heads = self.starts[:-1][np.diff(self.starts) > 0]
        if bool(np.any(self.tied[heads])):
            raise ValueError("want the first document of a query untied")

    @property
    def queries(self) -> int:
        """How many queries were ranked, those without results included."""
        return len(self.starts) - 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ranking):
            return NotImplemented
        return (
            np.array_equal(self.starts, other.starts)
            and np.array_equal(self.documents, other.documents)
            and np.array_equal(self.tied, other.tied)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Qrels:
    """The relevant documents of every query: binary judgements.

    starts: (queries + 1,) int64; documents: (pairs,) int32, ascending inside a query.
    """

    starts: NDArray[np.int64]
    documents: NDArray[np.int32]

    @property
    def queries(self) -> int:
        """How many queries are judged."""
        return len(self.starts) - 1

    @staticmethod
    def of(relevant: list[tuple[int, ...]]) -> Qrels:
        """Judgements from one tuple of document positions a query."""
        lengths = np.fromiter((len(r) for r in relevant), dtype=np.int64, count=len(relevant))
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        flat = [d for r in relevant for d in sorted(set(r))]
        if len(flat) != int(starts[-1]):
            raise ValueError("a query names a relevant document twice")
        return Qrels(starts=starts, documents=np.asarray(flat, dtype=np.int32))


def encode_ranking(ranking: Ranking) -> bytes:
    """The canonical bytes of a ranking: a header line, then zlib of little-endian uint32."""
    header = {"queries": ranking.queries, "entries": len(ranking.documents)}
    lengths = np.diff(ranking.starts).astype("<u4")
    entries = ranking.documents.astype("<u4") | np.where(ranking.tied, _TIED, np.uint32(0))
    body = lengths.tobytes() + entries.astype("<u4").tobytes()
    line = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    return MAGIC + line + b"\n" + zlib.compress(body, 6)


def decode_ranking(data: bytes, *, where: str) -> Ranking:
    """Read `encode_ranking`'s bytes; EvidenceError for anything else, bounded in memory."""
    try:
        if not data.startswith(MAGIC):
            raise ValueError("it does not begin with the ranking-v1 mark")
        line, _, packed = data[len(MAGIC) :].partition(b"\n")
        header = json.loads(line)
        queries, entries = int(header["queries"]), int(header["entries"])
        if not (0 <= queries <= _MAX_ENTRIES and 0 <= entries <= _MAX_ENTRIES):
            raise ValueError("its counts are out of range")
        want = 4 * (queries + entries)
        unpack = zlib.decompressobj()
        body = unpack.decompress(packed, want + 1)
        if len(body) != want or not unpack.eof or unpack.unused_data:
            raise ValueError(f"its body is not {want} bytes")
        numbers = np.frombuffer(body, dtype="<u4")
        lengths = numbers[:queries].astype(np.int64)
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        marked = numbers[queries:]
        return Ranking(
            starts=starts,
            documents=(marked & ~_TIED).astype(np.int32),
            tied=(marked & _TIED) != 0,
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        raise EvidenceError(
            f"not a ranking: {error}", where=where, hint="restore the file from its publisher"
        ) from error
