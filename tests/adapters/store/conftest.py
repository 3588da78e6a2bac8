"""What the tests of the store share: a folder, a clock, and processes that can be killed."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest


class StepClock:
    """A clock that goes on by one second at every look."""

    def __init__(self) -> None:
        self.seconds = 0

    def now(self) -> datetime:
        self.seconds += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return float(self.seconds)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of syncs, and nothing to lose."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def root(scratch: Path) -> Path:
    return scratch / "store"


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


class Child:
    """A real process that runs a function; what the function says comes back over a pipe."""

    def __init__(self, work: Callable[[Callable[[str], None]], None]) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            code = 1
            try:
                os.close(reading)
                work(lambda text: os.write(writing, f"{text}\n".encode()))
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        self._reading = reading

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def heard(self) -> list[str]:
        """Wait for its end; return the whole lines it said."""
        with os.fdopen(self._reading, "rb") as stream:
            lines = stream.read().decode().split("\n")[:-1]
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return lines


@pytest.fixture
def child() -> type[Child]:
    return Child
