"""Ranking by inner product: ties, depth, and vectors that are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.errors import OutputError
from verifier.scoring.vectors import rank_vectors, read_vectors


def naive(queries, documents, depth):
    """Documents and ties of every query by definition, from exact small integers."""
    out = []
    for q in queries:
        scores = [int(np.dot(q, d)) for d in documents]
        order = sorted(range(len(documents)), key=lambda d: (-scores[d], d))
        last = scores[order[min(depth, len(order)) - 1]]
        kept = [d for d in order if scores[d] >= last]
        ties = [k > 0 and scores[d] == scores[kept[k - 1]] for k, d in enumerate(kept)]
        out.append((kept, ties))
    return out


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 14), cells=st.sampled_from([7, 50, 10**6]))
def test_equals_the_definition(seed, depth, cells):
    """Small whole numbers are exact in every order of summation, and tie often."""
    rng = np.random.default_rng(seed)
    queries = rng.integers(-2, 3, (rng.integers(1, 9), 3)).astype(np.float32)
    documents = rng.integers(-2, 3, (rng.integers(1, 13), 3)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("verifier.scoring.vectors._CELLS", cells)
        patch.setattr("verifier.scoring.vectors._COLUMN_FLOATS", cells)
        got = rank_vectors(queries, documents, depth=depth, where="x")
    for k, (kept, ties) in enumerate(naive(queries, documents, depth)):
        part = slice(got.starts[k], got.starts[k + 1])
        assert got.documents[part].tolist() == kept
        assert got.tied[part].tolist() == ties


def test_identical_documents_tie_wherever_they_stand(monkeypatch):
    """A vector repeated over all columns of a product ties with itself, to the last bit."""
    monkeypatch.setattr("verifier.scoring.vectors._COLUMN_FLOATS", 97 * 13)
    rng = np.random.default_rng(10)
    documents = rng.standard_normal((800, 97)).astype(np.float32)
    same = np.arange(0, 800, 7)
    documents[same] = documents[0]
    documents[7] = np.where(documents[7] == 0, -0.0, documents[7])
    ranking = rank_vectors(
        rng.standard_normal((20, 97)).astype(np.float32), documents, depth=800, where="x"
    )
    for k in range(20):
        part = slice(ranking.starts[k], ranking.starts[k + 1])
        at = np.flatnonzero(np.isin(ranking.documents[part], same))
        assert np.all(np.diff(at) == 1)
        assert ranking.tied[part][at].tolist() == [False] + [True] * (len(same) - 1)
        assert np.all(np.diff(ranking.documents[part][at]) > 0)


def test_identical_documents_are_multiplied_once(monkeypatch):
    """Even if a product depended on its column, identical vectors would tie; -0.0 is 0.0."""
    rng = np.random.default_rng(12)
    documents = np.concatenate([rng.standard_normal((30, 8)), np.zeros((1, 8))]).astype("f4")
    documents = np.concatenate([documents, documents, -documents[-1:]])

    def by_column(queries, columns, **_):
        return (queries @ columns.T + np.arange(len(columns)) * 1e-3).astype("f4")

    monkeypatch.setattr("verifier.scoring.vectors._products", by_column)
    queries = rng.standard_normal((5, 8)).astype("f4")
    for depth in (10, 63):
        ranking = rank_vectors(queries, documents, depth=depth, where="x")
        for k in range(5):
            part = slice(ranking.starts[k], ranking.starts[k + 1])
            order, tied = ranking.documents[part].tolist(), ranking.tied[part]
            for d in (d for d in order if d < 30):
                assert tied[order.index(d + 31)]
                assert order.index(d + 31) == order.index(d) + 1
            assert depth == 10 or tied[[order.index(61), order.index(62)]].all()


def test_order_of_summation_does_not_matter():
    """The same vectors with permuted coordinates give the same ranking."""
    rng = np.random.default_rng(11)
    queries = rng.standard_normal((50, 64)).astype(np.float32)
    documents = rng.standard_normal((300, 64)).astype(np.float32)
    order = rng.permutation(64)
    a = rank_vectors(queries, documents, depth=300, where="x")
    b = rank_vectors(queries[:, order], documents[:, order], depth=300, where="x")
    assert a == b


def test_constant_vectors_tie_all():
    got = rank_vectors(np.ones((2, 4), "f4"), np.ones((9, 4), "f4"), depth=3, where="x")
    assert got.documents.tolist() == list(range(9)) * 2
    assert got.tied.tolist() == ([False] + [True] * 8) * 2


def test_a_score_beyond_float32_is_refused():
    queries = np.ones((3, 2), "f4")
    queries[2] = 3e38
    with pytest.raises(OutputError, match="query row 2 is beyond float32") as caught:
        rank_vectors(queries, np.full((4, 2), 9, "f4"), depth=1, where="v")
    assert caught.value.rule == "vectors.overflow"


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"queries \(Q, d\)"):
        rank_vectors(np.ones((3, 2), "f4"), np.ones((3, 3), "f4"), depth=1, where="v")
    with pytest.raises(ValueError, match="a depth"):
        rank_vectors(np.ones((3, 2), "f4"), np.ones((3, 2), "f4"), depth=0, where="v")


def test_read_vectors_reads_rows():
    want = np.arange(6, dtype="<f4").reshape(2, 3)
    got = read_vectors(want.tobytes(), rows=2, columns=3, where="v")
    np.testing.assert_array_equal(got, want)
    assert got.dtype == np.float32


@pytest.mark.parametrize(
    ("data", "rule", "match"),
    [
        (b"", "vectors.size", "0 bytes, want 24"),
        (bytes(23), "vectors.size", "23 bytes"),
        (bytes(28), "vectors.size", "28 bytes"),
        (np.array([0, 0, 0, 0, np.nan, 0], "<f4").tobytes(), "vectors.nan", "row 1"),
        (np.array([0, 0, -np.inf, 0, 0, 0], "<f4").tobytes(), "vectors.infinite", "row 0"),
    ],
)
def test_read_vectors_refuses(data, rule, match):
    with pytest.raises(OutputError, match=match) as caught:
        read_vectors(data, rows=2, columns=3, where="v.f32")
    assert caught.value.rule == rule
    assert caught.value.where == "v.f32"
