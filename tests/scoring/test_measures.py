"""Scores over orders of ties: brute force and ir_measures as oracles, laws by Hypothesis."""

from itertools import permutations, product

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.documents.measures import Measure
from verifier.documents.ranking import Qrels, Ranking
from verifier.errors import UsageError
from verifier.scoring.measures import score, tied_mass

MEASURES = [
    Measure.parse(m)
    for m in ("RR", "RR@3", "Success@2", "R@3", "P@3", "P@10", "AP", "AP@3", "nDCG", "nDCG@3")
]
by_measure = pytest.mark.parametrize("measure", MEASURES, ids=str)


def ranking_of(*queries):
    """A ranking from groups of tied documents: ([{3}, {0, 1}], ...) one list a query."""
    documents, tied, starts = [], [], [0]
    for groups in queries:
        for group in groups:
            documents += sorted(group)
            tied += [k > 0 for k in range(len(group))]
        starts.append(len(documents))
    return Ranking(
        starts=np.array(starts, dtype=np.int64),
        documents=np.array(documents, dtype=np.int32),
        tied=np.array(tied, dtype=np.bool_),
    )


def peer(order, relevant, measure):
    """ir_measures of one untied order of documents."""
    cut, name = order, str(measure)
    if measure.name == "RR" and measure.cutoff:
        cut, name = order[: measure.cutoff], "RR"
    run = {"q": {str(d): float(len(cut) - k) for k, d in enumerate(cut)}}
    truth = {"q": {str(d): 1 for d in relevant}}
    m = ir_measures.parse_measure(name)
    return ir_measures.pytrec_eval.calc_aggregate([m], truth, run)[m]


def orders(groups):
    for parts in product(*(list(permutations(sorted(g))) for g in groups)):
        yield [d for part in parts for d in part]


@st.composite
def cases(draw):
    documents = draw(st.permutations(range(6)))[: draw(st.integers(1, 6))]
    cuts = draw(st.lists(st.booleans(), min_size=len(documents), max_size=len(documents)))
    groups = []
    for document, new in zip(documents, cuts, strict=True):
        if new or not groups:
            groups.append(set())
        groups[-1].add(document)
    relevant = draw(st.sets(st.integers(0, 7), min_size=1, max_size=4))
    return groups, tuple(relevant)


@by_measure
@settings(max_examples=25, deadline=None)
@given(case=cases())
def test_scores_are_those_of_all_orders_of_ties(measure, case):
    """Worst, expected and best are minimum, mean and maximum over every order of the ties."""
    groups, relevant = case
    seen = {}
    for order in orders(groups):
        key = tuple(d in relevant for d in order)
        value = seen.setdefault(key, [peer(order, relevant, measure), 0])
        value[1] += 1
    values = [v for v, _ in seen.values()]
    mean = sum(v * n for v, n in seen.values()) / sum(n for _, n in seen.values())
    got = score(ranking_of(groups), Qrels.of([relevant]), measure)
    assert got.worst[0] == pytest.approx(min(values), abs=1e-12)
    assert got.best[0] == pytest.approx(max(values), abs=1e-12)
    assert got.expected[0] == pytest.approx(mean, abs=1e-12)


@by_measure
def test_without_ties_equals_ir_measures(measure):
    """300 queries with 1 to 20 relevant documents of 40, rankings of 0 to 40."""
    rng = np.random.default_rng(1)
    lists = [list(rng.permutation(40)[: rng.integers(0, 41)]) for _ in range(300)]
    relevant = [
        tuple(int(d) for d in rng.choice(40, rng.integers(1, 21), replace=False))
        for _ in range(300)
    ]
    got = score(ranking_of(*[[{int(d)} for d in l] for l in lists]), Qrels.of(relevant), measure)
    want = [peer(l, r, measure) if l else 0.0 for l, r in zip(lists, relevant, strict=True)]
    for values in (got.worst, got.expected, got.best):
        np.testing.assert_allclose(values, want, atol=1e-12, rtol=0)
    assert len(set(want)) > 1


