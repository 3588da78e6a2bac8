"""Locks between processes: the kernel lets go when a process dies, and no files pile up."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from verifier.adapters.store.files import explained, make_folder


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold the lock at `path`; waits for other holders (not re-entrant).

    The file is removed while it is held, so a waiter that then gets the lock of a file that
    no longer has its name starts over.
    """
    fd = _acquire(path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        # Unlocked by name, not by closing: a forked worker may hold a copy of the descriptor.
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def sweep_locks(folder: Path) -> None:
    """Remove the lock files of dead processes."""
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if _is_at(fd, path):
                        path.unlink()
                    fcntl.flock(fd, fcntl.LOCK_UN)
                finally:
                    os.close(fd)


def _acquire(path: Path) -> int:
    with explained("take the lock", path):
        make_folder(path.parent)
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if _is_at(fd, path):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)


def _is_at(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
