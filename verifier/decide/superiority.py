"""Superiority, non-inferiority, threshold: one contrast above a margin."""

from __future__ import annotations

from collections.abc import Sequence

from verifier.decide.bounds import Answer, check_numbers, lies_above, lies_below, refuting_reason
from verifier.decide.outcome import Contrast, Decision, Outcome, ReasonCode


def decide_superiority(
    contrast: Contrast, *, margin: float, alpha: float, sensitive: bool | None
) -> Decision:
    """Decide "theta > margin" at level `alpha` a side.

    margin: score units; negative for non-inferiority.  sensitive: whether the study has shown
    that it would see an effect (C9); None if it has not tried.  Refuting needs True.
    """
    check_numbers(alpha=alpha, margin=margin)
    above = lies_above(contrast, margin, alpha=alpha)
    below = lies_below(contrast, margin, alpha=alpha)
    if not contrast.varies:
        return undecided((above, below), varies=False)
    if above.holds:
        return supported((above,))
    if below.holds:
        return refuted((below,), refuting_reason(contrast, alpha=alpha), sensitive=sensitive)
    return undecided((above, below), varies=True)


def supported(answers: Sequence[Answer]) -> Decision:
    """Say that the claim holds, because of `answers`."""
    return _say(Outcome.SUPPORTED, ReasonCode.SUPPORTED, answers)


def refuted(answers: Sequence[Answer], reason: ReasonCode, *, sensitive: bool | None) -> Decision:
    """Say that the claim fails, if the study has shown that it would have seen an effect."""
    if sensitive is True:
        return _say(Outcome.REFUTED, reason, answers)
    if sensitive is None:
        why = "no level known to matter was run, so a study blind to effects is not excluded"
        return _say(Outcome.INCONCLUSIVE, ReasonCode.NOT_TESTABLE, answers, why)
    why = "a level known to matter did not show either: the study cannot see an effect"
    return _say(Outcome.INCONCLUSIVE, ReasonCode.NOT_TESTABLE, answers, why)


def undecided(answers: Sequence[Answer], *, varies: bool) -> Decision:
    """Say that the study leaves it open."""
    if varies:
        return _say(Outcome.INCONCLUSIVE, ReasonCode.INSUFFICIENT_POWER, answers)
    why = "no query tells the arms apart, so there is no variation to judge by"
    return _say(Outcome.INCONCLUSIVE, ReasonCode.NO_VARIATION, answers, why)


def _say(outcome: Outcome, reason: ReasonCode, answers: Sequence[Answer], *why: str) -> Decision:
    return Decision(
        outcome=outcome,
        reason=reason,
        intervals=tuple(a.interval for a in answers),
        sentences=(*(a.sentence for a in answers), *why),
        why=why,
    )
