"""The ports: what the pipelines need from the world, and nothing about how it is done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from verifier.documents.limits import Limits

T = TypeVar("T")
I = TypeVar("I")


class Ending(StrEnum):
    """How a sandboxed execution ended."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    WALL_CLOCK = "wall_clock"
    MEMORY = "memory"
    OUTPUT_OVERFLOW = "output_overflow"
    LOG_OVERFLOW = "log_overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """One limit or layer: what was asked, what enforces it (None: nothing does), the peak seen."""

    name: str
    requested: str
    enforced_by: str | None
    peak: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOrder:
    """One execution to perform.

    argv: the command; a leading "python" means the environment's interpreter.
    inputs: relative path -> bytes, shown read-only under /input.
    study: relative path -> bytes, shown read-only under /study, the working directory.
    models: name -> host folder, shown read-only under /input/models/NAME.
    environment: root of an environment made by `verify env create`; None runs a static binary.
    outputs: relative path under /output -> the most bytes we will read; nothing else is read.
    follow: an output file whose new lines are reported while it grows (telemetry), or None.
    """

    argv: tuple[str, ...]
    inputs: Mapping[str, bytes]
    study: Mapping[str, bytes]
    environment: Path | None
    outputs: Mapping[str, int]
    limits: Limits
    threads: int
    models: Mapping[str, Path] = field(default_factory=dict)
    follow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """What an execution left: how it ended, what it used, the bytes collected, untrusted.

    outputs: relative path -> bytes, only files that passed collection.
    refused: relative path -> why a file that was there was not taken (link, FIFO, too big, ...).
    extra: names found under /output that were not asked for (at most 20).
    not_enforced: what the level and this machine leave open, in plain sentences.
    """

    ending: Ending
    exit_code: int | None
    signal: int | None
    wall_s: float
    cpu_s: float | None
    peak_memory_bytes: int | None
    stdout: bytes
    stderr: bytes
    outputs: Mapping[str, bytes]
    refused: Mapping[str, str]
    extra: tuple[str, ...]
    enforcement: tuple[Enforcement, ...]
    not_enforced: tuple[str, ...] = ()


class Sandbox(Protocol):
    """Runs one untrusted process, sealed; raises VerifierError only for faults of ours."""

    level: str

    def run(
        self, order: SandboxOrder, *, on_line: Callable[[bytes], None] | None = None
    ) -> SandboxResult:
        """Execute `order` and wait until every process of it is gone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """A finished trial as the store keeps it: its record and the digests of its blobs."""

    id: str
    record: Mapping[str, object]
    blobs: Mapping[str, str]


class Store(Protocol):
    """Finished trials by content key, and this installation's secret."""

    def secret(self) -> bytes:
        """Return 32 bytes made once, readable by the owner only; seal keys derive from them."""
        ...

    def get(self, trial_id: str) -> StoredTrial | None:
        """Return a finished trial, or None; a damaged one is set aside, reported, and None."""
        ...

    def put(
        self, trial_id: str, record: Mapping[str, object], blobs: Mapping[str, bytes]
    ) -> StoredTrial:
        """Keep a finished trial: all of it or nothing, also when the machine stops midway."""
        ...

    def blob(self, trial: StoredTrial, name: str) -> bytes:
        """Return one blob, its digest checked."""
        ...

    def trial_lock(self, trial_id: str) -> AbstractContextManager[None]:
        """Hold off every other process that wants to run this trial."""
        ...

    def cached(self, key: str) -> bytes | None:
        """Return a derived value kept under `key` (a built setting), or None."""
        ...

    def cache(self, key: str, data: bytes) -> None:
        """Keep a derived value; losing it costs time only."""
        ...


class Ledger(Protocol):
    """The append-only, hash-chained account of tries: what was frozen, when, at what alpha."""

    def nonce(self) -> bytes:
        """Return the store's own 32 bytes; the first entry commits to their hash."""
        ...

    def entries(self) -> Sequence[Mapping[str, object]]:
        """Return all entries, the chain checked; VerifierError where it is broken."""
        ...

    def append(self, kind: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Add an entry (seq, kind, at, body, previous, digest) and return it."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Hold the account for one read-then-append (re-entrant with `append`)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something a worker says while it works: progress, never evidence."""

    item: int
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Generic[T]):
    """The value an item of work ended with."""

    item: int
    value: T


class Executor(Protocol):
    """Runs independent items of work, as many at once as the machine should."""

    slots: int

    def run(
        self,
        items: Sequence[I],
        work: Callable[[I, Callable[[Mapping[str, object]], None]], T],
    ) -> Generator[Event | Finished[T], None, None]:
        """Yield events and results as they come; an item's VerifierError is raised here."""
        ...


class Clock(Protocol):
    """The time, for what is shown and logged; no verdict depends on it."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start."""
        ...
