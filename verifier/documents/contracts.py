"""Documents against public contracts: JSON Schema 2020-12 with formats checked, no network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

from verifier.documents.wording import found, one_of
from verifier.errors import Problem

_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,/0-9:;=?@A-Z\[\]_a-z~.-]+")
_TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a mapping",
}


def is_date_time(value: object) -> bool:
    """Whether a text is a date-time of RFC 3339, section 5.6, and such a moment exists.

    Second 60 is refused, as Python's datetime does; we never write one.
    """
    if not isinstance(value, str):
        return True
    if not _DATE_TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(re.sub(r"\.[0-9]+", "", value.upper()))
    except ValueError:
        return False
    return True


def is_uri(value: object) -> bool:
    """Whether a text is an absolute URI in the characters of RFC 3986."""
    return not isinstance(value, str) or _URI.fullmatch(value) is not None


# Formats that are not here pass unchecked: the library checks these two only with extra packages.
FORMATS: Final = jsonschema.FormatChecker(formats=())
FORMATS.checks("date-time")(is_date_time)
FORMATS.checks("uri")(is_uri)


def validate_public(
    document: dict[str, Any], contract: str, schema: dict[str, Any]
) -> list[Problem]:
    """All faults of a document against a contract's schema, by place; [] where it keeps it.

    Places read `gate-verdict-v1: status`.  jsonschema.SchemaError for a schema that is none;
    references in it are resolved among the drafts' own schemas only.
    """
    validator_class = jsonschema.Draft202012Validator
    validator_class.check_schema(schema)
    validator = validator_class(schema, registry=REGISTRY, format_checker=FORMATS)
    errors: Iterable[ValidationError] = validator.iter_errors(document)
    problems = [_problem(error, contract) for error in errors]
    return sorted(problems, key=lambda p: (p.where, p.message))


def _problem(error: ValidationError, contract: str) -> Problem:
    steps = [f"[{s}]" if isinstance(s, int) else f".{s}" for s in error.absolute_path]
    place = "".join(steps).lstrip(".") or "the whole document"
    return Problem(
        message=_message(error),
        where=f"{contract}: {place}",
        hint=f"see the contract's schema, at {error.json_path}",
    )


def _message(error: ValidationError) -> str:
    rule, value = error.validator, error.validator_value
    got = found(error.instance)
    if rule == "required":
        missing = str(error.message).removesuffix(" is a required property").strip("'")
        return f"missing key {found(missing)}"
    if rule == "type":
        names = [value] if isinstance(value, str) else value
        return f"want {' or '.join(_TYPES.get(name, name) for name in names)}, found {got}"
    if rule == "enum" and all(isinstance(word, str) for word in value):
        return f"want {one_of(value)}, found {got}"
    if rule == "const":
        return f"want {found(value)}, found {got}"
    if rule == "format":
        return f"want a text of format {value}, found {got}"
    return str(error.message)
