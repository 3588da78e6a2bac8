"""What is said when a command fails: what, where and what to do, for people and for machines."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from verifier.cli.exits import Exit
from verifier.errors import DocumentError, Problem, UsageError, VerifierError, where_raised

_REPORT = "a fault in the program, not a verdict: see it with VERIFY_TRACEBACK=1, and report it"
_MEND = "the system refused this: mend it and start again; VERIFY_TRACEBACK=1 shows more"
_INSTALL = 'install what this command needs: pip install "verifier[run]"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a process ends without a result; `problems` has at least one entry."""

    exit: Exit
    problems: tuple[Problem, ...]

    def text(self) -> str:
        """Return it for a terminal; control characters (of untrusted names) are made visible."""
        said = (f"{p.where}: {p.message}\n  hint: {p.hint}\n" for p in self.problems)
        return "".join(map(_visible, "".join(said)))

    def json(self) -> str:
        """Return it as one line of JSON: the first problem, and `problems` if there are more."""
        first = self.problems[0]
        error: dict[str, object] = {**_row(first), "exit": int(self.exit)}
        if len(self.problems) > 1:
            error["problems"] = [_row(problem) for problem in self.problems]
        return json.dumps({"error": error})


def failure_of(error: BaseException) -> Failure:
    """Return what to say and how to exit for anything that can be raised."""
    if isinstance(error, VerifierError):
        return _of_ours(error)
    if isinstance(error, KeyboardInterrupt):
        return _stopped()
    return _of_typer(error) or _of_any(error)


def _of_ours(error: VerifierError) -> Failure:
    code = Exit.BAD_USAGE if isinstance(error, UsageError) else Exit.COULD_NOT_JUDGE
    if isinstance(error, DocumentError):
        return Failure(exit=code, problems=error.problems)
    return _failure(code, error.problem, error.where, error.hint)


def _stopped() -> Failure:
    hint = "nothing that was finished is lost: start it again to go on from there"
    return _failure(Exit.INTERRUPTED, "stopped before the end", "command line", hint)


def _of_typer(error: BaseException) -> Failure | None:
    """Errors of the command-line library, which need not be loaded (then it raised none)."""
    library = sys.modules.get("typer.exceptions")
    if library is None:
        return None
    if isinstance(error, library.Abort):
        if isinstance(error.__context__, EOFError):
            hint = "answer on a terminal, or give the answer as an option (--yes)"
            return _failure(Exit.BAD_USAGE, "a question got no answer", "command line", hint)
        return _stopped()
    if isinstance(error, library.TyperException):
        context = getattr(error, "ctx", None)
        place = context.command_path if context else "verify"
        hint = f"see {place} --help"
        message = error.format_message() or "a command is missing"
        return _failure(Exit.BAD_USAGE, message, place, hint)
    return None


def _of_any(error: BaseException) -> Failure:
    if _is_closed_pipe(error):
        message, hint = "the reader of our output has gone", "read to the end, or write to a file"
        return _failure(Exit.COULD_NOT_JUDGE, message, "standard output", hint)
    first = (str(error).splitlines() or [""])[0]
    message = f"{type(error).__name__}: {first}".removesuffix(": ")
    missing = isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("verifier")
    hint = _INSTALL if missing else _MEND if isinstance(error, OSError) else _REPORT
    return _failure(Exit.COULD_NOT_JUDGE, message, where_raised(error), hint)


def _is_closed_pipe(error: BaseException) -> bool:
    """Tell it also where the command-line library has made an exit with code 1 of it."""
    cause = error.__context__ if isinstance(error, SystemExit) else error
    return isinstance(cause, BrokenPipeError)


def _failure(code: Exit, message: str, where: str, hint: str) -> Failure:
    return Failure(exit=code, problems=(Problem(message=message, where=where, hint=hint),))


def _row(problem: Problem) -> dict[str, object]:
    return {"problem": problem.message, "where": problem.where, "hint": problem.hint}


def _visible(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    return character.encode("unicode_escape").decode("ascii")
