"""Combining decisions, scope, and the status rule over all its inputs."""

from itertools import product

import pytest

from verifier.decide.combine import Over, combine
from verifier.decide.outcome import Decision, Outcome, ReasonCode
from verifier.decide.scope import Sourced, Studied, compute_scope, reaches, weakest
from verifier.decide.status import Circumstances, derive_status
from verifier.documents.words import Quantifier, Scope, Status

YES = Decision(outcome=Outcome.SUPPORTED, reason=ReasonCode.SUPPORTED, sentences=("yes",))
NO = Decision(outcome=Outcome.REFUTED, reason=ReasonCode.OPPOSITE, sentences=("no",))
NOTHING = Decision(outcome=Outcome.REFUTED, reason=ReasonCode.NO_EFFECT)
SMALL = Decision(outcome=Outcome.REFUTED, reason=ReasonCode.TOO_SMALL)
OPEN = Decision(outcome=Outcome.INCONCLUSIVE, reason=ReasonCode.INSUFFICIENT_POWER)
SPOILT = Decision(outcome=Outcome.INVALID, reason=ReasonCode.CONTROL_FAILED)


@pytest.mark.parametrize(
    ("decisions", "outcome", "reasons"),
    [
        ([YES], "supported", {"SUPPORTED"}),
        ([YES, YES], "supported", {"SUPPORTED"}),
        ([NO, NOTHING], "refuted", {"NO_EFFECT"}),
        ([YES, NO], "inconclusive", {"UNDERSPECIFIED", "SETTINGS_DISAGREE"}),
        ([OPEN, YES, NO], "inconclusive", {"UNDERSPECIFIED", "SETTINGS_DISAGREE"}),
        ([YES, OPEN], "inconclusive", {"INSUFFICIENT_POWER"}),
        ([NO, OPEN], "inconclusive", {"INSUFFICIENT_POWER"}),
        ([YES, SPOILT, NO], "invalid", {"CONTROL_FAILED"}),
    ],
)
def test_combine(decisions, outcome, reasons):
    got = [combine({f"s{k}": d for k, d in enumerate(decisions)}, over=o) for o in Over]
    assert {g.outcome for g in got} == {outcome}
    assert {g.reason.value for g in got} == reasons


def test_combine_says_who_said_what_and_wants_somebody():
    assert combine({"x": YES, "y": NO}, over=Over.REGIMES).reason is ReasonCode.UNDERSPECIFIED
    assert combine({"x": YES, "y": NO}, over=Over.SETTINGS).sentences == (
        "x: supported", "x: yes", "y: refuted", "y: no",
    )  # fmt: skip
    assert combine({"x": YES}, over=Over.SETTINGS) == YES
    with pytest.raises(ValueError, match="at least one"):
        combine({}, over=Over.SETTINGS)


SOURCE = Sourced(task="qq", data=("hinglish",), encoder_classes=("bert",), encoders=("e5",))


@pytest.mark.parametrize(
    ("changes", "scope"),
    [
        ({}, "reproduction"),
        ({"data": "other"}, "replication"),
        ({"encoder": "minilm"}, "replication"),
        ({"encoder_class": "static", "encoder": "static"}, "analogue"),
        ({"task": "names"}, "analogue"),
        ({"generated": True}, "mechanism"),
        ({"internal": True}, "mechanism"),
    ],
)
def test_scope_is_computed(changes, scope):
    studied = {"task": "qq", "data": "hinglish", "encoder_class": "bert", "encoder": "e5"}
    assert compute_scope(Studied(**(studied | changes)), SOURCE) == scope


def test_scopes_in_order():
    order = [Scope.MECHANISM, Scope.ANALOGUE, Scope.REPLICATION, Scope.REPRODUCTION]
    for (i, a), (k, b) in product(enumerate(order), repeat=2):
        assert reaches(a, b) == (i >= k)
        assert weakest([a, b]) == order[min(i, k)]
    assert reaches(Scope.PROOF, Scope.PROOF)
    assert not any(reaches(Scope.PROOF, s) or reaches(s, Scope.PROOF) for s in order)
    with pytest.raises(ValueError, match="empty"):
        weakest([])


