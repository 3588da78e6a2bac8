"""verdict = f(evidence folder, edition): no clock, no network, no script is run."""

from __future__ import annotations

import json

from verifier.documents.verdict import Verdict
from verifier.errors import EvidenceError
from verifier.judge.assess import assess
from verifier.judge.bundle import Files, evidence_digest, open_bundle
from verifier.judge.compose import compose
from verifier.judge.integrity import check_integrity
from verifier.judge.sheets import ScoreBook

EVIDENCE_PATH = "evidence"


def judge(files: Files, *, name: str = EVIDENCE_PATH) -> Verdict:
    """Return the verdict that an evidence folder carries.

    EvidenceError where it does not hang together or stops before it decides anything.
    """
    evidence = open_bundle(files, name=name)
    check_integrity(evidence)
    assessment = assess(evidence, ScoreBook())
    if assessment.need is not None:
        raise EvidenceError(
            f"it stops before a decision: {assessment.need}",
            where=name,
            hint="run the claim again; finished trials are kept",
        )
    return compose(
        evidence,
        assessment,
        digest=evidence_digest(files),
        files=len(files),
        path=EVIDENCE_PATH,
    )


def verdict_bytes(verdict: Verdict) -> bytes:
    """Return the bytes of a verdict: JSON in the order of the model, one field a line."""
    body = verdict.model_dump(mode="json", by_alias=True)
    return json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
