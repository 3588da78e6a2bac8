"""Quantities that people write with a unit: `10 min`, `4 GiB`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue

from verifier.documents.faults import BadValueError
from verifier.documents.source import shown

_SECONDS = {"s": 1, "min": 60, "h": 3600}
_BYTES = {"MiB": 1 << 20, "GiB": 1 << 30}
_FORM = re.compile(r"([1-9][0-9]{0,5}) (s|min|h|MiB|GiB)", re.ASCII)


def _parse(text: str, units: dict[str, int]) -> int:
    match = _FORM.fullmatch(text)
    if match is None or match[2] not in units:
        raise BadValueError(
            f"want a whole number, a blank and one of {', '.join(units)}, found {shown(text)}",
            hint=f"write it like {' or '.join(f'10 {unit}' for unit in list(units)[:2])}",
        )
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


def _form(units: dict[str, int]) -> dict[str, JsonValue]:
    """The pattern for the generated schema; what is wrong is said by the validator."""
    return {"pattern": f"^[1-9][0-9]{{0,5}} ({'|'.join(units)})$"}


Duration = Annotated[str, AfterValidator(_duration), Field(json_schema_extra=_form(_SECONDS))]
Size = Annotated[str, AfterValidator(_size), Field(json_schema_extra=_form(_BYTES))]
