"""C9: a level known to matter is seen to matter: without it nothing can be refuted."""

from __future__ import annotations

import numpy as np

from verifier.controls.control import Control, State, control_row
from verifier.documents.verdict import ControlRow
from verifier.stats.estimate import estimate_contrast
from verifier.study.frame import Frame, SettingFrame
from verifier.study.sheet import Sheet
from verifier.study.trials import Purpose, TrialPlan, plan_trial

TITLE = "a level known to matter shows"
_FEWEST = 2


def _plan(frame: Frame, setting: SettingFrame, regime: str, strike: int) -> tuple[TrialPlan, ...]:
    if not frame.claim.assay:
        return ()
    purpose = Purpose(role="C9", strike=strike)
    return tuple(
        plan_trial(frame, setting, regime, arm=arm, level=level, index=index, purpose=purpose)
        for arm, level in frame.claim.assay[frame.claim.factor].items()
        for index in range(frame.claim.seeds.looks[0])
    )


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:
    if not sheet.claim.assay:
        detail = "the claim names no level known to matter: it cannot be refuted"
        return control_row("C9", TITLE, sheet, "not_run", detail)
    trials = sorted(sheet.control_trials("C9", strike), key=lambda t: t.row.index)
    if len(trials) < _FEWEST:
        return control_row("C9", TITLE, sheet, "not_needed", "asked for only before refuting")
    assay = np.stack([t.scores.expected[sheet.positions] for t in trials])
    baseline = sheet.matrix(sheet.claim.criterion.baseline)[[t.row.index for t in trials]]
    estimate = estimate_contrast(
        {"assay": assay, "baseline": baseline},
        {"assay": 1.0, "baseline": -1.0},
        sheet.design,
        paired=sheet.paired,
    )
    bound = abs(estimate.value) - estimate.half_width(level)
    margin = sheet.claim.criterion.margin
    state: State = "passed" if bound > margin else "failed"
    detail = (
        f"{trials[0].row.arm} differs from {sheet.claim.criterion.baseline} by "
        f"{abs(estimate.value):.4f}, at least {bound:.4f}; {margin} must be exceeded"
    )
    return control_row(
        "C9",
        TITLE,
        sheet,
        state,
        detail,
        strike=strike,
        numbers={"difference": estimate.value, "low": bound, "margin": margin},
    )


ASSAY = Control(id="C9", title=TITLE, plan=_plan, check=_check, on_demand=True)
