"""What the strict readers hand over: a plain value, and the place of everything in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from verifier.documents.source import Source
from verifier.documents.tree import Spot


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A document read strictly: dict, list, str, int, float, bool and None only.

    Places are found when first asked for, since sound documents never need them.
    """

    source: Source
    value: Any
    scan: Callable[[], Spot]

    @cached_property
    def _root(self) -> Spot:
        return self.scan()

    def value_offset(self, path: Sequence[str | int]) -> int:
        """The offset of a value in the text; KeyError or IndexError where there is none."""
        return self._root.at(path).start

    def key_offset(self, path: Sequence[str | int]) -> int:
        """The offset of a value's key, or of the value itself where it has none (list, root)."""
        spot = self._root.at(path)
        return spot.start if spot.key is None else spot.key

    def where(self, path: Sequence[str | int], *, key: bool = False) -> str:
        """The place of a value, or of its key, as `name:line:column`."""
        return self.source.where(self.key_offset(path) if key else self.value_offset(path))
