"""Text from strangers made safe to show: no control characters, no terminal escapes."""

from __future__ import annotations


def plain_text(data: bytes, *, limit: int = 400) -> str:
    """Return at most `limit` printable characters of `data`, its end kept when it is longer."""
    text = data.decode("utf-8", errors="replace")
    shown = "".join(c if c.isprintable() else " " for c in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else "…" + shown[-limit + 1 :]


def plain_lines(data: bytes, *, limit: int = 10_000) -> list[str]:
    """Return the lines of a log, each safe to print on a terminal."""
    lines = data.decode("utf-8", errors="replace").splitlines()
    return ["".join(c if c.isprintable() else "�" for c in line) for line in lines[-limit:]]


def last_words(data: bytes) -> str:
    """Return the last line of a log that says something, safe to show, or '(silent)'."""
    for line in reversed(data.splitlines()):
        shown = plain_text(line, limit=200)
        if shown:
            return shown
    return "(silent)"
