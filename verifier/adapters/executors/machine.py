"""What this process may use of the machine: cores and memory, its control groups included."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60  # version 1 writes "no limit" as a number near 2**63


def usable_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Return the number of cores this process may keep busy, at least 1.

    The smaller of its affinity mask and the CPU quota of its control groups, rounded down.
    """
    cores = float(len(os.sched_getaffinity(0)))
    for folder in _folders("cpu", proc, cgroups):
        quota, period = _quota(folder)
        if quota is not None and period:
            cores = min(cores, quota / period)
    return max(1, int(cores))


def available_memory_bytes(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Return how much more memory this process may use; None if the system does not say.

    The smallest of MemAvailable and the room left in each control group above it, where page
    cache that can be dropped counts as room.
    """
    rooms = [room for f in _folders("memory", proc, cgroups) if (room := _room(f)) is not None]
    with suppress(OSError):
        match = re.search(
            r"^MemAvailable: +(\d+) kB$", (proc / "meminfo").read_text(), re.MULTILINE
        )
        if match:
            rooms.append(int(match[1]) * 1024)
    return max(0, min(rooms)) if rooms else None


def slots_for(cores: int, memory_bytes: int | None, available_bytes: int | None) -> int:
    """Return how many items of `memory_bytes` each may run at once, at least 1."""
    if not memory_bytes or available_bytes is None:
        return cores
    return max(1, min(cores, available_bytes // memory_bytes))


def _folders(controller: str, proc: Path, cgroups: Path) -> Iterator[Path]:
    """Give the folders of this process's control groups, innermost first, both versions."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        if names == "":
            top = cgroups
        elif controller in names.split(","):
            top = cgroups / controller
        else:
            continue
        folder = top / path.lstrip("/")
        while folder != top:
            yield folder
            folder = folder.parent
        yield top


def _room(folder: Path) -> int | None:
    for limit_file, usage_file, cache_key in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, used = _number(folder / limit_file), _number(folder / usage_file)
        if limit is not None and used is not None and limit < _NO_LIMIT:
            return limit - used + _field(folder / "memory.stat", cache_key)
    return None


def _quota(folder: Path) -> tuple[int | None, int | None]:
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text().split()
        return (None if quota == "max" else int(quota)), int(period)
    quota_us = _number(folder / "cpu.cfs_quota_us")
    return (quota_us if quota_us and quota_us > 0 else None), _number(folder / "cpu.cfs_period_us")


def _number(path: Path) -> int | None:
    """Read one number; None if there is none ("max", or no such file)."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _field(path: Path, key: str) -> int:
    with suppress(OSError):
        match = re.search(rf"^{key} (\d+)$", path.read_text(), re.MULTILINE)
        return int(match[1]) if match else 0
    return 0
