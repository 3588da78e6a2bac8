"""What level ns-full promises, what it does not, and the account of both in every result."""

from __future__ import annotations

import os
from typing import Final

from verifier.adapters.sandbox import launcher, staging
from verifier.adapters.sandbox.cgroup import ControlGroup, Usage
from verifier.ports import Enforcement, SandboxOrder

NS_FULL: Final = "ns-full"

# Without these there is no sandbox, whatever the flags.
MANDATORY: Final = ("network", "file system", "process namespace")

NOT_ENFORCED: Final = (
    "The kernel is shared: a fault in it is a way out (assumption A1).",
    "Executions at the same time share the machine: load, caches and clocks can carry signals.",
    "Executions in one environment share its files: page cache, file locks and watches on them.",
    "The folders of environment and models show their host path in mountinfo, in all trials alike.",
    "Facts of the machine in /proc (processor, memory, uptime, kernel version) can be read.",
    "CPU time is measured, not limited; the wall clock bounds it.",
)
NO_MEMORY_CAP: Final = (
    "The memory of all processes together is not limited: no control group can be made here."
)
NO_PROCESS_CAP: Final = "The number of processes is not limited on this kernel."


def not_enforced(enforcement: tuple[Enforcement, ...]) -> tuple[str, ...]:
    """Return, in plain sentences, what the level and this machine leave open."""
    missing = {e.name for e in enforcement if e.enforced_by is None}
    more = []
    if "memory" in missing:
        more.append(NO_MEMORY_CAP)
    if "processes" in missing:
        more.append(NO_PROCESS_CAP)
    return (*NOT_ENFORCED, *more)


def enforcement(
    order: SandboxOrder, group: ControlGroup, usage: Usage, *, wall_s: float
) -> tuple[Enforcement, ...]:
    """Return one entry for each layer and limit: what was asked, what enforces it, the peak."""
    limits, rooms = order.limits, staging.rooms(order)
    own_user = os.geteuid() == 0  # then the sandbox's processes are all of its user's
    by_kernel = "RLIMIT_NPROC" if own_user or launcher.counts_processes() else None
    peak = usage.peak_memory_bytes
    layers = (
        ("network", "none", "network namespace, seccomp (AF_UNIX only)"),
        ("file system", "sealed", "mount namespace, read-only root"),
        ("process namespace", "own", "two nested process namespaces"),
        ("user namespace", "no rights, none to make", "user namespace, --disable-userns"),
        ("system calls", "allow-list", "seccomp, two filters"),
        ("environment variables", "fixed set", "empty at exec, set inside"),
        ("open files inherited", "0-2", "closed at exec"),
        ("output bytes", f"{limits.output_bytes} B", f"tmpfs size={rooms['output'].size}"),
        ("output files", str(limits.output_files), f"tmpfs nr_inodes={rooms['output'].names}"),
        ("temporary bytes", f"{limits.tmp_bytes} B", f"tmpfs size={rooms['tmp'].size}"),
        ("shared memory bytes", f"{limits.shm_bytes} B", f"tmpfs size={rooms['shm'].size}"),
        ("log bytes", f"{limits.log_bytes} B", "pipe read by the harness, kill at overflow"),
        ("core dumps", "0 B", "RLIMIT_CORE"),
        ("open files", str(launcher.OPEN_FILES), "RLIMIT_NOFILE"),
    )
    return (
        *(Enforcement(name=n, requested=r, enforced_by=b) for n, r, b in layers),
        Enforcement(
            name="wall clock",
            requested=f"{limits.wall_s:g} s",
            enforced_by="harness, kill through the descriptor of init",
            peak=f"{wall_s:.1f} s",
        ),
        Enforcement(
            name="memory",
            requested=f"{limits.memory_bytes} B",
            enforced_by=group.enforced.get("memory"),
            peak=None if peak is None else f"{peak} B",
        ),
        Enforcement(
            name="processes",
            requested=str(limits.processes),
            enforced_by=group.enforced.get("processes", by_kernel),
        ),
    )
