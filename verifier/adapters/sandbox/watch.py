"""Watch a running sandbox: its logs, its clock, its output folder, its memory; end it in time."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from verifier.adapters.sandbox import collect
from verifier.adapters.sandbox.cgroup import ControlGroup
from verifier.ports import Ending

POLL_S: Final = 0.25
_CHUNK: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 16
_PER_LOOK: Final = 1 << 20


@dataclass(slots=True)
class Log:
    """The two output streams of a program, bounded together."""

    most: int
    streams: dict[int, bytearray] = field(default_factory=dict)
    overflow: bool = False

    def read(self, descriptor: int) -> bool:
        """Read what is there; return False at the end of the stream."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return True
        room = self.most - sum(len(s) for s in self.streams.values())
        self.streams[descriptor] += data[: max(room, 0)]
        self.overflow |= len(data) > room
        return bool(data)


class Follower:
    """Reports the new lines of a growing output file, whatever the program does to it."""

    def __init__(self, folder: int, name: str | None, on_line: Callable[[bytes], None]) -> None:
        self._folder = folder
        self._name = name
        self._on_line = on_line
        self._offset = 0
        self._rest = b""

    def look(self, *, most: int = _PER_LOOK) -> None:
        """Report the complete lines written since the last look; over-long ones are dropped."""
        if self._name is None:
            return
        try:
            descriptor = collect.open_below(self._folder, self._name)
        except OSError:
            return
        if descriptor is None:
            return
        try:
            data = os.pread(descriptor, most, self._offset)
        except OSError:  # a folder, a FIFO, a device: collection will say so
            return
        finally:
            os.close(descriptor)
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if len(line) <= _LONGEST_LINE:
                self._on_line(line)
        self._rest = self._rest[: _LONGEST_LINE + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One running sandbox and its bounds."""

    init: int
    output: int
    log: Log
    group: ControlGroup
    follower: Follower
    deadline: float

    def until_ended(self) -> Ending | None:
        """Wait for the end of all processes (None), or return the bound that was reached."""
        poll = select.poll()
        for descriptor in (self.init, *self.log.streams):
            poll.register(descriptor, select.POLLIN)
        next_look = time.monotonic() + POLL_S
        while True:
            now = time.monotonic()
            if now >= self.deadline:
                return Ending.WALL_CLOCK
            if now >= next_look:
                next_look = now + POLL_S
                reached = self._look()
                if reached is not None:
                    return reached
            wait_s = max(0.0, min(next_look, self.deadline) - now)
            events = [d for d, _ in poll.poll(wait_s * 1000 + 1)]
            if self.init in events:
                return None
            for descriptor in events:
                if not self.log.read(descriptor):
                    poll.unregister(descriptor)
            if self.log.overflow:
                return Ending.LOG_OVERFLOW

    def drain(self) -> None:
        """Read what the pipes still hold; nobody can write any more."""
        for descriptor in self.log.streams:
            while self.log.read(descriptor) and not self.log.overflow:
                if not select.select([descriptor], [], [], 0)[0]:
                    break

    def _look(self) -> Ending | None:
        self.follower.look()
        if full(self.output):
            return Ending.OUTPUT_OVERFLOW
        if self.group.usage().out_of_memory_kills:
            return Ending.MEMORY
        return None


def full(folder: int) -> bool:
    """Tell whether a bounded folder has no byte or no name left."""
    room = os.fstatvfs(folder)
    return room.f_bfree == 0 or room.f_ffree == 0
