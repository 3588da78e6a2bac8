"""The ports: what the pipelines need from the world, and nothing about how it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from verifier.documents.limits import Limits


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


class Sandbox(Protocol):
    """Runs one untrusted process, sealed; raises VerifierError only for faults of ours."""

    level: str

    def run(
        self, order: SandboxOrder, *, on_line: Callable[[bytes], None] | None = None
    ) -> SandboxResult:
        """Execute `order` and wait until every process of it is gone."""
        ...
