"""Does the evidence hang together: every digest it names, recomputed from what it holds."""

from __future__ import annotations

from typing import NoReturn

from verifier.documents.canonical import canonical_bytes, digest, document_digest
from verifier.documents.edition import EDITION
from verifier.documents.evidence import STUDY as STUDY_ROLE
from verifier.documents.evidence import TrialRow
from verifier.documents.ledger import verify_chain
from verifier.errors import EvidenceError
from verifier.judge.bundle import STUDY, Evidence
from verifier.study.tries import FREEZE, account, decision_digest, lineage_digest, try_digest

_HINT = "this evidence was not written by the harness as it stands; do not rely on it"


def check_integrity(evidence: Evidence) -> None:
    """Raise EvidenceError at the first thing that does not follow from the rest."""
    _check_edition(evidence)
    _check_try(evidence)
    _check_ledger(evidence)
    for row in evidence.study.trials:
        _check_trial(evidence, row)
    seen = [
        (t.role, t.strike, t.setting, t.regime, t.arm, t.index, t.seal, t.replicate)
        for t in evidence.study.trials
    ]
    if len(set(seen)) != len(seen):
        _fail(evidence, "a trial stands twice")


def _fail(evidence: Evidence, problem: str) -> NoReturn:
    raise EvidenceError(problem, where=f"{evidence.name}/{STUDY}", hint=_HINT)


def _check_edition(evidence: Evidence) -> None:
    if evidence.study.edition != EDITION:
        raise EvidenceError(
            f"it was decided by edition {evidence.study.edition}, this harness holds {EDITION}",
            where=f"{evidence.name}/{STUDY}",
            hint="audit it with the release of the harness that it names",
        )


def _check_try(evidence: Evidence) -> None:
    study, attempt = evidence.study, evidence.study.try_
    closure = document_digest(dict(study.closure))
    settings = study.settings
    models = {u.name: u.encoder for u in evidence.claim.settings}
    found = {
        "document": (digest(evidence.claim_bytes), attempt.document),
        "decision": (decision_digest(evidence.claim), attempt.decision),
        "closure": (closure, study.closure_digest),
        "lineage": (lineage_digest(evidence.claim, [s.task for s in settings]), attempt.lineage),
        "try": (
            try_digest(
                decision=attempt.decision,
                closure=closure,
                environment=study.environment.digest,
                settings=[
                    {"card": s.card, "task": s.task, "encoder": s.encoder, "model": s.model}
                    for s in settings
                ],
            ),
            attempt.digest,
        ),
    }
    for name, (computed, said) in found.items():
        if computed != said:
            _fail(
                evidence, f"the {name} digest is {said[:19]}…, but its parts give {computed[:19]}…"
            )
    for setting in settings:
        if digest(evidence.card_bytes[setting.name]) != setting.card:
            _fail(evidence, f"the card of {setting.name} is not the one that was frozen")
        if models.get(setting.name) is None:
            _fail(evidence, f"the claim does not name the setting {setting.name}")


def _check_ledger(evidence: Evidence) -> None:
    attempt = evidence.study.try_
    lines = [canonical_bytes(e.model_dump(mode="json")) for e in attempt.ledger]
    entries = verify_chain(lines, where=f"{evidence.name}/{STUDY}, ledger")
    frozen = [e for e in entries if e["kind"] == FREEZE]
    if not entries or entries[-1]["kind"] != FREEZE or not frozen:
        _fail(evidence, "the ledger does not end with this try's freeze")
    before = account(entries[:-1], lineage=attempt.lineage, attempt=attempt.digest)
    said = (attempt.number, attempt.alpha, attempt.block)
    if before.known or (before.number, before.alpha, before.block) != said:
        _fail(evidence, f"the ledger gives try {before.number} at alpha {before.alpha:.6g}")
    body = entries[-1]["body"]
    if not isinstance(body, dict) or body.get("try") != attempt.digest:
        _fail(evidence, "the last freeze in the ledger is of another try")


def _check_trial(evidence: Evidence, row: TrialRow) -> None:
    claim = evidence.claim
    levels = dict(claim.arms)
    for assay in claim.assay.values():
        levels |= assay
    if row.arm not in levels or row.parameters.get(claim.factor) != levels[row.arm]:
        _fail(evidence, f"trial {row.id[:12]}: its parameters are not those of arm {row.arm}")
    if row.role == STUDY_ROLE and (row.arm not in claim.arms or row.variant.kind != "plain"):
        _fail(evidence, f"trial {row.id[:12]} is not a trial of the study")
    for ranking in row.rankings.values():
        if ranking not in evidence.rankings:
            _fail(evidence, f"trial {row.id[:12]}: its ranking is not in the folder")
