"""Make an environment: all of it or nothing, once, whoever else is making it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from verifier.adapters.environments import interpreter as base
from verifier.adapters.environments import packages
from verifier.adapters.environments.record import FOLDERS, RECORD, SCHEMA, Environment, load, save
from verifier.adapters.environments.tree_digest import tree_digests
from verifier.errors import VerifierError


def create(
    requirements: Path,
    root: Path,
    *,
    progress: Callable[[str], None],
    python: Path | None = None,
) -> Environment:
    """Make, or find made, the environment of a pinned list of packages in a folder below `root`.

    Safe when several processes do it at once; started again after a stop, downloads come from
    pip's cache.  python: the interpreter to take, by default the one the verifier runs on.
    UsageError: the list names a forbidden package or cannot be installed.  VerifierError: this
    machine cannot do it (no venv module, no space).
    """
    wanted = packages.requirements(requirements)
    interpreter = base.describe(python or Path(getattr(sys, "_base_executable", sys.executable)))
    key = _key(wanted, interpreter)
    target = root / key
    with _full_disk_is_ours(root):
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / f".{key}.lock"):
            if (target / RECORD).exists():
                return load(target)
            building = root / f".{key}.building"
            shutil.rmtree(building, ignore_errors=True)
            try:
                _build(building, requirements, wanted, interpreter, progress)
                building.rename(target)
            finally:
                shutil.rmtree(building, ignore_errors=True)
    return load(target)


def find(requirements: Path, root: Path, *, python: Path | None = None) -> Environment | None:
    """Return the environment of a pinned list if it was made below `root`, else None."""
    wanted = packages.requirements(requirements)
    interpreter = base.describe(python or Path(getattr(sys, "_base_executable", sys.executable)))
    target = root / _key(wanted, interpreter)
    return load(target) if (target / RECORD).exists() else None


def _key(wanted: bytes, interpreter: base.Interpreter) -> str:
    parts = (SCHEMA, interpreter.version, platform.machine(), _libc())
    return hashlib.sha256("\0".join(parts).encode() + b"\0" + wanted).hexdigest()[:16]


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _full_disk_is_ours(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise VerifierError(
            f"the environment cannot be written: {error}",
            where=str(root),
            hint="free some space (torch needs 2 GB)" if full else "name a folder you may write",
        ) from error


def _build(
    building: Path,
    requirements: Path,
    wanted: bytes,
    interpreter: base.Interpreter,
    progress: Callable[[str], None],
) -> None:
    """Fill a folder and write its record last."""
    site = building / "env" / "lib" / f"python{interpreter.short}" / "site-packages"
    site.mkdir(parents=True)
    progress(f"copying Python {interpreter.version}")
    base.copy_python(building, interpreter)
    if any(line.split("#")[0].strip() for line in wanted.decode().splitlines()):
        packages.install(building, requirements, site, interpreter.program, progress)
    names = packages.installed(site)
    progress("collecting shared libraries")
    base.copy_libraries(building, interpreter)
    progress("compiling")
    base.compile_all(building, interpreter)
    base.open_to_all(building)
    progress("taking the digest")
    digest, bytecode = tree_digests(str(building), FOLDERS)
    save(
        Environment(
            path=building,
            digest=digest,
            bytecode=bytecode,
            requirements=hashlib.sha256(wanted).hexdigest(),
            packages=names,
            python=interpreter.version,
            libc=_libc(),
            machine=platform.machine(),
            torch=next((p.split("==")[1] for p in names if p.startswith("torch==")), None),
        )
    )


def _libc() -> str:
    """Return the C library that is copied, such as "glibc 2.36"."""
    return os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
