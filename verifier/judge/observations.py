"""Findings: what trials, rankings and streams show beside the scores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from verifier.controls.isolation import isolation_findings
from verifier.documents.evidence import Finding
from verifier.documents.verdict import ControlRow
from verifier.documents.words import Severity
from verifier.judge.assess import Assessment
from verifier.judge.bundle import Evidence
from verifier.study.sheet import Sheet

_SEVERITY = {
    "failed": Severity.INVALID,
    "not_run": Severity.INVALID,
    "warning": Severity.WARNING,
    "not_testable": Severity.NOT_TESTABLE,
}


def collect_findings(evidence: Evidence, assessment: Assessment) -> tuple[Finding, ...]:
    """Return all findings, those that weigh most first."""
    found = [finding for row in evidence.study.trials for finding in row.findings]
    found += isolation_findings(evidence.study.trials)
    found += [_control_finding(row) for row in assessment.controls if row.state in _SEVERITY]
    if assessment.last is not None:
        for sheet in assessment.last.sheets:
            found += _silent_queries(sheet)
            found += _too_good(sheet)
    order = [Severity.INVALID, Severity.NOT_TESTABLE, Severity.WARNING, Severity.INFO]
    return tuple(sorted(dict.fromkeys(found), key=lambda f: order.index(f.severity)))


def _control_finding(row: ControlRow) -> Finding:
    severity = _SEVERITY[row.state]
    if row.id == "C9":  # not seeing a known effect is no fault: it only forbids refuting
        severity = Severity.NOT_TESTABLE
    return Finding(
        rule=f"control.{row.id.lower()}",
        severity=severity,
        message=f"{row.title}: {row.detail}",
        where=f"{row.setting}, {row.regime}",
    )


def _silent_queries(sheet: Sheet) -> Iterator[Finding]:
    for arm, trials in sheet.arms.items():
        empty = max(int(np.sum(np.diff(t.ranking.starts) == 0)) for t in trials)
        if empty:
            yield Finding(
                rule="run.empty_queries",
                severity=Severity.WARNING,
                message=f"arm {arm}: up to {empty} queries without results; each scores 0",
                where=f"{sheet.setting}, {sheet.regime}",
            )


def _too_good(sheet: Sheet) -> Iterator[Finding]:
    ceiling = sheet.card.ceiling.get(str(sheet.claim.criterion.measure))
    if ceiling is None:
        return
    for arm in sheet.arms:
        mean = float(sheet.means(arm).mean())
        if mean > ceiling:
            yield Finding(
                rule="score.too_good",
                severity=Severity.WARNING,
                message=f"arm {arm} scores {mean:.4f}; the card expects at most {ceiling:g} of an "
                "honest arm",
                where=f"{sheet.setting}, {sheet.regime}",
            )
