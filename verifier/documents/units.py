"""Quantities that people write with a unit: `10 min`, `4 GiB`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_SECONDS = {"s": 1, "min": 60, "h": 3600}
_BYTES = {"MiB": 1 << 20, "GiB": 1 << 30}
_FORM = re.compile(r"([1-9][0-9]{0,5}) (s|min|h|MiB|GiB)", re.ASCII)


def _parse(text: str, units: dict[str, int]) -> int:
    match = _FORM.fullmatch(text)
    if match is None or match[2] not in units:
        raise ValueError(f'want a whole number, a blank and one of {", ".join(units)}: "10 min"')
    return int(match[1]) * units[match[2]]


def seconds(text: str) -> int:
    """Read a duration (`90 s`, `10 min`, `1 h`) as seconds; ValueError otherwise."""
    return _parse(text, _SECONDS)


def size_bytes(text: str) -> int:
    """Read a size (`512 MiB`, `4 GiB`) as bytes; ValueError otherwise."""
    return _parse(text, _BYTES)


def _duration(text: str) -> str:
    seconds(text)
    return text


def _size(text: str) -> str:
    size_bytes(text)
    return text


Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5} (s|min|h)$"), AfterValidator(_duration)]
Size = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5} (MiB|GiB)$"), AfterValidator(_size)]
