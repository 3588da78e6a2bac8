"""The second scorer agrees with ours, and says so when it does not."""

import numpy as np
import pytest

from verifier.documents.measures import Measure
from verifier.documents.ranking import Qrels, Ranking
from verifier.scoring.measures import Scores, score
from verifier.scoring.second import check_second

MEASURES = [
    Measure.parse(m)
    for m in ("RR", "RR@3", "Success@2", "R@3", "P@3", "AP", "AP@3", "nDCG", "nDCG@3")
]


def tied_world(queries, documents, seed):
    """Rankings of 0 to all documents with ties, and 1 to 3 relevant documents a query."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, documents + 1, queries)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    listed = [rng.permutation(documents)[:n] for n in lengths]
    tied = rng.random(starts[-1]) < 0.4
    tied[starts[:-1][lengths > 0]] = False
    order = np.lexsort((np.concatenate(listed), np.cumsum(~tied)))
    ranking = Ranking(
        starts=starts, documents=np.concatenate(listed)[order].astype(np.int32), tied=tied
    )
    sets = [
        tuple(int(d) for d in rng.permutation(documents)[: rng.integers(1, 4)]) for _ in lengths
    ]
    return ranking, Qrels.of(sets)


@pytest.mark.parametrize("measure", MEASURES, ids=str)
def test_agrees_on_ties_empty_queries_and_cuts(measure):
    ranking, qrels = tied_world(400, 25, seed=4)
    scores = score(ranking, qrels, measure)
    assert check_second(ranking, qrels, measure, scores) == ()
    assert not np.array_equal(scores.worst, scores.best)
    assert np.all(scores.worst <= scores.expected)
    assert np.all(scores.expected <= scores.best)
    assert int((np.diff(ranking.starts) == 0).sum()) > 0


@pytest.mark.parametrize("order", ["worst", "best"])
def test_lists_every_score_that_is_off(order):
    ranking, qrels = tied_world(50, 12, seed=5)
    right = score(ranking, qrels, MEASURES[0])
    wrong = getattr(right, order).copy()
    wrong[7] += 2e-9
    wrong[9] = np.nan
    parts = {"worst": right.worst, "expected": right.expected, "best": right.best, order: wrong}
    found = check_second(ranking, qrels, MEASURES[0], Scores(**parts))
    assert [(d.query, d.order) for d in found] == [(7, order), (9, order)]
    assert check_second(ranking, qrels, MEASURES[0], Scores(**parts), sample=[3, 8]) == ()


def test_a_judged_query_without_results_must_score_zero():
    ranking = Ranking(
        starts=np.zeros(3, dtype=np.int64),
        documents=np.zeros(0, dtype=np.int32),
        tied=np.zeros(0, dtype=np.bool_),
    )
    qrels = Qrels.of([(0,), (1,)])
    zero, one = np.zeros(2), np.array([0.0, 1.0])
    good = Scores(worst=zero, expected=zero, best=zero)
    assert check_second(ranking, qrels, MEASURES[0], good) == ()
    bad = Scores(worst=one, expected=one, best=one)
    assert {d.query for d in check_second(ranking, qrels, MEASURES[0], bad)} == {1}


def test_blocks_do_not_matter(monkeypatch):
    ranking, qrels = tied_world(60, 12, seed=6)
    right = score(ranking, qrels, MEASURES[0])
    wrong = Scores(worst=right.worst, expected=right.expected, best=right.best + 1e-3)
    whole = check_second(ranking, qrels, MEASURES[0], wrong)
    monkeypatch.setattr("verifier.scoring.second._BLOCK", 20)
    assert check_second(ranking, qrels, MEASURES[0], wrong) == whole
    assert len(whole) == 60


def test_checks_something():
    ranking, qrels = tied_world(3, 5, seed=7)
    with pytest.raises(ValueError, match="at least one"):
        check_second(ranking, qrels, MEASURES[0], score(ranking, qrels, MEASURES[0]), sample=[])
