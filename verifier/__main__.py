"""The process guard: whatever happens, the exit code tells whether a judgement was made.

Python ends a crash with 1, which here would mean "judged, and not VERIFIED"; so everything,
the imports of our own command line included, runs inside one `try`.  Only the standard library
is imported above it.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TextIO

# Also in cli/exits.py (a test compares them): that import may be the very thing that failed.
COULD_NOT_JUDGE = 3
INTERRUPTED = 130

_COMPLETION = ("--install-completion", "--show-completion")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def main() -> None:
    """Run the command line and end the process with a code of the table."""
    sys.exit(guarded(sys.argv[1:]))


def guarded(argv: list[str]) -> int:
    """Run the command line; return its exit code and never raise."""
    try:
        code = _run(argv)
    except BaseException as error:  # noqa: BLE001  # this is the one place that catches all
        code = _told(error, argv)
    return _flushed(code)


def _run(argv: list[str]) -> int:
    # Numeric libraries read this once, when loaded: workers are many and single-threaded.
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    from typer.main import get_command  # noqa: PLC0415  # imports that fail must fail in here

    from verifier.cli import app  # noqa: PLC0415
    from verifier.cli.arguments import expand  # noqa: PLC0415
    from verifier.cli.exits import of_result  # noqa: PLC0415

    command = get_command(app)
    words = expand(argv, commands=getattr(command, "commands", ()), is_path=_exists)
    try:
        result = command.main(args=words, prog_name="verify", standalone_mode=False)
    except SystemExit as error:
        if error.code == 0 and words[:1] and words[0] in _COMPLETION:
            return 0
        raise
    if result == INTERRUPTED:  # the library turns Ctrl-C into this
        raise KeyboardInterrupt
    return of_result(result)


def _told(error: BaseException, argv: list[str]) -> int:
    """Say what went wrong on standard error (with --json on standard output too)."""
    try:
        if os.environ.get("VERIFY_TRACEBACK"):
            traceback.print_exception(error)
            sys.stderr.write(getattr(error, "traceback_text", None) or "")
        from verifier.cli.failures import failure_of  # noqa: PLC0415

        failure = failure_of(error)
        text, machine, code = failure.text(), failure.json(), int(failure.exit)
    except BaseException:  # noqa: BLE001  # our own modules may be what is broken
        text, machine, code = _last_words(error)
    _write(sys.stderr, text)
    if "--json" in argv:
        _write(sys.stdout, machine + "\n")
    return code


def _last_words(error: BaseException) -> tuple[str, str, int]:
    """Speak without any module of ours."""
    import json  # noqa: PLC0415  # only ever needed here

    code = INTERRUPTED if isinstance(error, KeyboardInterrupt) else COULD_NOT_JUDGE
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "verify"
    problem = " ".join(f"{type(error).__name__}: {error}".split())
    hint = "the program is damaged or not fully installed: install it again, or report this"
    body = {"problem": problem, "where": where, "hint": hint, "exit": code}
    return f"{where}: {problem}\n  hint: {hint}\n", json.dumps({"error": body}), code


def _flushed(code: int) -> int:
    """Deliver what was printed: a result that nobody could read is not a result."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        _silence(sys.stdout)
        if code in (COULD_NOT_JUDGE, INTERRUPTED):
            return code
        hint = "read to the end, or write to a file on a disk with room"
        _write(sys.stderr, f"standard output: could not be written: {error}\n  hint: {hint}\n")
        return COULD_NOT_JUDGE
    return code


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        _silence(stream)


def _silence(stream: TextIO) -> None:
    """Point a broken stream at nothing, so that the interpreter's last flush cannot fail."""
    with suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


def _exists(word: str) -> bool:
    try:
        return Path(word).exists()
    except (OSError, ValueError):
        return False


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
