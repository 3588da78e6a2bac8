"""Printing results: text or one JSON document, on stdout and nowhere else."""

from __future__ import annotations

import json
import sys


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def print_text(text: str) -> None:
    """Print a text that ends in a newline."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def say(text: str) -> None:
    """Say something that is no result, on stderr."""
    sys.stderr.write(text + "\n")
