"""A memory and process cap over a whole process tree: one control group for each execution.

Version 1 and version 2, whichever can be made below this process's own group (or, for version 2,
below the nearest ancestor that hands the controllers down: processes may not live there).  Source:
Linux Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from verifier.adapters.sandbox import slots
from verifier.errors import VerifierError

CONTROLLERS: Final = ("memory", "pids", "cpuacct")
_REMOVAL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Parent:
    """A folder in which groups can be made, and which of our controllers it gives."""

    path: Path
    version: int
    controllers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a group's processes did: None where the kernel does not say."""

    peak_memory_bytes: int | None
    out_of_memory_kills: int | None
    refused_processes: int | None
    cpu_s: float | None


def parents() -> tuple[Parent, ...]:
    """Return where groups can be made here, one entry for each hierarchy; empty: nowhere."""
    own = _own_groups(Path("/proc/self/cgroup").read_text())
    found: list[Parent] = []
    for mountpoint, root, kind, options in _mounts(Path("/proc/self/mountinfo").read_text()):
        if kind == "cgroup":
            for controller in CONTROLLERS:
                if controller in options and controller in own:
                    path = _below(mountpoint, root, own[controller])
                    found.append(Parent(path, 1, (controller,)))
        elif kind == "cgroup2" and "" in own:
            nearest = _handing_down(mountpoint, _below(mountpoint, root, own[""]))
            if nearest is not None:
                found.append(nearest)
    usable = [p for p in found if os.access(p.path, os.W_OK)]
    return tuple({p.controllers: p for p in usable}.values())


class ControlGroup:
    """The groups of one execution, one for each hierarchy; remove() takes them away."""

    def __init__(self, name: str, *, memory_bytes: int, processes: int) -> None:
        self.enforced: dict[str, str] = {}
        self._paths: list[tuple[Path, Parent]] = []
        for parent in parents():
            path = parent.path / f"verifier-{name}"
            try:
                _fresh(path)
                self._paths.append((path, parent))
                self._limit(path, parent, memory_bytes, processes)
            except OSError:  # not delegated: said in `enforced`, by absence
                continue

    @property
    def entrances(self) -> tuple[str, ...]:
        """Return the files into which a process of one thread writes "0" to join.

        Version 1 moves a single thread without the lock that costs 10 ms; version 2 cannot.
        """
        files = {1: "tasks", 2: "cgroup.procs"}
        return tuple(str(path / files[parent.version]) for path, parent in self._paths)

    def usage(self) -> Usage:
        """Read the counters."""
        peak = kills = refusals = cpu = None
        for path, parent in self._paths:
            one = parent.version == 1
            if "memory" in self.enforced and "memory" in parent.controllers:
                peak = _number(path / ("memory.max_usage_in_bytes" if one else "memory.peak"))
                kills = _counter(path / ("memory.oom_control" if one else "memory.events"))
            if "processes" in self.enforced and "pids" in parent.controllers:
                refusals = _counter(path / "pids.events", "max")
            if not one:
                cpu = _scaled(_counter(path / "cpu.stat", "usage_usec"), 1e-6)
            elif "cpuacct" in parent.controllers:
                cpu = _scaled(_number(path / "cpuacct.usage"), 1e-9)
        return Usage(
            peak_memory_bytes=peak,
            out_of_memory_kills=kills,
            refused_processes=refusals,
            cpu_s=cpu,
        )

    def remove(self) -> None:
        """Remove the groups; VerifierError if one will not go (a process is still in it)."""
        deadline = time.monotonic() + _REMOVAL_S
        while self._paths:
            path, _ = self._paths[-1]
            try:
                path.rmdir()
            except FileNotFoundError:
                pass
            except OSError as error:
                if time.monotonic() > deadline:
                    raise VerifierError(
                        f"a control group cannot be removed: {error}",
                        where=str(path),
                        hint="see which process is in its cgroup.procs and end it",
                    ) from error
                time.sleep(0.002)
                continue
            self._paths.pop()

    def _limit(self, path: Path, parent: Parent, memory_bytes: int, processes: int) -> None:
        version = f"cgroup v{parent.version}"
        if "memory" in parent.controllers:
            if parent.version == 1:
                (path / "memory.limit_in_bytes").write_text(str(memory_bytes))
                swap = path / "memory.memsw.limit_in_bytes"
                if swap.exists():
                    swap.write_text(str(memory_bytes))
            else:
                (path / "memory.max").write_text(str(memory_bytes))
                swap = path / "memory.swap.max"
                if swap.exists():
                    swap.write_text("0")
            self.enforced["memory"] = version
        if "pids" in parent.controllers:
            (path / "pids.max").write_text(str(processes))
            self.enforced["processes"] = version


def sweep() -> None:
    """Remove what harnesses that were killed have left: empty groups of slots nobody holds."""
    for parent in parents():
        for path in parent.path.glob(f"verifier-{os.geteuid()}-*"):
            with slots.hold(int(path.name.rpartition("-")[2])) as slot:
                if slot is not None:
                    with contextlib.suppress(OSError):
                        path.rmdir()


def _fresh(path: Path) -> None:
    """Make a group; one left by a harness that was killed is empty by now and goes first."""
    with contextlib.suppress(FileNotFoundError):
        path.rmdir()
    path.mkdir()


def _own_groups(text: str) -> dict[str, str]:
    """Return controller -> path of this process's group; "" stands for version 2."""
    groups: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _mounts(text: str) -> list[tuple[Path, str, str, frozenset[str]]]:
    """Return (mount point, root, kind, options) of all control group mounts."""
    mounts = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in {"cgroup", "cgroup2"}:
            fields = left.split(" ")
            mounts.append((Path(fields[4]), fields[3], kind, frozenset(options.split(","))))
    return mounts


def _below(mountpoint: Path, root: str, group: str) -> Path:
    """Return where a group is seen under a mount that may show only a part of the tree."""
    inside = group.removeprefix(root) if root != "/" else group
    return mountpoint / inside.lstrip("/")


def _handing_down(mountpoint: Path, own: Path) -> Parent | None:
    """Return the nearest group, from `own` up, that gives our controllers to its children."""
    for path in (own, *own.parents):
        if not path.is_relative_to(mountpoint):
            return None
        given = _words(path / "cgroup.subtree_control")
        controllers = tuple(c for c in CONTROLLERS if c in given)
        if controllers:
            return Parent(path, 2, controllers)
    return None


def _words(path: Path) -> frozenset[str]:
    try:
        return frozenset(path.read_text().split())
    except OSError:
        return frozenset()


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _scaled(count: int | None, unit: float) -> float | None:
    return None if count is None else count * unit


def _counter(path: Path, name: str = "oom_kill") -> int | None:
    """Return one counter of a file of "name value" lines."""
    try:
        counters: Mapping[str, str] = dict(
            line.split(" ", 1) for line in path.read_text().splitlines() if " " in line
        )
        return int(counters[name])
    except (OSError, KeyError, ValueError):
        return None
