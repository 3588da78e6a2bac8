"""Rows of facts as plain text: aligned columns where they fit, one fact a line where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

WIDTH = 80


def render_table(rows: Sequence[Mapping[str, object]], *, width: int = WIDTH) -> str:
    """Return rows as a table of at most `width` characters, else as blocks of `name: value`."""
    if not rows:
        return "(none)"
    names = list(rows[0])
    cells = [[str(row.get(name, "")) for name in names] for row in rows]
    widths = [max(len(n), *(len(c[i]) for c in cells)) for i, n in enumerate(names)]
    if sum(widths) + 2 * (len(names) - 1) <= width:
        lines = [names, *cells]
        return "\n".join(
            "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )
    return "\n\n".join(_block(row, width) for row in rows)


def _block(row: Mapping[str, object], width: int) -> str:
    indent = max(len(name) for name in row) + 2
    lines: list[str] = []
    for name, value in row.items():
        lines += wrap(
            str(value),
            width,
            initial_indent=f"{name}:".ljust(indent),
            subsequent_indent=" " * indent,
        ) or [f"{name}:"]
    return "\n".join(lines)
