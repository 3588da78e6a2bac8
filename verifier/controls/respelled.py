"""C7: the study runs on texts re-spelled by a secret alphabet; as written, scores are the same.

Deciding in the re-spelled world makes knowing the texts useless (decision 0006).  This control
runs every arm once on the texts as they are: a script that does better there knows them.
"""

from __future__ import annotations

import math
from itertools import combinations

from verifier.controls.control import Control, State, control_row
from verifier.controls.draws import drawn_index
from verifier.controls.rekey import change_bound
from verifier.documents.claim import STATIC, Claim
from verifier.documents.evidence import Variant
from verifier.documents.verdict import ControlRow
from verifier.study.frame import Frame, SettingFrame
from verifier.study.sheet import ScoredTrial, Sheet
from verifier.study.trials import Purpose, TrialPlan, plan_trial

TITLE = "texts as written, same scores"


def _applies(claim: Claim, encoder: str) -> bool:  # noqa: ARG001
    return encoder == STATIC


def _plan(frame: Frame, setting: SettingFrame, regime: str, strike: int) -> tuple[TrialPlan, ...]:
    index = drawn_index(frame, setting, regime, "C7", strike)
    purpose = Purpose(role="C7", strike=strike, seal=strike - 1, variant=Variant())
    return tuple(
        plan_trial(frame, setting, regime, arm=arm, level=level, index=index, purpose=purpose)
        for arm, level in frame.claim.arms.items()
    )


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:
    trials = {t.row.arm: t for t in sheet.control_trials("C7", strike)}
    if set(trials) != set(sheet.arms):
        return control_row("C7", TITLE, sheet, "not_run", "not run in every arm", strike=strike)
    pairs = list(combinations(sorted(trials), 2))
    share = level / (len(trials) + len(pairs))
    excesses = [(*change_bound(sheet, t, share), f"arm {arm}") for arm, t in trials.items()]
    excesses += [
        (*_contrast_change(sheet, trials[a], trials[b], share), f"{a} - {b}") for a, b in pairs
    ]
    difference, bound, what = max(excesses, key=lambda e: e[0] - e[1])
    state: State = "passed" if difference <= bound else "failed"
    detail = f"{what} changes by {difference:.6f}, {bound:.6f} allowed"
    return control_row(
        "C7",
        TITLE,
        sheet,
        state,
        detail,
        strike=strike,
        numbers={"difference": difference, "bound": bound},
    )


def _contrast_change(
    sheet: Sheet, one: ScoredTrial, other: ScoredTrial, level: float
) -> tuple[float, float]:
    """Return how far the difference of two arms moved, and how far it may."""
    bounds = [change_bound(sheet, t, level)[1] for t in (one, other)]
    before = sheet.mean(sheet.twin(one)) - sheet.mean(sheet.twin(other))
    after = sheet.mean(one) - sheet.mean(other)
    return abs(after - before), math.hypot(*bounds)


RESPELLED = Control(
    id="C7", title=TITLE, plan=_plan, check=_check, applies=_applies, second_strike=True
)
