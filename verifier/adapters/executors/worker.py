"""One forked worker process: how it is born, what it does with signals, how it ends.

A worker is a copy of the parent at the moment of the fork, so items and work need no pickling;
only what comes back does.  Signals: SIGINT and SIGHUP are the parent's business (a terminal
sends them to the whole group); SIGTERM raises KeyboardInterrupt inside the work, once, so that
`finally` blocks run; an alarm ends a worker whose clean-up takes longer than GRACE_S.  The
kernel sends SIGTERM when the parent dies, however it dies.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from types import FrameType
from typing import NoReturn

from verifier.errors import VerifierError

GRACE_S = 10.0
_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_POLL_S = 0.005
_LIBC = ctypes.CDLL(None, use_errno=True)

Serve = Callable[["Connection[object, object]"], None]


@dataclass(eq=False)
class Worker:
    """A worker as its parent sees it; `item` is what it is working on."""

    pid: int
    pipe: Connection[object, object]
    item: int | None = None
    status: int | None = None

    def gone(self) -> bool:
        """Tell whether the process has ended, and collect its status if so."""
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid:
                self.status = status
        return self.status is not None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process is known to be gone (its id may be another's)."""
        if not self.gone():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@contextmanager
def signals_held() -> Iterator[set[int]]:
    """Put signals off while a worker is made and noted, so that none is lost track of."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield {int(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def fork(serve: Serve, *, siblings: Iterable[Worker], mask: set[int]) -> Worker:
    """Make a worker that runs `serve`; call it with signals held.

    Raises VerifierError if this process has threads: a fork copies their locks, not them.
    """
    if threading.active_count() > 1:
        names = ", ".join(sorted(thread.name for thread in threading.enumerate()))
        raise VerifierError(
            f"cannot fork workers beside threads ({names})",
            where="local executor",
            hint="end the other threads first; this is a fault in the program, please report it",
        )
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ours, theirs = Pipe()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        ours.close()
        _live(serve, theirs, parent=parent, siblings=siblings, mask=mask)
    theirs.close()
    return Worker(pid=pid, pipe=ours)


def stop(workers: Iterable[Worker], *, grace_s: float = GRACE_S) -> None:
    """End all workers and wait for them: SIGTERM, then, after `grace_s`, SIGKILL.

    A second Ctrl-C while waiting kills at once.
    """
    left = list(workers)
    try:
        for worker in left:
            worker.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        while not all(worker.gone() for worker in left) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    finally:
        for worker in left:
            worker.send_signal(signal.SIGKILL)
            while not worker.gone():
                time.sleep(_POLL_S)
            worker.pipe.close()


def _live(
    serve: Serve,
    pipe: Connection[object, object],
    *,
    parent: int,
    siblings: Iterable[Worker],
    mask: set[int],
) -> NoReturn:
    """Be a worker; never comes back into the parent's code, whatever happens."""
    code = 1
    try:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, _on_term)
        for sibling in siblings:
            sibling.pipe.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if os.getppid() == parent:  # it may have died before prctl
            serve(pipe)
        code = 0
    except KeyboardInterrupt:
        code = 0
    except BaseException:  # noqa: BLE001  # a worker must end here; the parent sees it die
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _on_term(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, GRACE_S)
    raise KeyboardInterrupt
