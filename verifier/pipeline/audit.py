"""Audit a verdict: decide again from its evidence, offline, and compare every byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifier.documents.canonical import digest
from verifier.documents.faults import BadValueError
from verifier.documents.paths import check_relative
from verifier.documents.reading import read_document
from verifier.documents.verdict import Verdict
from verifier.errors import EvidenceError
from verifier.judge.bundle import evidence_digest
from verifier.judge.judge import judge, verdict_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found: the verdict as published, as computed, and where they differ.

    notes: what does not make the verdict wrong but an auditor should know.
    """

    published: Verdict
    computed: Verdict
    differences: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the published verdict is, byte for byte, what its evidence says."""
        return not self.differences


def evidence_path(verdict: bytes, *, name: str) -> str:
    """Return where a verdict says its evidence is, relative to itself; EvidenceError outside."""
    try:
        return check_relative(_read(verdict, name).evidence.path)
    except BadValueError as error:
        raise EvidenceError(str(error), where=f"{name}: evidence.path", hint=error.hint) from error


def audit(
    verdict: bytes,
    evidence: Mapping[str, bytes],
    *,
    name: str,
    shipped_cards: Mapping[str, bytes],
) -> Audit:
    """Decide again and compare.

    EvidenceError for evidence that was changed or does not hang together; DocumentError for
    a verdict that cannot be read.
    """
    published = _read(verdict, name)
    found = evidence_digest(evidence) if "manifest.json" in evidence else "no manifest"
    if found != published.evidence.digest:
        raise EvidenceError(
            f"the verdict rests on evidence {published.evidence.digest[:19]}…, "
            f"the folder holds {found[:19]}…",
            where=f"{name}: evidence",
            hint="get verdict and evidence from one place; changed evidence carries no verdict",
        )
    computed = judge(evidence, name=published.evidence.path)
    same = verdict_bytes(computed) == verdict
    return Audit(
        published=published,
        computed=computed,
        differences=() if same else _differences(published, computed),
        notes=_notes(computed, shipped_cards),
    )


def _notes(computed: Verdict, shipped_cards: Mapping[str, bytes]) -> tuple[str, ...]:
    """Say where a setting's card is not the one that this release of the harness ships."""
    return tuple(
        f"the card of {name} is not the one this release ships: read it in the evidence"
        for name, card in computed.evidence.settings.items()
        if name not in shipped_cards or digest(shipped_cards[name]) != card
    )


def _read(verdict: bytes, name: str) -> Verdict:
    name = name if name.endswith(".json") else f"{name}/verdict.json"
    return read_document(Verdict, verdict, name=name)


def _differences(published: Verdict, computed: Verdict) -> tuple[str, ...]:
    """Name the fields that differ, the weighty ones first; never empty."""
    said, ours = (v.model_dump(mode="json", by_alias=True) for v in (published, computed))
    fields = [
        f"{key}: published {_short(said[key])}, computed {_short(ours[key])}"
        for key in said
        if said[key] != ours[key]
    ]
    return tuple(fields) or ("the same fields in other bytes: spacing, order or spelling",)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else text[:99] + "…"  # noqa: PLR2004 - a line
