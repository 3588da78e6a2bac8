"""From trial rows to evidence: judgements without texts, rankings by digest, the whole index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import verifier
from verifier.documents.canonical import digest
from verifier.documents.edition import EDITION
from verifier.documents.evidence import (
    Judgements,
    QueryTable,
    SandboxRow,
    SettingRow,
    Study,
    TrialRow,
)
from verifier.documents.task import Query, Task
from verifier.judge.bundle import Evidence, judgement_file
from verifier.pipeline.freeze import Case, Frozen, LoadedSetting


def collect_evidence(
    case: Case,
    frozen: Frozen,
    rows: Sequence[TrialRow],
    rankings: Mapping[str, bytes],
    *,
    sandboxes: Mapping[str, SandboxRow],
    evaluated_at: str,
) -> Evidence:
    """Return the evidence of a study as far as it has come.

    Trials stand in a fixed order, whatever order they finished in.
    """
    study = Study.model_validate(
        {
            "edition": EDITION,
            "harness": f"verifier {verifier.__version__}",
            "evaluated_at": evaluated_at,
            "try": frozen.row,
            "closure": {path: digest(data) for path, data in sorted(case.closure.items())},
            "closure_digest": case.closure_digest,
            "environment": case.environment,
            "instructions": case.instructions,
            "threads": case.threads,
            "device": case.device,
            "sandboxes": {name: sandboxes[name] for name in sorted(sandboxes)},
            "settings": tuple(_setting_row(s) for s in case.settings),
            "missing_settings": case.missing,
            "trials": tuple(sorted(rows, key=_place)),
        }
    )
    return Evidence(
        name="evidence",
        claim=case.claim,
        claim_bytes=case.claim_bytes,
        cards={s.use.name: s.card for s in case.settings},
        card_bytes={s.use.name: s.card_bytes for s in case.settings},
        judgements={s.use.name: judgements_of(s.task, s.use.name) for s in case.settings},
        study=study,
        rankings=rankings,
    )


def _setting_row(setting: LoadedSetting) -> SettingRow:
    return SettingRow(
        name=setting.use.name,
        encoder=setting.use.encoder,
        model=setting.model_digest,
        card=digest(setting.card_bytes),
        task=setting.task_digest,
        judgements=judgement_file(setting.use.name),
    )


def _place(row: TrialRow) -> tuple[str, str, str, int, str, int, int]:
    role = "" if row.role == "study" else row.role
    return (role, row.setting, row.regime, row.strike, row.arm, row.index, row.seal)


def judgements_of(task: Task, setting: str) -> Judgements:
    """Return what the judge knew of a task and scripts did not: no texts, they stay at home."""
    return Judgements(
        setting=setting,
        documents=tuple(d.id for d in task.documents),
        query_sets={name: _table(queries) for name, queries in task.query_sets.items()},
    )


def _table(queries: Sequence[Query]) -> QueryTable:
    strata = sorted({name for query in queries for name in query.strata})
    return QueryTable(
        ids=tuple(q.id for q in queries),
        languages=tuple(q.language for q in queries),
        clusters=tuple(q.cluster for q in queries),
        strata={name: tuple(q.strata[name] for q in queries) for name in strata},
        relevant=tuple(tuple(sorted(q.relevant)) for q in queries),
    )
