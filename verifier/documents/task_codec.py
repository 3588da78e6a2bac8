"""A built task as bytes, so that a warm start need not build it: data only, nothing executed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from verifier.documents.task import Document, Query, Task
from verifier.errors import VerifierError

MAGIC = b"task-v1\n"
_MAX_BYTES = 1 << 30
_MAX_DOCUMENTS = 1 << 14  # with similarities: they are square
_LEVEL = 1  # similarities are a few hundred different numbers: even the fastest level halves them


def encode_task(task: Task) -> bytes:
    """The bytes of a task: a header line with sizes, then zlib of JSON and of raw float32.

    Equal tasks give equal bytes with one version of zlib; the digest that is compared across
    machines is `task_digest`'s, which has no floats.
    """
    body = json.dumps(_plain(task), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    text = body.encode()
    floats = b"" if task.similarities is None else task.similarities.astype("<f4").tobytes()
    side = None if task.similarities is None else len(task.similarities)
    header = json.dumps({"text": len(text), "side": side}, sort_keys=True, separators=(",", ":"))
    return MAGIC + header.encode() + b"\n" + zlib.compress(text + floats, _LEVEL)


def decode_task(data: bytes, *, where: str) -> Task:
    """Read `encode_task`'s bytes, bounded in memory; VerifierError for anything else.

    Whether it is the task it should be is the caller's to check, by digest.
    """
    try:
        return _decode(data)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, zlib.error) as error:
        raise VerifierError(
            f"not a stored task: {error}",
            where=where,
            hint="delete the file: the task will be built again",
        ) from error


def _decode(data: bytes) -> Task:
    text, floats, side = _unpack(data)
    parts = _mapping(json.loads(text))
    documents = tuple(_document(row) for row in parts["documents"])
    if side not in (None, len(documents)):
        raise ValueError("want one row of similarities for each document")
    flat = np.frombuffer(floats, dtype="<f4").astype(np.float32)
    sets = _mapping(parts["query_sets"])
    return Task(
        name=_text(parts["name"]),
        documents=documents,
        train=_queries(parts["train"], len(documents)),
        dev=_queries(parts["dev"], len(documents)),
        query_sets={name: _queries(rows, len(documents)) for name, rows in sets.items()},
        similarities=None if side is None else flat.reshape(side, side),
    )


def _unpack(data: bytes) -> tuple[bytes, bytes, int | None]:
    """Return the JSON text, the raw floats and the side of their square; never more bytes."""
    if not data.startswith(MAGIC):
        raise ValueError("it does not begin with the task-v1 mark")
    line, _, packed = data[len(MAGIC) :].partition(b"\n")
    header = _mapping(json.loads(line))
    size, side = header["text"], header["side"]
    if type(size) is not int or not 0 < size <= _MAX_BYTES:
        raise ValueError("its size is out of range")
    if side is not None and (type(side) is not int or not 0 <= side <= _MAX_DOCUMENTS):
        raise ValueError("its similarities are out of range")
    want = size + 4 * (side or 0) ** 2
    unpack = zlib.decompressobj()
    body = unpack.decompress(packed, want + 1)
    if len(body) != want or not unpack.eof or unpack.unused_data:
        raise ValueError(f"its body is not {want} bytes")
    return body[:size], body[size:], side


def _plain(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "documents": [[d.id, d.text, d.kind] for d in task.documents],
        "train": [_row(query) for query in task.train],
        "dev": [_row(query) for query in task.dev],
        "query_sets": {k: [_row(q) for q in queries] for k, queries in task.query_sets.items()},
    }


def _row(q: Query) -> list[Any]:
    return [q.id, q.text, q.language, q.cluster, list(q.relevant), dict(q.strata)]


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("want a mapping")
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise TypeError("want text")
    return value


def _document(row: Sequence[Any]) -> Document:
    name, text, kind = map(_text, row)
    return Document(id=name, text=text, kind=kind)


def _queries(rows: Sequence[Sequence[Any]], documents: int) -> tuple[Query, ...]:
    return tuple(_query(row, documents) for row in rows)


def _query(row: Sequence[Any], documents: int) -> Query:
    *texts, relevant, strata = row
    name, text, language, cluster = map(_text, texts)
    if not relevant or any(type(d) is not int or not 0 <= d < documents for d in relevant):
        raise ValueError("a query's relevant documents are not in the corpus")
    if any(type(value) is not str for value in _mapping(strata).values()):
        raise TypeError("want strata as text")
    return Query(
        id=name,
        text=text,
        language=language,
        cluster=cluster,
        relevant=tuple(relevant),
        strata=strata,
    )
