"""How a claim's error budget is shared: among looks, and among the tries of a lineage."""

from __future__ import annotations

import math


def look_alphas(alpha: float, looks: int) -> tuple[float, ...]:
    """Equal shares of `alpha` for every look; their sum is alpha (union bound)."""
    if looks < 1 or not 0 < alpha < 1:
        raise ValueError(f"want looks >= 1 and 0 < alpha < 1, got {looks} and {alpha}")
    return (alpha / looks,) * looks


def ledger_alpha(alpha: float, number: int) -> float:
    """What try `number` (from 1) of a lineage may spend: alpha * 6 / (pi^2 number^2).

    The shares of all tries, however many, sum to alpha.
    """
    if number < 1 or not 0 < alpha < 1:
        raise ValueError(f"want number >= 1 and 0 < alpha < 1, got {number} and {alpha}")
    return alpha * 6 / (math.pi**2 * number**2)
