"""From a sheet to the contrasts of its criterion, ties broken both ways, and their decision."""

from __future__ import annotations

import numpy as np

from verifier.decide.dose_response import decide_dose_response, required_contrasts
from verifier.decide.outcome import Contrast, Decision
from verifier.decide.superiority import decide_superiority
from verifier.documents.criterion import Criterion, DoseResponse, Shape, Superiority
from verifier.stats.design import Design
from verifier.stats.estimate import ContrastEstimate, estimate_contrast
from verifier.study.sheet import Array, Order, Sheet


def contrast_pairs(criterion: Criterion) -> tuple[tuple[str, str], ...]:
    """Return the pairs (higher, lower) a criterion compares; the telling one first."""
    match criterion:
        case Superiority():
            return ((criterion.candidate, criterion.baseline),)
        case DoseResponse():
            pairs = required_contrasts(criterion.shape, len(criterion.levels))
            return tuple((criterion.levels[a], criterion.levels[b]) for a, b in pairs)


def estimate_pair(
    sheet: Sheet,
    higher: str,
    lower: str,
    *,
    ties: str,
    design: Design | None = None,
    columns: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None,
) -> ContrastEstimate:
    """Estimate higher - lower with ties "against" the claim, in its "favour" or "expected".

    By default over the primary queries; else over `columns` of all queries, under `design`.
    """
    orders: dict[str, tuple[Order, Order]] = {
        "against": ("worst", "best"),
        "favour": ("best", "worst"),
        "expected": ("expected", "expected"),
    }
    up, down = orders[ties]

    def pick(arm: str, order: Order) -> Array:
        return sheet.matrix(arm, order) if columns is None else sheet.full(arm, order)[:, columns]

    return estimate_contrast(
        {higher: pick(higher, up), lower: pick(lower, down)},
        {higher: 1.0, lower: -1.0},
        sheet.design if design is None else design,
        paired=sheet.paired,
    )


def contrasts_of(sheet: Sheet) -> tuple[Contrast, ...]:
    """Return the contrasts of the sheet's criterion, in the order of `contrast_pairs`."""
    return tuple(
        Contrast(
            name=f"{higher} - {lower}",
            against=estimate_pair(sheet, higher, lower, ties="against"),
            in_favour=estimate_pair(sheet, higher, lower, ties="favour"),
        )
        for higher, lower in contrast_pairs(sheet.claim.criterion)
    )


def decide_criterion(
    sheet: Sheet, contrasts: tuple[Contrast, ...], *, alpha: float, sensitive: bool | None
) -> Decision:
    """Decide the sheet's criterion in its condition."""
    criterion = sheet.claim.criterion
    match criterion:
        case Superiority():
            return decide_superiority(
                contrasts[0], margin=criterion.margin, alpha=alpha, sensitive=sensitive
            )
        case DoseResponse():
            shape = Shape(criterion.shape)
            pairs = required_contrasts(shape, len(criterion.levels))
            return decide_dose_response(
                dict(zip(pairs, contrasts, strict=True)),
                shape=shape,
                levels=len(criterion.levels),
                margin=criterion.margin,
                tolerance=criterion.tolerance,
                alpha=alpha,
                sensitive=sensitive,
            )
