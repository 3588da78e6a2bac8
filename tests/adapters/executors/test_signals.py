"""Ctrl-C, kills and hangs, on a real program in its own session."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from verifier.adapters.executors.worker import fork, signals_held, stop

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from verifier.adapters.executors.local import LocalExecutor

folder = Path(sys.argv[1])

def work(item, emit):
    (folder / f"begun-{item}").write_text(str(os.getpid()))
    try:
        emit({"step": 1})
        time.sleep(60)
    finally:
        (folder / f"cleaned-{item}").touch()

try:
    for one in LocalExecutor(2).run(range(5), work):
        pass
except KeyboardInterrupt:
    (folder / "interrupted").touch()
    raise SystemExit(130)
"""


def eventually(true: Callable[[], bool], within_s: float = 10) -> bool:
    end = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Program:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "-c", PROGRAM, str(folder)]
        self.process = subprocess.Popen(command, start_new_session=True)
        assert eventually(lambda: len(self.pids()) == 2)

    def pids(self) -> list[int]:
        return [int(text) for p in self.folder.glob("begun-*") if (text := p.read_text())]

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def program(tmp_path: Path):
    program = Program(tmp_path)
    yield program
    if program.process.poll() is None:
        os.killpg(program.process.pid, signal.SIGKILL)
    program.process.wait()


@pytest.mark.parametrize("group", [True, False])
def test_ctrl_c_cleans_up_and_goes_on(program: Program, *, group: bool):
    """A terminal sends SIGINT to the whole group; workers leave it to the parent."""
    (os.killpg if group else os.kill)(program.process.pid, signal.SIGINT)
    assert program.process.wait(timeout=10) == 130
    assert program.names() == {"begun-0", "begun-1", "cleaned-0", "cleaned-1", "interrupted"}
    assert not any(map(alive, program.pids()))


def test_workers_die_with_a_killed_parent_and_clean_up(program: Program):
    program.process.kill()
    program.process.wait()
    assert eventually(lambda: not any(map(alive, program.pids())))
    assert program.names() == {"begun-0", "begun-1", "cleaned-0", "cleaned-1"}


def test_a_hung_up_terminal_leaves_no_worker(program: Program):
    os.killpg(program.process.pid, signal.SIGHUP)
    program.process.wait()
    assert eventually(lambda: not any(map(alive, program.pids())))
    assert {"cleaned-0", "cleaned-1"} <= program.names()


def test_a_worker_that_will_not_end_is_killed(tmp_path: Path):
    def deaf(pipe):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        (tmp_path / "deaf").touch()
        time.sleep(60)

    with signals_held() as mask:
        worker = fork(deaf, siblings=[], mask=mask)
    assert eventually((tmp_path / "deaf").exists)
    begun = time.monotonic()
    stop([worker], grace_s=0.3)
    assert 0.2 < time.monotonic() - begun < 3
    assert not alive(worker.pid)
    assert os.waitstatus_to_exitcode(worker.status or 0) == -signal.SIGKILL


def test_signals_sent_while_a_worker_is_made_are_not_lost():
    """They arrive once the worker is known, in the parent only."""
    with pytest.raises(KeyboardInterrupt), signals_held() as mask:  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        worker = fork(lambda _pipe: None, siblings=[], mask=mask)
        assert not worker.gone() or worker.status == 0
    assert eventually(worker.gone)
    assert worker.status == 0
    worker.pipe.close()
