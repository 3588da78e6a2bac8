"""The few system calls Python 3.11 does not wrap: mount, umount2, unshare, prctl."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Final

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REMOUNT: Final = 32
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_SIGKILL: Final = 9

# Loaded at import, so that nothing has to be loaded between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Put a file system on a folder; OSError names it.  Source: the manual page of this call."""
    _check(
        _libc.mount(source.encode(), os.fsencode(target), kind.encode(), flags, options.encode()),
        f"mount {kind or 'bind'} on {target}",
    )


def bind(source: str, target: str) -> None:
    """Show the tree at `source` at `target` too."""
    _check(
        _libc.mount(os.fsencode(source), os.fsencode(target), b"", MS_BIND | MS_REC, None),
        f"bind {source} on {target}",
    )


def unshare(flags: int) -> None:
    """Leave the namespaces that the flags name.  Source: the manual page of this call."""
    _check(_libc.unshare(flags), f"unshare({flags:#x})")


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that forked it ends.

    A change of credentials forgets the wish, so it is repeated after each; prctl(2).
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def own_proc_files() -> None:
    """Give /proc/self back to the process after a change of uid, so it can write its uid_map."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl(PR_SET_DUMPABLE)")


def release() -> tuple[int, int]:
    """Return the kernel's version, such as (6, 1)."""
    major, minor = platform.release().split(".")[:2]
    digits = "".join(c for c in minor if c.isdigit())
    return int(major), int(digits or 0)
