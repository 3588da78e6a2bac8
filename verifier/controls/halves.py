"""C4: halves of an arm's own seeds do not differ from each other (A/A)."""

from __future__ import annotations

from verifier.controls.control import Control, State, control_row
from verifier.documents.verdict import ControlRow
from verifier.stats.estimate import estimate_contrast
from verifier.study.sheet import Sheet

TITLE = "an arm does not beat itself"
_FEWEST = 10  # with fewer, a half has too few degrees of freedom to fail


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:  # noqa: ARG001
    if sheet.claim.reproduction.deterministic or sheet.seeds < _FEWEST:
        return control_row("C4", TITLE, sheet, "not_needed", f"fewer than {_FEWEST} seeds to halve")
    worst = (-1.0, "", 0.0, 0.0)
    for arm in sheet.arms:
        scores = sheet.matrix(arm)
        halves = {"even": scores[0::2], "odd": scores[1::2]}
        estimate = estimate_contrast(halves, {"even": 1.0, "odd": -1.0}, sheet.design, paired=False)
        bound = estimate.half_width(level / 2)
        worst = max(worst, (abs(estimate.value) - bound, arm, abs(estimate.value), bound))
    excess, arm, difference, bound = worst
    state: State = "passed" if excess <= 0 else "failed"
    detail = f"arm {arm}: halves are {difference:.6f} apart, {bound:.6f} allowed"
    return control_row(
        "C4", TITLE, sheet, state, detail, numbers={"difference": difference, "bound": bound}
    )


HALVES = Control(id="C4", title=TITLE, check=_check)
