"""bubblewrap: which one we trust, and the arguments that describe the sandbox to it."""

from __future__ import annotations

import functools
import os
import re
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from verifier.errors import VerifierError

# Never looked up in PATH: whoever sets PATH would choose our sandbox.
CANDIDATES: Final = (Path("/usr/bin/bwrap"), Path("/bin/bwrap"), Path("/usr/local/bin/bwrap"))
OLDEST: Final = (0, 8)  # the first with --disable-userns
NOBODY: Final = 65534
HOSTNAME: Final = "sandbox"
_HINT: Final = "install bubblewrap 0.8 or newer (Debian: apt install bubblewrap)"

_LAYERS: Final = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
    "--unshare-cgroup", "--disable-userns", "--uid", str(NOBODY), "--gid", str(NOBODY),
    "--hostname", HOSTNAME, "--die-with-parent", "--new-session", "--cap-drop", "ALL",
)  # fmt: skip


@functools.cache
def find(candidates: Sequence[Path] = CANDIDATES) -> Path:
    """Return the bubblewrap to use: root's, not writable by others, not set-uid, new enough.

    VerifierError, with what to do, if there is none.
    """
    for path in candidates:
        try:
            found = path.stat()
        except OSError:
            continue
        if not stat.S_ISREG(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o6022:
            raise VerifierError(
                "this bubblewrap is set-uid, not root's, or writable by others",
                where=str(path),
                hint=_HINT,
            )
        if version(path) < OLDEST:
            raise VerifierError("this bubblewrap is too old", where=str(path), hint=_HINT)
        return path
    raise VerifierError("bubblewrap is missing", where="sandbox", hint=_HINT)


def version(path: Path) -> tuple[int, int]:
    """Return the version a bubblewrap reports; (0, 0) if it reports none."""
    try:
        answer = subprocess.run(
            [path, "--version"], env={}, capture_output=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    match = re.search(rb"(\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def options(
    root: str, *, read_only: Sequence[str], threads: int, status_fd: int, filter_fds: Sequence[int]
) -> list[str]:
    """Return bubblewrap's options for a sandbox whose file system lies ready at `root`.

    read_only: the mount points below it that are made read-only, beside the root itself.
    """
    words = [*_LAYERS, "--json-status-fd", str(status_fd)]
    for descriptor in filter_fds:
        words += ["--add-seccomp-fd", str(descriptor)]
    words += ["--dev-bind", root, "/", "--proc", "/proc"]
    for place in (*read_only, "/"):
        words += ["--remount-ro", place]
    words += ["--chdir", "/study"]
    for name, value in variables(threads).items():
        words += ["--setenv", name, value]
    return words


def variables(threads: int) -> dict[str, str]:
    """Return the whole environment of a sandboxed process, the same for every trial."""
    count = str(threads)
    return {
        "PATH": "/env/bin", "HOME": "/tmp", "TMPDIR": "/tmp",  # noqa: S108 - inside the sandbox
        "INPUT": "/input", "OUTPUT": "/output", "LANG": "C.UTF-8", "USER": "nobody",
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "PYTHONNOUSERSITE": "1",
        "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
        "NUMEXPR_NUM_THREADS": count, "RAYON_NUM_THREADS": count,
        "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
    }  # fmt: skip


def command(argv: Sequence[str], *, environment: bool) -> list[str]:
    """Return the command to run: a leading "python" is the environment's own."""
    if environment and argv and argv[0] == "python":
        return ["/env/bin/python", *argv[1:]]
    return list(argv)


def packed(words: Sequence[str]) -> bytes:
    """Return words as `--args` reads them; ValueError for one that holds a NUL."""
    if any("\0" in word for word in words):
        raise ValueError("an argument holds a NUL")
    return b"".join(os.fsencode(word) + b"\0" for word in words)
