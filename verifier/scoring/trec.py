"""Read a run in the six-column form, trusting nothing; order comes from scores alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from verifier.documents.ranking import Ranking
from verifier.scoring.lines import check_lines, refuse

_COLUMNS = ("query", "q0", "document", "rank", "score", "tag")
_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_SPELLED = r"^(?i)[+-]?(nan|inf|infinity)$"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReading:
    """A run as read: its ranking, and the positions of queries without results."""

    ranking: Ranking
    empty_queries: tuple[int, ...]


def read_run(
    data: bytes,
    *,
    query_ids: Sequence[str],
    document_ids: Sequence[str],
    depth: int,
    where: str,
    cap: int | None = None,
) -> RunReading:
    """Read `query Q0 document rank score tag` lines, one blank or tab between columns.

    Queries and documents come back as positions in `query_ids` and `document_ids`.  Scores are
    float64 and compared exactly; rank, Q0 and tag are not looked at.  `cap`: the most documents
    a query may list, ties at the depth included (None: all of them).  OutputError with a rule
    id and the line (from 1) of the first offence for everything else.
    """
    if depth < 1:
        raise ValueError("want a depth of at least 1")
    check_lines(data, columns=len(_COLUMNS), where=where)
    table = _columns(data)
    queries = _positions(table["query"], query_ids, kind="query", where=where)
    documents = _positions(table["document"], document_ids, kind="document", where=where)
    scores = _scores(table["score"], where=where)
    order = np.lexsort((documents, -scores, queries))
    _check_repeats(queries, documents, where=where)
    _check_depth(queries[order], scores[order], order, depth=depth, cap=cap, where=where)
    queries, documents, scores = queries[order], documents[order], scores[order]
    tied = np.zeros(len(order), dtype=np.bool_)
    tied[1:] = (queries[1:] == queries[:-1]) & (scores[1:] == scores[:-1])
    lengths = np.bincount(queries, minlength=len(query_ids)).astype(np.int64)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    return RunReading(
        ranking=Ranking(starts=starts, documents=documents, tied=tied),
        empty_queries=tuple(int(q) for q in np.flatnonzero(lengths == 0)),
    )


def _columns(data: bytes) -> Any:  # noqa: ANN401 - pyarrow has no types
    """The columns as text; `check_lines` has made sure that there are six on every line."""
    return csv.read_csv(
        pa.py_buffer(data.replace(b"\t", b" ")),
        read_options=csv.ReadOptions(column_names=list(_COLUMNS)),
        parse_options=csv.ParseOptions(
            delimiter=" ", quote_char=False, escape_char=False, ignore_empty_lines=False
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(_COLUMNS, pa.string()),
            include_columns=["query", "document", "score"],
            strings_can_be_null=False,
        ),
    )


def _positions(
    column: Any,  # noqa: ANN401
    ids: Sequence[str],
    *,
    kind: str,
    where: str,
) -> NDArray[np.int32]:
    if len(set(ids)) != len(ids):
        raise ValueError(f"the {kind} ids repeat")
    found = pc.index_in(column, value_set=pa.array(ids, type=pa.string()))
    if found.null_count:
        line = int(np.argmax(np.asarray(found.is_null()))) + 1
        raise refuse(
            f"unknown_{kind}",
            f"{kind} {column[line - 1].as_py()!r} was not in the input",
            where=where,
            line=line,
            hint=f"write only {kind} ids that the trial's input names, and write them unchanged",
        )
    return np.asarray(found).astype(np.int32)


def _scores(column: Any, *, where: str) -> NDArray[np.float64]:  # noqa: ANN401
    good = np.asarray(pc.match_substring_regex(column, _NUMBER))
    if not bool(good.all()):
        line = int(np.argmin(good)) + 1
        text = column[line - 1].as_py()
        spelled = bool(pc.match_substring_regex(pa.scalar(text), _SPELLED).as_py())
        rule = ("nan" if "nan" in text.lower() else "infinite") if spelled else "score"
        raise refuse(
            rule,
            f"score {text!r} is not a finite decimal number",
            where=where,
            line=line,
            hint="write scores like 12.5 or -3e-07, in plain ASCII digits",
        )
    scores = np.asarray(column.cast(pa.float64()), dtype=np.float64)
    finite = np.isfinite(scores)
    if not bool(finite.all()):
        line = int(np.argmin(finite)) + 1
        raise refuse(
            "infinite",
            f"score {column[line - 1].as_py()!r} is beyond float64",
            where=where,
            line=line,
            hint="scale the scores",
        )
    return scores


def _check_repeats(queries: NDArray[np.int32], documents: NDArray[np.int32], *, where: str) -> None:
    pairs = queries.astype(np.int64) << 32 | documents
    order = np.argsort(pairs, kind="stable")
    again = order[1:][pairs[order[1:]] == pairs[order[:-1]]]
    if len(again):
        raise refuse(
            "repeated",
            "this query lists this document a second time",
            where=where,
            line=int(again.min()) + 1,
            hint="list every document once a query",
        )


def _check_depth(
    queries: NDArray[np.int32],
    scores: NDArray[np.float64],
    lines: NDArray[np.int64],
    *,
    depth: int,
    cap: int | None,
    where: str,
) -> None:
    """`queries` and `scores` in order of rank; `lines`: the line (from 0) of every entry."""
    heads = np.flatnonzero(np.diff(queries, prepend=-1))
    rank = np.arange(len(queries)) - np.repeat(heads, np.diff(heads, append=len(queries)))
    beyond = np.flatnonzero(rank >= depth)
    last = scores[beyond - rank[beyond] + depth - 1]
    excess = beyond[(scores[beyond] != last) | (rank[beyond] >= (cap or len(queries)))]
    if len(excess):
        raise refuse(
            "depth",
            f"this query lists more than its {depth} best documents and those tied with the last",
            where=where,
            line=int(lines[excess].min()) + 1,
            hint="cut the list at the depth that trial.json names, keeping ties with the last",
        )
