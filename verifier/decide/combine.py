"""Decisions of several regimes or settings made one."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from verifier.decide.outcome import Decision, Outcome, ReasonCode, mildest


class Over(StrEnum):
    """What the decisions to combine differ in."""

    REGIMES = "regimes"
    SETTINGS = "settings"


_CLASH = {
    Over.REGIMES: ReasonCode.UNDERSPECIFIED,
    Over.SETTINGS: ReasonCode.SETTINGS_DISAGREE,
}


def combine(decisions: Mapping[str, Decision], *, over: Over) -> Decision:
    """Supported iff all are, refuted iff all are; both at once is a reason of its own.

    One invalid decision makes the whole invalid: there the procedure cannot speak.  Optional
    settings are left out by the caller.  ValueError for no decisions: nothing vacuous passes.
    """
    if not decisions:
        raise ValueError(f"want at least one decision over {over}")
    outcomes = {d.outcome for d in decisions.values()}
    outcome, reason = _judge(tuple(decisions.values()), outcomes, over)
    several = len(decisions) > 1
    return Decision(
        outcome=outcome,
        reason=reason,
        why=tuple(
            f"{name}: {text}" if several else text
            for name, d in decisions.items()
            for text in d.why
        ),
        intervals=tuple(i for d in decisions.values() for i in d.intervals),
        sentences=tuple(
            f"{name}: {sentence}" if several else sentence
            for name, d in decisions.items()
            for sentence in ((f"{d.outcome}", *d.sentences) if several else d.sentences)
        ),
    )


def _judge(
    decisions: tuple[Decision, ...], outcomes: set[Outcome], over: Over
) -> tuple[Outcome, ReasonCode]:
    if Outcome.INVALID in outcomes:
        first = next(d for d in decisions if d.outcome is Outcome.INVALID)
        return Outcome.INVALID, first.reason
    if outcomes == {Outcome.SUPPORTED}:
        return Outcome.SUPPORTED, ReasonCode.SUPPORTED
    if outcomes == {Outcome.REFUTED}:
        return Outcome.REFUTED, mildest(d.reason for d in decisions)
    if {Outcome.SUPPORTED, Outcome.REFUTED} <= outcomes:
        return Outcome.INCONCLUSIVE, _CLASH[over]
    first = next(d for d in decisions if d.outcome is Outcome.INCONCLUSIVE)
    return Outcome.INCONCLUSIVE, first.reason
