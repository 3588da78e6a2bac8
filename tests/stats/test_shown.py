"""What is shown beside the interval: bootstrap, influence, planning, shares of alpha."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from verifier.stats.alpha import ledger_alpha, look_alphas
from verifier.stats.bootstrap import bootstrap_contrast
from verifier.stats.design import macro, micro, restrict
from verifier.stats.draws import StableDraws
from verifier.stats.estimate import estimate_contrast
from verifier.stats.influence import (
    contrast_by_query,
    leave_out_cluster,
    leave_out_language,
    probability_above,
    tally,
)
from verifier.stats.planning import (
    clusters_needed,
    detectable_effect,
    planned_half_width,
    seeds_needed,
)

DIFFERENCE = {"a": 1.0, "b": -1.0}
EXPECTED_DRAWS = [[778, 286, 14], [51, 412, 22]]


def study(seed=30, queries=240, seeds=6, shift=0.05):
    rng = np.random.default_rng(seed)
    languages, clusters = np.arange(queries) % 3, np.arange(queries) // 2 % 60
    own = rng.normal(shift, 0.1, 60)[clusters]
    scores = {
        arm: 0.3
        + own * (arm == "a")
        + rng.normal(0, 0.02, (seeds, 1))
        + rng.normal(0, 0.05, (seeds, queries))
        for arm in "ab"
    }
    return scores, macro(languages, clusters)


@pytest.mark.parametrize("paired", [True, False])
def test_bootstrap_spreads_like_the_estimate(paired):
    """Its sd is about sqrt(V_q + V_seeds); seeds resampled without S/(S-1) make it smaller."""
    scores, design = study(seeds=20)
    got = bootstrap_contrast(
        scores,
        DIFFERENCE,
        design,
        paired=paired,
        alpha=0.01,
        draws=4000,
        rng=StableDraws("1"),
    )
    estimate = estimate_contrast(scores, DIFFERENCE, design, paired=paired)
    assert got.sd == pytest.approx(math.sqrt(estimate.v_query + estimate.v_seeds), rel=0.12)
    assert got.low < estimate.value < got.high
    narrow = bootstrap_contrast(
        scores, DIFFERENCE, design, paired=paired, alpha=0.01, draws=4000,
        rng=StableDraws("1"), deterministic={"a", "b"},
    )  # fmt: skip
    assert narrow.sd == pytest.approx(math.sqrt(estimate.v_query), rel=0.06)


def test_bootstrap_is_its_rng(monkeypatch):
    scores, design = study()

    def run(seed):
        return bootstrap_contrast(
            scores, DIFFERENCE, design, paired=False, alpha=0.05, draws=300,
            rng=StableDraws(str(seed)),
        )  # fmt: skip

    assert run(1) == run(1) != run(2)
    monkeypatch.setattr("verifier.stats.bootstrap._CELLS", 60 * 50)
    assert run(1).draws == 300
    assert run(1).sd == pytest.approx(run(2).sd, rel=0.25)


def test_most_influential_by_leaving_out_in_turn():
    """Against the estimate on a restricted design."""
    scores, _ = study()
    rng = np.random.default_rng(31)
    languages, clusters = rng.integers(0, 3, 240), rng.integers(0, 25, 240)
    d = contrast_by_query(scores, DIFFERENCE)
    for build in (macro, micro):
        design = build(languages, clusters)
        for codes, found in (
            (languages, leave_out_language(d, design)),
            (clusters, leave_out_cluster(d, design)),
        ):
            without = [
                float(restrict(design, codes != k).total(d[codes != k]))
                for k in range(codes.max() + 1)
            ]
            most = int(np.argmax(np.abs(np.array(without) - design.total(d))))
            assert found.code == most
            assert found.value == pytest.approx(without[most], abs=1e-12)


def test_one_language_cannot_be_left_out():
    design = micro([0] * 4, [0, 0, 0, 1])
    assert leave_out_language(np.arange(4.0), design) is None
    assert leave_out_cluster(np.array([0.0, 0.0, 0.0, 4.0]), design).value == 4.0


def test_tally_and_probability():
    got = tally(np.array([0.1, 0.0, 1e-15, -0.2, 0.3]))
    assert (got.wins, got.ties, got.losses) == (2, 2, 1)
    design = micro([0, 0], [0, 1])
    a, b = np.array([[0.3, 0.5], [0.1, 0.1]]), np.array([[0.2, 0.0], [0.2, 0.2]])
    assert probability_above(a, b, design) == pytest.approx(2.5 / 4)
    assert probability_above(a, a, design) == 0.5
    assert probability_above(a + 1, b, design) == 1.0


def test_planning_is_its_formula():
    scores, design = study()
    e = estimate_contrast(scores, DIFFERENCE, design, paired=False)
    for seeds in (3, 6, 24):
        scale = 6 / seeds
        square = (
            t.isf(0.01, 59) ** 2 * (e.v_query - e.v_query_from_seeds + e.v_query_from_seeds * scale)
            + t.isf(0.01, seeds - 1) ** 2 * e.v_seeds * scale
        )
        assert planned_half_width(e, 0.01, seeds=seeds) == pytest.approx(math.sqrt(square))
    assert planned_half_width(e, 0.01, seeds=6) == pytest.approx(e.half_width(0.01))
    assert planned_half_width(e, 0.01, seeds=1) == math.inf
    effect = detectable_effect(e, 0.01, seeds=6, margin=0.01)
    assert effect > 0.01 + e.half_width(0.01)


def test_needed_is_the_least_that_decides():
    scores, design = study(shift=0.05)
    e = estimate_contrast(scores, DIFFERENCE, design, paired=False)
    first = math.sqrt(planned_half_width(e, 0.01, seeds=10**6) ** 2)
    margin = e.value - 1.2 * first
    n = seeds_needed(e, 0.01, margin=margin)
    assert n > 2
    assert planned_half_width(e, 0.01, seeds=n) < e.value - margin
    assert planned_half_width(e, 0.01, seeds=n - 1) >= e.value - margin
    close = e.value - 0.5 * first
    assert seeds_needed(e, 0.01, margin=close) is None
    g = clusters_needed(e, 0.01, margin=close, seeds=200)
    assert g > e.clusters
    assert planned_half_width(e, 0.01, seeds=200, clusters=g) < e.value - close
    assert planned_half_width(e, 0.01, seeds=200, clusters=g - 1) >= e.value - close
    assert clusters_needed(e, 0.01, margin=e.value, seeds=200) is None


@settings(max_examples=50, deadline=None)
@given(alpha=st.floats(1e-6, 0.2), looks=st.integers(1, 12))
def test_shares_never_exceed_alpha(alpha, looks):
    """Looks and tries both add up to at most alpha, however many."""
    assert sum(look_alphas(alpha, looks)) == pytest.approx(alpha)
    spent = sum(ledger_alpha(alpha, k) for k in range(1, 3000))
    assert 0.999 * alpha < spent < alpha


@pytest.mark.parametrize(("alpha", "count"), [(0.0, 1), (0.01, 0), (math.nan, 1), (1.0, 1)])
def test_shares_of_nothing_are_refused(alpha, count):
    with pytest.raises(ValueError, match="want"):
        look_alphas(alpha, count)
    with pytest.raises(ValueError, match="want"):
        ledger_alpha(alpha, count)


def test_draws_are_the_same_under_every_numpy():
    """The numbers themselves: raw Philox output is promised, and nothing else is used."""
    draws = StableDraws("a seed")
    assert draws.integers(1000, (2, 3)).tolist() == EXPECTED_DRAWS
    assert (
        draws.integers(1000, (6,)).tolist() != StableDraws("a seed").integers(1000, (6,)).tolist()
    )
    with pytest.raises(ValueError, match="draw from"):
        draws.integers(0, (1,))


def test_draws_are_uniform():
    counts = np.bincount(StableDraws("uniform").integers(7, (70_000,)), minlength=7)
    assert abs(counts - 10_000).max() < 400
