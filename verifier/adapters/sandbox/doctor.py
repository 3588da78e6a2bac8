"""What this machine can enforce, what it cannot, and what to do about it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from verifier.adapters.sandbox import bubblewrap, cgroup, kernel, launcher, seccomp, slots
from verifier.adapters.sandbox.ns_full import NamespaceSandbox
from verifier.adapters.sandbox.selftest import selftest
from verifier.errors import VerifierError

_SWITCHES: Final = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
        "AppArmor forbids them: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone", "0",
        "the kernel forbids them: sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/user/max_user_namespaces", "0",
        "none are allowed: sudo sysctl user.max_user_namespaces=10000",
    ),
)  # fmt: skip
_HARMLESS: Final = ("/proc/sys/fs/binfmt_misc",)  # an empty folder of the kernel's own
_ALL_IDS: Final = "4294967295"  # length of the id map of the first user namespace


class State(StrEnum):
    """Whether a layer or limit is there."""

    ENFORCED = "enforced"
    DEGRADED = "degraded"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at: how it stands, what was seen, what to do ("" if nothing)."""

    name: str
    state: State
    detail: str
    to_do: str = ""


def examine() -> list[Check]:
    """Look at everything level ns-full rests on; needs some milliseconds, changes nothing."""
    checks = [
        _attempted("system-call filters", _filters),
        _attempted("bubblewrap", _bubblewrap),
        _user_namespaces(),
        _whole_proc(),
        _attempted("lock folder", _slots),
        _memory(),
        _processes(),
        _separate_users(),
    ]
    broken = [c.name for c in checks[:5] if c.state is State.MISSING]
    return [*checks, *_layers(broken)]


def usable(checks: list[Check]) -> bool:
    """Tell whether the sandbox can be used at all: nothing is missing."""
    return bool(checks) and all(c.state is not State.MISSING for c in checks)


def _attempted(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name=name, state=State.ENFORCED, detail=look())
    except VerifierError as error:
        return Check(name=name, state=State.MISSING, detail=error.problem, to_do=error.hint)


def _filters() -> str:
    sizes = [len(program) // 8 for program in seccomp.filters()]
    return f"{platform.machine()}, {sizes[0]} and {sizes[1]} instructions"


def _bubblewrap() -> str:
    path = bubblewrap.find()
    return f"{path}, version {'.'.join(map(str, bubblewrap.version(path)))}"


def _slots() -> str:
    with slots.claim() as slot:
        return f"slot {slot.index} of {slots.SLOTS} is free"


def _user_namespaces() -> Check:
    """Make one as an ordinary user would: as root, after giving up root."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(*[slots.FIRST_ID] * 3)
                os.setresuid(*[slots.FIRST_ID] * 3)
            user, group = os.geteuid(), os.getegid()
            kernel.unshare(kernel.CLONE_NEWUSER)
            launcher.be_nobody(user, group)
            kernel.unshare(kernel.CLONE_NEWNS)  # AppArmor grants the first and refuses the rest
            kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
            code = 0
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] == 0:
        return Check(name="user namespaces", state=State.ENFORCED, detail="ordinary users may")
    return Check(
        name="user namespaces",
        state=State.MISSING,
        detail="an ordinary user cannot make one",
        to_do=_why_no_user_namespaces(),
    )


def _why_no_user_namespaces() -> str:
    for path, value, advice in _SWITCHES:
        try:
            found = Path(path).read_text().strip()
        except OSError:
            continue
        if found == value:
            return advice
    return "in a container: run it with --security-opt seccomp=unconfined, or use a virtual machine"


def _whole_proc() -> Check:
    """A /proc with parts covered, as in default containers, cannot be mounted anew by users."""
    name = "whole /proc"
    places = [line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    covered = [p for p in places if p.startswith("/proc/") and p not in _HARMLESS]
    if not covered:
        return Check(name=name, state=State.ENFORCED, detail="no part of it is covered")
    shown = f"covered: {', '.join(sorted(covered)[:5])}"
    if os.geteuid() == 0 and _ALL_IDS in Path("/proc/self/uid_map").read_text().split():
        return Check(name=name, state=State.ENFORCED, detail=f"{shown}; root mounts it anew")
    return Check(
        name=name,
        state=State.MISSING,
        detail=shown,
        to_do="run the container with --security-opt systempaths=unconfined",
    )


def _memory() -> Check:
    with_memory = [p for p in cgroup.parents() if "memory" in p.controllers]
    if with_memory:
        detail = f"control groups, version {with_memory[0].version}, counted for the whole tree"
        return Check(name="memory", state=State.ENFORCED, detail=detail)
    return Check(
        name="memory",
        state=State.DEGRADED,
        detail="no control group can be made: total memory is not limited, and not printed as if",
        to_do=(
            "have one delegated (systemd-run --user --scope -p Delegate=yes verify ...)"
            if os.geteuid()
            else "mount the memory controller (cgroup2 on /sys/fs/cgroup)"
        ),
    )


def _processes() -> Check:
    by_group = any("pids" in p.controllers for p in cgroup.parents())
    by_limit = os.geteuid() == 0 or launcher.counts_processes()
    if by_group or by_limit:
        detail = "control group" if by_group else "RLIMIT_NPROC in a user namespace of its own"
        return Check(name="processes", state=State.ENFORCED, detail=detail)
    return Check(
        name="processes",
        state=State.DEGRADED,
        detail="neither a control group nor a limit of its own",
        to_do="use Linux 5.14 or newer, or run as root",
    )


def _separate_users() -> Check:
    name = "a user of its own for each execution"
    if os.geteuid() == 0:
        last = slots.FIRST_ID + slots.SLOTS - 1
        return Check(name=name, state=State.ENFORCED, detail=f"{slots.FIRST_ID} to {last}")
    return Check(
        name=name,
        state=State.DEGRADED,
        detail="executions run under your own user id, apart by namespaces only",
        to_do="only root can change that; run as root in a machine that holds nothing else",
    )


def _layers(broken: list[str]) -> list[Check]:
    """Run the self-test, and say for each layer whether it held."""
    if broken:
        reason = f"not tested: {', '.join(broken)} missing"
        return [Check(name="self-test", state=State.MISSING, detail=reason, to_do="see above")]
    try:
        probes = selftest(NamespaceSandbox())
    except VerifierError as error:
        return [
            Check(
                name="self-test", state=State.MISSING, detail=error.problem, to_do="see the cause"
            )
        ]
    checks = []
    for layer in dict.fromkeys(p.layer for p in probes):
        of_layer = [p for p in probes if p.layer == layer]
        failed = [f"{p.attempt} gave {p.saw}" for p in of_layer if not p.held]
        checks.append(
            Check(
                name=layer,
                state=State.MISSING if failed else State.ENFORCED,
                detail="; ".join(failed) or f"{len(of_layer)} attempts stopped",
                to_do="do not use this machine; report it" if failed else "",
            )
        )
    return checks
