"""Level ns-full: every namespace, two system-call filters, bounded folders, one life."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from verifier.adapters.sandbox import (
    bubblewrap,
    collect,
    launcher,
    levels,
    seccomp,
    slots,
    staging,
    watch,
)
from verifier.adapters.sandbox.cgroup import ControlGroup, Usage
from verifier.errors import VerifierError
from verifier.ports import Ending, SandboxOrder, SandboxResult

_START_S: Final = 120.0  # writing the inputs is part of it
_GONE_S: Final = 60.0
_SIGNAL_BASE: Final = 128
_CANNOT_RUN: Final = 127
_MESSAGE: Final = 1 << 14
_AT_THE_LIMIT: Final = 0.9  # the kernel charges in batches, so the peak can stay a little below


class NamespaceSandbox:
    """Runs one untrusted process in namespaces, sealed and bounded; see `open_sandbox`."""

    level: str = levels.NS_FULL

    def run(
        self, order: SandboxOrder, *, on_line: Callable[[bytes], None] | None = None
    ) -> SandboxResult:
        """Execute `order` and wait until every process of it is gone.

        The calling thread must outlive the call: the sandbox dies with it.  VerifierError: the
        sandbox could not be built or taken down; what the program does stands in the result.
        """
        _check_environment(order.environment)
        launcher.check_own_limits(order.limits)
        filters = seccomp.filters()
        bwrap = str(bubblewrap.find())
        limits = order.limits
        with slots.claim() as slot, contextlib.ExitStack() as stack:
            group = ControlGroup(
                slot.name,
                memory_bytes=limits.memory_bytes,
                processes=limits.processes + launcher.OVERHEAD,
            )
            stack.callback(group.remove)
            run = stack.enter_context(_Run(order, group, slot.user_id))
            try:
                run.start(bwrap, filters)
            except OSError as error:
                raise VerifierError(
                    f"the sandbox could not be started: {error}",
                    where="sandbox",
                    hint="see whether the machine has processes and open files to spare",
                ) from error
            return run.finish(on_line or _ignore)


def _check_environment(path: Path | None) -> None:
    for name in staging.ENVIRONMENT if path is not None else ():
        if path is not None and not (path / name).is_dir():
            raise VerifierError(
                f"this is no environment: it has no folder {name!r}",
                where=str(path),
                hint="make one with `verify env create`",
            )


def _ignore(_line: bytes) -> None:
    """Drop a line nobody asked for."""


class _Run:
    """One execution, from pipes to result; leaving the context ends it, whatever happened."""

    def __init__(self, order: SandboxOrder, group: ControlGroup, user_id: int) -> None:
        self._order = order
        self._group = group
        self._user_id = user_id
        self._open = contextlib.ExitStack()
        self._launcher: int | None = None
        self._init: int | None = None
        self._output: int | None = None
        self._started = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._end()
        finally:
            self._open.close()

    def start(self, bwrap: str, filters: tuple[bytes, bytes]) -> None:
        """Launch, and return once the sandbox stands."""
        self._stdout, stdout = self._pipe()
        self._stderr, stderr = self._pipe()
        self._status, status = self._pipe()
        ours, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._open.enter_context(ours)
        theirs = socket.socket(fileno=launcher.above(near.fileno()))
        near.close()
        with theirs:
            plan = launcher.Plan(
                order=self._order,
                bwrap=bwrap,
                filters=filters,
                entrances=self._group.entrances,
                user_id=self._user_id,
                stdout=stdout,
                stderr=stderr,
                status=status,
                runner=theirs,
            )
            self._launcher = launcher.launch(plan)
        for descriptor in (stdout, stderr, status):
            os.close(descriptor)
        self._listen(ours)
        self._started = time.monotonic()

    def finish(self, on_line: Callable[[bytes], None]) -> SandboxResult:
        """Watch until the end, make sure of it, and only then look at what was left."""
        if self._init is None or self._output is None:
            raise RuntimeError("finish() before start()")
        log = watch.Log(
            self._order.limits.log_bytes, {self._stdout: bytearray(), self._stderr: bytearray()}
        )
        watching = watch.Watch(
            init=self._init,
            output=self._output,
            log=log,
            group=self._group,
            follower=watch.Follower(self._output, self._order.follow, on_line),
            deadline=self._started + self._order.limits.wall_s,
        )
        reached = watching.until_ended()
        self._end()
        wall_s = time.monotonic() - self._started
        watching.drain()
        watching.follower.look()
        return self._result(reached, log, self._group.usage(), wall_s)

    def _result(
        self, reached: Ending | None, log: watch.Log, usage: Usage, wall_s: float
    ) -> SandboxResult:
        assert self._output is not None  # noqa: S101 - finish() has checked
        order = self._order
        stdout, stderr = (bytes(log.streams[d]) for d in (self._stdout, self._stderr))
        code = _exit_code(os.read(self._status, _MESSAGE))
        if usage.out_of_memory_kills:
            _blame_memory(usage, order.limits.memory_bytes)
        ending = _ending(reached, log, usage, is_full=watch.full(self._output))
        if ending is None and code is None:
            code = _never_ran(stderr)
        by_signal = code is not None and code > _SIGNAL_BASE
        if ending is None:
            ending = Ending.SIGNALLED if by_signal else Ending.EXITED
        found = collect.collect(self._output, order.outputs, owner=self._user_id)
        account = levels.enforcement(order, self._group, usage, wall_s=wall_s)
        return SandboxResult(
            ending=ending,
            exit_code=code if ending is Ending.EXITED else None,
            signal=code - _SIGNAL_BASE if code and ending is Ending.SIGNALLED else None,
            wall_s=wall_s,
            cpu_s=usage.cpu_s,
            peak_memory_bytes=usage.peak_memory_bytes,
            stdout=stdout,
            stderr=stderr,
            outputs=found.outputs,
            refused=found.refused,
            extra=found.extra,
            enforcement=account,
            not_enforced=levels.not_enforced(account),
        )

    def _pipe(self) -> tuple[int, int]:
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(ours, False)
        self._open.callback(os.close, ours)
        return ours, theirs

    def _listen(self, ours: socket.socket) -> None:
        """Take what the children report, until init has become bubblewrap."""
        ours.settimeout(_START_S)
        try:
            while self._hear(ours):
                pass
        except TimeoutError as error:
            raise VerifierError(
                f"the sandbox did not start within {_START_S:.0f} s",
                where="sandbox",
                hint="see whether the machine is overloaded, then try again",
            ) from error
        if self._output is None:
            raise VerifierError(
                "the sandbox ended before it started",
                where="sandbox",
                hint="try again; if it happens again, run `verify doctor`",
            )

    def _hear(self, ours: socket.socket) -> bool:
        message, descriptors, _, _ = socket.recv_fds(ours, _MESSAGE, 1)
        for descriptor in descriptors:
            self._open.callback(os.close, descriptor)
        kind, body = message[:1], message[1:]
        if kind == launcher.FAILED:
            raise VerifierError(**json.loads(body))
        if kind == launcher.INIT:
            self._init = descriptors[0]
        elif kind == launcher.READY:
            self._output = descriptors[0]
        return bool(message)

    def _end(self) -> None:
        """Kill what is alive, through init's descriptor, and wait until all of it is gone."""
        child, self._launcher = self._launcher, None
        if child is None:
            return
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
            _wait_gone(self._init)
        else:
            os.kill(child, signal.SIGKILL)  # ours and not waited for: the number is still its own
        os.waitpid(child, 0)


