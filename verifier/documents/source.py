"""A document's text with its places: bytes are checked and decoded here, once for all formats."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from verifier.errors import DocumentError, Problem

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_UTF8 = 'save the file as UTF-8 without a byte order mark ("UTF-8", not "UTF-8 with BOM")'


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much one document may ask of its reader.

    depth: lists and mappings inside each other; values: scalars, lists and mappings together.
    """

    size_bytes: int
    depth: int
    values: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """The text of a document and the name it is reported under."""

    name: str
    text: str

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(m.end() for m in re.finditer("\n", self.text))]

    def where(self, at: int) -> str:
        """The place of a character as `name:line:column`, both counted from 1."""
        line = bisect_right(self._starts, at)
        return f"{self.name}:{line}:{at - self._starts[line - 1] + 1}"

    def refuse(self, at: int, message: str, hint: str) -> NoReturn:
        """Raise the DocumentError that names the place of the character `at`."""
        raise DocumentError([Problem(message=message, where=self.where(at), hint=hint)])


def decode(data: bytes, *, name: str, bounds: Bounds) -> Source:
    """Turn bytes into text.

    DocumentError for: too many bytes, a byte order mark, UTF-16 and UTF-32, anything else
    that is not UTF-8, control characters other than tab and line ends.
    """
    start = Source(name=name, text="")
    if len(data) > bounds.size_bytes:
        start.refuse(
            0,
            f"the document has {len(data)} bytes, at most {bounds.size_bytes} are read",
            "split it, or keep large data in files that it names by digest",
        )
    if data.startswith(_MARKS):
        start.refuse(0, "the document begins with a byte order mark", _UTF8)
    if b"\0" in data[:2]:
        start.refuse(0, "the document is not UTF-8 (it looks like UTF-16 or UTF-32)", _UTF8)
    try:
        source = Source(name=name, text=data.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = Source(name=name, text=data[: error.start].decode("utf-8"))
        before.refuse(len(before.text), f"byte 0x{data[error.start]:02x} is not UTF-8", _UTF8)
    if control := _CONTROL.search(source.text):
        source.refuse(
            control.start(),
            f"the control character U+{ord(control[0]):04X} stands here",
            "remove it; only tabs and line ends may stand in a document",
        )
    return source


def shown(text: str, *, most: int = 60) -> str:
    """Quote text from a document for a message: short, and with nothing invisible in it."""
    short = text if len(text) <= most else text[: most - 1] + "…"
    return json.dumps(short, ensure_ascii=not short.isprintable())
