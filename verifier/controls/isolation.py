"""Factor isolation: arms differ in the declared factor and in nothing else."""

from __future__ import annotations

from verifier.documents.evidence import STUDY, Finding, TrialRow
from verifier.documents.words import Severity


def isolation_findings(rows: tuple[TrialRow, ...]) -> tuple[Finding, ...]:
    """Find arms whose training streams differ in more than the factor.

    Arms with the same setting, regime and seed index must train on the same queries equally
    often, in as many steps, with as many negatives: no factor about negatives touches these.
    """
    seen: dict[tuple[str, str, int], tuple[str, str | None]] = {}
    for row in rows:
        if row.role != STUDY or row.effort is None:
            continue
        key = (row.setting, row.regime, row.index)
        arm, effort = seen.setdefault(key, (row.arm, row.effort))
        if effort != row.effort:
            return (
                Finding(
                    rule="isolation.effort",
                    severity=Severity.INVALID,
                    message=f"arms {arm} and {row.arm} do not train on the same queries equally "
                    "often, in as many steps with as many negatives",
                    where=f"stream of seed index {row.index}, {row.regime}",
                ),
            )
    return ()
