"""Does the sandbox hold, here and now?  Asked from inside, by system calls, before it is used."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.adapters.sandbox import bubblewrap, cgroup, levels, seccomp, tape
from verifier.adapters.sandbox.ns_full import NamespaceSandbox
from verifier.documents.limits import Limits
from verifier.errors import VerifierError
from verifier.ports import Ending, SandboxOrder

_MEBIBYTE: Final = 1 << 20
_LIMITS: Final = Limits(
    wall_s=30,
    memory_bytes=64 * _MEBIBYTE,
    output_bytes=_MEBIBYTE,
    output_files=1,
    processes=8,
    shm_bytes=_MEBIBYTE,
    tmp_bytes=_MEBIBYTE,
)
_AT_FDCWD: Final = -100
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_FS: Final = 0x200  # contradicts the other: refused outside too, but by another error
_FIRST_PROCESSES: Final = 3

_Arguments = tuple[int | bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One attempt at a breach: the layer that must stop it, and whether it did."""

    layer: str
    attempt: str
    held: bool
    saw: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    layer: str
    attempt: str
    call: tape.Call
    error: str


def attempts(harness: int) -> tuple[_Attempt, ...]:
    """Return the breaches to try, each with the error that means it was stopped.

    harness: the process id of the harness, which must not exist inside.
    """
    here = _AT_FDCWD
    table: Mapping[str, tuple[tuple[str, str, _Arguments, str], ...]] = {
        "open files": tuple(
            (f"use descriptor {n}", "fcntl", (n, 1), "EBADF") for n in range(3, 10)
        ),
        "network": tuple(
            (f"socket of family {name}", "socket", (number, 1, 0), "EPERM")
            for name, number in (("inet", 2), ("inet6", 10), ("netlink", 16), ("vsock", 40))
        ),
        "file system": (
            ("read /etc", "openat", (here, b"/etc/passwd", 0), "ENOENT"),
            ("read /sys", "openat", (here, b"/sys", 0), "ENOENT"),
            ("write /", "openat", (here, b"/", os.O_TMPFILE | os.O_RDWR, 0o600), "EROFS"),
            ("write /dev", "openat", (here, b"/dev", os.O_TMPFILE | os.O_RDWR, 0o600), "EROFS"),
            ("open a terminal", "openat", (here, b"/dev/ptmx", os.O_RDWR), "ENOENT"),
        ),
        "process namespace": (("signal the harness", "kill", (harness, 0), "ESRCH"),),
        "system calls": (
            ("clone with a namespace", "clone", (_CLONE_NEWUSER | _CLONE_FS,), "EPERM"),
            ("clone3", "clone3", (0, 0), "ENOSYS"),
            ("mount", "mount", (0, 0, 0, 0, 0), "EPERM"),
            ("ptrace", "ptrace", (0, 0, 0, 0), "EPERM"),
            ("bpf", "bpf", (0, 0, 0), "EPERM"),
            ("keyctl", "keyctl", (0, -3, 0), "EPERM"),
            ("TIOCSTI", "ioctl", (0, 1 << 32 | seccomp.TIOCSTI, b"x"), "EPERM"),
            ("landlock, which is on no list", "landlock_create_ruleset", (0, 0, 1), "ENOSYS"),
            ("unshare", "unshare", (_CLONE_NEWUSER,), "EPERM"),
        ),
    }
    return tuple(
        _Attempt(layer, attempt, tape.Call(name, args), error)
        for layer, rows in table.items()
        for attempt, name, args, error in rows
    )


