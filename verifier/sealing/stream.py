"""Training streams across the seal: read what `assign` wrote, write what `train` sees."""

from __future__ import annotations

import io
import re
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from verifier.documents.plain import plain_text
from verifier.documents.stream import Stream
from verifier.documents.task import Task
from verifier.errors import OutputError
from verifier.sealing.seal import SealedRows, SealedTask

MAX_ROWS = 5_000_000
MAX_NEGATIVES = 256
_FIXED_COLUMNS = 3
_ROW = re.compile(r"Row #([0-9]+)")


def read_stream(data: bytes, task: Task, sealed: SealedTask, *, where: str) -> Stream:
    """Read `stream.tsv` into positions of the task, refusing what is not a fair stream.

    Refused: wrong columns, unknown ids, steps that do not ascend from 0, a positive that is
    not one, a negative that is relevant, a negative twice in a row.  OutputError names the line.
    """
    table = _table(data, where)
    steps = _steps(table.column(0), where)
    queries = _positions(table.column(1), sealed.train, "query", where)
    positives = _positions(table.column(2), sealed.documents, "document", where)
    columns = [
        _positions(table.column(i), sealed.documents, "document", where)
        for i in range(_FIXED_COLUMNS, table.num_columns)
    ]
    negatives = np.stack(columns, axis=1) if columns else np.empty((len(steps), 0), dtype=np.int32)
    stream = Stream(steps=steps, queries=queries, positives=positives, negatives=negatives)
    _check_relevance(stream, task, where)
    return stream


def write_stream(stream: Stream, sealed: SealedTask) -> bytes:
    """Return `stream.tsv` in the sealed ids of another stage."""
    queries = np.asarray(sealed.train.ids)[sealed.train.inverse()[stream.queries]]
    names = np.asarray(sealed.documents.ids)[sealed.documents.inverse()]
    columns = [pa.array(stream.steps), pa.array(queries), pa.array(names[stream.positives])]
    columns += [pa.array(names[column]) for column in stream.negatives.T]
    table = pa.table(columns, names=[str(i) for i in range(len(columns))])
    sink = io.BytesIO()
    options = pacsv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    pacsv.write_csv(table, sink, options)
    return sink.getvalue()


def _refuse(rule: str, problem: str, where: str, hint: str) -> NoReturn:
    raise OutputError(problem, where=where, hint=hint, rule=rule)


def _table(data: bytes, where: str) -> pa.Table:
    width = data.partition(b"\n")[0].count(b"\t") + 1
    if not data or width < _FIXED_COLUMNS or width > _FIXED_COLUMNS + MAX_NEGATIVES:
        _refuse(
            "stream.columns",
            f"the first line has {width} columns",
            f"{where}:1",
            "want step, query, positive and negatives, one tab between",
        )
    names = [str(i) for i in range(width)]
    try:
        table = pacsv.read_csv(
            io.BytesIO(data),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter="\t", quote_char=False, newlines_in_values=False, ignore_empty_lines=False
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        said = plain_text(str(error)[:200].encode("utf-8", "replace"))
        row = _ROW.search(said)
        place = f"{where}:{row[1]}" if row else where
        _refuse("stream.form", said, place, "want the same columns in every line, in UTF-8")
    if table.num_rows > MAX_ROWS:
        _refuse("stream.rows", f"{table.num_rows} rows", where, f"want at most {MAX_ROWS}")
    return table


def _steps(column: pa.ChunkedArray, where: str) -> NDArray[np.int32]:
    digits = pc.match_substring_regex(column, r"^(0|[1-9][0-9]{0,8})$").to_numpy()
    if not digits.all():
        line = int(np.argmin(digits)) + 1
        _refuse("stream.step", "the step is not a whole number", f"{where}:{line}", "count from 0")
    steps = np.asarray(pc.cast(column, pa.int32()), dtype=np.int32)
    jumps = np.diff(steps, prepend=np.int32(0))
    wrong = (jumps < 0) | (jumps > 1)
    if wrong.any() or steps[0] != 0:
        line = int(np.argmax(wrong)) + 1
        _refuse("stream.step", "steps do not ascend from 0 by 1", f"{where}:{line}", "sort by step")
    return steps


def _positions(
    column: pa.ChunkedArray, rows: SealedRows, kind: str, where: str
) -> NDArray[np.int32]:
    found = pc.index_in(column, value_set=pa.array(rows.ids)).to_numpy(zero_copy_only=False)
    missing = np.asarray(np.isnan(found.astype(np.float64)))
    if missing.any():
        line = int(np.argmax(missing))
        name = str(column[line].as_py())[:40]
        _refuse(
            "stream.unknown",
            f"unknown {kind} {name!r}",
            f"{where}:{line + 1}",
            f"use the {kind} ids of this trial's input",
        )
    positions: NDArray[np.int32] = rows.positions[found.astype(np.int64)].astype(np.int32)
    return positions


def _check_relevance(stream: Stream, task: Task, where: str) -> None:
    width = len(task.documents)
    relevant = np.asarray(
        [q * width + d for q, query in enumerate(task.train) for d in query.relevant],
        dtype=np.int64,
    )
    base = stream.queries.astype(np.int64) * width
    _refuse_lines(
        ~_among(base + stream.positives, relevant),
        "stream.positive",
        "the positive is not relevant to its query",
        where,
        "take positives from train/queries.jsonl",
    )
    _refuse_lines(
        np.logical_or.reduce(_among(base[:, None] + stream.negatives, relevant), axis=1),
        "stream.negative",
        "a negative is relevant to its query",
        where,
        "leave a query's positives out of its negatives",
    )
    ordered = np.sort(stream.negatives, axis=1)
    _refuse_lines(
        np.logical_or.reduce(ordered[:, 1:] == ordered[:, :-1], axis=1),
        "stream.repeated",
        "a negative stands twice in a row",
        where,
        "draw negatives without replacement",
    )


def _refuse_lines(wrong: NDArray[np.bool_], rule: str, problem: str, where: str, hint: str) -> None:
    """Refuse a stream by its first wrong line, if there is one."""
    if wrong.any():
        _refuse(rule, problem, f"{where}:{int(np.argmax(wrong)) + 1}", hint)


def _among(pairs: NDArray[np.int64], relevant: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(np.isin(pairs, relevant), dtype=np.bool_)
