"""Files that are there whole or not at all, and errors of the file system in plain words."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from verifier.errors import VerifierError

_ATTEMPTS = 3
_FULL = "free some space there and start again; what was finished is kept"
_RIGHTS = "give this user the right to write there, or choose another folder for the store"
_HINTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "raise the file-size limit of this process (ulimit -f) and start again",
    errno.EROFS: "the file system is read-only: choose another folder for the store",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EXDEV: "keep the whole store on one file system",
    errno.ENOTDIR: "a file stands where the store needs a folder: move it away",
    errno.EISDIR: "a folder stands where the store needs a file: move it away",
}


@contextmanager
def explained(doing: str, path: Path) -> Iterator[None]:
    """Turn an OSError into a VerifierError that says what, where and what to do."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = _HINTS.get(error.errno or 0, "check that disk and mount, then start again")
        raise VerifierError(f"cannot {doing}: {reason}", where=str(path), hint=hint) from error


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, durably; one that is there is left alone."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir()
        sync_folder(path.parent)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`, however many calls that takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def write_whole(path: Path, data: bytes, *, incoming: Path, mode: int = 0o666) -> None:
    """Put a file in place of whatever stands at `path`: readers see old or new, never half.

    incoming: the folder of the store for files not yet in place, on the same file system.
    Raises OSError, and then leaves nothing behind.
    """
    _place(path, data, os.rename, incoming, mode)


def write_once(path: Path, data: bytes, *, incoming: Path, mode: int = 0o666) -> bool:
    """Put a file where there is none; False (nothing changed) if another was first.

    A hard link decides the race: it fails where the name is taken.  Raises OSError.
    """
    try:
        _place(path, data, os.link, incoming, mode)
    except FileExistsError:
        return False
    return True


def _place(
    path: Path, data: bytes, put: Callable[[Path, Path], None], incoming: Path, mode: int
) -> None:
    make_folder(path.parent)
    for left in reversed(range(_ATTEMPTS)):
        try:
            with _temporary(incoming, data, mode) as temporary:
                put(temporary, path)
        except FileNotFoundError:  # swept by another process in the blink before its lock
            if not left:
                raise
        else:
            sync_folder(path.parent)
            return


def sweep(incoming: Path) -> None:
    """Remove what dead writers left; a living writer holds a lock on its file."""
    with suppress(OSError):
        for path in incoming.iterdir():
            with suppress(OSError):
                fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                finally:
                    os.close(fd)


@contextmanager
def _temporary(folder: Path, data: bytes, mode: int) -> Iterator[Path]:
    """Give a synced, locked temporary file, gone at the end unless it was renamed."""
    make_folder(folder)
    path = folder / secrets.token_hex(8)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        write_all(fd, data)
        os.fsync(fd)
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(fd)
