"""Freeze a try: bind the claim to digests, ask the ledger, plan with the verifier's seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from verifier.documents.canonical import digest, document_digest
from verifier.documents.card import Card
from verifier.documents.claim import Claim, SettingUse
from verifier.documents.evidence import EnvironmentRow, LedgerEntry, TryRow
from verifier.documents.task import Task
from verifier.errors import UsageError
from verifier.ports import Ledger
from verifier.study.frame import Frame, SettingFrame, study_depth
from verifier.study.tries import (
    FREEZE,
    Account,
    Machine,
    account,
    decision_digest,
    lineage_digest,
    statement_digest,
    try_digest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSetting:
    """One setting ready for use: its card as written, its task, its encoder's files."""

    use: SettingUse
    card: Card
    card_bytes: bytes
    task: Task
    task_digest: str
    model: Path | None = None
    model_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a try depends on, read and digested, before anything is run."""

    name: str
    claim: Claim
    claim_bytes: bytes
    closure: Mapping[str, bytes]
    environment: EnvironmentRow
    environment_root: Path
    settings: tuple[LoadedSetting, ...]
    missing: tuple[str, ...]
    threads: int
    device: Literal["cpu", "cuda"]
    instructions: str

    @property
    def closure_digest(self) -> str:
        """The digest of the scripts' files, by path."""
        return document_digest({path: digest(data) for path, data in self.closure.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A frozen try: its frame for planning and its row for the evidence."""

    frame: Frame
    row: TryRow


def setting_frames(case: Case) -> tuple[SettingFrame, ...]:
    """Return the settings of a case by digest."""
    return tuple(
        SettingFrame(
            use=s.use,
            card=digest(s.card_bytes),
            task=s.task_digest,
            depth=study_depth(case.claim.criterion.measure),
            query_sets=tuple(s.task.query_sets),
            model=s.model_digest,
        )
        for s in case.settings
    )


def make_frame(case: Case, *, nonce: bytes, block: int) -> Frame:
    """Return the frame of a case under a nonce and a block of seeds."""
    return Frame(
        claim=case.claim,
        decision=decision_digest(case.claim),
        closure=case.closure_digest,
        environment=case.environment.digest,
        settings=setting_frames(case),
        nonce=nonce,
        block=block,
        threads=case.threads,
        device=case.device,
        instructions=case.instructions,
    )


def lineage_of(case: Case) -> str:
    """Return the lineage that a case's tries share."""
    return lineage_digest(case.claim, {s.use.name: s.task_digest for s in case.settings})


def try_of(case: Case) -> str:
    """Return the digest of the try that a case is."""
    return try_digest(
        decision=decision_digest(case.claim),
        closure=case.closure_digest,
        environment=case.environment.digest,
        settings=[
            {"card": f.card, "task": f.task, "encoder": f.use.encoder, "model": f.model}
            for f in setting_frames(case)
        ],
        machine=Machine(threads=case.threads, device=case.device, instructions=case.instructions),
    )


def freeze(
    case: Case,
    ledger: Ledger,
    *,
    confirm: Callable[[Account], None],
    entropy: Callable[[], bytes],
) -> Frozen:
    """Log the try before its first trial and return its frame; a known try goes on as frozen.

    `confirm` is asked before a new try is logged and may raise to refuse.  `entropy` gives the
    32 bytes that all seeds and draws derive from: nobody knows them before the freeze, and
    everybody can check them after.  UsageError where the statement was reworded since.
    """
    lineage, attempt = lineage_of(case), try_of(case)
    confirm(account(ledger.entries(), lineage=lineage, attempt=attempt))
    with ledger.locked():
        ledger.nonce()
        found = account(ledger.entries(), lineage=lineage, attempt=attempt)
        if not found.known:
            body = {
                "claim": case.claim.id,
                "lineage": lineage,
                "try": attempt,
                "decision": decision_digest(case.claim),
                "document": digest(case.claim_bytes),
                "statement": statement_digest(case.claim),
                "number": found.number,
                "alpha": found.alpha,
                "block": found.block,
                "nonce": entropy().hex(),
            }
            ledger.append(FREEZE, body)
        entries = ledger.entries()
    place, frozen = next(
        (i, e["body"])
        for i, e in enumerate(entries)
        if e["kind"] == FREEZE and isinstance(e["body"], Mapping) and e["body"]["try"] == attempt
    )
    _check_statement(case, frozen)
    row = TryRow(
        lineage=lineage,
        digest=attempt,
        decision=decision_digest(case.claim),
        document=digest(case.claim_bytes),
        number=found.number,
        alpha=found.alpha,
        block=found.block,
        ledger=tuple(LedgerEntry.model_validate(dict(e)) for e in entries[: place + 1]),
    )
    nonce = bytes.fromhex(str(frozen["nonce"]))
    return Frozen(frame=make_frame(case, nonce=nonce, block=found.block), row=row)


def _check_statement(case: Case, frozen: Mapping[str, object]) -> None:
    if frozen["statement"] != statement_digest(case.claim):
        raise UsageError(
            "the statement was reworded after this try was frozen",
            where=f"{case.name}: statement",
            hint="restore the sentence that was frozen, or change the decision: a new try",
        )
