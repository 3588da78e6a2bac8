"""Honest scripts get what is true: the positive controls of tests/attacks/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Scratch

pytestmark = pytest.mark.sandbox
ALWAYS = ("C1", "C2", "C3", "C5", "C7", "C8")


def test_a_true_claim_is_verified(finished: Scratch) -> None:
    """Letter pairs do find names better than single letters."""
    verdict = finished.verdict
    assert (verdict.status, verdict.outcome) == ("VERIFIED", "supported")
    assert verdict.reason_code == "SUPPORTED"
    assert verdict.scope["reached"] == "replication"
    assert verdict.estimates[0]["low"] > 0.01
    needless = {"C4": "not_needed", "C9": "not_needed"}  # few seeds; nothing is refuted
    assert verdict.states == dict.fromkeys(ALWAYS, "passed") | needless
    assert not verdict.rules


def test_a_false_claim_is_falsified(project: Scratch) -> None:
    """The same script and the contrary claim; C9 must speak first."""
    project.claim({"criterion": {"candidate": "theirs", "baseline": "ours"}})
    verdict = project.judged()
    assert (verdict.status, verdict.outcome) == ("FALSIFIED", "refuted")
    assert verdict.reason_code == "OPPOSITE"
    assert verdict.states == dict.fromkeys((*ALWAYS, "C9"), "passed") | {"C4": "not_needed"}
