"""The battery: kind of claim and encoder -> its controls.  No author can switch one off."""

from __future__ import annotations

from collections.abc import Iterable

from verifier.controls.assay import ASSAY
from verifier.controls.control import Control
from verifier.controls.determinism import DETERMINISM
from verifier.controls.floor import FLOOR
from verifier.controls.halves import HALVES
from verifier.controls.planted import PLANTED
from verifier.controls.rekey import REKEY
from verifier.controls.respelled import RESPELLED
from verifier.controls.seeding import SEEDING
from verifier.documents.claim import Claim
from verifier.documents.edition import CONTROL_LEVEL
from verifier.documents.verdict import ControlRow
from verifier.study.frame import Frame
from verifier.study.sheet import Sheet
from verifier.study.trials import TrialPlan

BATTERY: tuple[Control, ...] = (
    DETERMINISM,
    SEEDING,
    REKEY,
    HALVES,
    FLOOR,
    RESPELLED,
    PLANTED,
    ASSAY,
)


def battery(claim: Claim, encoder: str) -> tuple[Control, ...]:
    """Return the controls that a claim with an encoder must pass."""
    return tuple(control for control in BATTERY if control.applies(claim, encoder))


def control_trials(
    frame: Frame, *, strike: int = 1, only: Iterable[str] | None = None
) -> tuple[TrialPlan, ...]:
    """Return the trials the controls cost in all conditions.

    Without `only` these are the controls that every study runs at once; those on demand
    (and second strikes) are asked for by id.
    """
    wanted = None if only is None else set(only)
    return tuple(
        trial
        for setting, regime in frame.conditions
        for control in battery(frame.claim, setting.use.encoder)
        if (control.id in wanted if wanted is not None else not control.on_demand)
        for trial in control.plan(frame, setting, regime, strike)
    )


def control_level(sheets: int) -> float:
    """Return the level of one check: .001 shared by the conditions of the study."""
    return CONTROL_LEVEL / sheets


def check_controls(sheet: Sheet, *, level: float) -> tuple[ControlRow, ...]:
    """Check every control of a condition; a second strike speaks where it was run."""
    rows = []
    for control in battery(sheet.claim, sheet.encoder):
        row = control.check(sheet, 1, level)
        if row.state == "failed" and control.second_strike:
            again = control.check(sheet, 2, level)
            row = again if again.state != "not_run" else row
        rows.append(row)
    return tuple(rows)


def second_strikes(rows: Iterable[ControlRow]) -> tuple[str, ...]:
    """Return the controls that failed once and may be repeated with fresh draws."""
    repeatable = {c.id for c in BATTERY if c.second_strike}
    return tuple(sorted({r.id for r in rows if r.state == "failed" and r.strike == 1} & repeatable))
