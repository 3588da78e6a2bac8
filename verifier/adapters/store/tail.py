"""The end of a file of lines: appended to whole, and mended where a crash has torn it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from verifier.adapters.store.files import sync_folder, write_all

_QUOTE, _ESCAPE, _OPEN, _CLOSE = b'"\\{}'


def split(raw: bytes) -> tuple[list[bytes], bytes]:
    """Return the lines that are ended, without their newlines, and what follows the last."""
    *lines, tail = raw.split(b"\n")
    return lines, tail


def mend(raw: bytes) -> tuple[bytes, str | None]:
    """Return the file as it should be, and what was done in words (None: nothing).

    An object that never closes was cut off by a crash before its writer returned: it goes.
    Anything else gets the newline it lacks and is left to the check of the chain, so that no
    entry once written is ever dropped.  (A power cut may leave zero bytes at the end.)
    """
    tail = split(raw)[1]
    if not tail:
        return raw, None
    text = tail.rstrip(b"\0")
    before = raw[: len(raw) - len(tail)]
    if _is_cut(text):
        return before, f"a last line torn by a crash was cut off ({len(tail)} bytes)"
    return before + text + b"\n", "the end of its last line was lost in a crash and put back"


def append_line(path: Path, line: bytes) -> None:
    """Append to a file and sync it; on any error the file keeps its old length."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(fd).st_size
        try:
            write_all(fd, line)
            os.fsync(fd)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(fd, size)
                os.fsync(fd)
            raise
    finally:
        os.close(fd)
    if not size:
        sync_folder(path.parent)


def replace_tail(path: Path, old: bytes, new: bytes) -> None:
    """Change a file that holds `old` into `new`, a start of it and perhaps a newline; sync it."""
    same = len(new) if old.startswith(new) else len(new) - 1
    fd = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(fd, same)
        os.lseek(fd, same, os.SEEK_SET)
        write_all(fd, new[same:])
        os.fsync(fd)
    finally:
        os.close(fd)


def _is_cut(text: bytes) -> bool:
    """Tell whether `text` is the start of a JSON object whose end is not there."""
    if not text:
        return True
    depth, quoted, escaped = 0, False, False
    for byte in text:
        if quoted:
            quoted = escaped or byte != _QUOTE
            escaped = byte == _ESCAPE and not escaped
        elif byte == _QUOTE:
            quoted = True
        else:
            depth += (byte == _OPEN) - (byte == _CLOSE)
        if not depth:  # closed, or never an object
            return False
    return True
