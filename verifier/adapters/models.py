"""Pre-trained encoders on this machine: found by path, known by the digest of all their files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from verifier.documents.canonical import document_digest
from verifier.errors import UsageError

MODELS = "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A folder that sentence-transformers can load, with its digest."""

    path: Path
    digest: str


def find_model(root: Path, encoder: str) -> Model:
    """Return the folder an encoder's name stands for: a path, or models/NAME in the project.

    UsageError if there is none, or if it holds links.
    """
    for place in (root / encoder, root / MODELS / encoder):
        if place.is_dir():
            return Model(path=place.resolve(), digest=_digest(place))
    raise UsageError(
        f"there is no folder with the encoder {encoder}",
        where="settings: encoder",
        hint=f"save it with sentence-transformers under {MODELS}/{encoder}, or say static",
    )


def _digest(folder: Path) -> str:
    digests = {}
    for place in sorted(folder.rglob("*")):
        path = place.relative_to(folder).as_posix()
        if place.is_symlink():
            raise UsageError(
                "a link inside a model folder", where=path, hint="copy the file itself there"
            )
        if place.is_file():
            with place.open("rb") as file:
                digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return document_digest(digests)
