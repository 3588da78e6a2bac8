"""A scanner of JSON that knows where it is: slower than the standard library, and exact."""

from __future__ import annotations

import json
import math
import re
from typing import Final, NoReturn

from verifier.documents.source import Bounds, Source, shown
from verifier.documents.tree import Tree

SAFE_INTEGER: Final = 2**53 - 1
MAX_DIGITS: Final = 400

_BLANK = re.compile(r"[ \t\n\r]*+")
_PLAIN = re.compile(r'[^"\\\n\r\t]*+')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_NUMBER_LIKE = re.compile(r"[-+.0-9][-+.0-9eE]*+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?")
_WORD = re.compile(r"[-+]?[A-Za-z_]\w*+")
_WORDS: Final = {"null": None, "true": True, "false": False}


def scan_json(source: Source, bounds: Bounds) -> Tree:
    """Read a whole document; DocumentError at the first fault."""
    tree = Tree(source, bounds)
    scanner = _Scanner(source, tree)
    at = scanner.value(scanner.skip(0))
    while tree.depth:
        at = scanner.after_value(scanner.skip(at))
    end = scanner.skip(at)
    if end != len(source.text):
        source.refuse(
            end, "something follows the end of the document", "remove it; one document a file"
        )
    return tree


class _Scanner:
    """Every method takes the offset where it starts and gives the offset where it ended."""

    def __init__(self, source: Source, tree: Tree) -> None:
        self._source, self._text, self._tree = source, source.text, tree

    def skip(self, at: int) -> int:
        blank = _BLANK.match(self._text, at)
        return blank.end() if blank else at

    def value(self, at: int) -> int:
        """Read a scalar or an empty container, opening the containers that stand before it."""
        while (mark := self._text[at : at + 1]) in {"{", "["}:
            self._tree.open({} if mark == "{" else [], at)
            at = self.skip(at + 1)
            if self._text[at : at + 1] == _CLOSER[mark]:
                self._tree.close()
                return at + 1
            if mark == "{":
                at = self._key(at)
        return self._scalar(at)

    def after_value(self, at: int) -> int:
        """Read what follows a value in its container: its end, or a comma and the next value."""
        closer = "}" if self._tree.in_mapping else "]"
        mark = self._text[at : at + 1]
        if mark == closer:
            self._tree.close()
            return at + 1
        if mark != ",":
            self._unexpected(at, f'"," or "{closer}"')
        following = self.skip(at + 1)
        if self._text[following : following + 1] == closer:
            self._source.refuse(at, f'a "," stands before "{closer}"', "remove the comma")
        return self.value(self._key(following) if self._tree.in_mapping else following)

    def _key(self, at: int) -> int:
        if self._text[at : at + 1] != '"':
            self._unexpected(at, "a key in double quotes")
        text, end = self._string(at)
        self._tree.key(text, at)
        colon = self.skip(end)
        if self._text[colon : colon + 1] != ":":
            self._unexpected(colon, '":" after the key')
        return self.skip(colon + 1)

    def _scalar(self, at: int) -> int:
        if self._text[at : at + 1] == '"':
            value, end = self._string(at)
            self._tree.scalar(value, at)
            return end
        if (word := _WORD.match(self._text, at)) and word[0] in _WORDS:
            self._tree.scalar(_WORDS[word[0]], at)
            return word.end()
        number = _NUMBER_LIKE.match(self._text, at)
        if not number or word:
            self._unexpected(at, "a value")
        self._tree.scalar(read_number(number[0], source=self._source, at=at), at)
        return number.end()

    def _string(self, start: int) -> tuple[str, int]:
        at = start + 1
        while True:
            plain = _PLAIN.match(self._text, at)
            at = plain.end() if plain else at
            mark = self._text[at : at + 1]
            if mark == '"':
                return json.loads(self._text[start : at + 1]), at + 1
            if mark != "\\":
                self._source.refuse(
                    at if mark else start,
                    "a tab or line end stands in a text" if mark else "the text does not end",
                    'write \\t or \\n for it, and end the text with "',
                )
            escape = _ESCAPE.match(self._text, at)
            if not escape:
                self._source.refuse(
                    at,
                    f"{shown(self._text[at : at + 2])} is not an escape of JSON",
                    'write \\\\ for a backslash; the escapes are \\" \\\\ \\/ \\b \\f \\n \\r \\t '
                    "and \\u with four hexadecimal digits",
                )
            at = escape.end()

    def _unexpected(self, at: int, wanted: str) -> NoReturn:
        found = self._text[at : at + 1]
        word = _WORD.match(self._text, at)
        what = shown(word[0] if word else found) if found else "the end of the document"
        hint = _HINTS.get(found, "check quotes, commas and brackets just before this place")
        if word:
            hint = _WORD_HINTS.get(word[0].lstrip("+-").lower(), "put texts in double quotes")
        self._source.refuse(at, f"want {wanted}, found {what}", hint)


_CLOSER: Final = {"{": "}", "[": "]"}
_HINTS: Final = {
    "'": "JSON has double quotes only",
    "/": "JSON has no comments",
    "#": "JSON has no comments",
    "": "the document is cut off or empty",
}
_UNKNOWN = "unknown is null, with the reason in a field of its own"
_WORD_HINTS: Final = {
    "nan": _UNKNOWN,
    "inf": _UNKNOWN,
    "infinity": _UNKNOWN,
    "none": "write null",
    "true": "write true",
    "false": "write false",
}


def read_number(digits: str, *, source: Source, at: int) -> float:
    """Read a number in JSON's notation, an int where it has no fraction and no exponent.

    DocumentError for: another notation, more than MAX_DIGITS characters, whole numbers beyond
    2^53 - 1, numbers that a double turns into infinity or zero.
    """
    if len(digits) > MAX_DIGITS:
        source.refuse(
            at, f"the number has {len(digits)} characters", f"at most {MAX_DIGITS} are read"
        )
    form = _NUMBER.fullmatch(digits)
    if not form:
        source.refuse(
            at,
            f"{shown(digits)} is not a number as JSON writes it",
            "no leading zeros or plus sign, digits on both sides of the point",
        )
    if form[1] is None and form[2] is None:
        if abs(int(digits)) > SAFE_INTEGER:
            source.refuse(
                at,
                f"the whole number {shown(digits, most=24)} is beyond 2^53 - 1",
                "write it as text; other readers would round it",
            )
        return int(digits)
    value = float(digits)
    if not math.isfinite(value) or (value == 0 and re.search("[1-9]", re.split("[eE]", digits)[0])):
        source.refuse(
            at,
            f"the number {shown(digits, most=24)} does not fit a double",
            "its size must be between 5e-324 and 1.7e308",
        )
    return value
