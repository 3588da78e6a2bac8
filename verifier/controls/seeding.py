"""C2: no two seeds of an arm give equal runs: a seed that is not used is worse than none."""

from __future__ import annotations

import json
from collections import Counter

from verifier.controls.control import Control, State, control_row
from verifier.controls.rekey import DETERMINISTIC
from verifier.documents.verdict import ControlRow
from verifier.study.sheet import Sheet

TITLE = "seeds matter"


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:  # noqa: ARG001
    if sheet.claim.reproduction.deterministic:
        return _check_declared(sheet)
    for arm, trials in sheet.arms.items():
        equal = [n for n in Counter(t.ranking_digest for t in trials).values() if n > 1]
        if equal:
            detail = f"arm {arm}: {sum(equal)} of {len(trials)} seeds gave runs equal to another"
            return control_row(
                "C2", TITLE, sheet, "failed", detail, numbers={"equal_runs": sum(equal)}
            )
    return control_row("C2", TITLE, sheet, "passed", "no two seeds of an arm gave equal runs")


def _check_declared(sheet: Sheet) -> ControlRow:
    """A script declared deterministic gives one score for equal nuisance values, or it is not."""
    worst = 0.0
    for trials in sheet.arms.values():
        means: dict[str, list[float]] = {}
        for trial in trials:
            drawn = {k: trial.row.parameters[k] for k in sheet.claim.reproduction.nuisance}
            means.setdefault(json.dumps(drawn, sort_keys=True), []).append(sheet.mean(trial))
        worst = max(worst, *(max(values) - min(values) for values in means.values()))
    state: State = "passed" if worst <= DETERMINISTIC else "failed"
    detail = f"declared deterministic: seeds differ by {worst:.6f}, {DETERMINISTIC} allowed"
    return control_row("C2", TITLE, sheet, state, detail, numbers={"difference": worst})


SEEDING = Control(id="C2", title=TITLE, check=_check)
