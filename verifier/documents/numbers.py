"""Numbers as verdicts print them: six significant digits, so that machines agree on the bytes."""

from __future__ import annotations

import math
from typing import overload

NOTHING = 1e-12


@overload
def six_digits(x: float) -> float: ...
@overload
def six_digits(x: None) -> None: ...
def six_digits(x: float | None) -> float | None:
    """`x` rounded to six significant digits; -0 becomes 0, unknown (None) stays unknown.

    Rounded to twelve first, and below 1e-12 to 0: sums taken in another order on another
    processor differ in the sixteenth digit, and must not differ here.

    ValueError for NaN and infinities: they are never a result.
    """
    if x is None:
        return None
    if not math.isfinite(x):
        raise ValueError(f"{x} is not a number that a verdict may carry")
    if abs(x) < NOTHING:
        return 0.0
    return float(f"{float(f'{x:.12g}'):.6g}") + 0.0


def signed(x: float, digits: int = 4) -> str:
    """Return a difference with its sign and so many decimals; what rounds to 0 is +0."""
    return format(round(x, digits) + 0.0, f"+.{digits}f")
