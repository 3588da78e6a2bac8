"""A plan as plain text: what would run, what is kept, how long, which alpha."""

from __future__ import annotations

from collections.abc import Sequence

from verifier.report.listing import WIDTH, fold, render_table
from verifier.report.progress_line import spell

_LATER = "Later looks run only if the one before does not decide."
Group = tuple[str, int, int, float | None]


def render_plan(
    *,
    claim: str,
    number: int,
    known: bool,
    alpha: float,
    alpha_per_look: float,
    slots: int,
    groups: Sequence[Group],
) -> str:
    """Return the plan; groups: (name, trials, kept, seconds or None where nothing is known)."""
    rows = [
        {
            "run": name,
            "trials": trials,
            "kept": kept,
            "time": "unknown" if seconds is None else spell(seconds),
        }
        for name, trials, kept, seconds in groups
    ]
    frozen = "frozen before" if known else "not frozen yet"
    lines = [
        *fold(f"{claim}: try {number} of its lineage ({frozen})", WIDTH),
        f"alpha {alpha:.4g} for this try, {alpha_per_look:.4g} a look and side",
        "",
        render_table(rows),
        "",
        *fold(f"{slots} trials at once. {_LATER}", WIDTH),
    ]
    if all(seconds is None for *_, seconds in groups):
        lines += fold(f"Times are unknown until one trial was run: verify try {claim}", WIDTH)
    return "\n".join(lines)
