"""Dose response: the measure follows a shape over the ordered levels of a factor.

Never by slope, which says "increasing" of a rise and fall, nor by argmax, which finds an
interior peak on a flat curve.
"""

from __future__ import annotations

from collections.abc import Mapping

from verifier.decide.bounds import Answer, check_numbers, lies_above, lies_below, refuting_reason
from verifier.decide.outcome import Contrast, Decision, ReasonCode, mildest
from verifier.decide.superiority import refuted, supported, undecided
from verifier.documents.criterion import Shape

Pair = tuple[int, int]
_FEWEST = 3


def required_contrasts(shape: Shape, levels: int) -> tuple[Pair, ...]:
    """Name the contrasts (a, b) that a decision needs: theta_a - theta_b, claimed positive.

    The contrast of the two ends comes first, except for an interior peak, which has none.
    """
    if levels < _FEWEST:
        raise ValueError(f"want at least {_FEWEST} levels, got {levels}")
    last = levels - 1
    if shape is Shape.INTERIOR_PEAK:
        return tuple((k, end) for k in range(1, last) for end in (0, last))
    rising = [(j, i) for i in range(levels) for j in range(i + 1, levels)]
    rising.sort(key=lambda pair: pair != (last, 0))
    return tuple(rising if shape is Shape.INCREASING else [(i, j) for j, i in rising])


def decide_dose_response(
    contrasts: Mapping[Pair, Contrast],
    *,
    shape: Shape,
    levels: int,
    margin: float,
    tolerance: float,
    alpha: float,
    sensitive: bool | None,
) -> Decision:
    """Decide whether levels 0..levels-1 follow `shape` (METHOD part 3).

    contrasts: those of `required_contrasts`, no others.  margin: what the ends, or the peak
    against both ends, must differ by; tolerance <= margin: how far a step may go the wrong way.
    sensitive: as in `decide_superiority`.
    """
    check_numbers(alpha=alpha, margin=margin)
    if not 0 <= tolerance <= margin:
        raise ValueError(f"want 0 <= tolerance <= margin, got {tolerance} and {margin}")
    wanted = required_contrasts(shape, levels)
    if set(contrasts) != set(wanted):
        raise ValueError(f"want the contrasts {wanted}, got {tuple(contrasts)}")
    if shape is Shape.INTERIOR_PEAK:
        return _peak(contrasts, levels, margin, alpha, sensitive=sensitive)
    ordered = {pair: contrasts[pair] for pair in wanted}
    return _monotone(ordered, margin, tolerance, alpha, sensitive=sensitive)


def _monotone(
    contrasts: Mapping[Pair, Contrast],
    margin: float,
    tolerance: float,
    alpha: float,
    *,
    sensitive: bool | None,
) -> Decision:
    """Support needs the ends above margin and every pair above -tolerance.

    Refuted by the ends at alpha/2, or by some of the P pairs at alpha/2P.
    """
    ends, *_ = contrasts.values()
    holding = [lies_above(ends, margin, alpha=alpha)]
    holding += [lies_above(c, -tolerance, alpha=alpha) for c in contrasts.values()]
    if all(a.holds for a in holding):
        return supported(holding)
    share = alpha / (2 * len(contrasts))
    short = lies_below(ends, margin, alpha=alpha / 2)
    wrong = [a for c in contrasts.values() if (a := lies_below(c, -tolerance, alpha=share)).holds]
    if wrong:
        return refuted(wrong, ReasonCode.OPPOSITE, sensitive=sensitive)
    if short.holds:
        return refuted((short,), refuting_reason(ends, alpha=alpha / 2), sensitive=sensitive)
    failed = [a for a in holding if not a.holds]
    return undecided((*failed, short), varies=all(c.varies for c in contrasts.values()))


def _peak(
    contrasts: Mapping[Pair, Contrast],
    levels: int,
    margin: float,
    alpha: float,
    *,
    sensitive: bool | None,
) -> Decision:
    """Support needs one interior level that beats both ends, at alpha/(K-1).

    Refuted if every interior level fails against one end, at alpha/2.
    """
    interior = range(1, levels - 1)
    seen: list[Answer] = []
    for k in interior:
        both = [
            lies_above(contrasts[k, end], margin, alpha=alpha / len(interior))
            for end in (0, levels - 1)
        ]
        if all(a.holds for a in both):
            return supported(both)
        seen += both
    beaten, reasons = [], []
    for k in interior:
        failing = [
            (answer, refuting_reason(contrasts[k, end], alpha=alpha / 2))
            for end in (0, levels - 1)
            if (answer := lies_below(contrasts[k, end], margin, alpha=alpha / 2)).holds
        ]
        if not failing:
            return undecided(seen, varies=all(c.varies for c in contrasts.values()))
        beaten += [answer for answer, _ in failing[:1]]
        reasons.append(mildest(reason for _, reason in failing))
    return refuted(beaten, mildest(reasons), sensitive=sensitive)
