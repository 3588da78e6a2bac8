"""The verdict that ships with its evidence, audited as a newcomer would, on other kernels too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHIPPED = sorted(Path(__file__).resolve().parents[2].glob("verdicts/*/verdict.json"))


def audit(verdict: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Audit in a process of its own, with some environment variables set."""
    return subprocess.run(
        [sys.executable, "-m", "verifier", "audit", str(verdict)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_one_verdict_ships():
    assert SHIPPED


@pytest.mark.parametrize("verdict", SHIPPED, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("kernel", ["", "Prescott", "Haswell"])
def test_the_shipped_verdict_is_what_its_evidence_says(verdict, kernel):
    """Sums taken by other kernels of the linear algebra library change no byte of a verdict."""
    done = audit(verdict, **({"OPENBLAS_CORETYPE": kernel} if kernel else {}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "byte for byte" in done.stdout
