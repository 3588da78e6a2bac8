"""C3: other ids in another order, same seed: the score stays, or the script reads ids."""

from __future__ import annotations

import math

import numpy as np

from verifier.controls.control import SLACK, Control, State, control_row
from verifier.controls.draws import drawn_arm, repeat_trial
from verifier.documents.verdict import ControlRow
from verifier.stats.estimate import student
from verifier.study.frame import Frame, SettingFrame
from verifier.study.sheet import ScoredTrial, Sheet, seed_noise
from verifier.study.trials import Purpose, TrialPlan

TITLE = "other ids, other order, same score"
DETERMINISTIC = 0.001
_CHANGED = 0.01
_KEYS = 2


def _plan(frame: Frame, setting: SettingFrame, regime: str, strike: int) -> tuple[TrialPlan, ...]:
    """Plan two other keys a claim: one in each regime where there are two."""
    keys = _KEYS if len(frame.regimes) == 1 else 1
    arm = drawn_arm(frame, setting, regime, "C3", strike)
    first = 1 + (strike - 1) * _KEYS
    return tuple(
        repeat_trial(
            frame, setting, regime, arm=arm, purpose=Purpose(role="C3", strike=strike, seal=key)
        )
        for key in range(first, first + keys)
    )


def change_bound(sheet: Sheet, trial: ScoredTrial, level: float) -> tuple[float, float]:
    """Return how far a repeated trial's mean is from its reference, and how far it may be.

    The reference is the arm's mean over seeds; where nuisance values are drawn it is the
    trial with the same arm and index, because draws differ between indices (METHOD part 2).
    Declared deterministic: the trial with the same index, .001.
    """
    if sheet.claim.reproduction.deterministic:
        return abs(sheet.mean(trial) - sheet.mean(sheet.twin(trial))), DETERMINISTIC
    noise, df = seed_noise(sheet, trial.row.arm)
    t = student(level / 2, df)
    if sheet.paired:
        reference = sheet.mean(sheet.twin(trial))
        bound = t * noise * math.sqrt(2)
    else:
        reference = float(sheet.means(trial.row.arm).mean())
        bound = t * noise * math.sqrt(1 + 1 / sheet.seeds)
    return abs(sheet.mean(trial) - reference), max(SLACK, bound)


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:
    trials = sheet.control_trials("C3", strike)
    if not trials:
        return control_row("C3", TITLE, sheet, "not_run", "no re-keyed trial", strike=strike)
    results = [_changed(sheet, trial, level / len(trials)) for trial in trials]
    worst = max(results, key=lambda r: r[0] - r[1])
    state: State = "passed" if all(ok for *_, ok in results) else "failed"
    detail = f"largest change of the mean {worst[0]:.6f}, {worst[1]:.6f} allowed"
    return control_row(
        "C3",
        TITLE,
        sheet,
        state,
        detail,
        strike=strike,
        numbers={"difference": worst[0], "bound": worst[1]},
    )


def _changed(sheet: Sheet, trial: ScoredTrial, level: float) -> tuple[float, float, bool]:
    difference, bound = change_bound(sheet, trial, level)
    ok = difference <= bound
    if sheet.claim.reproduction.deterministic:
        twin = sheet.twin(trial)
        moved = trial.scores.expected[sheet.positions] != twin.scores.expected[sheet.positions]
        ok = ok and float(np.mean(moved)) <= _CHANGED
    return difference, bound, ok


REKEY = Control(id="C3", title=TITLE, plan=_plan, check=_check, second_strike=True)
