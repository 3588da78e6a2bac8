"""Reading runs: what is refused, at which line, and that order comes from scores alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.errors import OutputError
from verifier.scoring.lines import MAX_LINE_BYTES
from verifier.scoring.trec import read_run

QUERIES = ("qa", "qb", "qc")
DOCUMENTS = ("d0", "d1", "d2", "d3")


def read(data, depth=4, cap=None):
    if isinstance(data, str):
        data = data.encode()
    return read_run(
        data, query_ids=QUERIES, document_ids=DOCUMENTS, depth=depth, where="r.trec", cap=cap
    )


GOOD = "qa Q0 d0 1 0.5 t\n"


def test_order_is_by_score_never_by_rank_or_line():
    got = read("qc Q0 d1 1 1 t\nqa Q0 d3 1 -2e0 t\nqa\tQ0\td2\t9\t5\tt\nqa Q0 d1 3 5.0 t").ranking
    assert got.starts.tolist() == [0, 3, 3, 4]
    assert got.documents.tolist() == [1, 2, 3, 1]
    assert got.tied.tolist() == [False, True, False, False]


def test_queries_without_results_are_named():
    assert read("qb x d1 1 1 t\n").empty_queries == (0, 2)


def test_scores_are_compared_as_float64_exactly():
    got = read("qa Q0 d0 1 1.0000000000000002 t\nqa Q0 d1 1 1 t\nqa Q0 d2 1 -0 t\nqa Q0 d3 1 0 t\n")
    assert got.ranking.documents.tolist() == [0, 1, 2, 3]
    assert got.ranking.tied.tolist() == [False, False, False, True]


BAD_LINES = [
    ("qa Q0 d1 1 nan t", "nan"),
    ("qa Q0 d1 1 -NaN t", "nan"),
    ("qa Q0 d1 1 inf t", "infinite"),
    ("qa Q0 d1 1 -Infinity t", "infinite"),
    ("qa Q0 d1 1 1e999 t", "infinite"),
    ("qa Q0 d1 1 1_0 t", "score"),
    ("qa Q0 d1 1 ٣ t", "score"),
    ("qa Q0 d1 1 \uff13 t", "score"),
    ("qa Q0 d1 1 0x1p3 t", "score"),
    ("qa Q0 d1 1 1e t", "score"),
    ("qa Q0 d1 1 . t", "score"),
    ("qa Q0 d1 1 1,5 t", "score"),
    ("qa Q0 d1 1 null t", "score"),
    ("qa Q0 d0 1 0.1 t", "repeated"),
    ("qz Q0 d1 1 1 t", "unknown_query"),
    ("QA Q0 d1 1 1 t", "unknown_query"),
    ("qa Q0 d9 1 1 t", "unknown_document"),
    ('qa Q0 "d1" 1 1 t', "unknown_document"),
    ("qa Q0 d1 1 1", "columns"),
    ("qa Q0 d1 1 1 t u", "columns"),
    ("qa Q0  d1 1 1", "columns"),
    ("qa Q0  d1 1 1 t", "columns"),
    (" qa Q0 d1 1 1", "columns"),
    ("qa Q0 d1 1 1 ", "columns"),
    ("", "columns"),
    ("qa Q0 d1 1 1 t\r", "newline"),
    ("qa Q0 d1 1 1 t\0", "null"),
    ("qa Q0 d1 1 1 " + "t" * MAX_LINE_BYTES, "line_length"),
    ("qa\u00a0Q0 d1 1 1 t", "columns"),
    ("qa\u2028Q0 d1 1 1 t", "columns"),
]


@pytest.mark.parametrize(("line", "rule"), BAD_LINES)
@pytest.mark.parametrize("after", ["", "qb Q0 d1 1 1 t\n"])
def test_refuses_a_line_by_rule_and_number(line, rule, after):
    with pytest.raises(OutputError) as caught:
        read(GOOD + "qc Q0 d1 1 1 t\n" + line + "\n" + after)
    assert caught.value.rule == f"run.{rule}"
    assert caught.value.where == "r.trec:3"


@pytest.mark.parametrize("data", [b"\xff\n", GOOD.encode() + b"qa Q0 d1 1 1 \xc3\n"])
def test_refuses_bytes_that_are_not_utf8(data):
    with pytest.raises(OutputError) as caught:
        read(data)
    assert caught.value.rule == "run.utf8"
    assert caught.value.where == f"r.trec:{data.count(10)}"


def test_refuses_an_empty_run_and_a_byte_order_mark():
    with pytest.raises(OutputError) as caught:
        read(b"")
    assert caught.value.rule == "run.empty"
    with pytest.raises(OutputError) as caught:
        read("\ufeff" + GOOD)
    assert caught.value.rule == "run.mark"


def test_depth_keeps_ties_with_the_last_and_refuses_more():
    lines = [f"qa Q0 {d} 1 {s} t\n" for d, s in zip(DOCUMENTS, (3, 2, 2, 2), strict=True)]
    got = read("".join(lines), depth=2).ranking
    assert got.documents.tolist() == [0, 1, 2, 3]
    with pytest.raises(OutputError) as caught:
        read("".join(lines), depth=1)
    assert (caught.value.rule, caught.value.where) == ("run.depth", "r.trec:2")
    with pytest.raises(OutputError) as caught:
        read("".join(lines), depth=2, cap=3)
    assert caught.value.rule == "run.depth"


def test_our_own_ids_must_not_repeat():
    with pytest.raises(ValueError, match="query ids repeat"):
        read_run(GOOD.encode(), query_ids=["qa", "qa"], document_ids=["d0"], depth=1, where="x")


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_order_of_lines_does_not_matter(data):
    """A run is a set of lines."""
    pairs = data.draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), unique=True, min_size=1)
    )
    numbers = data.draw(st.tuples(*[st.sampled_from(["1", "1.0", "-3", "2e-3"]) for _ in pairs]))
    lines = [
        f"{QUERIES[q]} Q0 {DOCUMENTS[d]} 1 {number} t"
        for (q, d), number in zip(pairs, numbers, strict=True)
    ]
    shuffled = data.draw(st.permutations(lines))
    assert read("\n".join(lines)).ranking == read("\n".join(shuffled)).ranking


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="qad0 \t\n1.e-nifQ", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    """No other error than a refusal, and one result for every line."""
    try:
        got = read(data)
    except OutputError:
        return
    assert len(got.ranking.documents) == len(data.removesuffix(b"\n").split(b"\n"))
    assert np.all(got.ranking.documents < len(DOCUMENTS))
