"""Validation errors in plain words: what was wanted, what was found, what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from verifier.documents.source import shown

_DATE_TIME: Final = "a date and time such as 2026-01-31T12:00:00Z"
_DATE: Final = "a date such as 2026-01-31"

WANTED: Final[Mapping[str, str]] = {
    "string_type": "text",
    "string_sub_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "none_required": "null",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "datetime_type": _DATE_TIME,
    "datetime_parsing": _DATE_TIME,
    "datetime_from_date_parsing": _DATE_TIME,
    "timezone_aware": _DATE_TIME,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
}

_Context = Mapping[str, Any]
_BOUNDS: Final[Mapping[str, Callable[[_Context], str]]] = {
    "greater_than": lambda c: f"a number above {c['gt']}",
    "greater_than_equal": lambda c: f"a number of at least {c['ge']}",
    "less_than": lambda c: f"a number below {c['lt']}",
    "less_than_equal": lambda c: f"a number of at most {c['le']}",
    "multiple_of": lambda c: f"a multiple of {c['multiple_of']}",
    "string_too_short": lambda c: f"text of at least {_many(c['min_length'], 'character')}",
    "string_too_long": lambda c: f"text of at most {_many(c['max_length'], 'character')}",
    "string_pattern_mismatch": lambda c: f"text of the form {c['pattern']}",
    "too_short": lambda c: f"at least {_many(c['min_length'], 'entry')}",
    "too_long": lambda c: f"at most {_many(c['max_length'], 'entry')}",
}


def wanted(kind: str, context: _Context, words: Sequence[str]) -> str | None:
    """What the model wants at a place, as a noun phrase, or None where there is no such phrase."""
    if kind in {"literal_error", "enum"}:
        return one_of(words) if words else str(context.get("expected", "another value"))
    if kind in _BOUNDS:
        return _BOUNDS[kind](context)
    return WANTED.get(kind)


def one_of(words: Sequence[str]) -> str:
    """`"a", "b" or "c"`."""
    quoted = [shown(word) for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]


def found(value: object) -> str:
    """A value as a message shows it: short, and with nothing invisible in it."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return json.dumps(value)


def type_hint(want: str, value: object, words: Sequence[str]) -> str:
    """What to do about a value of the wrong kind."""
    hint = "correct the value"
    if isinstance(value, str) and words:
        hint = nearest(value, words, otherwise="choose one of them")
    elif want.startswith("text") and isinstance(value, (int, float)):
        hint = f'put it in double quotes: "{found(value)}"'
    elif "number" in want and isinstance(value, str) and _is_number(value):
        hint = "remove the quotes"
    elif want == "a whole number" and isinstance(value, float):
        hint = "write it without a fraction"
    elif want == "a list" and isinstance(value, (str, int, float)):
        hint = f"put it in brackets: [{found(value)}]"
    elif value is None:
        hint = "write a value, or remove the key if it may be left out"
    return hint


def unknown_key(key: str, known: Sequence[str]) -> tuple[str, str]:
    """Message and hint for a key that the model does not know at its place."""
    listed = f"known here: {', '.join(known)}" if known else "remove it"
    return f"unknown key {shown(key)}", nearest(key, known, otherwise=listed)


def nearest(word: str, words: Sequence[str], *, otherwise: str) -> str:
    """`did you mean "..."?` with the nearest of `words`, or `otherwise`."""
    close = nearest_word(word, words)
    return f"did you mean {shown(close)}?" if close else otherwise


def nearest_word(word: str, words: Sequence[str]) -> str | None:
    """The one of `words` that `word` may be a misspelling of, or None."""
    by_lower = {known.lower(): known for known in words}
    close = get_close_matches(word[:200].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def _many(count: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count} {noun if count == 1 else plural}"


def _is_number(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (int, float))
    except (ValueError, RecursionError):
        return False
