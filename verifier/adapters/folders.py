"""Verdict folders on disk: a verdict beside its evidence, written whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from verifier.errors import EvidenceError, UsageError, VerifierError

VERDICT = "verdict.json"
EVIDENCE = "evidence"
_MOST_BYTES = 2 << 30
_MOST_FILES = 100_000


def write_verdict(folder: Path, verdict: bytes, evidence: Mapping[str, bytes]) -> Path:
    """Write verdict and evidence into `folder`, replacing what was there; return the verdict.

    Everything is written beside it first and moved into place at the end.
    """
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        for path, data in evidence.items():
            place = fresh / EVIDENCE / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        (fresh / VERDICT).write_bytes(verdict)
        _replace(folder, fresh)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise VerifierError(
            f"the verdict cannot be written: {error.strerror}",
            where=str(folder),
            hint="make room on the disk and run again; finished trials are kept"
            if full
            else "check the folder's permissions, or choose another with --output",
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder / VERDICT


def _replace(folder: Path, fresh: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone_in(folder.parent):
        old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
        for left in folder.parent.glob(f".{folder.name}.*.old"):  # also by one that was killed
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold off other harnesses that would write a verdict below this folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_verdict(path: Path) -> bytes:
    """Return a verdict file's bytes, given the file or its folder; UsageError if there is none."""
    file = path / VERDICT if path.is_dir() else path
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"no verdict can be read: {error.strerror}",
            where=str(path),
            hint="name a verdict.json, or the folder that holds it",
        ) from error


def read_evidence(folder: Path) -> dict[str, bytes]:
    """Return an evidence folder: path -> bytes; EvidenceError for links, pipes, or too much."""
    if not folder.is_dir() or folder.is_symlink():
        raise EvidenceError(
            "there is no evidence folder",
            where=str(folder),
            hint="a verdict is audited beside its evidence; get both from the publisher",
        )
    found: dict[str, bytes] = {}
    size = 0
    for here, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if (Path(here) / name).is_symlink():
                _refuse(Path(here) / name, "it is a link")
        for name in names:
            place = Path(here) / name
            if not place.is_file():
                _refuse(place, "it is no plain file")
            size += place.stat().st_size
            if size > _MOST_BYTES or len(found) >= _MOST_FILES:
                _refuse(folder, "the folder is larger than any evidence")
            found[place.relative_to(folder).as_posix()] = place.read_bytes()
    return found


def _refuse(place: Path, problem: str) -> None:
    raise EvidenceError(problem, where=str(place), hint="get the folder from its publisher")
