"""C8: queries replaced by the exact text of their document are found."""

from __future__ import annotations

import numpy as np

from verifier.controls.control import Control, State, control_row
from verifier.controls.draws import repeat_trial
from verifier.documents.measures import Measure
from verifier.documents.verdict import ControlRow
from verifier.scoring.measures import score
from verifier.study.frame import Frame, SettingFrame
from verifier.study.sheet import Sheet
from verifier.study.trials import Purpose, TrialPlan, study_variant

TITLE = "planted queries are found"
MEASURE = Measure.parse("Success@10")
WANTED = 0.8


def _plan(frame: Frame, setting: SettingFrame, regime: str, strike: int) -> tuple[TrialPlan, ...]:
    variant = study_variant(frame, setting).model_copy(update={"planted": strike})
    purpose = Purpose(role="C8", strike=strike, variant=variant)
    arm = frame.claim.criterion.baseline
    return (repeat_trial(frame, setting, regime, arm=arm, purpose=purpose),)


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:  # noqa: ARG001
    trials = sheet.control_trials("C8", strike)
    if not trials or not trials[0].row.planted:
        return control_row("C8", TITLE, sheet, "not_run", "no planted trial", strike=strike)
    trial = trials[0]
    planted = np.asarray(trial.row.planted)
    found = float(score(trial.ranking, sheet.qrels, MEASURE).worst[planted].mean())
    state: State = "passed" if found >= WANTED else "failed"
    detail = f"{MEASURE} {found:.4f} over {len(planted)} planted queries, {WANTED} wanted"
    return control_row(
        "C8", TITLE, sheet, state, detail, strike=strike, numbers={"found": found, "wanted": WANTED}
    )


PLANTED = Control(id="C8", title=TITLE, plan=_plan, check=_check)
