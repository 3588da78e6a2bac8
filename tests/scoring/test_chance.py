"""Chance is the exact mean over permutations of the judgements within languages."""

from itertools import permutations

import numpy as np
import pytest

from verifier.documents.measures import Measure
from verifier.documents.ranking import Qrels, Ranking
from verifier.scoring.chance import score_chance
from verifier.scoring.measures import score

MEASURES = [Measure.parse(m) for m in ("RR@3", "Success@2", "R@3", "P@3", "AP", "nDCG@3")]


def world(sets, seed):
    """Seven queries over six documents with ties; the last query finds nothing."""
    rng = np.random.default_rng(seed)
    tied = rng.random((6, 6)) < 0.4
    tied[:, 0] = False
    listed = np.stack([rng.permutation(6) for _ in range(6)])
    groups = np.cumsum(~tied.ravel())
    order = np.lexsort((listed.ravel(), groups))
    return Ranking(
        starts=np.array([0, 6, 12, 18, 24, 30, 36, 36], dtype=np.int64),
        documents=listed.ravel()[order].astype(np.int32),
        tied=tied.ravel(),
    ), Qrels.of(sets)


LANGUAGES = np.array([0, 1, 0, 1, 0, 1, 0])
SINGLE = [(0,), (1,), (2,), (1,), (0,), (4,), (5,)]
MANY = [(0, 3), (1,), (2, 4, 5), (1, 0), (0, 3), (1, 0), (5,)]


@pytest.mark.parametrize("sets", [SINGLE, MANY], ids=["single", "many"])
@pytest.mark.parametrize("measure", MEASURES, ids=str)
def test_equals_the_mean_over_every_permutation(measure, sets):
    ranking, qrels = world(sets, seed=12)
    for language in (0, 1):
        members = np.flatnonzero(language == LANGUAGES)
        means = []
        for dealt in permutations(members):
            shuffled = list(sets)
            for place, source in zip(members, dealt, strict=True):
                shuffled[place] = sets[source]
            means.append(score(ranking, Qrels.of(shuffled), measure).expected[members].mean())
        got = score_chance(ranking, qrels, measure, LANGUAGES)[language]
        assert got == pytest.approx(np.mean(means), abs=1e-12)
        assert np.std(means) > 0


def test_blocks_do_not_matter(monkeypatch):
    ranking, qrels = world(MANY, seed=9)
    whole = score_chance(ranking, qrels, MEASURES[0], LANGUAGES)
    monkeypatch.setattr("verifier.scoring.chance._BLOCK", 6)
    np.testing.assert_allclose(score_chance(ranking, qrels, MEASURES[0], LANGUAGES), whole)


def test_a_run_that_answers_all_alike_scores_chance():
    """One ranking for every query is no better than chance, whatever it is."""
    one = np.arange(5, dtype=np.int32)
    ranking = Ranking(
        starts=np.arange(0, 55, 5, dtype=np.int64),
        documents=np.tile(one, 10),
        tied=np.zeros(50, dtype=np.bool_),
    )
    qrels = Qrels.of([(k % 4,) for k in range(10)])
    languages = np.zeros(10, dtype=np.int64)
    for measure in MEASURES:
        real = score(ranking, qrels, measure).expected.mean()
        assert score_chance(ranking, qrels, measure, languages)[0] == pytest.approx(real)
        assert real > 0


def test_refuses_languages_that_do_not_fit():
    ranking, qrels = world(SINGLE, seed=8)
    with pytest.raises(ValueError, match="one language"):
        score_chance(ranking, qrels, MEASURES[0], np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match=r"codes 0\.\.L-1"):
        score_chance(ranking, qrels, MEASURES[0], np.full(7, 1))
