"""The limits a sandboxed process runs under."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one sandboxed execution; all of them count for its whole process tree."""

    wall_s: float
    memory_bytes: int
    output_bytes: int
    output_files: int
    processes: int
    log_bytes: int = 1 << 20
    shm_bytes: int = 256 << 20
    tmp_bytes: int = 1 << 30
