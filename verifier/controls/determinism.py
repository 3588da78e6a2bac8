"""C1: the same key and seed give the same run, or differ by no more than seeds do."""

from __future__ import annotations

import math

from verifier.controls.control import SLACK, Control, State, control_row
from verifier.controls.draws import drawn_arm, repeat_trial
from verifier.documents.verdict import ControlRow
from verifier.stats.estimate import student
from verifier.study.frame import Frame, SettingFrame
from verifier.study.sheet import ScoredTrial, Sheet, seed_noise
from verifier.study.trials import Purpose, TrialPlan

TITLE = "same key and seed, same run"
_DETERMINISTIC = 1e-4


def _plan(frame: Frame, setting: SettingFrame, regime: str, strike: int) -> tuple[TrialPlan, ...]:
    arm = drawn_arm(frame, setting, regime, "C1", strike)
    purpose = Purpose(role="C1", strike=strike, replicate=strike)
    return (repeat_trial(frame, setting, regime, arm=arm, purpose=purpose),)


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:
    trials = sheet.control_trials("C1", strike)
    if not trials:
        return control_row("C1", TITLE, sheet, "not_run", "no repetition was run", strike=strike)
    again, first = trials[0], sheet.twin(trials[0])
    if _equal(again, first):
        return control_row("C1", TITLE, sheet, "passed", "equal runs, byte for byte", strike=strike)
    difference = abs(sheet.mean(again) - sheet.mean(first))
    noise, df = seed_noise(sheet, again.row.arm)
    bound = (
        _DETERMINISTIC
        if sheet.claim.reproduction.deterministic
        else max(SLACK, student(level / 2, df) * noise * math.sqrt(2))
    )
    state: State = "warning" if difference <= bound else "failed"
    detail = f"runs differ: means are {difference:.6f} apart, {bound:.6f} allowed"
    return control_row(
        "C1",
        TITLE,
        sheet,
        state,
        detail,
        strike=strike,
        numbers={"difference": difference, "bound": bound},
    )


def _equal(one: ScoredTrial, other: ScoredTrial) -> bool:
    return one.ranking_digest == other.ranking_digest and one.row.stream == other.row.stream


DETERMINISM = Control(id="C1", title=TITLE, plan=_plan, check=_check, second_strike=True)