@by_measure
def test_query_without_results_scores_zero_and_counts(measure):
    got = score(ranking_of([], [{0}], []), Qrels.of([(0,), (0,), (1,)]), measure)
    for values in (got.worst, got.expected, got.best):
        assert values.shape == (3,)
        assert values[0] == values[2] == 0
        assert values[1] > 0


def test_constant_scores_are_not_ranked_by_name():
    """All of 1,000 documents tied: the worst order finds nothing, the best everything."""
    got = score(ranking_of([set(range(1000))]), Qrels.of([(3,)]), Measure.parse("RR@10"))
    assert got.worst[0] == 0
    assert got.best[0] == 1
    assert got.expected[0] == pytest.approx(sum(1 / k for k in range(1, 11)) / 1000, abs=1e-15)


@by_measure
def test_big_ties_against_random_orders(measure):
    """A tie of 60 documents, 7 relevant, below 5 others: the mean of 1,000 shuffles is near."""
    rng = np.random.default_rng(2)
    relevant = tuple(range(0, 70, 10))
    got = score(
        ranking_of([{68}, {60}, {69}, {66, 67}, set(range(60))]), Qrels.of([relevant]), measure
    )
    values = []
    for _ in range(1000):
        order = [68, 60, 69, *(rng.permutation([66, 67])), *rng.permutation(60)]
        marks = ranking_of([{int(d)} for d in order])
        values.append(score(marks, Qrels.of([relevant]), measure).expected[0])
    assert got.expected[0] == pytest.approx(np.mean(values), abs=5 * np.std(values) / 30 + 1e-12)
    assert got.worst[0] <= min(values) + 1e-12
    assert got.best[0] >= max(values) - 1e-12


@by_measure
@settings(max_examples=25, deadline=None)
@given(case=cases(), seed=st.integers(0, 99))
def test_names_of_documents_do_not_matter(measure, case, seed):
    """Renaming documents changes no score."""
    groups, relevant = case
    names = np.random.default_rng(seed).permutation(8)
    renamed = [{int(names[d]) for d in g} for g in groups]
    a = score(ranking_of(groups), Qrels.of([relevant]), measure)
    b = score(ranking_of(renamed), Qrels.of([tuple(int(names[d]) for d in relevant)]), measure)
    assert (a.worst[0], a.expected[0], a.best[0]) == (b.worst[0], b.expected[0], b.best[0])


@by_measure
def test_blocks_do_not_matter(measure, monkeypatch):
    """Queries scored a few at a time score the same."""
    rng = np.random.default_rng(3)
    queries = [[{int(a), int(b)}] for a, b in rng.integers(0, 5, (50, 2))]
    qrels = Qrels.of([(int(d),) for d in rng.integers(0, 5, 50)])
    whole = score(ranking_of(*queries), qrels, measure)
    monkeypatch.setattr("verifier.scoring.hits._CELLS", 20)
    parts = score(ranking_of(*queries), qrels, measure)
    np.testing.assert_array_equal(whole.expected, parts.expected)
    assert whole.best.sum() > whole.worst.sum() or measure.name in ("R", "P", "Success")


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="2 queries ranked, 1 judged"):
        score(ranking_of([{0}], [{0}]), Qrels.of([(0,)]), MEASURES[0])
    with pytest.raises(ValueError, match="query 1 has no relevant"):
        score(ranking_of([{0}], [{0}]), Qrels.of([(0,), ()]), MEASURES[0])
    with pytest.raises(UsageError, match="with a cutoff"):
        score(ranking_of([{0}]), Qrels.of([(0,)]), Measure(name="P"))


def test_tied_mass():
    assert tied_mass(ranking_of([{0}, {1, 2}, {3}])) == 0.5
    assert tied_mass(ranking_of([{0}], [{1}])) == 0.0
    assert tied_mass(ranking_of([])) is None
