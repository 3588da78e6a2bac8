"""Relative paths as documents may name them: inside their folder, on every system."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field


def check_relative(text: str) -> str:
    """Return `text` if it stays inside its folder; ValueError otherwise."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or str(path) != text or text == ".":
        raise ValueError(f"{text!r}: want a plain path inside the project, such as repro/train.py")
    if "\\" in text or ":" in text or not text.isprintable():
        raise ValueError(f"{text!r}: want letters, digits, '.', '_', '-' and '/'")
    return text


RelativePath = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(check_relative)]
