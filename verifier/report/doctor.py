"""What a machine can enforce, as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from verifier.report.listing import WIDTH, fold

_MARKS = {"enforced": "ok     ", "degraded": "PARTLY ", "missing": "MISSING"}
_INDENT = " " * 9


def render_checks(
    rows: Sequence[tuple[str, str, str, str | None]], *, usable: bool, width: int = WIDTH
) -> str:
    """Return one block a check: name, state, detail, and what to do.

    rows: (name, state, detail, what to do).
    """
    lines: list[str] = []
    for name, state, detail, what_to_do in rows:
        mark = _MARKS.get(state, state)
        lines += fold(f"{name}: {detail}", width, first=f"{mark}  ", rest=_INDENT)
        if what_to_do and state != "enforced":
            lines += fold(f"to do: {what_to_do}", width, first=_INDENT, rest=_INDENT)
    lines.append("")
    lines += fold(
        "This machine can hold a script: verdicts are possible."
        if usable
        else "This machine cannot hold a script: no verdict is possible until MISSING is mended.",
        width,
    )
    return "\n".join(lines)
