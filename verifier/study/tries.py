"""Tries and lineages: what is frozen, by digest, and which share of alpha it may spend."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from verifier.documents.canonical import document_digest
from verifier.documents.claim import Claim
from verifier.documents.edition import ALPHA, EDITION
from verifier.stats.alpha import ledger_alpha

FREEZE = "freeze"
VERDICT = "verdict"
UNSCORABLE = "unscorable"
MOST_FREE = 3
_NOT_DECIDING = frozenset({"schema", "id", "record", "statement", "requires_reason"})

Entry = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the ledger says of a try: its number in its lineage, its alpha, its seed block."""

    number: int
    alpha: float
    block: int
    known: bool


def decision_digest(claim: Claim) -> str:
    """Digest what can move the decision or the status: effective fields and the edition.

    Of the source that is what the scope is computed from.
    """
    body = claim.model_dump(mode="json", by_alias=True, exclude=set(_NOT_DECIDING) | {"schema_"})
    source = body.pop("source")
    body["source"] = {key: source[key] for key in ("task", "encoders", "data", "states_size")}
    return document_digest({"edition": EDITION, "claim": body})


def statement_digest(claim: Claim) -> str:
    """Digest the sentence that is judged, blanks folded."""
    return document_digest(" ".join(claim.statement.split()))


def lineage_digest(claim: Claim, tasks: Mapping[str, str]) -> str:
    """Digest what tries have in common: work, locator and test split; one alpha account.

    tasks: setting -> digest; optional settings do not count.  Case, blanks and the version of
    a preprint do not make another lineage.
    """
    counting = {use.name for use in claim.settings if not use.optional}
    return document_digest(
        {
            "work": re.sub(r"v[0-9]+$", "", _folded(claim.source.work)),
            "locator": _folded(claim.source.locator),
            "tasks": sorted(digest for name, digest in tasks.items() if name in counting),
        }
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What of the machine numbers depend on: part of a try, as it is of every trial."""

    threads: int
    device: str
    instructions: str


def try_digest(
    *,
    decision: str,
    closure: str,
    environment: str,
    settings: Sequence[Mapping[str, str | None]],
    machine: Machine,
) -> str:
    """Digest one frozen attempt: decision, script closure, environment, settings, machine."""
    return document_digest(
        {
            "decision": decision,
            "closure": closure,
            "environment": environment,
            "settings": [dict(s) for s in settings],
            "machine": asdict(machine),
        }
    )


def account(entries: Sequence[Entry], *, lineage: str, attempt: str) -> Account:
    """Return the try's account: the one it was frozen with, or the one it would get now.

    A try none of whose trials finished spends nothing, three times in a lineage: a script that
    fails when it does not like what it sees on the dev split must not get new seeds for free.
    A new try gets a new seed block, so that no trial seen before its freeze can serve it.
    """
    freezes = [e["body"] for e in entries if e["kind"] == FREEZE]
    mine = [f for f in freezes if isinstance(f, Mapping) and f["try"] == attempt]
    if mine:
        body = mine[-1]
        return Account(
            number=int(body["number"]),
            alpha=float(body["alpha"]),
            block=int(body["block"]),
            known=True,
        )
    ended = [e["body"] for e in entries if e["kind"] == UNSCORABLE]
    unscorable = {
        body["try"] for body in ended if isinstance(body, Mapping) and not body.get("finished", 1)
    }
    tries = [f["try"] for f in freezes if isinstance(f, Mapping) and f["lineage"] == lineage]
    free = min(MOST_FREE, sum(1 for t in tries if t in unscorable))
    number = 1 + len(tries) - free
    return Account(
        number=number, alpha=ledger_alpha(ALPHA, number), block=len(freezes), known=False
    )
