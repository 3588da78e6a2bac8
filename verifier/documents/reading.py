"""Bytes of a document in, a checked model out; or all its faults together, with their places."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Final, Literal, TypeVar, get_args, get_origin

from pydantic import ValidationError

from verifier.documents.base import Model
from verifier.documents.parsed import Parsed
from verifier.documents.source import Source, shown
from verifier.documents.strict_json import parse_json
from verifier.documents.strict_yaml import parse_yaml
from verifier.documents.translate import problems_of
from verifier.documents.wording import found, nearest, one_of
from verifier.errors import DocumentError

M = TypeVar("M", bound=Model)

_PARSERS: Final = {".yaml": parse_yaml, ".yml": parse_yaml, ".json": parse_json}
_VERSION: Final = re.compile(r"(?P<family>.+)-v(?P<major>[0-9]{1,6})(?:\.[0-9]{1,6})?", re.DOTALL)


def read_document(model: type[M], data: bytes, *, name: str) -> M:
    """Read a YAML or JSON document, by the suffix of `name`, as a `model`.

    The `schema` field is looked at before anything else.  DocumentError carries every fault
    of the document in order of place: `claims/x.yaml:12:3: unknown key "baselin"`.
    """
    return validate(model, parse_document(data, name=name))


def parse_document(data: bytes, *, name: str) -> Parsed:
    """Read a document as a plain value with places; DocumentError for an unknown suffix."""
    parser = _PARSERS.get(PurePosixPath(name).suffix.lower())
    if parser is None:
        Source(name=name, text="").refuse(
            0, "it is not known how to read this file", f"name it {', '.join(_PARSERS)}"
        )
    return parser(data, name=name)


def validate(model: type[M], parsed: Parsed) -> M:
    """Make a `model` of a parsed document, its version read first; DocumentError with all faults.

    Validated in JSON mode, where a list is a tuple and a text an enumeration's member, while
    nothing else is converted.
    """
    if not isinstance(parsed.value, dict):
        parsed.source.refuse(
            parsed.value_offset(()),
            f"want a document of keys and values, found {found(parsed.value)}",
            "begin it with its schema",
        )
    check_version(model, parsed)
    wire = json.dumps(parsed.value, ensure_ascii=False, allow_nan=False)
    try:
        return model.model_validate_json(wire.encode())
    except ValidationError as error:
        raise DocumentError(problems_of(error, model, parsed)) from None


def version_field(model: type[Model]) -> tuple[str, tuple[str, ...]]:
    """The key that names a document's version and the texts it takes; ("", ()) without one."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in {"schema", "protocol"} and get_origin(field.annotation) is Literal:
            return key, tuple(str(word) for word in get_args(field.annotation))
    return "", ()


def check_version(model: type[Model], parsed: Parsed) -> None:
    """Refuse a document of another schema or version than the model reads, before all else."""
    key, names = version_field(model)
    if not names:
        return
    if key not in parsed.value:
        parsed.source.refuse(
            parsed.value_offset(()),
            f'missing key "{key}"',
            f"say which document this is: {key}: {names[-1]}",
        )
    got, at = parsed.value[key], parsed.value_offset((key,))
    if got in names:
        return
    form = _VERSION.fullmatch(got) if isinstance(got, str) else None
    if form and form["family"] in {name.rpartition("-v")[0] for name in names}:
        parsed.source.refuse(
            at,
            f"this document has version {shown(got)}, what can be read is {one_of(names)}",
            "use the release of verifier that knows this version, or rewrite the document",
        )
    parsed.source.refuse(
        at,
        f"want a document of {key} {one_of(names)}, found {found(got)}",
        nearest(str(got), names, otherwise="check that this is the right file"),
    )
