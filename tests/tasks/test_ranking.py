"""Outputs of a trial become rankings in the task's own order, whatever the seal did."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.documents.task import Document, Query, Task
from verifier.errors import OutputError
from verifier.scoring.vectors import rank_vectors
from verifier.sealing.seal import SealKeys, seal_task
from verifier.tasks.ranking import (
    CORPUS,
    MAX_COLUMNS,
    OUTPUTS,
    TELEMETRY,
    expected_outputs,
    queries_file,
    read_outputs,
    read_rankings,
    required_outputs,
)

DOCUMENTS, QUERIES, COLUMNS = 6, 4, 3
TASK = Task(
    name="t",
    documents=tuple(Document(id=f"d{i}", text=f"{i}", kind="k") for i in range(DOCUMENTS)),
    train=(),
    dev=(),
    query_sets={
        name: tuple(
            Query(id=f"{name}{i}", text=f"q{i}", language="hi", cluster=f"c{i}", relevant=(i,))
            for i in range(QUERIES)
        )
        for name in ("test", "noisy")
    },
    similarities=None,
)
ROOTS = st.binary(min_size=1, max_size=8)
SMALL = st.integers(-2, 2)


def vectors(rows: int):
    return st.lists(
        st.lists(SMALL, min_size=COLUMNS, max_size=COLUMNS), min_size=rows, max_size=rows
    ).map(lambda v: np.asarray(v, dtype=np.float32))


def declared(**files: tuple[int, int]) -> bytes:
    body = {"protocol": "outputs-v1",
            "files": {k: {"rows": r, "columns": c} for k, (r, c) in files.items()}}  # fmt: skip
    return json.dumps(body).encode()


TEST, NOISY = "vectors/queries-test.f32", "vectors/queries-noisy.f32"
SHAPES = {CORPUS: (DOCUMENTS, COLUMNS), TEST: (QUERIES, COLUMNS), NOISY: (QUERIES, COLUMNS)}


def handed_over(sealed, corpus, test, noisy) -> dict[str, bytes]:
    """What a script writes: one row an input line, in the order it was given."""
    return {
        CORPUS: corpus[sealed.documents.positions].tobytes(),
        TEST: test[sealed.query_sets["test"].positions].tobytes(),
        NOISY: noisy[sealed.query_sets["noisy"].positions].tobytes(),
        OUTPUTS: declared(**SHAPES),
    }


@settings(deadline=None)
@given(root=ROOTS, corpus=vectors(DOCUMENTS), test=vectors(QUERIES), noisy=vectors(QUERIES))
def test_vectors_come_back_in_the_order_of_the_task(root, corpus, test, noisy):
    """The ranking does not depend on the seal: it is that of the unsealed vectors."""
    sealed = seal_task(TASK, SealKeys.from_root(root))
    found = read_rankings(handed_over(sealed, corpus, test, noisy), sealed, kind="vectors", depth=3)
    assert found == {
        "test": rank_vectors(test, corpus, depth=3, where="w"),
        "noisy": rank_vectors(noisy, corpus, depth=3, where="w"),
    }


@settings(deadline=None)
@given(root=ROOTS, corpus=vectors(DOCUMENTS), test=vectors(QUERIES), data=st.data())
def test_a_run_says_what_the_vectors_say_in_any_order_of_lines(root, corpus, test, data):
    """A run with the scores of the vectors gives the same ranking, under every seal."""
    sealed = seal_task(TASK, SealKeys.from_root(root))
    documents, queries = sealed.documents, sealed.query_sets["test"]
    lines = [
        f"{queries.ids[q]} Q0 {documents.ids[d]} 0 {float(test[qp] @ corpus[dp])} x"
        for q, qp in enumerate(queries.positions)
        for d, dp in enumerate(documents.positions)
    ]
    mixed = data.draw(st.permutations(lines))
    noisy = "".join(f"{i} Q0 {documents.ids[0]} 0 1 x\n" for i in sealed.query_sets["noisy"].ids)
    outputs = {
        "test.trec": ("\n".join(mixed) + "\n").encode(),
        "noisy.trec": noisy.encode(),
        OUTPUTS: declared(),
    }
    found = read_rankings(outputs, sealed, kind="run", depth=DOCUMENTS)
    assert found["test"] == rank_vectors(test, corpus, depth=DOCUMENTS, where="w")
    assert found["noisy"].documents.tolist() == [int(documents.positions[0])] * QUERIES


SEALED = seal_task(TASK, SealKeys.from_root(b"r"))
PLAIN = handed_over(
    SEALED,
    np.eye(DOCUMENTS, COLUMNS, dtype=np.float32),
    np.ones((QUERIES, COLUMNS), dtype=np.float32),
    np.ones((QUERIES, COLUMNS), dtype=np.float32),
)


def refusal(change, kind="vectors"):
    with pytest.raises(OutputError) as caught:
        read_rankings({**PLAIN, **change}, SEALED, kind=kind, depth=3)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({CORPUS: (DOCUMENTS + 1, COLUMNS)}, CORPUS),
        ({CORPUS: (QUERIES, COLUMNS)}, CORPUS),
        ({TEST: (QUERIES - 1, COLUMNS)}, TEST),
        ({NOISY: (0, COLUMNS)}, NOISY),
    ],
)
def test_another_number_of_rows_is_refused(files, where):
    error = refusal({OUTPUTS: declared(**{**SHAPES, **files})})
    assert (error.rule, error.where) == ("vectors.declared", where)
    assert str(DOCUMENTS if where == CORPUS else QUERIES) in error.hint


def test_undeclared_files_and_missing_columns_are_refused():
    some = {k: v for k, v in SHAPES.items() if k != TEST}
    assert refusal({OUTPUTS: declared(**some)}).rule == "vectors.declared"
    body = json.loads(declared(**SHAPES))
    del body["files"][TEST]["columns"]
    assert refusal({OUTPUTS: json.dumps(body).encode()}).rule == "vectors.declared"


def test_bytes_that_do_not_fit_what_was_declared_are_refused():
    assert refusal({TEST: PLAIN[TEST][:-4]}).rule == "vectors.size"
    assert refusal({TEST: PLAIN[TEST] + b"\0"}).rule == "vectors.size"
    nan = np.full((QUERIES, COLUMNS), np.nan, dtype="<f4").tobytes()
    assert refusal({NOISY: nan}).rule == "vectors.nan"


def test_queries_and_documents_of_different_spaces_are_refused():
    wide = {OUTPUTS: declared(**{**SHAPES, TEST: (QUERIES, COLUMNS + 1)}), TEST: bytes(64)}
    error = refusal(wide)
    assert (error.rule, error.where) == ("vectors.columns", TEST)
    assert "4 columns" in error.problem


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"protocol": "outputs-v2", "files": {}}',
        b'{"files": {}}',
        b'{"protocol": "outputs-v1"}',
        b'{"protocol": "outputs-v1", "files": {"../x": {"rows": 1}}}',
        b'{"protocol": "outputs-v1", "files": {"x": {"rows": -1}}}',
        b'{"protocol": "outputs-v1", "files": {"x": {"rows": 1.5}}}',
        b'{"protocol": "outputs-v1", "files": {"x": {"rows": true}}}',
        b'{"protocol": "outputs-v1", "files": {"x": {"rows": 1, "columns": 0}}}',
        b'{"protocol": "outputs-v1", "files": {"x": {"rows": 1, "columns": 8193}}}',
        b'{"protocol": "outputs-v1", "files": {}, "more": 1}',
        b'{"protocol": "outputs-v1", "protocol": "outputs-v1", "files": {}}',
        b'{"protocol": "outputs-v1", "files": {"x": {"rows": 1000000000000}}}',
        b"[" * 100_000,
    ],
    ids=range(17),
)
def test_an_outputs_json_that_is_none_is_a_finding_about_the_script(data):
    with pytest.raises(OutputError) as caught:
        read_outputs(data)
    assert caught.value.rule == "output.outputs_json"
    assert caught.value.where.startswith("outputs.json:")


def test_a_sound_outputs_json_reads():
    found = read_outputs(declared(**SHAPES)).files[CORPUS]
    assert (found.rows, found.columns) == (DOCUMENTS, COLUMNS)


def test_unknown_ids_of_a_run_are_refused_with_their_line():
    good = f"{SEALED.query_sets['test'].ids[0]} Q0 {SEALED.documents.ids[0]} 0 1 x\n"
    outputs = {"test.trec": good.encode(), "noisy.trec": good.encode()}
    error = refusal(outputs, kind="run")
    assert error.where == "noisy.trec:1"
    assert "query" in error.problem


def test_files_that_are_asked_for_have_bounds_that_fit_the_task():
    wanted = expected_outputs(TASK, "vectors", depth=10)
    assert wanted.keys() == {OUTPUTS, TELEMETRY, CORPUS, TEST, NOISY}
    assert wanted[CORPUS] == DOCUMENTS * MAX_COLUMNS * 4
    assert wanted[TEST] == QUERIES * MAX_COLUMNS * 4
    runs = expected_outputs(TASK, "run", depth=10)
    assert runs.keys() == {OUTPUTS, TELEMETRY, "test.trec", "noisy.trec"}
    longest = max(len(x) for x in SEALED.documents.ids) * 2 + 40
    assert runs["test.trec"] >= QUERIES * 10 * longest


def test_files_that_must_be_there():
    assert required_outputs(TASK, "vectors") == (CORPUS, TEST, NOISY, OUTPUTS)
    assert required_outputs(TASK, "run") == ("test.trec", "noisy.trec", OUTPUTS)
    assert queries_file("a", "vectors") == "vectors/queries-a.f32"
    for kind in ("vectors", "run"):
        assert set(required_outputs(TASK, kind)) <= set(expected_outputs(TASK, kind, depth=1))
