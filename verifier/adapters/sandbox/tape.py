"""A program of 40 bytes that performs a list of system calls and prints what each returned.

The self-test must look at the sandbox from inside, at once, and without trusting an interpreter.
So it runs a static ELF file made here: a loop over a table (the tape) of call numbers and
arguments, written back with the kernel's answers.  The same file run outside is the positive
control: it shows that the probe sees the breach where there is no sandbox.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.errors import VerifierError

BASE: Final = 0x400000
SCRATCH: Final = 0x4000  # bytes of memory behind the tape for each read
_HEADERS: Final = 64 + 56
_RECORD: Final = 7 * 8

# lea table(%rip),%rbx; 1: mov (%rbx),%rax; mov 8(%rbx),%rdi; mov 16(%rbx),%rsi;
# mov 24(%rbx),%rdx; mov 32(%rbx),%r10; mov 40(%rbx),%r8; mov 48(%rbx),%r9; syscall;
# mov %rax,(%rbx); add $56,%rbx; jmp 1b; nopl
_X86_64: Final = bytes.fromhex(
    "488d1d29000000 488b03 488b7b08 488b7310 488b5318 4c8b5320 4c8b4328 4c8b4b30 0f05"
    "488903 4883c338 ebda 0f1f00"
)
# adr x19,table; 1: ldr x8,[x19]; ldp x0,x1,[x19,#8]; ldp x2,x3,[x19,#24]; ldp x4,x5,[x19,#40];
# svc #0; str x0,[x19]; add x19,x19,#56; b 1b; nop
_AARCH64: Final = struct.pack(
    "<10I",
    0x10000153, 0xF9400268, 0xA9408660, 0xA9418E62, 0xA9429664,
    0xD4000001, 0xF9000260, 0x9100E273, 0x17FFFFF9, 0xD503201F,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Machine:
    code: bytes
    elf_number: int
    calls: Mapping[str, int]


_MACHINES: Final = {
    "x86_64": _Machine(
        _X86_64, 62,
        {"read": 0, "write": 1, "close": 3, "ioctl": 16, "getpid": 39, "socket": 41, "clone": 56,
         "ptrace": 101, "getuid": 102, "exit_group": 231, "openat": 257, "mkdirat": 258,
         "unshare": 272, "mount": 165, "fcntl": 72, "clone3": 435, "kill": 62, "setns": 308,
         "keyctl": 250, "bpf": 321, "landlock_create_ruleset": 444},
    ),
    "aarch64": _Machine(
        _AARCH64, 183,
        {"read": 63, "write": 64, "close": 57, "ioctl": 29, "getpid": 172, "socket": 198,
         "clone": 220, "ptrace": 117, "getuid": 174, "exit_group": 94, "openat": 56,
         "mkdirat": 34, "unshare": 97, "mount": 40, "fcntl": 25, "clone3": 435, "kill": 129,
         "setns": 268, "keyctl": 219, "bpf": 280, "landlock_create_ruleset": 444},
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """One system call: its name or number, its arguments; bytes become a pointer to them."""

    name: str | int
    args: tuple[int | bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Tape:
    """An ELF file and how to read what it prints."""

    image: bytes
    calls: int
    reads: int

    def answers(self, output: bytes) -> tuple[int, ...]:
        """Return each call's result (negative: an errno); ValueError if it printed too little."""
        size = self.calls * _RECORD
        if len(output) < size + self.reads * SCRATCH:
            raise ValueError(f"the probe printed {len(output)} bytes only")
        return tuple(struct.unpack_from("<q", output, i * _RECORD)[0] for i in range(self.calls))

    def text(self, output: bytes, read: int = 0) -> str:
        """Return what the read number `read` (0 is the first) got."""
        start = len(output) - (self.reads - read) * SCRATCH
        return output[start : start + SCRATCH].rstrip(b"\0").decode(errors="backslashreplace")


def build(calls: Sequence[Call]) -> Tape:
    """Return a program that performs `calls`, prints results and what was read, and exits 0.

    A call "read" needs its descriptor only: it gets memory of its own.  VerifierError where the
    architecture is unknown.
    """
    machine = _machine()
    table_at = BASE + _HEADERS + len(machine.code)
    data_at = table_at + (len(calls) + 2) * _RECORD  # then: write, exit_group
    texts = b"".join(a + b"\0" for c in calls for a in c.args if isinstance(a, bytes))
    reads_at = data_at + len(texts)
    table, reads = bytearray(), 0
    for call in calls:
        values = []
        for value in call.args:
            values.append(data_at if isinstance(value, bytes) else value)
            data_at += len(value) + 1 if isinstance(value, bytes) else 0
        if call.name == "read":
            values[1:] = [reads_at + reads * SCRATCH, SCRATCH]
            reads += 1
        table += _record(machine, call.name, values)
    end = reads_at + reads * SCRATCH
    table += _record(machine, "write", [1, table_at, end - table_at])
    table += _record(machine, "exit_group", [0])
    body = machine.code + bytes(table) + texts
    return Tape(_elf(machine, body, end - BASE - _HEADERS), len(calls), reads)


def refused(result: int) -> str | None:
    """Return the name of the error a result stands for, or None if the call was performed."""
    return errno.errorcode.get(-result, str(-result)) if result < 0 else None


def _machine() -> _Machine:
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise VerifierError(
            f"no self-test program for {platform.machine()}",
            where="sandbox",
            hint=f"run on one of: {', '.join(_MACHINES)}",
        )
    return machine


def _record(machine: _Machine, name: str | int, args: Sequence[int]) -> bytes:
    number = name if isinstance(name, int) else machine.calls[name]
    values = [number, *args, *([0] * (6 - len(args)))]
    return struct.pack("<7Q", *(v & 0xFFFFFFFFFFFFFFFF for v in values))


def _elf(machine: _Machine, body: bytes, memory: int) -> bytes:
    """Return an ELF64 executable with one segment, readable, writable and executable."""
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    entry = BASE + _HEADERS
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", 2, machine.elf_number, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    file_size = _HEADERS + len(body)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 0, BASE, BASE, file_size, _HEADERS + memory, 0x10000)
    return header + segment + body
