"""Relative paths as documents may name them: inside their folder, on every system."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from verifier.documents.faults import BadValueError
from verifier.documents.source import shown


def check_relative(text: str) -> str:
    """Return `text` if it stays inside its folder; BadValueError (a ValueError) otherwise.

    Printable ASCII only: letters that only look alike would name another file.
    """
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or str(path) != text or text == ".":
        raise BadValueError(
            f"want a plain path inside the project, found {shown(text)}",
            hint="write it like repro/train.py: no /, ./ or ../ at its start, no // in it",
        )
    if "\\" in text or ":" in text or not (text.isascii() and text.isprintable()):
        raise BadValueError(
            f"want a path of plain ASCII without \\ and :, found {shown(text)}",
            hint="rename the file: letters, digits, '.', '_', '-' and '/' work on every system",
        )
    return text


RelativePath = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(check_relative)]
