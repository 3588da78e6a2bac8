"""What can go wrong when we judge: every error says what, where and what to do."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class VerifierError(Exception):
    """We could not judge (exit 3).  The command line catches this class and no other.

    traceback_text: where it was raised, if that was in another process.
    """

    traceback_text: str | None = None

    def __init__(self, problem: str, *, where: str, hint: str) -> None:
        super().__init__(f"{where}: {problem}\n  hint: {hint}")
        self.problem = problem
        self.where = where
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., VerifierError], tuple[object, ...]]:
        """Pickle whole, with what subclasses add: errors cross from workers to the parent."""
        return _rebuilt, (type(self), self.args, dict(self.__dict__))


def _rebuilt(
    kind: type[VerifierError], args: tuple[object, ...], state: Mapping[str, object]
) -> VerifierError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(VerifierError):
    """What the user asked for cannot be done as asked (exit 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault in one document: its place and what to do about it."""

    message: str
    where: str
    hint: str


class DocumentError(UsageError):
    """A document of ours cannot be read (exit 2): all its faults together."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        if not problems:
            raise ValueError("a DocumentError needs at least one problem")
        first = problems[0]
        super().__init__(first.message, where=first.where, hint=first.hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(f"{p.where}: {p.message}\n  hint: {p.hint}" for p in self.problems)


class OutputError(VerifierError):
    """What a script handed over is refused: a finding about the script, never our fault."""

    def __init__(self, problem: str, *, where: str, hint: str, rule: str) -> None:
        super().__init__(problem, where=where, hint=hint)
        self.rule = rule


class EvidenceError(VerifierError):
    """Evidence does not match its digests or does not carry its verdict (audit fails)."""


def where_raised(error: BaseException) -> str:
    """Return "file:line" of the innermost frame in our own code, or of the innermost of all.

    The process guard does not count: it is below everything.
    """
    place = ours = ""
    house = str(Path(__file__).parent)
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        place = f"{name}:{line}"
        if name.startswith(house) and not name.endswith("__main__.py"):
            ours = f"verifier{name[len(house) :]}:{line}"
    return ours or place or "unknown place"
