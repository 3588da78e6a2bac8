"""What a control is: which claims need it, the trials it costs, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from verifier.documents.claim import Claim
from verifier.documents.verdict import ControlRow
from verifier.study.frame import Frame, SettingFrame
from verifier.study.sheet import Sheet
from verifier.study.trials import TrialPlan

# Means closer than this differ by rounding: no bound of a control is below it.
SLACK = 1e-9

State = Literal["passed", "failed", "not_testable", "warning", "not_needed", "not_run"]
Planner = Callable[[Frame, SettingFrame, str, int], tuple[TrialPlan, ...]]
Checker = Callable[[Sheet, int, float], ControlRow]
Applies = Callable[[Claim, str], bool]


def no_trials(frame: Frame, setting: SettingFrame, regime: str, strike: int) -> tuple[()]:  # noqa: ARG001
    """Plan nothing: the control reads the study's own trials."""
    return ()


def always(claim: Claim, encoder: str) -> bool:  # noqa: ARG001
    """Say that every claim needs the control."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control of the battery.

    plan: (frame, setting, regime, strike) -> trials; check: (sheet, strike, level) -> row.
    on_demand: its trials run only when a decision needs them (C9, before refuting).
    """

    id: str
    title: str
    check: Checker
    plan: Planner = no_trials
    applies: Applies = always
    on_demand: bool = False
    second_strike: bool = False


def control_row(
    control: str,
    title: str,
    sheet: Sheet,
    state: State,
    detail: str,
    *,
    strike: int = 1,
    numbers: dict[str, float | int | None] | None = None,
) -> ControlRow:
    """Return what a control saw in one condition."""
    return ControlRow(
        id=control,
        title=title,
        setting=sheet.setting,
        regime=sheet.regime,
        state=state,
        strike=strike,
        detail=detail,
        numbers=dict(numbers or {}),
    )
