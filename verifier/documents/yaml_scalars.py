"""What an unquoted YAML scalar means here.

Exactly `null`, `true` and `false`, numbers exactly as JSON writes them (so `1e3` is 1000.0),
and text for the rest.  Refused, with the hint to quote: what some version of YAML, or a reader
who trusts one, takes for something else than text (`NO`, `yes`, `~`, `1:30`, `1_000`, `0x1F`,
`012`, `+1`, `.5`, `2024-01-31`, `.nan`, `inf`), and the empty value.
"""

from __future__ import annotations

import re
from typing import Final

from verifier.documents.json_scan import MAX_DIGITS, read_number
from verifier.documents.source import Source, shown

_WORDS: Final = {"null": None, "true": True, "false": False}
_NUMBER_START = re.compile(r"-?[0-9]")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?")

_OTHER_WORDS = re.compile(r"(?:null|true|false|yes|no|on|off|~|=|<<)", re.IGNORECASE)
_NOT_FINITE = re.compile(r"[-+]?\.?(?:nan|inf|infinity)", re.IGNORECASE)
_OTHER_NUMBERS = re.compile(
    r"[-+]?(?:"
    r"0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++"  # other bases
    r"|[0-9][0-9_]*+(?::[0-9_]++)++(?:\.[0-9_]*+)?"  # base sixty
    r"|[0-9][0-9_]*+(?:\.[0-9_]*+)?(?:[eE][-+]?[0-9]*+)?"  # 012, 1_000, 5., 1e
    r"|\.[0-9_]++(?:[eE][-+]?[0-9]++)?"  # .5
    r")"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt\s].*+)", re.DOTALL)


def resolve_plain(text: str, *, source: Source, at: int) -> str | float | bool | None:
    """The value of an unquoted scalar; DocumentError where its meaning is in doubt."""
    if text in _WORDS:
        return _WORDS[text]
    if not text:
        source.refuse(at, "the value is missing", 'write it, or null, or "" for an empty text')
    if len(text) > MAX_DIGITS:
        if _NUMBER_START.match(text) and not text.strip("-+.0123456789eE"):
            read_number(text, source=source, at=at)
        return text
    if _JSON_NUMBER.fullmatch(text):
        return read_number(text, source=source, at=at)
    if _NOT_FINITE.fullmatch(text):
        source.refuse(
            at,
            f"{shown(text)} may mean a number that is not finite, or text",
            f'write "{text}" if it is text; unknown is null',
        )
    kind = _other_meaning(text)
    if kind:
        source.refuse(
            at,
            f"{shown(text)} is read as {kind} by some and as text by others",
            f'write "{text}" if it is text, or else as JSON writes it',
        )
    return text


def _other_meaning(text: str) -> str | None:
    if _OTHER_WORDS.fullmatch(text):
        return "a truth value or null" if text not in {"=", "<<"} else "an instruction to merge"
    if _OTHER_NUMBERS.fullmatch(text):
        return "a number"
    return "a date" if _DATE.match(text) else None
