"""Which trials the controls repeat: drawn by the verifier, unknown to the author."""

from __future__ import annotations

from verifier.documents.evidence import STUDY
from verifier.documents.prf import draw
from verifier.study.frame import Frame, SettingFrame
from verifier.study.trials import Purpose, TrialPlan, plan_trial


def drawn_index(frame: Frame, setting: SettingFrame, regime: str, role: str, strike: int) -> int:
    """Return the seed index a control repeats: among those of the first look.

    A second strike repeats another one than the first did: else it could be the same trial.
    """
    parts = (frame.decision, setting.card, setting.use.encoder, regime, role)
    indices = frame.claim.seeds.looks[0]
    first = draw(frame.nonce, "control index", *parts, 1, below=indices)
    if strike == 1:
        return first
    step = 1 + draw(frame.nonce, "control index", *parts, strike, below=indices - 1)
    return (first + step) % indices


def drawn_arm(frame: Frame, setting: SettingFrame, regime: str, role: str, strike: int) -> str:
    """Return the arm a control repeats."""
    arms = sorted(frame.claim.arms)
    parts = (frame.decision, setting.card, setting.use.encoder, regime, role, strike)
    return arms[draw(frame.nonce, "control arm", *parts, below=len(arms))]


def repeat_trial(
    frame: Frame, setting: SettingFrame, regime: str, *, arm: str, purpose: Purpose
) -> TrialPlan:
    """Plan a control's repetition of the drawn index of an arm."""
    if purpose.role == STUDY:
        raise ValueError("a repetition belongs to a control")
    index = drawn_index(frame, setting, regime, purpose.role, purpose.strike)
    level = frame.claim.arms[arm]
    return plan_trial(frame, setting, regime, arm=arm, level=level, index=index, purpose=purpose)
