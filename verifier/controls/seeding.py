"""C2: no two seeds of an arm give equal runs: a seed that is not used is worse than none."""

from __future__ import annotations

from collections import Counter

from verifier.controls.control import Control, control_row
from verifier.documents.verdict import ControlRow
from verifier.study.sheet import Sheet

TITLE = "seeds matter"


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:  # noqa: ARG001
    if sheet.claim.reproduction.deterministic:
        return control_row("C2", TITLE, sheet, "not_needed", "declared deterministic")
    for arm, trials in sheet.arms.items():
        equal = [n for n in Counter(t.ranking_digest for t in trials).values() if n > 1]
        if equal:
            detail = f"arm {arm}: {sum(equal)} of {len(trials)} seeds gave runs equal to another"
            return control_row(
                "C2", TITLE, sheet, "failed", detail, numbers={"equal_runs": sum(equal)}
            )
    return control_row("C2", TITLE, sheet, "passed", "no two seeds of an arm gave equal runs")


SEEDING = Control(id="C2", title=TITLE, check=_check)
