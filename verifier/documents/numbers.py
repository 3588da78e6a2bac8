"""Numbers as verdicts print them: six significant digits, so that machines agree on the bytes."""

from __future__ import annotations

import math
from typing import overload


@overload
def six_digits(x: float) -> float: ...
@overload
def six_digits(x: None) -> None: ...
def six_digits(x: float | None) -> float | None:
    """`x` rounded to six significant digits; -0 becomes 0, unknown (None) stays unknown.

    ValueError for NaN and infinities: they are never a result.
    """
    if x is None:
        return None
    if not math.isfinite(x):
        raise ValueError(f"{x} is not a number that a verdict may carry")
    return float(f"{x:.6g}") + 0.0
