"""The two questions every kind of criterion asks of a contrast, with the sign-flip guard.

The interval and the test are one thing; where fewer than 20 clusters have d_q != 0 the normal
theory behind it is doubtful, and the exact sign-flip p must be at most alpha as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from verifier.decide.outcome import Contrast, NamedInterval, ReasonCode
from verifier.stats.signflip import few_move, p_above, p_below


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether a bound is cleared, from which interval, and in words."""

    holds: bool
    interval: NamedInterval
    sentence: str


def lies_above(contrast: Contrast, bound: float, *, alpha: float) -> Answer:
    """Whether the contrast is above `bound`, ties broken against the claim."""
    estimate = contrast.against
    interval = estimate.interval(alpha)
    holds = estimate.varies and interval.low > bound
    sentence = f"{contrast.name}: L({alpha:g}) = {interval.low:.6g}"
    sentence += f" is {'' if interval.low > bound else 'not '}above {bound:g}"
    if holds and few_move(estimate):
        p = p_above(estimate, bound)
        holds = p <= alpha
        sentence += _guarded(p, alpha)
    named = NamedInterval(
        contrast=contrast.name, ties="against the claim", alpha=alpha, interval=interval
    )
    return Answer(holds=holds, interval=named, sentence=sentence)


def lies_below(contrast: Contrast, bound: float, *, alpha: float) -> Answer:
    """Whether the contrast is below `bound`, ties broken in the claim's favour."""
    estimate = contrast.in_favour
    interval = estimate.interval(alpha)
    holds = estimate.varies and interval.high < bound
    sentence = f"{contrast.name}: U({alpha:g}) = {interval.high:.6g}"
    sentence += f" is {'' if interval.high < bound else 'not '}below {bound:g}"
    if holds and few_move(estimate):
        p = p_below(estimate, bound)
        holds = p <= alpha
        sentence += _guarded(p, alpha)
    named = NamedInterval(
        contrast=contrast.name, ties="in the claim's favour", alpha=alpha, interval=interval
    )
    return Answer(holds=holds, interval=named, sentence=sentence)


def refuting_reason(contrast: Contrast, *, alpha: float) -> ReasonCode:
    """What a refuted contrast shows: the opposite, no effect, or an effect that is too small."""
    if lies_below(contrast, 0.0, alpha=alpha).holds:
        return ReasonCode.OPPOSITE
    if lies_above(contrast, 0.0, alpha=alpha).holds:
        return ReasonCode.TOO_SMALL
    return ReasonCode.NO_EFFECT


def check_numbers(*, alpha: float, margin: float) -> None:
    """Refuse a level or margin that no decision can use: ValueError, for NaN too."""
    if not 0 < alpha < 0.5:  # noqa: PLR2004 - one-sided
        raise ValueError(f"want 0 < alpha < 0.5, got {alpha}")
    if not math.isfinite(margin):
        raise ValueError(f"want a finite margin, got {margin}")


def _guarded(p: float, alpha: float) -> str:
    verb = "agrees" if p <= alpha else "does not agree"
    return f"; few clusters move and the exact sign-flip p = {p:.3g} {verb}"
