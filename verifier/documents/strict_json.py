"""Strict JSON: one meaning or a refusal with its place.

Refused beyond RFC 8259: repeated, empty and non-ASCII keys, NaN and Infinity, numbers that a
double cannot hold, integers beyond 2^53 - 1, half surrogate pairs, control characters also
when escaped, nesting and sizes beyond the bounds (RFC 7493, "I-JSON", asks for most of it).

A sound document is read by the standard library at its speed; whatever looks unusual is read
again by the positional scanner, which alone decides and says where.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from verifier.documents.json_scan import MAX_DIGITS, SAFE_INTEGER, scan_json
from verifier.documents.parsed import Parsed
from verifier.documents.source import Bounds, Source, decode
from verifier.documents.tree import Spot

JSON_BOUNDS: Final = Bounds(size_bytes=32 << 20, depth=64, values=2_000_000)

_UNUSUAL_ESCAPE = re.compile(r"\\(?:[bf]|u(?:00[0189]|[dD][89a-fA-F]))")


class _UnusualError(Exception):
    """The fast reader met something that the scanner must look at."""


def parse_json(data: bytes, *, name: str, bounds: Bounds = JSON_BOUNDS) -> Parsed:
    """Read a JSON document; DocumentError with `name:line:column` for anything not strict."""
    source = decode(data, name=name, bounds=bounds)

    def places() -> Spot:
        return scan_json(source, bounds).spot

    try:
        return Parsed(source=source, value=_fast(source, bounds), scan=places)
    except (_UnusualError, ValueError, RecursionError):
        tree = scan_json(source, bounds)
    return Parsed(source=source, value=tree.value, scan=lambda: tree.spot)


def _fast(source: Source, bounds: Bounds) -> Any:  # noqa: ANN401
    text = source.text
    most = 1 + text.count(",") + text.count("[") + text.count("{")  # values there can be
    if most > bounds.values or _UNUSUAL_ESCAPE.search(text):
        raise _UnusualError
    value = json.loads(
        text,
        object_pairs_hook=_mapping,
        parse_int=_whole,
        parse_float=_number,
        parse_constant=_constant,
    )
    _check_depth(value, bounds.depth)
    return value


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    names = "".join(made)
    if len(made) != len(pairs) or "" in made or not (names.isascii() and names.isprintable()):
        raise _UnusualError
    return made


def _whole(digits: str) -> int:
    if len(digits) > len(str(SAFE_INTEGER)) or abs(int(digits)) > SAFE_INTEGER:
        raise _UnusualError
    return int(digits)


def _number(digits: str) -> float:
    if len(digits) > MAX_DIGITS:
        raise _UnusualError
    value = float(digits)
    if not math.isfinite(value) or (value == 0 and digits.strip("-0.")):
        raise _UnusualError
    return value


def _constant(_: str) -> float:
    raise _UnusualError


def _check_depth(value: object, depth: int) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return
    raise _UnusualError
