"""A slot of its own for each execution at a time: its user id and its control group's name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from verifier.errors import VerifierError

FIRST_ID: Final = 61000  # to 61183: the ids no distribution gives out (systemd, UIDS-GIDS.md)
SLOTS: Final = 184


@dataclass(frozen=True, slots=True)
class Slot:
    """Number `index` among the executions running now; `user_id` is its host uid and gid."""

    index: int
    user_id: int

    @property
    def name(self) -> str:
        """Return the name that no other execution of this user has at this time."""
        return f"{os.geteuid()}-{self.index}"


@contextlib.contextmanager
def claim() -> Iterator[Slot]:
    """Hold the first free slot; the kernel frees it when we end, however we end.

    VerifierError: the folder of locks cannot be trusted, or all slots are taken.
    """
    for index in range(SLOTS):
        with hold(index) as slot:
            if slot is not None:
                yield slot
                return
    raise VerifierError(
        f"all {SLOTS} sandbox slots are taken", where=str(_folder()), hint="start fewer at once"
    )


@contextlib.contextmanager
def hold(index: int) -> Iterator[Slot | None]:
    """Hold one slot, or yield None where somebody else does."""
    lock = os.open(_folder() / str(index), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield Slot(index, FIRST_ID + index if os.geteuid() == 0 else os.geteuid())
    finally:
        os.close(lock)


def _folder() -> Path:
    """Return the folder of locks, ours alone: nobody else can hold or remove one."""
    user = os.geteuid()
    path = _place(user)
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise VerifierError(
            f"the folder of sandbox locks cannot be made: {error}",
            where=str(path),
            hint="make its parent folder writable, or set XDG_RUNTIME_DIR",
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o022:
        raise VerifierError(
            "the folder of sandbox locks is not ours alone",
            where=str(path),
            hint="remove it; it is made again",
        )
    return path


def _place(user: int) -> Path:
    if user == 0:
        return Path("/run/verifier-slots")
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"verifier-slots-{user}"
