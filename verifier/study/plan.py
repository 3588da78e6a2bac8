"""The study proper: arms x seeds x conditions, look by look."""

from __future__ import annotations

from verifier.study.frame import Frame
from verifier.study.trials import TrialPlan, plan_trial


def study_trials(frame: Frame, *, first: int, last: int) -> tuple[TrialPlan, ...]:
    """Return the trials with seed indices first <= i < last of every arm and condition.

    Index by index and arm by arm, so that a study cut short is balanced.
    """
    return tuple(
        plan_trial(frame, setting, regime, arm=arm, level=level, index=index)
        for index in range(first, last)
        for setting, regime in frame.conditions
        for arm, level in frame.claim.arms.items()
    )


def looks(frame: Frame) -> tuple[tuple[int, int], ...]:
    """Return (first, last) seed indices that each look adds."""
    ends = frame.claim.seeds.looks
    return tuple(zip((0, *ends[:-1]), ends, strict=True))
