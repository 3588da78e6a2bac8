"""Factor isolation: arms differ in the declared factor and in nothing else."""

from __future__ import annotations

from verifier.documents.evidence import STUDY, Finding, TrialRow
from verifier.documents.words import Severity


def isolation_findings(rows: tuple[TrialRow, ...]) -> tuple[Finding, ...]:
    """Find arms whose training streams differ in more than the factor: other pairs or counts.

    Arms with the same setting, regime and seed index must train on the same multiset of
    (query, positive) pairs: no factor about negatives touches them.
    """
    seen: dict[tuple[str, str, int], tuple[str, str | None]] = {}
    for row in rows:
        if row.role != STUDY or row.pairs is None:
            continue
        key = (row.setting, row.regime, row.index)
        arm, pairs = seen.setdefault(key, (row.arm, row.pairs))
        if pairs != row.pairs:
            return (
                Finding(
                    rule="isolation.pairs",
                    severity=Severity.INVALID,
                    message=f"arms {arm} and {row.arm} train on different (query, positive) "
                    f"pairs; only their negatives may differ",
                    where=f"stream of seed index {row.index}, {row.regime}",
                ),
            )
    return ()
