"""C5: in each language the best arm finds more than chance, or the language cannot speak."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from verifier.controls.control import Control, State, control_row
from verifier.documents.verdict import ControlRow
from verifier.scoring.chance import score_chance
from verifier.stats.design import micro
from verifier.stats.estimate import estimate_contrast
from verifier.study.sheet import Sheet

_FEWEST_CLUSTERS = 2
TITLE = "above chance in every language"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageFloor:
    """One language: the best arm's mean, its lower bound, and what chance would give."""

    language: str
    arm: str
    mean: float
    low: float
    chance: float

    @property
    def testable(self) -> bool:
        """Whether the best arm is above chance; false for NaN too."""
        return self.low > self.chance


def language_floors(sheet: Sheet, level: float) -> tuple[LanguageFloor, ...]:
    """Return the floor of every language in the primary stratum.

    The best arm is chosen after looking, so the level is shared by the arms; a language whose
    queries lie in one cluster has no interval and cannot be told from chance.
    """
    languages = np.where(sheet.in_stratum, np.asarray(sheet.queries.languages), "")
    clusters = np.asarray(sheet.queries.clusters)
    chance = {arm: chance_of(sheet, arm) for arm in sheet.arms}
    floors = []
    for language in sorted(set(languages.tolist()) - {""}):
        here = np.flatnonzero(languages == language)
        scores = {arm: sheet.full(arm)[:, here] for arm in sheet.arms}
        best = max(scores, key=lambda arm: float(scores[arm].mean()))
        design = micro(languages[here].tolist(), clusters[here].tolist())
        mean, low = float(scores[best].mean()), -math.inf
        if design.groups >= _FEWEST_CLUSTERS:
            estimate = estimate_contrast({best: scores[best]}, {best: 1.0}, design, paired=False)
            low = estimate.value - estimate.half_width(level / len(sheet.arms))
        floors.append(
            LanguageFloor(
                language=language, arm=best, mean=mean, low=low, chance=chance[best][language]
            )
        )
    return tuple(floors)


def chance_of(sheet: Sheet, arm: str) -> dict[str, float]:
    """Return the arm's chance score by language, from its first seed's run."""
    names, codes = np.unique(np.asarray(sheet.queries.languages), return_inverse=True)
    chances = score_chance(
        sheet.arms[arm][0].ranking, sheet.qrels, sheet.claim.criterion.measure, codes
    )
    return dict(zip(names.tolist(), chances.tolist(), strict=True))


def _check(sheet: Sheet, strike: int, level: float) -> ControlRow:  # noqa: ARG001
    primary = {sheet.queries.languages[p] for p in sheet.positions.tolist()}
    floors = [f for f in language_floors(sheet, level) if f.language in primary]
    silent = [f.language for f in floors if not f.testable]
    state: State = "not_testable" if silent else "passed"
    lowest = min(floors, key=lambda f: f.low - f.chance)
    detail = (
        f"at chance: {', '.join(silent)}"
        if silent
        else f"lowest: {lowest.language}, {lowest.low:.4f} against chance {lowest.chance:.4f}"
    )
    numbers: dict[str, float | int | None] = {
        "languages": len(floors),
        "at_chance": len(silent),
        "low": lowest.low if math.isfinite(lowest.low) else None,
        "chance": lowest.chance,
    }
    return control_row("C5", TITLE, sheet, state, detail, numbers=numbers)


FLOOR = Control(id="C5", title=TITLE, check=_check)
