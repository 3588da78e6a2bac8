"""Verdict folders: written whole or not at all, whoever else writes the same one."""

from __future__ import annotations

import os
from pathlib import Path

from verifier.adapters.folders import read_evidence, write_verdict

EVIDENCE = {"study.json": b"{}", "rankings/one.bin": b"1"}


def write_often(folder: Path) -> int:
    """Write the same verdict many times in a fork; return its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for _ in range(50):
                write_verdict(folder, b"{}", EVIDENCE)
            code = 0
        finally:
            os._exit(code)
    return child


def test_several_harnesses_may_write_one_verdict(tmp_path: Path) -> None:
    """Two runs of one claim end at the same moment: neither fails, and nothing is left over."""
    folder = tmp_path / "verdicts" / "claim"
    children = [write_often(folder) for _ in range(3)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert [place.name for place in folder.parent.iterdir()] == ["claim"]
    assert (folder / "verdict.json").read_bytes() == b"{}"
    assert read_evidence(folder / "evidence") == EVIDENCE


def test_what_a_killed_harness_left_is_taken_away(tmp_path: Path) -> None:
    """Killed between two renames it leaves the old folder under another name."""
    left = tmp_path / ".claim.1.old"
    left.mkdir()
    write_verdict(tmp_path / "claim", b"{}", EVIDENCE)
    assert [place.name for place in tmp_path.iterdir()] == ["claim"]
