"""Take from the output folder exactly what was asked for, and nothing on trust.

By the folder's descriptor, one name at a time, never following a link; regular files of the
sandbox's own user, with one name, without holes, under their cap.  SECURITY, part 3.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_EXTRA_NAMES: Final = 20
_LOOKED_AT: Final = 10_000
_DEEPEST: Final = 8
_BLOCK: Final = 512  # what st_blocks counts in; stat(2)
_CHUNK: Final = 1 << 20

_KINDS: Final = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_OPEN_ERRORS: Final = {
    errno.ELOOP: "a symbolic link",
    errno.ENOTDIR: "a folder on the way is a link or no folder",
    errno.ENXIO: "a socket or a FIFO",
    errno.EACCES: "not readable by its owner",
    errno.ENAMETOOLONG: "its name is too long",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What was taken, what was there but not taken and why, what was not asked for."""

    outputs: Mapping[str, bytes]
    refused: Mapping[str, str]
    extra: tuple[str, ...]


class _NotTakenError(Exception):
    """Why a file that is there is not taken."""


def collect(folder: int, wanted: Mapping[str, int], *, owner: int) -> Collected:
    """Read the wanted files (name -> most bytes) below the open folder.

    owner: the uid every file must have.  A file that is not there is in neither mapping.
    """
    outputs: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for name, cap in wanted.items():
        try:
            data = _take(folder, name, cap, owner)
        except _NotTakenError as reason:
            refused[name] = str(reason)
        else:
            if data is not None:
                outputs[name] = data
    return Collected(outputs=outputs, refused=refused, extra=_extra(folder, frozenset(wanted)))


def open_below(folder: int, name: str) -> int | None:
    """Open a file below a folder, no link on the way; None if it is not there; OSError."""
    parts = PurePosixPath(name).parts
    if not parts or any(p in {"/", "..", "."} for p in parts):
        raise OSError(errno.EINVAL, "not a relative name without '..'")
    here = os.dup(folder)
    try:
        for part in parts[:-1]:
            deeper = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = deeper
        return os.open(parts[-1], _FLAGS, dir_fd=here)
    except FileNotFoundError:
        return None
    finally:
        os.close(here)


def _take(folder: int, name: str, cap: int, owner: int) -> bytes | None:
    try:
        descriptor = open_below(folder, name)
    except OSError as error:
        raise _NotTakenError(_OPEN_ERRORS.get(error.errno or 0, str(error.strerror))) from error
    if descriptor is None:
        return None
    try:
        found = os.fstat(descriptor)
        _inspect(found, cap, owner)
        data = _read(descriptor, cap + 1)
    finally:
        os.close(descriptor)
    if len(data) > cap:
        raise _NotTakenError(f"more than {cap} bytes")
    if len(data) != found.st_size:
        raise _NotTakenError("changed while it was read")
    return data


def _inspect(found: os.stat_result, cap: int, owner: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _NotTakenError(_KINDS.get(stat.S_IFMT(found.st_mode), "not a regular file"))
    if not found.st_mode & stat.S_IRUSR:  # root could read it; the answer must not depend on that
        raise _NotTakenError("not readable by its owner")
    if found.st_nlink != 1:
        raise _NotTakenError(f"has {found.st_nlink} names (hard links)")
    if found.st_uid != owner:
        raise _NotTakenError("belongs to another user")
    if found.st_size > cap:
        raise _NotTakenError(f"{found.st_size} bytes, more than {cap}")
    if found.st_blocks * _BLOCK < found.st_size:
        raise _NotTakenError("has holes (sparse): write the file in full")


def _read(descriptor: int, most: int) -> bytes:
    data = bytearray()
    while len(data) < most:
        chunk = os.read(descriptor, min(_CHUNK, most - len(data)))
        if not chunk:
            break
        data += chunk
    return bytes(data)


def _extra(folder: int, wanted: frozenset[str]) -> tuple[str, ...]:
    """Return printable names, sorted, of what was not asked for; at most 20."""
    names = []
    for seen, name in enumerate(_names(folder, "", 0)):
        if seen >= _LOOKED_AT:
            break
        if name not in wanted:
            names.append(name)
    return tuple(_printable(name) for name in sorted(names)[:_EXTRA_NAMES])


def _names(folder: int, prefix: str, depth: int) -> Iterator[str]:
    """Yield the files below a folder by relative name; a folder only where it is empty or deep."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if not entry.is_dir(follow_symlinks=False) or depth >= _DEEPEST:
                yield name
                continue
            try:
                deeper = os.open(entry.name, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
            except OSError:
                yield name + "/"
                continue
            try:
                yield from _names(deeper, name + "/", depth + 1)
            finally:
                os.close(deeper)


def _printable(name: str) -> str:
    """Return a name that cannot move a terminal's cursor or break a line."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    return shown if len(shown) <= 200 else shown[:200] + "..."  # noqa: PLR2004
