"""The one table of exit codes, and the road to it from everything a command can end with."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from verifier.errors import VerifierError


class Exit(IntEnum):
    """What a process of ours ends with; no other number leaves it."""

    VERIFIED_OR_OPEN = 0
    """VERIFIED; gate open; the audit agrees; lint is clean."""
    NOT_THAT = 1
    """Judged, and not that."""
    BAD_USAGE = 2
    """What was asked for, or a document, is wrong."""
    COULD_NOT_JUDGE = 3
    """An error: never a verdict."""
    INTERRUPTED = 130
    """Stopped from outside (Ctrl-C, SIGTERM)."""


def worst(codes: Iterable[Exit]) -> Exit:
    """Return what several results end with together: 130 > 3 > 2 > 1 > 0; ValueError for none."""
    return max(codes)


def of_result(value: object) -> Exit:
    """Return the exit code that a command ended with.

    Only a code of the table counts, whether returned or raised as `typer.Exit`; nothing at all
    is not "fine".  Raises VerifierError.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value in set(Exit):
        return Exit(value)
    raise VerifierError(
        f"the command ended with {value!r}, which is not in the table of exit codes",
        where="command line",
        hint="a fault in the program: every command ends in `raise typer.Exit(Exit...)`; report it",
    )
