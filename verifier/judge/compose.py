"""Evidence and assessment -> the verdict document."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from verifier.decide.scope import Sourced, Studied, compute_scope, weakest
from verifier.decide.status import Circumstances, derive_status
from verifier.documents.claim import STATIC
from verifier.documents.criterion import Criterion, DoseResponse
from verifier.documents.edition import (
    CONTRACT_VERSION,
    MINIMUM_SEEDS,
    MINIMUM_SEEDS_DOSE_RESPONSE,
    SCHEMA_VERSION,
)
from verifier.documents.evidence import Enforced, SandboxRow, Study
from verifier.documents.numbers import six_digits
from verifier.documents.verdict import (
    CONTRACT,
    GATE,
    AlphaPart,
    ControlRow,
    EvidencePart,
    Format,
    LookRow,
    ScopePart,
    Subject,
    Verdict,
)
from verifier.documents.words import Scope, Status
from verifier.judge import sentences
from verifier.judge.assess import Assessment
from verifier.judge.bundle import Evidence
from verifier.judge.observations import collect_findings
from verifier.judge.robustness import robustness_rows
from verifier.judge.tables import arm_rows, fewest_clusters, look_rows, table_rows
from verifier.stats.alpha import look_alphas

PRE_TRAINED = "pre-trained"
UNCHECKED = (
    "label permutation (C6), weak baselines (C10), improper gain (C11), near-duplicate leaks "
    "(C12), parity of effort (C13)"
)
SEALED_LEVELS = frozenset({"ns-full", "ns-root"})


def encoder_class(encoder: str) -> str:
    """Return the class of an encoder by its name: static, or pre-trained."""
    return STATIC if encoder == STATIC else PRE_TRAINED


def scope_of(evidence: Evidence) -> Scope:
    """Compute the study's scope: that of its weakest setting that counts."""
    source = evidence.claim.source
    sourced = Sourced(
        task=source.task,
        data=source.data,
        encoder_classes=tuple(encoder_class(e) for e in source.encoders),
        encoders=source.encoders,
    )
    return weakest(
        compute_scope(
            Studied(
                task=evidence.cards[use.name].task,
                data=use.name,
                encoder_class=encoder_class(use.encoder),
                encoder=use.encoder,
            ),
            sourced,
        )
        for use in evidence.claim.settings
        if use.name in evidence.cards and not use.optional
    )


def compose(
    evidence: Evidence, assessment: Assessment, *, digest: str, files: int, path: str
) -> Verdict:
    """Compose the verdict; all numbers and sentences come from evidence and assessment."""
    claim, study, look = evidence.claim, evidence.study, assessment.last
    scope = scope_of(evidence)
    sandbox = sandbox_row(study)
    decided = derive_status(
        assessment.decision,
        Circumstances(
            scope=scope,
            required=claim.requires,
            quantifier=claim.quantifier,
            source_states_size=claim.source.states_size,
            sandboxed=all(s.level in SEALED_LEVELS for s in study.sandboxes.values()),
            clusters=fewest_clusters(look) if look else None,
            seeds=look.seeds if look else None,
            missing_settings=study.missing_settings,
            minimum_seeds=minimum_seeds(claim.criterion),
        ),
    )
    estimates = tuple(row for each in assessment.looks for row in look_rows(each))
    leading = _leading(estimates)
    widen = sentences.widen_words(claim, scope=scope, required=claim.requires)
    task = next(iter(evidence.cards.values())).task
    reason = sentences.reason_words(
        claim,
        assessment.decision,
        decided.sentence,
        leading,
        code=decided.reason,
        scope=scope,
        attempt=study.try_.number,
    )
    return Verdict.model_validate(
        {
            "schema": CONTRACT,
            "schema_version": SCHEMA_VERSION,
            "contract_version": CONTRACT_VERSION,
            "status": decided.status,
            "label": sentences.LABELS[Status(decided.status)],
            "definition": sentences.DEFINITIONS[Status(decided.status)],
            "reason": reason,
            "evaluated_at": study.evaluated_at,
            "gate": GATE,
            "enforcement": sentences.ENFORCEMENT,
            "subject": _subject(evidence),
            "format": Format(edition=study.edition, harness=study.harness),
            "outcome": assessment.decision.outcome,
            "reason_code": decided.reason,
            "scope": ScopePart(
                reached=scope,
                required=claim.requires,
                requires_reason=claim.requires_reason,
                leaves_open=sentences.leaves_open(claim, task=task, scope=scope),
                widen=widen,
            ),
            "criterion": claim.criterion,
            "plain": sentences.plain_words(claim, assessment.decision, leading),
            "would_change_it": sentences.change_words(assessment.decision, widen=widen),
            "arm_blind": claim.reproduction.arm_blind,
            "estimates": estimates,
            "arms": arm_rows(look) if look else (),
            "tables": table_rows(look) if look else (),
            "robustness": robustness_rows(look, digest) if look else (),
            "controls": tuple(_rounded(row) for row in assessment.controls),
            "findings": collect_findings(evidence, assessment),
            "sandbox": sandbox,
            "environment": study.environment,
            "try": _try_part(evidence),
            "evidence": _evidence_part(evidence, digest=digest, files=files, path=path),
            "not_enforced": sandbox.not_enforced,
            "not_measured": not_measured(evidence),
            "cost": _cost(evidence),
        }
    )


