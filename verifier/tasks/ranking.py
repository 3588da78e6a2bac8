"""The ranking task: the files a `train` stage must hand over, and the rankings in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from verifier.documents.ranking import Ranking
from verifier.documents.reading import read_document
from verifier.documents.task import Task
from verifier.documents.trial import Outputs
from verifier.errors import DocumentError, OutputError
from verifier.scoring.trec import read_run
from verifier.scoring.vectors import rank_vectors, read_vectors
from verifier.sealing.seal import SealedRows, SealedTask

OUTPUTS = "outputs.json"
TELEMETRY = "telemetry.jsonl"
CORPUS = "vectors/corpus.f32"
MAX_COLUMNS = 8192
_SMALL = 1 << 16
_TELEMETRY_BYTES = 16 << 20
_RUN_LINE_BYTES = 256
_TIES_FACTOR = 4

Kind = Literal["vectors", "run"]


def queries_file(name: str, kind: Kind) -> str:
    """Return the file that holds the results of one query set."""
    return f"vectors/queries-{name}.f32" if kind == "vectors" else f"{name}.trec"


def expected_outputs(task: Task, kind: Kind, *, depth: int) -> dict[str, int]:
    """Return path -> the most bytes read, for everything a `train` stage may hand over."""
    files = {OUTPUTS: _SMALL, TELEMETRY: _TELEMETRY_BYTES}
    if kind == "vectors":
        files[CORPUS] = len(task.documents) * MAX_COLUMNS * 4
    for name, queries in task.query_sets.items():
        width = MAX_COLUMNS * 4 if kind == "vectors" else depth * _TIES_FACTOR * _RUN_LINE_BYTES
        files[queries_file(name, kind)] = len(queries) * width
    return files


def required_outputs(task: Task, kind: Kind) -> tuple[str, ...]:
    """Return the files without which an output is incomplete."""
    sets = tuple(queries_file(name, kind) for name in task.query_sets)
    return (*((CORPUS,) if kind == "vectors" else ()), *sets, OUTPUTS)


def read_rankings(
    outputs: Mapping[str, bytes], sealed: SealedTask, *, kind: Kind, depth: int
) -> dict[str, Ranking]:
    """Unseal a trial's outputs into one ranking a query set, in the task's own order.

    Raises OutputError (rule, file, line or row) for anything a ranking cannot be read from.
    """
    declared = read_outputs(outputs[OUTPUTS])
    if kind == "run":
        return {
            name: _read_run(outputs[queries_file(name, kind)], rows, sealed, name, depth)
            for name, rows in sealed.query_sets.items()
        }
    corpus = _read_rows(outputs, CORPUS, declared, sealed.documents)
    rankings: dict[str, Ranking] = {}
    for name, rows in sealed.query_sets.items():
        file = queries_file(name, kind)
        queries = _read_rows(outputs, file, declared, rows)
        if queries.shape[1] != corpus.shape[1]:
            raise OutputError(
                f"{queries.shape[1]} columns, but {CORPUS} has {corpus.shape[1]}",
                where=file,
                hint="encode queries and documents into the same space",
                rule="vectors.columns",
            )
        rankings[name] = rank_vectors(queries, corpus, depth=depth, where=file)
    return rankings


def read_outputs(data: bytes) -> Outputs:
    """Read `outputs.json`; OutputError where it is not one."""
    try:
        return read_document(Outputs, data, name=OUTPUTS)
    except DocumentError as error:
        raise OutputError(
            error.problem, where=error.where, hint=error.hint, rule="output.outputs_json"
        ) from error


def _read_rows(
    outputs: Mapping[str, bytes], file: str, declared: Outputs, rows: SealedRows
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    shape = declared.files.get(file)
    if shape is None or shape.columns is None or shape.rows != len(rows.ids):
        raise OutputError(
            f"{OUTPUTS} does not declare {len(rows.ids)} rows and their columns for it",
            where=file,
            hint=f'say {{"rows": {len(rows.ids)}, "columns": ...}} and write one row an input line',
            rule="vectors.declared",
        )
    matrix = read_vectors(outputs[file], rows=shape.rows, columns=shape.columns, where=file)
    ordered: np.ndarray[tuple[int, int], np.dtype[np.float32]] = matrix[rows.inverse()]
    return ordered


def _read_run(data: bytes, rows: SealedRows, sealed: SealedTask, name: str, depth: int) -> Ranking:
    return read_run(
        data,
        query_ids=_by_position(rows),
        document_ids=_by_position(sealed.documents),
        depth=depth,
        where=queries_file(name, "run"),
    ).ranking


def _by_position(rows: SealedRows) -> list[str]:
    return [rows.ids[i] for i in rows.inverse().tolist()]
