"""What the processor can do: numbers differ with it, so it is part of a trial's identity."""

from __future__ import annotations

import platform
from pathlib import Path

_LEVELS = ("avx512f", "avx2", "avx", "asimd")


def instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the architecture and its widest vector instructions: `x86_64 avx512f`."""
    words: set[str] = set()
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"flags", "Features"}:
                words = set(value.split())
                break
    widest = next((level for level in _LEVELS if level in words), "baseline")
    return f"{platform.machine()} {widest}"