def _wait_gone(init: int) -> None:
    if not select.select([init], [], [], _GONE_S)[0]:
        raise VerifierError(
            f"processes of the sandbox are still there {_GONE_S:.0f} s after they were killed",
            where="sandbox",
            hint="a device or file system they wait for does not answer; see dmesg",
        )


def _blame_memory(usage: Usage, limit: int) -> None:
    """Raise a VerifierError where processes were killed far below their own limit.

    The kernel counts every out-of-memory kill, also one for the want of the whole machine.
    """
    peak = usage.peak_memory_bytes
    if peak is not None and peak < _AT_THE_LIMIT * limit:
        raise VerifierError(
            f"the machine ran out of memory: killed at {peak} of {limit} bytes",
            where="sandbox",
            hint="run fewer trials at once, or lower the claim's memory limit",
        )


def _ending(
    reached: Ending | None, log: watch.Log, usage: Usage, *, is_full: bool
) -> Ending | None:
    """Return the bound that ended the execution; an out-of-memory kill hides behind no exit 0."""
    if usage.out_of_memory_kills:
        return Ending.MEMORY
    if reached is not None:
        return reached
    if is_full:
        return Ending.OUTPUT_OVERFLOW
    return Ending.LOG_OVERFLOW if log.overflow else None


def _exit_code(status: bytes) -> int | None:
    """Return the program's exit code as bubblewrap tells it, None if it never ran; bwrap(1)."""
    for line in status.splitlines():
        code = json.loads(line).get("exit-code")
        if code is not None:
            return int(code)
    return None


def _never_ran(stderr: bytes) -> int:
    """Return a shell's answer where the command cannot be executed; VerifierError else.

    Nothing but bubblewrap has written to stderr yet, so what stands there can be believed.
    """
    if stderr.startswith(b"bwrap: execvp "):
        return _CANNOT_RUN
    said: Sequence[str] = stderr.decode(errors="backslashreplace").splitlines()
    raise VerifierError(
        f"the sandbox could not be built: {said[-1] if said else 'ended from outside'}",
        where="sandbox",
        hint="run `verify doctor` to see what is missing",
    )
