"""The exact sign-flip test, against enumeration of all clusters."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.stats.design import micro
from verifier.stats.estimate import estimate_contrast
from verifier.stats.signflip import few_move, p_above, p_below


def estimate_of(differences, clusters=None):
    d = np.asarray(differences, dtype=float)
    design = micro(np.zeros(len(d), int), np.arange(len(d)) if clusters is None else clusters)
    return estimate_contrast({"a": np.stack([d, d])}, {"a": 1.0}, design, paired=False)


def enumerated(estimate, bound):
    """The exact p of flipping every cluster, moving or not."""
    u = estimate.cluster_totals - bound * estimate.cluster_weights
    sums = [np.dot(signs, u) for signs in product((1, -1), repeat=len(u))]
    return np.mean(np.array(sums) >= u.sum() - 1e-12)


some = st.lists(st.sampled_from([0.0, 0.0, 0.1, 0.3, -0.1, 0.25]), min_size=2, max_size=9)


@settings(max_examples=120, deadline=None)
@given(d=some, bound=st.sampled_from([0.0, 0.01, 0.05, -0.02]))
def test_never_below_the_exact_p(d, bound):
    """Equal to it where all clusters move or the bound is 0."""
    estimate = estimate_of(d)
    exact = enumerated(estimate, bound)
    got = p_above(estimate, bound)
    assert got >= exact - 1e-12
    if bound == 0 or all(d):
        assert got == pytest.approx(exact)


@settings(max_examples=60, deadline=None)
@given(d=some, bound=st.sampled_from([0.0, 0.01, -0.02]))
def test_below_mirrors_above(d, bound):
    assert p_below(estimate_of(d), bound) == pytest.approx(
        p_above(estimate_of([-x for x in d]), -bound)
    )


def test_six_clusters_that_all_rise_are_not_enough_and_seven_are():
    assert p_above(estimate_of([0.2] * 6 + [0.0] * 50), 0.0) == pytest.approx(2**-6)
    assert p_above(estimate_of([0.2] * 7 + [0.0] * 50), 0.0) == pytest.approx(2**-7)


def test_clusters_that_stay_count_against_a_margin():
    """The more clusters stand still, the less the moving ones say of an effect above a margin."""
    few, many = estimate_of([0.2] * 10), estimate_of([0.2] * 10 + [0.0] * 80)
    assert p_above(few, 0.01) == pytest.approx(2**-10)
    assert 2**-10 < p_above(many, 0.005) < p_above(many, 0.01) < p_above(many, 0.02)
    assert p_above(many, 0.005) < 0.02
    assert p_above(many, 0.02) > 0.05


@settings(max_examples=60, deadline=None)
@given(d=some, low=st.floats(-0.1, 0.1), step=st.floats(0, 0.1))
def test_a_higher_margin_never_helps_when_all_move(d, low, step):
    estimate = estimate_of([x or 0.05 for x in d])
    assert p_above(estimate, low) <= p_above(estimate, low + step) + 1e-12


def test_nineteen_clusters_are_enumerated_and_twenty_refused():
    rng = np.random.default_rng(26)
    nineteen = estimate_of(rng.normal(0.3, 1, 19))
    assert few_move(nineteen)
    p = p_above(nineteen, 0.0)
    flips = rng.choice([-1, 1], (40000, 19)) @ nineteen.cluster_totals
    assert p == pytest.approx(np.mean(flips >= nineteen.cluster_totals.sum()), abs=0.015)
    twenty = estimate_of(rng.normal(0.3, 1, 20))
    assert not few_move(twenty)
    with pytest.raises(ValueError, match="20 clusters or more"):
        p_above(twenty, 0.0)


def test_nothing_moves():
    assert p_above(estimate_of([0.0] * 5), 0.0) == 1.0
    assert p_above(estimate_of([0.0] * 5), 0.1) == 1.0
    assert p_below(estimate_of([0.0] * 5), 0.1) >= 2**-5