def sandbox_row(study: Study) -> SandboxRow:
    """Return what held all scripts: of each layer the weakest profile, with the highest peaks.

    A study without profiles ran nothing: its level is `none`.
    """
    runs = [run for row in study.trials for run in row.stages]
    peaks = {
        "wall clock": f"{max((r.wall_s for r in runs), default=0):.1f} s",
        "memory": f"{max((r.peak_memory_bytes or 0 for r in runs), default=0)} B",
    }
    profiles = list(study.sandboxes.values())
    layers: dict[str, Enforced] = {}
    for profile in profiles:
        for layer in profile.enforced:
            if layer.name not in layers or layer.enforced_by is None:
                layers[layer.name] = layer.model_copy(update={"peak": peaks.get(layer.name)})
    return SandboxRow(
        level="+".join(sorted({p.level for p in profiles})) or "none",
        enforced=tuple(layers.values()),
        not_enforced=tuple(dict.fromkeys(s for p in profiles for s in p.not_enforced)),
    )


def minimum_seeds(criterion: Criterion) -> int:
    """Return the fewest seeds an arm for a status above UNVERIFIED, by kind of criterion."""
    return MINIMUM_SEEDS_DOSE_RESPONSE if isinstance(criterion, DoseResponse) else MINIMUM_SEEDS


def not_measured(evidence: Evidence) -> tuple[str, ...]:
    """Say which checks this edition does not make, so that nobody takes them for granted."""
    gaps = [
        f"Not checked in this edition: {UNCHECKED}.",
        "The script's source is not read by a machine in this edition.",
    ]
    if evidence.claim.reproduction.arm_blind:
        gaps.append("No reference trainer was run on the recorded streams.")
    else:
        gaps.append(
            "The training stage knows its arm, because the factor needs the current encoder; the "
            "reference check on its baseline is not made in this edition."
        )
    if any(encoder_class(s.encoder) == PRE_TRAINED for s in evidence.study.settings):
        gaps.append(
            "That the pre-trained model does not know the test texts is assumed, not tested."
        )
    if not evidence.claim.assay:
        gaps.append("The claim names no level known to matter, so it could not be refuted.")
    return tuple(gaps)


def _leading(estimates: Sequence[LookRow]) -> tuple[LookRow, ...]:
    """Return the telling contrast of each condition at the last look."""
    rows: dict[tuple[str, str, int], LookRow] = {}
    for row in estimates:
        rows.setdefault((row.setting, row.regime, row.look), row)
    last = max((row.look for row in rows.values()), default=0)
    return tuple(row for row in rows.values() if row.look == last)


def _subject(evidence: Evidence) -> Subject:
    claim, attempt = evidence.claim, evidence.study.try_
    return Subject(
        id=claim.id,
        record=claim.record,
        statement=claim.statement,
        quantifier=claim.quantifier,
        source=claim.source,
        document=attempt.document,
        decision=attempt.decision,
    )


def _try_part(evidence: Evidence) -> AlphaPart:
    attempt = evidence.study.try_
    share = look_alphas(attempt.alpha, len(evidence.claim.seeds.looks))[0]
    return AlphaPart(
        number=attempt.number,
        lineage=attempt.lineage,
        digest=attempt.digest,
        alpha=six_digits(attempt.alpha),
        alpha_per_look=six_digits(share),
        block=attempt.block,
        ledger=attempt.ledger,
    )


def _evidence_part(evidence: Evidence, *, digest: str, files: int, path: str) -> EvidencePart:
    study = evidence.study
    return EvidencePart(
        path=path,
        digest=digest,
        files=files,
        closure=dict(study.closure),
        settings={s.name: s.card for s in study.settings},
        trials=len(study.trials),
    )


def _rounded(row: ControlRow) -> ControlRow:
    return row.model_copy(
        update={
            "numbers": {
                name: value if isinstance(value, int) else six_digits(value)
                for name, value in row.numbers.items()
            }
        }
    )


def _cost(evidence: Evidence) -> dict[str, JsonValue]:
    runs = [run for row in evidence.study.trials for run in row.stages]
    peaks = [r.peak_memory_bytes for r in runs if r.peak_memory_bytes is not None]
    return {
        "trials": len(evidence.study.trials),
        "sandbox_runs": len(runs),
        "wall_s": six_digits(sum(r.wall_s for r in runs)),
        "cpu_s": six_digits(sum(r.cpu_s or 0.0 for r in runs)),
        "peak_memory_bytes": max(peaks, default=None),
    }
