"""Does the evidence hang together: every digest it names, recomputed from what it holds."""

from __future__ import annotations

from typing import NoReturn

from verifier.documents.canonical import canonical_bytes, digest, document_digest
from verifier.documents.card import Card
from verifier.documents.edition import EDITION, QUERY_SET
from verifier.documents.evidence import Judgements, QueryTable, SettingRow
from verifier.documents.ledger import verify_chain
from verifier.errors import EvidenceError
from verifier.judge.bundle import STUDY, Evidence, judgement_file
from verifier.judge.trials import check_trials
from verifier.study.tries import (
    FREEZE,
    Account,
    Entry,
    Machine,
    account,
    decision_digest,
    lineage_digest,
    statement_digest,
    try_digest,
)

_HINT = "this evidence was not written by the harness as it stands; do not rely on it"


def check_integrity(evidence: Evidence) -> None:
    """Raise EvidenceError at the first thing that does not follow from the rest."""
    _check_edition(evidence)
    _check_settings(evidence)
    _check_try(evidence)
    _check_ledger(evidence)
    for name, data in evidence.rankings.items():
        if digest(data) != name:
            _fail(evidence, f"the ranking {name[7:19]} is not the one its name says")
    check_trials(evidence, fail=lambda problem: _fail(evidence, problem))


def _fail(evidence: Evidence, problem: str) -> NoReturn:
    raise EvidenceError(problem, where=f"{evidence.name}/{STUDY}", hint=_HINT)


def _check_edition(evidence: Evidence) -> None:
    if evidence.study.edition != EDITION:
        raise EvidenceError(
            f"it was decided by edition {evidence.study.edition}, this harness holds {EDITION}",
            where=f"{evidence.name}/{STUDY}",
            hint="audit it with the release of the harness that it names",
        )


def _check_settings(evidence: Evidence) -> None:
    """Every setting of the claim is there or said to be missing; one that counts is there."""
    study = evidence.study
    uses = {use.name: use for use in evidence.claim.settings}
    names = [s.name for s in study.settings]
    if sorted((*names, *study.missing_settings)) != sorted(uses):
        _fail(evidence, f"its settings are {names}, the claim names {list(uses)}")
    if all(uses[name].optional for name in names):
        _fail(evidence, "no setting that counts is there")
    for setting in study.settings:
        if setting.encoder != uses[setting.name].encoder:
            _fail(evidence, f"{setting.name} was run with another encoder than the claim names")
        _check_setting(evidence, setting)


def _check_setting(evidence: Evidence, setting: SettingRow) -> None:
    card, judgements = evidence.cards[setting.name], evidence.judgements[setting.name]
    if digest(evidence.card_bytes[setting.name]) != setting.card:
        _fail(evidence, f"the card of {setting.name} is not the one that was frozen")
    if card.name != setting.name or setting.task != card.digest:
        _fail(evidence, f"the task of {setting.name} is not the one its card describes")
    if setting.judgements != judgement_file(setting.name) or judgements.setting != setting.name:
        _fail(evidence, f"the judgements of {setting.name} are those of another setting")
    if len(judgements.documents) != sum(card.counts.documents.values()):
        _fail(evidence, f"{setting.name} has another number of documents than its card says")
    for name, table in judgements.query_sets.items():
        _check_table(evidence, f"{setting.name}, {name}", table, judgements)
    if QUERY_SET not in judgements.query_sets:
        _fail(evidence, f"{setting.name} has no judgements of the query set {QUERY_SET}")
    _check_counts(evidence, setting.name, card, judgements.query_sets[QUERY_SET])


def _check_table(evidence: Evidence, name: str, table: QueryTable, judgements: Judgements) -> None:
    columns = (table.languages, table.clusters, table.relevant, *table.strata.values())
    if any(len(column) != len(table.ids) for column in columns):
        _fail(evidence, f"{name}: the columns of the judgements have different lengths")
    if len(set(table.ids)) != len(table.ids):
        _fail(evidence, f"{name}: a query is judged twice")
    documents = len(judgements.documents)
    for relevant in table.relevant:
        if not relevant or relevant[-1] >= documents or sorted(set(relevant)) != list(relevant):
            _fail(evidence, f"{name}: a query's relevant documents are not ascending positions")


def _check_counts(evidence: Evidence, name: str, card: Card, table: QueryTable) -> None:
    """The card says how many test queries each language and stratum has."""
    strata: dict[str, dict[str, int]] = {}
    for stratum, values in table.strata.items():
        strata[stratum] = {value: values.count(value) for value in sorted(set(values))}
    languages = {x: table.languages.count(x) for x in sorted(set(table.languages))}
    wanted = {x: sum(count.values()) for x, count in sorted(card.counts.test.items())}
    found = (languages, strata, len(set(table.clusters)))
    if found != (wanted, card.counts.strata, card.counts.clusters):
        _fail(evidence, f"{name} has other test queries than its card counts")


def _check_try(evidence: Evidence) -> None:
    study, attempt = evidence.study, evidence.study.try_
    closure = document_digest(dict(study.closure))
    settings = study.settings
    tasks = {s.name: s.task for s in settings}
    found = {
        "document": (digest(evidence.claim_bytes), attempt.document),
        "decision": (decision_digest(evidence.claim), attempt.decision),
        "closure": (closure, study.closure_digest),
        "lineage": (lineage_digest(evidence.claim, tasks), attempt.lineage),
        "try": (
            try_digest(
                decision=attempt.decision,
                closure=closure,
                environment=study.environment.digest,
                settings=[
                    {"card": s.card, "task": s.task, "encoder": s.encoder, "model": s.model}
                    for s in settings
                ],
                machine=Machine(
                    threads=study.threads,
                    device=study.device,
                    instructions=study.instructions,
                ),
            ),
            attempt.digest,
        ),
    }
    for name, (computed, said) in found.items():
        if computed != said:
            _fail(
                evidence, f"the {name} digest is {said[:19]}…, but its parts give {computed[:19]}…"
            )


def _check_ledger(evidence: Evidence) -> None:
    attempt = evidence.study.try_
    lines = [canonical_bytes(e.model_dump(mode="json")) for e in attempt.ledger]
    entries = verify_chain(lines, where=f"{evidence.name}/{STUDY}, ledger")
    if not entries or entries[-1]["kind"] != FREEZE:
        _fail(evidence, "the ledger does not end with this try's freeze")
    before = _account(evidence, entries[:-1])
    said = (attempt.number, attempt.alpha, attempt.block)
    if before.known or (before.number, before.alpha, before.block) != said:
        _fail(evidence, f"the ledger gives try {before.number} at alpha {before.alpha:.6g}")
    # Not the document: a try goes on when only its comments were changed.
    wanted = {
        "statement": statement_digest(evidence.claim),
        "try": attempt.digest,
        "lineage": attempt.lineage,
        "decision": attempt.decision,
        "number": attempt.number,
        "alpha": attempt.alpha,
        "block": attempt.block,
    }
    body = entries[-1]["body"]
    if not isinstance(body, dict) or any(body.get(key) != wanted[key] for key in wanted):
        _fail(evidence, "the last freeze in the ledger is of another try")


def _account(evidence: Evidence, entries: list[Entry]) -> Account:
    attempt = evidence.study.try_
    try:
        return account(entries, lineage=attempt.lineage, attempt=attempt.digest)
    except (KeyError, TypeError, ValueError):
        _fail(evidence, "the ledger holds an entry that no account of tries can be read from")