def probe(run: Callable[[bytes], bytes]) -> tuple[Probe, ...]:
    """Try every breach in the program that `run` executes (image -> what it printed).

    Given the sandbox, all must hold; given a plain execution, the same probes must see the
    breaches, which is how we know that they look at all.  ValueError: it printed too little.
    """
    tried = attempts(os.getpid())
    calls = [tape.Call("fcntl", a.call.args) for a in tried if a.call.name == "fcntl"]
    others = [a.call for a in tried if a.call.name != "fcntl"]
    calls += [tape.Call("getpid"), tape.Call("getuid")]
    for name in (b"/proc/self/status", b"/proc/net/dev"):
        opened = tape.Call("openat", (_AT_FDCWD, name, 0))
        calls += [tape.Call("close", (3,)), opened, tape.Call("read", (3,))]
    program = tape.build(calls + others)
    output = run(program.image)
    answers = program.answers(output)
    first = len(tried) - len(others)
    pid, uid = answers[first : first + 2]
    tries = (*answers[:first], *answers[len(calls) :])
    return (
        *(
            _seen(a.layer, a.attempt, saw == a.error, saw)
            for a, saw in zip(tried, map(_name, tries), strict=True)
        ),
        *_status(program.text(output, 0)),
        *_devices(program.text(output, 1)),
        _seen("process namespace", "number of the process", pid <= _FIRST_PROCESSES, pid),
        _seen("user namespace", "user id", uid == bubblewrap.NOBODY, uid),
    )


def selftest(sandbox: NamespaceSandbox) -> tuple[Probe, ...]:
    """Probe a sandbox; VerifierError if it cannot even run the probe."""

    def run(image: bytes) -> bytes:
        order = SandboxOrder(
            argv=("/study/probe",),
            inputs={},
            study={"probe": image},
            environment=None,
            outputs={},
            limits=_LIMITS,
            threads=1,
        )
        result = sandbox.run(order)
        if result.ending is not Ending.EXITED or result.exit_code != 0:
            raise ValueError(f"the probe ended as {result.ending} with {result.exit_code}")
        return result.stdout

    try:
        return probe(run)
    except ValueError as error:
        raise VerifierError(
            f"the self-test could not be carried out: {error}",
            where=f"sandbox level {sandbox.level}",
            hint="run `verify doctor` to see what is missing",
        ) from error


def open_sandbox() -> NamespaceSandbox:
    """Return the sandbox of level ns-full, after its self-test in this very configuration.

    Tested once per process (and user); workers forked later inherit the answer.  VerifierError
    names the layer that is missing and what to do.
    """
    return _tested(os.geteuid())


@functools.cache
def _tested(_user: int) -> NamespaceSandbox:
    cgroup.sweep()
    sandbox = NamespaceSandbox()
    refuse_broken(selftest(sandbox))
    return sandbox


def refuse_broken(probes: Sequence[Probe]) -> None:
    """Raise a VerifierError for the first breach; no probes are a breach too."""
    broken = [p for p in probes if not p.held]
    missing = [layer for layer in levels.MANDATORY if layer not in {p.layer for p in probes}]
    if broken:
        first = broken[0]
        problem = f"the layer {first.layer!r} does not hold: {first.attempt} gave {first.saw}"
    elif missing:
        problem = f"the self-test did not look at the layer {missing[0]!r}"
    else:
        return
    raise VerifierError(
        problem,
        where=f"sandbox level {levels.NS_FULL}",
        hint="run `verify doctor` to see what this machine can enforce",
    )


def _name(result: int) -> str:
    return tape.refused(result) or f"success ({result})"


def _seen(layer: str, attempt: str, held: bool, saw: object) -> Probe:  # noqa: FBT001 - private
    return Probe(layer=layer, attempt=attempt, held=held, saw=str(saw))


def _status(text: str) -> list[Probe]:
    """Read the rights of the process from /proc/self/status; proc(5)."""
    fields: Mapping[str, str] = dict(re.findall(r"^(\w+):\s*(.*)$", text, re.MULTILINE))
    wanted = {
        "CapEff": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
        "Seccomp": "2",
        "Seccomp_filters": "2",
    }
    return [
        _seen("rights", f"{name} of the process", fields.get(name) == value, fields.get(name))
        for name, value in wanted.items()
    ]


def _devices(text: str) -> list[Probe]:
    """Read the network devices; an empty answer proves nothing."""
    names = re.findall(r"^\s*(\S+):", text, re.MULTILINE)
    return [_seen("network", "devices", names == ["lo"], ", ".join(names) or "no answer")]
