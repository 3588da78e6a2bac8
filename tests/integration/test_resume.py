"""A harness that dies, is stopped or meets its double: nothing finished is lost or run twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Scratch

pytestmark = pytest.mark.sandbox
_WAIT_S = 120
# What a run's own clock and machine put into a verdict, directly or through digests.
_OF_THE_RUN = ("evaluated_at", "evidence", "cost", "robustness", "sandbox", "try")


def without_trials(finished: Scratch, root: Path) -> Scratch:
    """Return a copy that has its nonce and account but none of its trials: same seeds and seals."""
    project = finished.copy(root)
    for name in ("store/trials", "store/objects", "verdicts"):
        shutil.rmtree(project.state / name)
    return project


def living(process: subprocess.Popen[str]) -> list[str]:
    """Return what is alive of a harness that had a session of its own, sandboxes included."""
    found = []
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            continue
        if fields[0] != "Z" and int(fields[3]) == process.pid:
            found.append(f"{place.name}: {words}")
    return found


def sandboxes(needle: str) -> list[str]:
    """Return the sandboxed processes that run a script with a telling name."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            words = (place / "cmdline").read_bytes().decode(errors="replace")
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if place.name.isdigit() and needle in words and state != "Z":
            found.append(f"{place.name}: {words}")
    return found


def until(condition: Any, what: str) -> None:
    limit = time.monotonic() + _WAIT_S
    while not condition():
        assert time.monotonic() < limit, f"waited {_WAIT_S} s for {what}"
        time.sleep(0.02)


def science(verdict: Any) -> dict[str, Any]:
    """Return a verdict without what every run has of its own."""
    return {key: value for key, value in verdict.document.items() if key not in _OF_THE_RUN}


def rankings(project: Scratch) -> dict[str, Any]:
    study = json.loads((project.verdict_folder / "evidence/study.json").read_bytes())
    return {row["id"]: row["rankings"] for row in study["trials"]}


def test_killed_at_any_moment_it_goes_on_from_there(finished: Scratch, tmp_path: Path) -> None:
    """Kill -9 of the harness alone: its workers and sandboxes go with it."""
    project = without_trials(finished, tmp_path / "project")
    rng = random.Random(41)
    seen: dict[str, tuple[int, bytes]] = {}
    for more in (0, 3, 4):
        process = project.start()
        until(lambda seen=seen, more=more: len(project.trials) >= len(seen) + more, "trials")
        time.sleep(rng.uniform(0.0, 1.5))
        process.kill()
        process.communicate()
        until(lambda process=process: not living(process), "workers and sandboxes to be gone")
        assert seen.items() <= project.trials.items(), "a finished trial was lost or run again"
        seen = project.trials
    verdict = project.judged()
    assert seen.items() <= project.trials.items()
    assert len(seen) < len(project.trials), "it was killed before the end"
    assert rankings(project) == rankings(finished)
    assert science(verdict) == science(finished.verdict)
    first = project.verdict_bytes
    assert project.run().code == 0
    assert project.verdict_bytes == first
    assert not list((project.state / "store/locks").iterdir())


def test_ctrl_c_ends_with_130(project: Scratch) -> None:
    """A trial under way is lost, and nothing of it stays alive."""
    name = f"repro/sleeps-{os.getpid()}.py"
    project.script("import time\ntime.sleep(600)", name)
    project.claim({"reproduction": {"stages": {"train": ["python", name]}, "files": [name]}})
    process = project.start()
    until(lambda: sandboxes(name), "the first trial")
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "start it again to go on from there" in stderr
    assert "Traceback" not in stderr
    until(lambda: not sandboxes(name) and not living(process), "the sandbox to be gone")
    assert not project.trials
    assert not (project.state / "verdicts").exists()


def test_two_at_once_share_the_work(finished: Scratch, tmp_path: Path) -> None:
    project = without_trials(finished, tmp_path / "project")
    one, two = (project.start("--slots", "1", "--output", f"out/{n}") for n in (1, 2))
    said = [process.communicate(timeout=240)[1] for process in (one, two)]
    assert (one.returncode, two.returncode) == (0, 0), said
    studies = [
        json.loads((project.root / f"out/{n}/evidence/study.json").read_bytes()) for n in (1, 2)
    ]
    # Times are measured anew in every execution: equal ones mean that each was run once.
    assert studies[0]["trials"] == studies[1]["trials"]
    assert {row["id"] for row in studies[0]["trials"]} == set(project.trials)
