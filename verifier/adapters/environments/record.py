"""The record of an environment: what it holds, by name and by digest."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from verifier.errors import VerifierError

FOLDERS: Final = ("env", "lib", "python")
RECORD: Final = "environment.json"
SCHEMA: Final = "environment-v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A finished environment.

    digest: sha256 over all files but bytecode (see `tree_digest`); bytecode: over the bytecode.
    packages: "name==version", sorted.  torch: its version, None without it.
    """

    path: Path
    digest: str
    bytecode: str
    requirements: str
    packages: tuple[str, ...]
    python: str
    libc: str
    machine: str
    torch: str | None


def load(root: Path) -> Environment:
    """Read the record of an environment; VerifierError if it is none or not whole."""
    try:
        record = json.loads((root / RECORD).read_bytes())
        if record.pop("schema") != SCHEMA:
            raise ValueError("another version of the record")
        record["packages"] = tuple(record["packages"])
        environment = Environment(path=root, **record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerifierError(
            f"no usable environment: {error}",
            where=str(root),
            hint="make it with `verify env create`",
        ) from error
    missing = [name for name in FOLDERS if not (root / name).is_dir()]
    if missing:
        raise VerifierError(
            f"the environment lacks its folder {missing[0]!r}",
            where=str(root),
            hint="remove it and run `verify env create` again",
        )
    return environment


def save(environment: Environment) -> None:
    """Write the record into the environment's folder; it names no path of the machine."""
    body = {"schema": SCHEMA, **asdict(environment)}
    del body["path"]
    text = json.dumps(body, indent=1, sort_keys=True) + "\n"
    (environment.path / RECORD).write_text(text)
