"""Reading a trial: INPUT/trial.json and the files beside it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PROTOCOL = 1  # the major version this kit speaks; minor versions only add fields


class KitError(Exception):
    """The trial cannot be run as it was asked for; says what, where, and what to do."""

    def __init__(self, problem: str, *, where: str, hint: str) -> None:
        super().__init__(f"{where}: {problem}\n  hint: {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query; `positives` are ids of relevant documents, empty where they are withheld."""

    id: str
    text: str
    language: str
    positives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the judge asks for, and where its files are.

    `files` fills up as outputs are written; `finish` turns it into outputs.json.
    """

    stage: str
    parameters: dict[str, Any]
    seed: int
    depth: int
    threads: int
    device: str
    time_budget_s: int
    outputs: str
    query_sets: tuple[str, ...]
    model: Path | None
    input: Path
    output: Path
    files: dict[str, dict[str, int]] = field(default_factory=dict)

    def corpus(self) -> tuple[list[str], list[str]]:
        """Ids and texts of all documents, in the order vectors are expected in."""
        rows = list(_json_lines(self.input / "corpus.jsonl"))
        return [row["id"] for row in rows], [row["text"] for row in rows]

    def train_queries(self) -> list[Query]:
        """Return the training split, with its positives."""
        return _queries(self.input / "train" / "queries.jsonl")

    def queries(self, name: str) -> list[Query]:
        """Return one query set, without judgements."""
        return _queries(self.input / "queries" / f"{name}.jsonl")

    def similarities(self, documents: int) -> np.ndarray:
        """Label similarity, (documents, documents) float32, mapped and not read; stage assign."""
        path = self.input / "train" / "similarities.f32"
        if not path.exists():
            raise KitError(
                "this trial has no label similarities",
                where=str(path),
                hint="use negatives that need none (random, fixed_random, one_document, mined)",
            )
        return np.memmap(path, dtype="<f4", mode="r", shape=(documents, documents))

    def stream(self) -> list[list[str]]:
        """Return the training stream, a list of fields a row; stage train."""
        with (self.input / "train" / "stream.tsv").open(encoding="utf-8") as lines:
            return [line.rstrip("\n").split("\t") for line in lines]


def read_trial() -> Trial:
    """Read INPUT/trial.json; fields this kit does not know are ignored."""
    source, output = Path(os.environ.get("INPUT", "/input")), os.environ.get("OUTPUT", "/output")
    path = source / "trial.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    _check_protocol(data.get("protocol"), str(path))
    model = data.get("model")
    return Trial(
        stage=data["stage"],
        parameters=data["parameters"],
        seed=data["seed"],
        depth=data.get("depth", 100),
        threads=data.get("threads", 1),
        device=data.get("device", "cpu"),
        time_budget_s=data.get("time_budget_s", 0),
        outputs=data.get("outputs", "vectors"),
        query_sets=tuple(data.get("query_sets", ())),
        model=source / model if model else None,
        input=source,
        output=Path(output),
    )


def _check_protocol(protocol: object, where: str) -> None:
    """Refuse another major version: silently misreading a trial would make a false result."""
    found = re.fullmatch(r"trial-v(\d+)(\.\d+)?", protocol if isinstance(protocol, str) else "")
    if not found or int(found[1]) != PROTOCOL:
        raise KitError(
            f"protocol is {protocol!r}, this kit speaks trial-v{PROTOCOL}",
            where=where,
            hint="use the kit of the same major version as the judge",
        )


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _queries(path: Path) -> list[Query]:
    return [
        Query(
            id=row["id"],
            text=row["text"],
            language=row["language"],
            positives=tuple(row.get("positives", ())),
        )
        for row in _json_lines(path)
    ]