def status_of(decision, **changes):
    usual = {
        "scope": Scope.REPLICATION,
        "required": Scope.REPLICATION,
        "quantifier": Quantifier.THIS_SETTING,
        "source_states_size": False,
        "sandboxed": True,
        "clusters": 8,
        "seeds": 5,
    }
    got = derive_status(decision, Circumstances(**(usual | changes)))
    return f"{got.status} {got.reason}"


@pytest.mark.parametrize(
    ("decision", "changes", "want"),
    [
        (YES, {}, "VERIFIED SUPPORTED"),
        (YES, {"scope": Scope.ANALOGUE}, "UNVERIFIED SCOPE_TOO_NARROW"),
        (YES, {"scope": Scope.ANALOGUE, "required": Scope.ANALOGUE}, "VERIFIED SUPPORTED"),
        (YES, {"clusters": 7}, "UNVERIFIED INSUFFICIENT_POWER"),
        (YES, {"seeds": 4}, "UNVERIFIED INSUFFICIENT_POWER"),
        (YES, {"seeds": 9, "minimum_seeds": 10}, "UNVERIFIED INSUFFICIENT_POWER"),
        (YES, {"seeds": None, "clusters": None}, "VERIFIED SUPPORTED"),
        (YES, {"sandboxed": False}, "UNVERIFIED NOT_TESTABLE"),
        (YES, {"missing_settings": ("xquad",)}, "UNVERIFIED DATA_UNAVAILABLE"),
        (YES, {"scope": Scope.PROOF, "required": Scope.PROOF}, "VERIFIED SUPPORTED"),
        (YES, {"scope": Scope.PROOF}, "UNVERIFIED SCOPE_TOO_NARROW"),
        (NO, {}, "UNVERIFIED NOT_REPLICATED"),
        (NO, {"quantifier": Quantifier.EVERY_NAMED}, "UNVERIFIED NOT_REPLICATED"),
        (NO, {"quantifier": Quantifier.UNIVERSAL}, "FALSIFIED OPPOSITE"),
        (NO, {"scope": Scope.REPRODUCTION}, "FALSIFIED OPPOSITE"),
        (NOTHING, {"scope": Scope.REPRODUCTION}, "FALSIFIED NO_EFFECT"),
        (NO, {"scope": Scope.ANALOGUE, "quantifier": Quantifier.UNIVERSAL},
         "UNVERIFIED SCOPE_TOO_NARROW"),
        (NO, {"scope": Scope.REPRODUCTION, "clusters": 7}, "UNVERIFIED INSUFFICIENT_POWER"),
        (SMALL, {"scope": Scope.REPRODUCTION}, "UNVERIFIED TOO_SMALL"),
        (SMALL, {"scope": Scope.REPRODUCTION, "source_states_size": True}, "FALSIFIED TOO_SMALL"),
        (OPEN, {"scope": Scope.REPRODUCTION}, "UNVERIFIED INSUFFICIENT_POWER"),
        (SPOILT, {"scope": Scope.REPRODUCTION}, "UNVERIFIED CONTROL_FAILED"),
    ],
)  # fmt: skip
def test_status_by_example(decision, changes, want):
    assert status_of(decision, **changes) == want


def test_status_over_every_combination():
    """VERIFIED only if supported and FALSIFIED only if refuted, each only where nothing caps."""
    seen = set()
    for decision, scope, required, quantifier, size, sealed, clusters, seeds, missing in product(
        (YES, NO, NOTHING, SMALL, OPEN, SPOILT), Scope, Scope, Quantifier,
        (True, False), (True, False), (7, 8, None), (4, 5, None), ((), ("x",)),
    ):  # fmt: skip
        got = derive_status(
            decision,
            Circumstances(
                scope=scope, required=required, quantifier=quantifier, source_states_size=size,
                sandboxed=sealed, clusters=clusters, seeds=seeds, missing_settings=missing,
            ),
        )  # fmt: skip
        seen.add(got.status)
        assert got.sentence
        if got.status is Status.UNVERIFIED:
            assert got.reason is not ReasonCode.SUPPORTED
            continue
        wanted = Outcome.SUPPORTED if got.status is Status.VERIFIED else Outcome.REFUTED
        assert decision.outcome is wanted
        assert sealed
        assert not missing
        assert reaches(scope, required)
        assert clusters != 7
        assert seeds != 4
    assert seen == set(Status)
