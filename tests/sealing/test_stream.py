"""Streams across the seal: the same rows under other names, or a refusal with its line."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.documents.stream import Stream
from verifier.documents.task import Document, Query, Task
from verifier.errors import OutputError
from verifier.sealing import stream as module
from verifier.sealing.seal import SealKeys, seal_task
from verifier.sealing.stream import MAX_NEGATIVES, read_stream, write_stream

DOCUMENTS, QUERIES = 9, 5
TASK = Task(
    name="t",
    documents=tuple(Document(id=f"d{i}", text=f"{i}", kind="k") for i in range(DOCUMENTS)),
    train=tuple(
        Query(id=f"q{i}", text=f"q {i}", language="hi", cluster=f"c{i}", relevant=(i, i + 1))
        for i in range(QUERIES)
    ),
    dev=(),
    query_sets={},
    similarities=None,
)
SEALED = seal_task(TASK, SealKeys.from_root(b"one"))
QUERY = [SEALED.train.ids[r] for r in SEALED.train.inverse()]
DOC = [SEALED.documents.ids[r] for r in SEALED.documents.inverse()]


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    width = draw(st.integers(0, 4))
    rows = []
    step = 0
    for number in range(draw(st.integers(1, 8))):
        step += draw(st.integers(0, 1)) if number else 0
        query = draw(st.integers(0, QUERIES - 1))
        others = [d for d in range(DOCUMENTS) if d not in TASK.train[query].relevant]
        negatives = draw(st.permutations(others))[:width]
        rows.append((step, query, draw(st.sampled_from(TASK.train[query].relevant)), negatives))
    return Stream(
        steps=np.asarray([r[0] for r in rows], dtype=np.int32),
        queries=np.asarray([r[1] for r in rows], dtype=np.int32),
        positives=np.asarray([r[2] for r in rows], dtype=np.int32),
        negatives=np.asarray([r[3] for r in rows], dtype=np.int32).reshape(len(rows), width),
    )


def fields(stream):
    return [x.tolist() for x in (stream.steps, stream.queries, stream.positives, stream.negatives)]


@settings(deadline=None)
@given(stream=streams(), roots=st.tuples(st.binary(max_size=4), st.binary(max_size=4)))
def test_a_stream_comes_through_two_seals(stream, roots):
    """Written under one seal and read, then under another: the same rows; no name is shared."""
    seen = []
    for root in roots:
        sealed = seal_task(TASK, SealKeys.from_root(root))
        data = write_stream(stream, sealed)
        again = read_stream(data, TASK, sealed, where="s")
        assert fields(again) == fields(stream)
        assert again.effort_digest() == stream.effort_digest()
        assert data.count(b"\n") == stream.rows
        seen.append({word for line in data.split(b"\n") for word in line.split(b"\t")[1:]})
    assert seen[0] == seen[1] if roots[0] == roots[1] else not seen[0] & seen[1]


def line(*cells: object) -> str:
    return "\t".join(map(str, cells)) + "\n"


def text(*rows: str) -> bytes:
    return "".join(rows).encode()


GOOD = line(0, QUERY[0], DOC[0], DOC[5])
NEXT = line(0, QUERY[1], DOC[1], DOC[5])
REFUSALS = {
    "empty": (b"", "stream.columns", ":1", "1 columns"),
    "two columns": (text(line(0, QUERY[0])), "stream.columns", ":1", "2 columns"),
    "too many columns": (
        text(line(*["x"] * (4 + MAX_NEGATIVES))), "stream.columns", ":1", "260 columns",
    ),
    "fewer columns later": (text(GOOD, line(0, QUERY[0], DOC[0])), "stream.form", ":2", "4 colu"),
    "more columns later": (text(GOOD, line(0, "a", "b", "c", "d")), "stream.form", ":2", "4 colu"),
    "blank line": (text(GOOD, "\n", GOOD), "stream.step", ":2", "whole"),
    "not UTF-8": (text(GOOD) + b"0\t\xff\tb\tc\n", "stream.form", ":2", "UTF8"),
    "terminal escapes": (text(GOOD, "\x1b[2J\n"), "stream.form", ":2", "got 1: [2J"),
    "a long line": (text(GOOD, "x" * 999 + "\n"), "stream.form", ":2", "got 1: xxx"),
    "step is a word": (text(GOOD, line("x", QUERY[0], DOC[0], DOC[5])), "stream.step", ":2", "who"),
    "step is negative": (text(line(-1, QUERY[0], DOC[0], DOC[5])), "stream.step", ":1", "whole"),
    "step with a nought": (text(GOOD, line("01", QUERY[0], DOC[0], DOC[5])), "stream.step", ":2",
                           "whole"),
    "step too large": (text(line(10**10, QUERY[0], DOC[0], DOC[5])), "stream.step", ":1", "whole"),
    "step empty": (text(line("", QUERY[0], DOC[0], DOC[5])), "stream.step", ":1", "whole"),
    "begins at 1": (text(line(1, QUERY[0], DOC[0], DOC[5])), "stream.step", ":1", "ascend"),
    "jumps": (text(GOOD, line(2, QUERY[0], DOC[0], DOC[5])), "stream.step", ":2", "ascend"),
    "goes back": (
        text(GOOD, line(1, QUERY[0], DOC[0], DOC[5]), NEXT), "stream.step", ":3", "ascend",
    ),
    "unknown query": (text(GOOD, line(0, "nobody", DOC[0], DOC[5])), "stream.unknown", ":2",
                      "unknown query 'nobody'"),
    "a task id": (text(GOOD, line(0, "q0", DOC[0], DOC[5])), "stream.unknown", ":2", "'q0'"),
    "a document as a query": (text(line(0, DOC[0], DOC[0], DOC[5])), "stream.unknown", ":1", "qu"),
    "unknown positive": (text(GOOD, NEXT, line(0, QUERY[0], "x", DOC[5])), "stream.unknown", ":3",
                         "unknown document 'x'"),
    "unknown negative": (text(GOOD, line(0, QUERY[0], DOC[0], "")), "stream.unknown", ":2", "''"),
    "not a positive": (text(GOOD, line(0, QUERY[0], DOC[2], DOC[5])), "stream.positive", ":2", ""),
    "relevant negative": (text(GOOD, NEXT, line(0, QUERY[0], DOC[0], DOC[1])), "stream.negative",
                          ":3", "relevant"),
    "negative twice": (
        text(line(0, QUERY[0], DOC[0], DOC[5], DOC[6]), line(0, QUERY[0], DOC[0], DOC[5], DOC[5])),
        "stream.repeated", ":2", "twice",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_an_unfair_stream_is_refused_by_its_first_wrong_line(name):
    data, rule, place, message = REFUSALS[name]
    with pytest.raises(OutputError) as caught:
        read_stream(data, TASK, SEALED, where="stream.tsv")
    error = caught.value
    assert (error.rule, error.where) == (rule, f"stream.tsv{place}")
    assert message in error.problem
    assert error.hint


def test_the_sound_lines_among_them_are_taken():
    stream = read_stream(text(GOOD, NEXT), TASK, SEALED, where="s")
    assert fields(stream) == [[0, 0], [0, 1], [0, 1], [[5], [5]]]
    bare = read_stream(text(line(0, QUERY[2], DOC[3])), TASK, SEALED, where="s")
    assert fields(bare) == [[0], [2], [3], [[]]]
    assert bare.negatives.shape == (1, 0)


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 2)
    with pytest.raises(OutputError, match="3 rows") as caught:
        read_stream(text(GOOD, GOOD, GOOD), TASK, SEALED, where="s")
    assert caught.value.rule == "stream.rows"
    assert read_stream(text(GOOD, GOOD), TASK, SEALED, where="s").rows == 2


@settings(deadline=None)
@given(data=st.binary(max_size=60) | st.text(st.sampled_from("0\t\n1a,\"'"), max_size=40).map(
    str.encode
))  # fmt: skip
def test_whatever_is_handed_over_is_a_stream_or_refused(data):
    """Never another exception: what a script wrote cannot crash the judge."""
    with suppress(OutputError):
        stream = read_stream(data, TASK, SEALED, where="s")
        assert read_stream(write_stream(stream, SEALED), TASK, SEALED, where="s").rows > 0
