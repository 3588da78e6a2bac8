"""Superiority and dose response: edges by example, promises as laws."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from verifier.decide.dose_response import decide_dose_response, required_contrasts
from verifier.decide.outcome import Contrast, Decision, Outcome, ReasonCode, mildest
from verifier.decide.superiority import decide_superiority
from verifier.documents.criterion import Shape
from verifier.stats.estimate import ContrastEstimate, SeedBlock

ALPHA = 0.01


def estimate_of(value, error, *, seed_error=0.0, moving=40, clusters=40):
    """An estimate of given value and standard errors; by default every cluster moves."""
    rng = np.random.default_rng(0)
    totals = rng.normal(0, 1e-6, clusters) + value / clusters
    totals[moving:] = 0
    return ContrastEstimate(
        value=value,
        v_query=error**2,
        v_query_from_seeds=0.0,
        df_query=clusters - 1,
        blocks=(SeedBlock(arms=("a",), seeds=10, observed=seed_error**2, floor=0.0),),
        cluster_totals=totals,
        cluster_weights=np.full(clusters, 1 / clusters),
        moving=np.arange(clusters) < moving,
        varies=error > 0,
    )


def contrast_of(value, error, *, ties=0.0, **rest):
    """A contrast whose two orders of ties lie `ties` apart."""
    return Contrast(
        name="a - b",
        against=estimate_of(value - ties / 2, error, **rest),
        in_favour=estimate_of(value + ties / 2, error, **rest),
    )


def decide(contrast, margin=0.01, *, sensitive=True, alpha=ALPHA):
    return decide_superiority(contrast, margin=margin, alpha=alpha, sensitive=sensitive)


@pytest.mark.parametrize(
    ("value", "error", "outcome", "reason"),
    [
        (0.05, 0.001, "supported", "SUPPORTED"),
        (0.05, 0.02, "inconclusive", "INSUFFICIENT_POWER"),
        (0.005, 0.001, "refuted", "TOO_SMALL"),
        (0.000, 0.002, "refuted", "NO_EFFECT"),
        (-0.05, 0.001, "refuted", "OPPOSITE"),
        (0.01, 0.001, "inconclusive", "INSUFFICIENT_POWER"),
        (0.05, 0.0, "inconclusive", "NO_VARIATION"),
        (-0.05, 0.0, "inconclusive", "NO_VARIATION"),
    ],
)
def test_superiority_by_example(value, error, outcome, reason):
    got = decide(contrast_of(value, error))
    assert (got.outcome, got.reason) == (outcome, reason)
    assert got.sentences
    assert got.intervals


def test_the_lower_bound_must_be_above_the_margin_not_at_it():
    contrast = contrast_of(0.05, 0.001)
    low = contrast.against.interval(ALPHA).low
    assert decide(contrast, low).outcome is Outcome.INCONCLUSIVE
    assert decide(contrast, np.nextafter(low, 0)).outcome is Outcome.SUPPORTED
    high = contrast.in_favour.interval(ALPHA).high
    assert decide(contrast, high).outcome is Outcome.INCONCLUSIVE
    assert decide(contrast, np.nextafter(high, 1)).outcome is Outcome.REFUTED


@pytest.mark.parametrize(
    ("sensitive", "outcome", "reason"),
    [
        (True, "refuted", "OPPOSITE"),
        (False, "inconclusive", "NOT_TESTABLE"),
        (None, "inconclusive", "NOT_TESTABLE"),
    ],
)
def test_refuting_needs_a_study_that_would_have_seen_an_effect(sensitive, outcome, reason):
    got = decide(contrast_of(-0.05, 0.001), sensitive=sensitive)
    assert (got.outcome, got.reason) == (outcome, reason)
    assert decide(contrast_of(0.05, 0.001), sensitive=sensitive).outcome is Outcome.SUPPORTED


def test_a_verdict_holds_in_the_order_of_ties_worst_for_it():
    """Either order alone would decide; together they do not."""
    wide = contrast_of(0.01, 0.001, ties=0.05)
    assert wide.against.interval(ALPHA).high < 0.01 < wide.in_favour.interval(ALPHA).low
    assert decide(wide).outcome is Outcome.INCONCLUSIVE


def test_orders_of_ties_the_wrong_way_round_are_refused():
    with pytest.raises(ValueError, match="more than"):
        contrast_of(0.0, 0.01, ties=-0.01)


def test_without_direction_only_no_effect_cannot_be_refuted():
    assert decide(contrast_of(0.0, 0.001), 0.0).outcome is Outcome.INCONCLUSIVE
    assert decide(contrast_of(-0.01, 0.001), 0.0).reason is ReasonCode.OPPOSITE


def test_non_inferiority_is_a_negative_margin():
    assert decide(contrast_of(-0.005, 0.001), -0.01).outcome is Outcome.SUPPORTED
    assert decide(contrast_of(-0.02, 0.001), -0.01).reason is ReasonCode.OPPOSITE


def test_few_moving_clusters_need_the_sign_flip_too():
    """The interval alone would support; six clusters cannot reach p <= .01."""
    few = contrast_of(0.05, 0.001, moving=6, clusters=6)
    assert few.against.interval(ALPHA).low > 0.01
    assert decide(few).outcome is Outcome.INCONCLUSIVE
    assert "sign-flip" in decide(few).sentences[0]
    assert decide(contrast_of(0.05, 0.001, moving=9, clusters=9)).outcome is Outcome.SUPPORTED
    against = contrast_of(-0.05, 0.001, moving=6, clusters=6)
    assert decide(against).outcome is Outcome.INCONCLUSIVE
    assert decide(contrast_of(-0.05, 0.001, moving=9, clusters=9)).outcome is Outcome.REFUTED


def test_not_a_number_never_passes():
    for field in ("value", "v_query"):
        with pytest.raises(ValueError, match="finite"):
            replace(estimate_of(0.1, 0.001), **{field: math.nan})
    with pytest.raises(ValueError, match="finite margin"):
        decide(contrast_of(0.5, 0.001), math.nan)
    with pytest.raises(ValueError, match="alpha"):
        decide(contrast_of(0.5, 0.001), alpha=math.nan)


values = st.floats(-0.2, 0.2)
errors = st.floats(0.0005, 0.1)
margins = st.floats(0, 0.1)


@settings(max_examples=200, deadline=None)
@given(value=values, error=errors, margin=margins, wider=st.floats(1, 5), ties=st.floats(0, 0.05))
def test_doubt_never_flips_a_decision(value, error, margin, wider, ties):
    """More noise and more ties may cost the answer; they never turn it round or make one."""
    sharp = decide(contrast_of(value, error), margin).outcome
    vague = decide(contrast_of(value, error * wider, ties=ties), margin).outcome
    assert vague in (sharp, Outcome.INCONCLUSIVE)


@settings(max_examples=200, deadline=None)
@given(value=values, error=errors, margin=margins, step=margins)
def test_a_higher_margin_is_harder_to_support_and_easier_to_refute(value, error, margin, step):
    contrast = contrast_of(value, error)
    low, high = decide(contrast, margin), decide(contrast, margin + step)
    assert high.outcome is not Outcome.SUPPORTED or low.outcome is Outcome.SUPPORTED
    assert low.outcome is not Outcome.REFUTED or high.outcome is Outcome.REFUTED


@settings(max_examples=200, deadline=None)
@given(value=values, error=errors, margin=margins, small=st.floats(0.0001, 0.4))
def test_a_stricter_level_never_makes_a_decision(value, error, margin, small):
    contrast = contrast_of(value, error)
    loose, strict = decide(contrast, margin, alpha=0.4), decide(contrast, margin, alpha=small)
    assert strict.outcome in (loose.outcome, Outcome.INCONCLUSIVE)


@settings(max_examples=200, deadline=None)
@given(value=values, error=errors, margin=margins)
def test_swapping_the_arms_swaps_the_outcome(value, error, margin):
    """A over B by m is supported exactly when B over A by -m is refuted."""
    there = decide(contrast_of(value, error), margin).outcome
    back = decide(contrast_of(-value, error), -margin).outcome
    assert (there is Outcome.SUPPORTED) == (back is Outcome.REFUTED)
    assert (there is Outcome.REFUTED) == (back is Outcome.SUPPORTED)


def test_a_decision_says_why():
    with pytest.raises(ValueError, match="does not go with"):
        Decision(outcome=Outcome.SUPPORTED, reason=ReasonCode.NO_EFFECT)
    with pytest.raises(ValueError, match="does not go with"):
        Decision(outcome=Outcome.REFUTED, reason=ReasonCode.SUPPORTED)
    with pytest.raises(ValueError, match="does not go with"):
        Decision(outcome=Outcome.INVALID, reason=ReasonCode.OPPOSITE)
    assert mildest([ReasonCode.OPPOSITE, ReasonCode.NO_EFFECT]) is ReasonCode.NO_EFFECT


def dose(levels, shape, error=0.001, *, margin=0.02, tolerance=0.01, sensitive=True, ties=0.0):
    """Decide on given means of the levels, all contrasts with one standard error."""
    contrasts = {
        (a, b): contrast_of(levels[a] - levels[b], error, ties=ties)
        for a, b in required_contrasts(shape, len(levels))
    }
    return decide_dose_response(
        contrasts,
        shape=shape,
        levels=len(levels),
        margin=margin,
        tolerance=tolerance,
        alpha=ALPHA,
        sensitive=sensitive,
    )


RISE, FLAT = [0.2, 0.24, 0.28, 0.3], [0.2, 0.2, 0.2, 0.2]
PEAK, DENT = [0.2, 0.3, 0.3, 0.2], [0.2, 0.28, 0.2, 0.3]


@pytest.mark.parametrize(
    ("levels", "shape", "outcome", "reason"),
    [
        (RISE, Shape.INCREASING, "supported", "SUPPORTED"),
        (RISE, Shape.DECREASING, "refuted", "OPPOSITE"),
        (RISE[::-1], Shape.DECREASING, "supported", "SUPPORTED"),
        (FLAT, Shape.INCREASING, "refuted", "NO_EFFECT"),
        (FLAT, Shape.INTERIOR_PEAK, "refuted", "NO_EFFECT"),
        (PEAK, Shape.INTERIOR_PEAK, "supported", "SUPPORTED"),
        (PEAK, Shape.INCREASING, "refuted", "OPPOSITE"),
        (RISE, Shape.INTERIOR_PEAK, "refuted", "OPPOSITE"),
        (DENT, Shape.INCREASING, "refuted", "OPPOSITE"),
        ([0.2, 0.204, 0.208, 0.21], Shape.INCREASING, "refuted", "TOO_SMALL"),
        ([0.2, 0.24, 0.235, 0.28], Shape.INCREASING, "supported", "SUPPORTED"),
        ([0.2, 0.22, 0.20], Shape.INTERIOR_PEAK, "inconclusive", "INSUFFICIENT_POWER"),
        ([0.2, 0.21, 0.20], Shape.INTERIOR_PEAK, "refuted", "TOO_SMALL"),
    ],
)
def test_dose_response_by_example(levels, shape, outcome, reason):
    got = dose(levels, shape)
    assert (got.outcome, got.reason) == (outcome, reason)


def test_dose_response_without_variation_or_sensitivity():
    assert dose(RISE, Shape.INCREASING, error=0.0).reason is ReasonCode.NO_VARIATION
    assert dose(PEAK, Shape.INTERIOR_PEAK, error=0.0).reason is ReasonCode.NO_VARIATION
    assert dose(FLAT, Shape.INCREASING, sensitive=None).reason is ReasonCode.NOT_TESTABLE
    assert dose(PEAK, Shape.INCREASING, sensitive=False).outcome is Outcome.INCONCLUSIVE


def test_dose_response_corrects_for_many_contrasts():
    """A dip that one test at alpha would refute is not enough among ten pairs."""
    error = 0.004
    half = estimate_of(0, error).half_width(ALPHA)
    dipped = [0.2, 0.2 - 0.01 - 1.25 * half, 0.3, 0.35, 0.4]
    assert dose(dipped, Shape.INCREASING, error).outcome is Outcome.INCONCLUSIVE
    dipped[1] = 0.2 - 0.01 - 2 * half
    assert dose(dipped, Shape.INCREASING, error).outcome is Outcome.REFUTED
    peaked = [0.2, 0.22 + 1.02 * half, 0.2, 0.2, 0.2]
    assert dose(peaked, Shape.INTERIOR_PEAK, error).outcome is Outcome.INCONCLUSIVE
    assert dose([peaked[i] for i in (0, 1, 4)], Shape.INTERIOR_PEAK, error).outcome == "supported"


def test_required_contrasts():
    assert required_contrasts(Shape.INCREASING, 3) == ((2, 0), (1, 0), (2, 1))
    assert required_contrasts(Shape.DECREASING, 3) == ((0, 2), (0, 1), (1, 2))
    assert required_contrasts(Shape.INTERIOR_PEAK, 4) == ((1, 0), (1, 3), (2, 0), (2, 3))
    with pytest.raises(ValueError, match="3 levels"):
        required_contrasts(Shape.INCREASING, 2)


def test_dose_response_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="tolerance"):
        dose(RISE, Shape.INCREASING, tolerance=0.03)
    with pytest.raises(ValueError, match="tolerance"):
        dose(RISE, Shape.INCREASING, tolerance=math.nan)
    with pytest.raises(ValueError, match="want the contrasts"):
        decide_dose_response(
            {(2, 0): contrast_of(0.1, 0.01)}, shape=Shape.INCREASING, levels=3,
            margin=0.1, tolerance=0.1, alpha=ALPHA, sensitive=True,
        )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    levels=st.lists(st.floats(0, 0.4), min_size=3, max_size=5),
    shape=st.sampled_from(list(Shape)),
    error=st.floats(0.001, 0.05),
    wider=st.floats(1, 5),
    ties=st.floats(0, 0.05),
)
def test_doubt_never_flips_a_dose_response(levels, shape, error, wider, ties):
    sharp = dose(levels, shape, error).outcome
    assert dose(levels, shape, error * wider, ties=ties).outcome in (sharp, Outcome.INCONCLUSIVE)


@settings(max_examples=200, deadline=None)
@given(levels=st.lists(st.floats(0, 0.4), min_size=3, max_size=5), error=st.floats(0.0005, 0.05))
def test_no_course_has_two_shapes(levels, error):
    """Rising excludes falling and an interior peak; reversal swaps rising and falling."""
    rising, falling, peak = (dose(levels, s, error).outcome for s in Shape)
    back = dose(levels[::-1], Shape.DECREASING, error).outcome
    assert rising == back
    assert [rising, falling, peak].count(Outcome.SUPPORTED) <= 1


@settings(max_examples=100, deadline=None)
@given(levels=st.lists(st.floats(0, 0.4), min_size=3, max_size=5), shape=st.sampled_from(Shape))
def test_support_is_never_against_the_means(levels, shape):
    got = dose(levels, shape, 0.001)
    assume(got.outcome is Outcome.SUPPORTED)
    ends = levels[-1] - levels[0]
    interior = max(levels[1:-1]) - max(levels[0], levels[-1])
    assert {"increasing": ends, "decreasing": -ends, "interior_peak": interior}[shape] > 0.02
