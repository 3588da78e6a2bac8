"""The value of a document while it is built, with the place of everything in it.

The scanners of both formats build through here, so the rules on keys, depth and size are one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verifier.documents.source import Bounds, Source, shown

_BAD_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(slots=True)
class Spot:
    """Where a value starts, where its key does, and the same for all that is inside it."""

    start: int
    key: int | None
    inside: dict[str, Spot] | list[Spot] | None = None

    def at(self, path: Sequence[str | int]) -> Spot:
        """The spot of an inner value; KeyError or IndexError where there is none."""
        spot = self
        for step in path:
            if isinstance(spot.inside, dict):
                spot = spot.inside[str(step)]
            elif isinstance(spot.inside, list):
                spot = spot.inside[int(step)]
            else:
                raise KeyError(step)
        return spot


class Tree:
    """Builds one value: open a mapping or list, give keys and scalars in order, close it."""

    def __init__(self, source: Source, bounds: Bounds) -> None:
        self._source, self._bounds = source, bounds
        self._open: list[tuple[Any, Spot]] = []
        self._key: tuple[str, int] | None = None
        self._count = 0
        self.value: Any = None
        self.spot = Spot(0, None)

    @property
    def depth(self) -> int:
        """How many lists and mappings are open."""
        return len(self._open)

    @property
    def in_mapping(self) -> bool:
        """Whether the innermost open container is a mapping."""
        return bool(self._open) and isinstance(self._open[-1][0], dict)

    @property
    def wants_key(self) -> bool:
        """Whether a key must come next."""
        return self.in_mapping and self._key is None

    @property
    def pending_key(self) -> int | None:
        """Where the key stands whose value comes next, None where none is waiting."""
        return self._key[1] if self._key else None

    def open(self, container: dict[str, Any] | list[Any], at: int) -> None:
        """Begin a mapping or list; refused where it is too deep."""
        if self.depth == self._bounds.depth:
            self._source.refuse(
                at,
                f"lists and mappings are nested more than {self._bounds.depth} deep",
                "no document of ours is; flatten it",
            )
        spot = self._put(container, at, {} if isinstance(container, dict) else [])
        self._open.append((container, spot))

    def close(self) -> None:
        """End the innermost mapping or list."""
        self._open.pop()

    def key(self, text: str, at: int) -> None:
        """Give the key of the value to come; refused: empty, not plain ASCII, repeated."""
        if not text:
            self._source.refuse(at, "empty key", "give it a name")
        if not (text.isascii() and text.isprintable()):
            self._source.refuse(
                at,
                f"key {_escaped(text)} has characters other than plain ASCII",
                "type the key anew; letters that only look alike and invisible ones are refused",
            )
        inside = self._open[-1][1].inside
        if isinstance(inside, dict) and text in inside:
            first = self._source.where(inside[text].key or 0).removeprefix(self._source.name + ":")
            self._source.refuse(
                at, f"repeated key {shown(text)}, first at {first}", "keep one of the two"
            )
        self._key = (text, at)

    def scalar(self, value: str | float | bool | None, at: int) -> None:  # noqa: FBT001
        """Give a scalar; refused: texts with control characters or half a surrogate pair."""
        if isinstance(value, str) and (bad := _BAD_CHARACTER.search(value)):
            what = "half a surrogate pair" if bad[0] >= "\ud800" else "a control character"
            self._source.refuse(
                at, f"the text holds {what} (U+{ord(bad[0]):04X})", "write the character itself"
            )
        self._put(value, at, None)

    def _put(self, value: Any, at: int, inside: dict[str, Spot] | list[Spot] | None) -> Spot:  # noqa: ANN401
        self._count += 1
        if self._count > self._bounds.values:
            self._source.refuse(
                at,
                f"the document holds more than {self._bounds.values} values",
                "split it, or keep large data in files that it names by digest",
            )
        spot = Spot(at, self.pending_key, inside)
        if not self._open:
            self.value, self.spot = value, spot
            return spot
        container, outer = self._open[-1]
        if isinstance(outer.inside, dict) and self._key:
            container[self._key[0]], outer.inside[self._key[0]] = value, spot
            self._key = None
        elif isinstance(outer.inside, list):
            container.append(value)
            outer.inside.append(spot)
        return spot


def _escaped(text: str) -> str:
    return '"' + "".join(c if " " <= c <= "~" else f"\\u{ord(c):04x}" for c in text[:60]) + '"'
