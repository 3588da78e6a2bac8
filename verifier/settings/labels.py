"""From English names to labels: years dropped, equal names merged."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from verifier.documents.folding import fold

_YEARS = re.compile(r"\s*\(\d{4}[^()]*\)")  # "(1927–2002)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One thing with a name: the codes that share its English name, smallest first."""

    codes: tuple[str, ...]
    text: str

    @property
    def id(self) -> str:
        """The codes joined by `+`: `territory:FR`, `language:hy+script:Armn`."""
        return "+".join(self.codes)

    @property
    def kind(self) -> str:
        """The kind of the smallest code."""
        return self.codes[0].partition(":")[0]


def make_labels(english: Mapping[str, str]) -> tuple[Label, ...]:
    """Return the labels in order of their smallest code.

    Codes whose names are equal when folded become one label (ties alone would move RR@10).
    Currencies whose names carry years are dropped where another currency has the same name
    but for the years; a name with years that stands alone stays.
    """
    dropped = dated_twins(english)
    groups: dict[str, list[str]] = defaultdict(list)
    for code, text in english.items():
        if code not in dropped:
            groups[fold(text)].append(code)
    labels = (
        Label(codes=tuple(sorted(codes)), text=english[min(codes)]) for codes in groups.values()
    )
    return tuple(sorted(labels, key=lambda label: label.codes))


def dated_twins(english: Mapping[str, str]) -> frozenset[str]:
    """Return the currencies with years in their name that differ from another only in years."""
    twins: dict[str, list[str]] = defaultdict(list)
    for code, text in english.items():
        if code.startswith("currency:"):
            twins[fold(_YEARS.sub("", text))].append(code)
    return frozenset(
        code
        for codes in twins.values()
        if len(codes) > 1
        for code in codes
        if _YEARS.search(english[code])
    )
