"""Which letters of some texts may change places without any two texts becoming equal.

Two texts count as equal when they fold to the same (NFKC and case folding).  A letter may
move when its folding touches nothing but itself and its case partner; what folding mixes
with other characters (ß, İ, ligatures) stays, and so do the letters it could be mistaken for.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from verifier.documents.folding import script_of

Unit = tuple[str, ...]  # one caseless letter, or a lower-case letter and its capital
ClassKey = tuple[str, tuple[int, ...], tuple[int, ...]]


def movable_classes(texts: Collection[str]) -> list[list[Unit]]:
    """Return the classes of letters (with their case partners) that may be permuted.

    A class: one script, cased or not, one length in UTF-8, and one behaviour before the
    combining marks of these texts, so that NFC text stays NFC.  Sorted, hence reproducible.
    """
    characters = sorted(set().union(*texts)) if texts else []
    tails = _tails(texts)
    units = {unit for c in characters if (unit := _unit(c)) is not None}
    special = frozenset(c for c in characters if _is_special(c))
    pinned = _pinned([text for text in texts if not special.isdisjoint(text)], special)
    marks = sorted({mark for tail in tails.values() for mark in tail})
    classes: dict[ClassKey, list[Unit]] = defaultdict(list)
    for unit in sorted(units):
        if pinned.isdisjoint(unit):
            classes[_class_key(unit, tails, marks)].append(unit)
    return [members for _, members in sorted(classes.items(), key=lambda item: item[1])]


def fold_character(text: str) -> str:
    """NFKC, case folding, NFKC: `fold` without its blanks."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=65536)
def _unit(character: str) -> Unit | None:
    """Return the unit a character belongs to, or None where it must stay."""
    if script_of(character) is None:
        return None
    low, high = character.lower(), character.upper()
    if low == high:
        return (character,) if fold_character(character) == character else None
    paired = len(low) == len(high) == 1 and low.upper() == high and high.lower() == low
    stable = all(unicodedata.normalize("NFKC", c) == c for c in (low, high))
    if paired and stable and fold_character(high) == fold_character(low) == low:
        return (low, high)
    return None


def _is_special(character: str) -> bool:
    return _unit(character) is None and fold_character(character) != character


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _tails(texts: Iterable[str]) -> dict[str, set[str]]:
    """Return for each letter the combining marks that follow it somewhere."""
    tails: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        letter = ""
        for character in text:
            if not _is_mark(character):
                letter = character
            elif letter:
                tails[letter].add(character)
    return tails


def _class_key(unit: Unit, tails: Mapping[str, set[str]], marks: Sequence[str]) -> ClassKey:
    widths = tuple(len(letter.encode()) for letter in unit)
    followed = any(letter in tails for letter in unit)
    behaviour = tuple(_behaviour(letter, m) for letter in unit for m in marks) if followed else ()
    return (str(script_of(unit[0])), widths, behaviour)


def _behaviour(letter: str, mark: str) -> int:
    """How NFC treats a letter before a mark: 0 leaves both, 1 composes them, 2 reorders."""
    composed = unicodedata.normalize("NFC", letter + mark)
    if composed == letter + mark:
        return 0
    return 1 if len(composed) == 1 else 2


def _pinned(texts: Iterable[str], special: frozenset[str]) -> frozenset[str]:
    """Return what special characters, with the marks after them, fold to: it must not move."""
    windows = set()
    for text in texts:
        for start, character in enumerate(text):
            if character in special:
                end = start + 1
                while end < len(text) and _is_mark(text[end]):
                    end += 1
                # Some fold to a mark, which composes with the letter before it.
                leans = start > 0 and _is_mark(fold_character(character)[0])
                windows.add(text[start - leans : end])
    return frozenset(c for window in windows for c in window + fold_character(window))
