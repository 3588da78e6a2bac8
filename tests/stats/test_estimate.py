"""Estimates by definition, against statsmodels, and their edges."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t

from verifier.stats.design import Design, macro, micro, restrict
from verifier.stats.estimate import Interval, estimate_contrast, student
from verifier.stats.jackknife import AGREEMENT, jackknife_half_width

DIFFERENCE = {"a": 1.0, "b": -1.0}


def scores_of(rng, queries, seeds=(5, 7)):
    return {
        arm: rng.random((s, queries)) + rng.normal(0, 0.1, (s, 1))
        for arm, s in zip("ab", seeds, strict=True)
    }


def by_definition(scores, coefficients, languages, clusters, weights, alpha):
    """METHOD part 2 in loops: value and half-width, every arm a block of its own."""
    queries, groups = range(len(weights)), sorted(set(clusters))
    G = len(groups)

    def centred(x):
        means = {l: np.mean([x[q] for q in queries if languages[q] == l]) for l in set(languages)}
        return [x[q] - means[languages[q]] for q in queries]

    def spread(x):
        c, out = centred(x), 0.0
        for g in groups:
            total = 0.0
            for q in (q for q in queries if clusters[q] == g):
                same = [p for p in queries if languages[p] == languages[q]]
                h = sum(clusters[p] == g for p in same) / len(same)
                total += weights[q] * c[q] / (1 - h) if h < 1 else 0.0
            out += total**2
        return (G - 1) / G * out

    d = [sum(c * scores[a][:, q].mean() for a, c in coefficients.items()) for q in queries]
    shares = [sum(weights[q] for q in queries if clusters[q] == g) for g in groups]
    square = t.isf(alpha, 1 / sum(x**2 for x in shares) - 1) ** 2 * spread(d)
    for a, c in coefficients.items():
        S = len(scores[a])
        means = [sum(weights[q] * scores[a][s, q] for q in queries) for s in range(S)]
        V = c**2 * np.var(means, ddof=1) / S
        e = c**2 / (S * (S - 1))
        e *= sum(spread(scores[a][s] - scores[a].mean(axis=0)) for s in range(S))
        square += t.isf(alpha, S - 1) ** 2 * max(V, e)
    return sum(w * x for w, x in zip(weights, d, strict=True)), math.sqrt(square)


@st.composite
def layouts(draw):
    """Languages and clusters of 2 to 40 queries, at least two clusters."""
    queries = draw(st.integers(2, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    clusters = rng.integers(0, draw(st.integers(2, 12)), queries)
    clusters[:2] = [0, 1]
    languages = rng.integers(0, draw(st.integers(1, 4)), queries)
    return languages, np.unique(clusters, return_inverse=True)[1], rng


@settings(max_examples=80, deadline=None)
@given(layout=layouts(), build=st.sampled_from([macro, micro]), alpha=st.sampled_from([0.01, 0.2]))
def test_equals_the_definition_and_the_jackknife(layout, build, alpha):
    """Two implementations that share nothing give the same value and half-width."""
    languages, clusters, rng = layout
    design = build(languages, clusters)
    scores = scores_of(rng, design.queries)
    coefficients = {"a": 1.5, "b": -0.5}
    got = estimate_contrast(scores, coefficients, design, paired=False)
    value, half = by_definition(
        scores, coefficients, list(languages), list(clusters), design.weights, alpha
    )
    assert got.value == pytest.approx(value, abs=1e-12)
    assert got.half_width(alpha) == pytest.approx(half, rel=1e-9)
    other = jackknife_half_width(scores, coefficients, design, alpha=alpha, paired=False)
    assert other == pytest.approx(half, rel=1e-6)
    assert AGREEMENT == 0.02


@pytest.mark.parametrize("groups", [2, 9, 60])
def test_query_variance_is_that_of_cluster_robust_regression(groups):
    """statsmodels, intercept only, clusters of equal size: its factor is G/(G-1)."""
    rng = np.random.default_rng(groups)
    clusters = rng.permutation(np.repeat(np.arange(groups), 5))
    design = micro(np.zeros(len(clusters), int), clusters)
    scores = {"a": rng.random((3, design.queries))}
    peer = sm.OLS(scores["a"].mean(axis=0), np.ones(design.queries)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": True}
    )
    got = estimate_contrast(scores, {"a": 1.0}, design, paired=False)
    assert got.v_query == pytest.approx(peer.bse[0] ** 2, rel=1e-10)
    assert got.value == pytest.approx(peer.params[0], rel=1e-12)
    assert got.df_query == pytest.approx(groups - 1)


def test_student_is_the_upper_quantile():
    for df in (1, 4, 19, 200):
        for alpha in (0.2, 0.01, 0.01 / 3, 1e-6):
            assert student(alpha, df) == pytest.approx(t.isf(alpha, df), rel=1e-8)
    assert student(0.01, 0) == math.inf


def test_paired_draws_are_one_block_and_cancel():
    """Noise that both arms share at one index counts unpaired and vanishes paired."""
    rng = np.random.default_rng(21)
    design = micro(np.zeros(40, int), np.arange(40))
    shared = rng.normal(0, 0.2, (5, 1))
    scores = {"a": shared + rng.random(40), "b": shared + rng.random(40)}
    paired = estimate_contrast(scores, DIFFERENCE, design, paired=True)
    unpaired = estimate_contrast(scores, DIFFERENCE, design, paired=False)
    assert [b.arms for b in paired.blocks] == [("a", "b")]
    assert paired.v_seeds < 1e-20 < unpaired.v_seeds
    assert paired.blocks[0].df == 4
    assert paired.v_query == pytest.approx(unpaired.v_query)


def test_paired_floor_is_that_of_the_contrast():
    rng = np.random.default_rng(22)
    design = macro(np.arange(40) % 2, np.arange(40) % 13)
    scores = scores_of(rng, 40, seeds=(6, 6))
    paired = estimate_contrast(scores, DIFFERENCE, design, paired=True).blocks[0]
    one = {"d": scores["a"] - scores["b"]}
    alone = estimate_contrast(one, {"d": 1.0}, design, paired=False).blocks[0]
    assert (paired.observed, paired.floor) == pytest.approx((alone.observed, alone.floor))
    assert paired.floor > 0


def test_named_blocks_join_their_arms_only():
    rng = np.random.default_rng(23)
    design = micro(np.zeros(20, int), np.arange(20))
    scores = {k: rng.random((5, 20)) for k in "abcd"}
    signs = {"a": 1.0, "b": -1.0, "c": -1.0, "d": 1.0}
    got = estimate_contrast(scores, signs, design, paired=False, blocks=[{"a", "b"}])
    assert [b.arms for b in got.blocks] == [("a", "b"), ("c",), ("d",)]
    other = jackknife_half_width(
        scores, signs, design, alpha=0.01, paired=False, blocks=[{"a", "b"}]
    )
    assert other == pytest.approx(got.half_width(0.01), rel=1e-9)
    with pytest.raises(ValueError, match="two blocks"):
        estimate_contrast(scores, signs, design, paired=False, blocks=[{"a", "b"}, {"b", "c"}])


def test_a_deterministic_arm_has_no_seed_part():
    rng = np.random.default_rng(24)
    design = micro(np.zeros(20, int), np.arange(20))
    scores = {"a": rng.random((5, 20)), "b": rng.random((1, 20))}
    got = estimate_contrast(scores, DIFFERENCE, design, paired=False, deterministic={"b"})
    assert [b.arms for b in got.blocks] == [("a",)]
    both = estimate_contrast(scores, DIFFERENCE, design, paired=True, deterministic={"a", "b"})
    assert both.blocks == ()
    assert both.seeds is None
    assert both.half_width(0.01) == pytest.approx(t.isf(0.01, 19) * math.sqrt(both.v_query))


def test_the_floor_holds_where_seed_means_happen_to_agree():
    """Seeds that differ query by query and agree on average: the residuals speak."""
    design = micro(np.zeros(4, int), np.arange(4))
    scores = {"a": np.array([[0.1, 0.4, 0.2, 0.3], [0.4, 0.1, 0.3, 0.2]])}
    block = estimate_contrast(scores, {"a": 1.0}, design, paired=False).blocks[0]
    assert block.observed == pytest.approx(0, abs=1e-30)
    assert block.variance == block.floor > 1e-4


def test_no_variation_is_seen_through_rounding():
    """A difference of .1 on every query has a variance of 1e-36, not an estimate."""
    rng = np.random.default_rng(25)
    base = rng.random((5, 30))
    scores = {"a": base + 0.1, "b": base}
    design = micro(np.zeros(30, int), np.arange(30))
    got = estimate_contrast(scores, DIFFERENCE, design, paired=True)
    assert not got.varies
    assert got.value == pytest.approx(0.1)
    same = estimate_contrast({"a": base, "b": base}, DIFFERENCE, design, paired=True)
    assert not same.varies
    assert not same.moving.any()


def test_moving_clusters_are_those_with_a_difference():
    scores = {"a": np.zeros((2, 6)), "b": np.zeros((2, 6))}
    scores["a"][:, [0, 1, 5]] = [0.2, -0.2, 0.1]
    design = micro(np.zeros(6, int), [0, 0, 1, 1, 2, 2])
    got = estimate_contrast(scores, DIFFERENCE, design, paired=False)
    assert got.moving.tolist() == [True, False, True]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    scores = {"a": np.zeros((2, 4)), "b": np.full((2, 4), bad)}
    with pytest.raises(ValueError, match="'b' is not finite"):
        estimate_contrast(scores, DIFFERENCE, micro([0] * 4, range(4)), paired=False)


@pytest.mark.parametrize(
    ("shape", "clusters", "match"),
    [
        ((1, 4), [0, 1, 2, 3], "two seeds"),
        ((2, 3), [0, 1, 2, 3], r"want \(seeds, 4\)"),
        ((2, 4), [0, 0, 0, 0], "two clusters"),
    ],
)
def test_too_little_is_refused(shape, clusters, match):
    with pytest.raises(ValueError, match=match):
        estimate_contrast(
            {"a": np.zeros(shape)}, {"a": 1.0}, micro([0] * 4, clusters), paired=False
        )


def test_other_refusals():
    design = micro([0] * 4, range(4))
    good = {"a": np.random.default_rng(1).random((3, 4)), "b": np.zeros((2, 4))}
    with pytest.raises(ValueError, match="no scores of arm 'c'"):
        estimate_contrast(good, {"c": 1.0}, design, paired=False)
    with pytest.raises(ValueError, match="share seeds but not their number"):
        estimate_contrast(good, DIFFERENCE, design, paired=True)
    with pytest.raises(ValueError, match="at least one arm"):
        estimate_contrast(good, {}, design, paired=False)
    with pytest.raises(ValueError, match="not 0"):
        estimate_contrast(good, {"a": 0.0}, design, paired=False)
    estimate = estimate_contrast(good, {"a": 1.0}, design, paired=False)
    for alpha in (0.0, 0.5, math.nan):
        with pytest.raises(ValueError, match="alpha"):
            estimate.half_width(alpha)
    with pytest.raises(ValueError, match="low <= high"):
        Interval(low=math.nan, high=1.0)


@settings(max_examples=50, deadline=None)
@given(layout=layouts(), seed=st.integers(0, 999))
def test_the_order_of_queries_seeds_and_names_of_clusters_do_not_matter(layout, seed):
    languages, clusters, rng = layout
    scores = scores_of(rng, len(languages))
    shuffle = np.random.default_rng(seed)
    order = shuffle.permutation(len(languages))
    names = shuffle.permutation(100)
    a = estimate_contrast(scores, DIFFERENCE, macro(languages, clusters), paired=False)
    mixed = {k: v[shuffle.permutation(len(v))][:, order] for k, v in scores.items()}
    b = estimate_contrast(
        mixed, DIFFERENCE, macro(languages[order], names[clusters[order]]), paired=False
    )
    assert b.value == pytest.approx(a.value, abs=1e-12)
    assert b.half_width(0.01) == pytest.approx(a.half_width(0.01), rel=1e-9)


def test_designs():
    design = macro(["ky", "az", "az", "az"], ["c2", "c1", "c1", "c9"])
    assert design.weights.tolist() == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])
    assert (design.strata, design.groups, design.lonely) == (2, 3, (1,))
    part = restrict(design, np.array([False, True, True, True]))
    assert part.weights.tolist() == pytest.approx([1 / 3] * 3)
    assert part.groups == 2
    even = restrict(micro([0, 0, 1, 1], range(4)), np.array([True, False, True, True]))
    assert even.weights.tolist() == pytest.approx([1 / 3] * 3)
    for weights in ([0.5, 0.6], [1.0, 0.0], [0.7, 0.3], [math.nan, 1.0]):
        with pytest.raises(ValueError, match="weights"):
            Design(
                weights=np.array(weights),
                languages=np.zeros(2, int),
                clusters=np.arange(2),
                by_language=True,
            )
    with pytest.raises(ValueError, match="some queries"):
        micro([], [])
