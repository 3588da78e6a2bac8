"""Thirty-two random bytes in a file that only its owner can read, made once."""

from __future__ import annotations

import secrets
from pathlib import Path

from verifier.adapters.store.files import explained, write_once
from verifier.errors import VerifierError

SIZE = 32
_PRIVATE = 0o600
_OTHERS = 0o077


def owner_only(path: Path, *, incoming: Path, warnings: list[str]) -> bytes:
    """Return the bytes at `path`, made now if there are none; processes that race get the same.

    Raises VerifierError for a file of another size: what was derived from it is lost with it.
    """
    with explained(f"read or make the {path.name}", path):
        if not path.exists():
            write_once(path, secrets.token_bytes(SIZE), incoming=incoming, mode=_PRIVATE)
        data = path.read_bytes()
        if path.stat().st_mode & _OTHERS:
            path.chmod(_PRIVATE)
            warnings.append(f"{path}: others could read the {path.name}; its rights are mended")
    if len(data) != SIZE:
        raise VerifierError(
            f"the {path.name} has {len(data)} bytes, want {SIZE}",
            where=str(path),
            hint="restore it from a copy; without one, begin a new store",
        )
    return data
