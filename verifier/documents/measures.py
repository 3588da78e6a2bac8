"""Measures as values: the text is the identity (`RR@10`, `nDCG@10`, `AP`), as in ir_measures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from verifier.documents.faults import BadValueError
from verifier.documents.source import shown

NAMES: Final = ("AP", "P", "R", "RR", "Success", "nDCG")
NEED_CUTOFF: Final = frozenset({"P", "R", "Success"})

_PATTERN: Final = r"^(?:(?:AP|RR|nDCG)(?:@[1-9][0-9]{0,8})?|(?:P|R|Success)@[1-9][0-9]{0,8})$"
_FORM = re.compile(r"(?P<name>[A-Za-z]{1,9})(?:@(?P<cutoff>[1-9][0-9]{0,8}))?", re.ASCII)
_LOOSE = re.compile(r"\s*(?P<name>[A-Za-z]{1,20})\s*(?:[@ -]?\s*0*(?P<cutoff>[0-9]{1,9}))?\s*")
_OTHER_NAMES: Final = {
    "mrr": "RR", "recall": "R", "precision": "P", "map": "AP", "hit": "Success",
    "hits": "Success", "top": "Success", "acc": "Success", "accuracy": "Success",
}  # fmt: skip


@total_ordering
@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A rank measure, cut off after the `cutoff` first documents or over the whole ranking.

    Made by `Measure.parse`; compared by name, then cutoff (none first); prints as it parses.
    """

    name: str
    cutoff: int | None = None

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(str(self)) or self.name not in NAMES:
            raise ValueError(f"{str(self)!r} is not a measure")

    def __str__(self) -> str:
        return self.name if self.cutoff is None else f"{self.name}@{self.cutoff}"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Measure):
            return NotImplemented
        return (self.name, self.cutoff or 0) < (other.name, other.cutoff or 0)

    @staticmethod
    def parse(text: str) -> Measure:
        """Read `NAME` or `NAME@k`, k from 1; BadValueError, with the nearest right spelling."""
        form = _FORM.fullmatch(text)
        if not form or form["name"] not in NAMES:
            raise BadValueError(f"{shown(text)} is not a measure", hint=_hint(text))
        cutoff = int(form["cutoff"]) if form["cutoff"] else None
        if cutoff is None and form["name"] in NEED_CUTOFF:
            raise BadValueError(
                f"the measure {form['name']} needs a cut-off", hint=f"write {form['name']}@10, say"
            )
        return Measure(name=form["name"], cutoff=cutoff)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = core_schema.no_info_after_validator_function(
            cls.parse, core_schema.str_schema(strict=True)
        )
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: object) -> dict[str, Any]:
        return {"type": "string", "pattern": _PATTERN}


def _hint(text: str) -> str:
    names = {name.lower(): name for name in NAMES} | _OTHER_NAMES
    loose = _LOOSE.fullmatch(text[:60])
    name = names.get(loose["name"].lower()) if loose else None
    if not loose or not name:
        return f"write one of {', '.join(NAMES)}, with a cut-off as in RR@10"
    cutoff = (loose["cutoff"] or "").lstrip("0")
    if loose["cutoff"] and not cutoff:
        return "a cut-off is at least 1"
    if not cutoff and name in NEED_CUTOFF:
        cutoff = "10"
    return f"did you mean {name}{'@' if cutoff else ''}{cutoff}?"
