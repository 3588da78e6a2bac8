"""Sealing: ids become keyed hashes, order a keyed shuffle, and the judgements stay here."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verifier.documents.prf import prf
from verifier.documents.task import Query, Task
from verifier.documents.trial import Trial
from verifier.documents.words import Stage

_ID_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKeys:
    """Two keys: one for ids, one for order."""

    ids: bytes
    order: bytes

    @staticmethod
    def from_root(root: bytes) -> SealKeys:
        """Derive both keys from the root that evidence stores after the trial."""
        return SealKeys(ids=prf(root, "seal ids"), order=prf(root, "seal order"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRows:
    """One list of documents or queries as a script sees it.

    positions: (rows,) int64, the position in the task of sealed row i; ids: sealed ids, in
    sealed order.
    """

    positions: NDArray[np.int64]
    ids: tuple[str, ...]

    def inverse(self) -> NDArray[np.int64]:
        """Return the sealed row of each position in the task."""
        rows = np.empty(len(self.positions), dtype=np.int64)
        rows[self.positions] = np.arange(len(self.positions))
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTask:
    """How one trial's inputs map back to the task."""

    documents: SealedRows
    train: SealedRows
    dev: SealedRows
    query_sets: Mapping[str, SealedRows]


def seal_task(task: Task, keys: SealKeys) -> SealedTask:
    """Give every document and query a sealed id and a place in a shuffled order."""
    return SealedTask(
        documents=_seal_rows([d.id for d in task.documents], "document", keys),
        train=_seal_rows([q.id for q in task.train], "train", keys),
        dev=_seal_rows([q.id for q in task.dev], "dev", keys),
        query_sets={
            name: _seal_rows([q.id for q in queries], f"set {name}", keys)
            for name, queries in task.query_sets.items()
        },
    )


def _seal_rows(ids: Sequence[str], kind: str, keys: SealKeys) -> SealedRows:
    label = kind.encode() + b"\0"
    messages = [label + i.encode() for i in ids]
    sealed = [hmac.digest(keys.ids, m, "sha256")[:_ID_BYTES].hex() for m in messages]
    if len(set(sealed)) != len(sealed):
        raise ValueError(f"two {kind} ids are equal, or their hashes collide")
    ranks = [hmac.digest(keys.order, m, "sha256") for m in messages]
    order = sorted(range(len(ids)), key=ranks.__getitem__)
    return SealedRows(
        positions=np.asarray(order, dtype=np.int64), ids=tuple(sealed[i] for i in order)
    )


def stage_inputs(
    task: Task, sealed: SealedTask, trial: Trial, *, stream: bytes | None
) -> dict[str, bytes]:
    """Return the files under /input for one stage: path -> bytes.

    `assign` sees the training split and label similarities; `train` sees its stream, the
    dev split with judgements, and the query sets without.
    """
    files = {
        "trial.json": trial.model_dump_json(indent=1).encode() + b"\n",
        "corpus.jsonl": _documents(task, sealed),
        "train/queries.jsonl": _queries(
            task.train, sealed.train, sealed.documents.inverse(), sealed
        ),
    }
    if trial.stage is Stage.ASSIGN:
        if task.similarities is not None:
            order = sealed.documents.positions
            similar = task.similarities[np.ix_(order, order)]
            files["train/similarities.f32"] = similar.astype("<f4").tobytes()
        return files
    if stream is not None:
        files["train/stream.tsv"] = stream
    files["dev/queries.jsonl"] = _queries(task.dev, sealed.dev, None, sealed)
    files["dev/qrels.tsv"] = _qrels(task.dev, sealed)
    for name, rows in sealed.query_sets.items():
        files[f"queries/{name}.jsonl"] = _queries(task.query_sets[name], rows, None, sealed)
    return files


def _lines(rows: list[dict[str, object]]) -> bytes:
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    return "".join([encode(row) + "\n" for row in rows]).encode()


def _documents(task: Task, sealed: SealedTask) -> bytes:
    rows = sealed.documents
    return _lines(
        [
            {"id": i, "text": task.documents[p].text}
            for i, p in zip(rows.ids, rows.positions.tolist(), strict=True)
        ]
    )


def _queries(
    queries: Sequence[Query],
    rows: SealedRows,
    document_rows: NDArray[np.int64] | None,
    sealed: SealedTask,
) -> bytes:
    lines: list[dict[str, object]] = []
    for sealed_id, position in zip(rows.ids, rows.positions.tolist(), strict=True):
        query = queries[position]
        line: dict[str, object] = {
            "id": sealed_id,
            "text": query.text,
            "language": query.language,
        }
        if document_rows is not None:
            line["positives"] = sorted(
                sealed.documents.ids[document_rows[d]] for d in query.relevant
            )
        lines.append(line)
    return _lines(lines)


def _qrels(queries: Sequence[Query], sealed: SealedTask) -> bytes:
    document_rows = sealed.documents.inverse()
    return "".join(
        f"{sealed_id}\t{document}\n"
        for sealed_id, position in zip(sealed.dev.ids, sealed.dev.positions.tolist(), strict=True)
        for document in sorted(
            sealed.documents.ids[document_rows[d]] for d in queries[position].relevant
        )
    ).encode()
