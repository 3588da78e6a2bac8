"""Rows of facts as plain text: aligned columns where they fit, one fact a line where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

WIDTH = 80
_WIDEST_INDENT = 24


def clean(text: str) -> str:
    """Return text without anything a terminal would act on, whoever wrote it."""
    return "".join(c if c.isprintable() else "\ufffd" if not c.isspace() else " " for c in text)


def fold(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Return text in lines of at most `width` characters, safe to print; long words are cut."""
    return wrap(clean(text), width, initial_indent=first, subsequent_indent=rest)


def render_table(rows: Sequence[Mapping[str, object]], *, width: int = WIDTH) -> str:
    """Return rows as a table of at most `width` characters, else as blocks of `name: value`."""
    if not rows:
        return "(none)"
    names = list(rows[0])
    cells = [[clean(str(row.get(name, ""))) for name in names] for row in rows]
    heads = [clean(name) for name in names]
    widths = [max(len(n), *(len(c[i]) for c in cells)) for i, n in enumerate(heads)]
    if sum(widths) + 2 * (len(names) - 1) <= width:
        lines = [heads, *cells]
        return "\n".join(
            "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )
    return "\n\n".join(_block(row, width) for row in rows)


def _block(row: Mapping[str, object], width: int) -> str:
    indent = min(max(len(name) for name in row) + 2, _WIDEST_INDENT, width // 2)
    lines: list[str] = []
    for name, value in row.items():
        head = f"{clean(name)}:"
        if len(head) < indent:
            lines += fold(str(value), width, first=head.ljust(indent), rest=" " * indent) or [head]
        else:  # a long name stands on lines of its own
            lines += fold(head, width)
            lines += fold(str(value), width, first=" " * indent, rest=" " * indent)
    return "\n".join(lines)
