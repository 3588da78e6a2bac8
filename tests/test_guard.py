"""Whatever a process of ours meets, it ends with a code of the table and says why."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

import verifier.cli
from verifier import __main__ as guard
from verifier.cli.arguments import expand
from verifier.cli.exits import Exit, worst
from verifier.errors import DocumentError, EvidenceError, Problem, UsageError, VerifierError

WORDS = {"where": "claims/x.yaml:3", "hint": "do this"}


class Odd(BaseException):
    """Neither an Exception nor one of the well-known others."""


@pytest.fixture(autouse=True)
def ctrl_c_works():
    """A shell starts background jobs, perhaps these tests, with SIGINT ignored for good."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def crash() -> None:
    raise ZeroDivisionError("division by zero\nand more")


def raiser(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.fixture
def run(monkeypatch, capsys):
    """Run one command in the guard; gives code, standard output and standard error."""

    def run(command, *arguments: str):
        app = typer.Typer()
        app.command("do")(command)
        app.command("other")(lambda: None)
        monkeypatch.setattr(verifier.cli, "app", app)
        code = guard.guarded(["do", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for name in guard._THREADS:
        monkeypatch.setenv(name, "7")
    monkeypatch.delenv("VERIFY_TRACEBACK", raising=False)
    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("code", list(Exit))
@pytest.mark.parametrize("way", [lambda code: raiser(typer.Exit(code)), lambda code: lambda: code])
def test_codes_of_the_table_pass(run, code: Exit, way):
    assert run(way(int(code)))[0] == code


TABLE = [
    (VerifierError("broken", **WORDS), 3, "claims/x.yaml:3: broken\n  hint: do this\n"),
    (EvidenceError("broken", **WORDS), 3, "claims/x.yaml:3: broken"),
    (UsageError("broken", **WORDS), 2, "claims/x.yaml:3: broken\n  hint: do this\n"),
    (DocumentError([Problem(message=m, **WORDS) for m in "ab"]), 2, "3: a\n  hint: do this\ncl"),
    (KeyboardInterrupt(), 130, "nothing that was finished is lost: start it again"),
    (typer.Abort(), 130, "nothing that was finished is lost"),
    (typer.BadParameter("no number"), 2, "no number"),
    (RuntimeError("unexpected"), 3, "RuntimeError: unexpected\n  hint: a fault in the program"),
    (AssertionError(), 3, "AssertionError\n"),
    (ModuleNotFoundError("No module named 'numpy'", name="numpy"), 3, "pip install"),
    (ImportError("cannot import name 'x'"), 3, "ImportError: cannot import name"),
    (MemoryError(), 3, "MemoryError"),
    (RecursionError("too deep"), 3, "RecursionError"),
    (OSError(28, "No space left on device"), 3, "mend it and start again"),
    (BrokenPipeError(32, "Broken pipe"), 3, "the reader of our output has gone"),
    (SystemExit(0), 3, "SystemExit: 0"),
    (SystemExit(1), 3, "SystemExit: 1"),
    (SystemExit(None), 3, "SystemExit"),
    (SystemExit("sorry"), 3, "SystemExit: sorry"),
    (SystemExit(True), 3, "SystemExit"),
    (GeneratorExit(), 3, "GeneratorExit"),
    (StopIteration(), 3, "StopIteration"),
    (Odd("odd"), 3, "Odd: odd"),
    (Exception("\x1b[2Jcleared"), 3, "\\x1b[2Jcleared"),
]


@pytest.mark.parametrize(("error", "code", "says"), TABLE, ids=lambda x: repr(x)[:40])
def test_everything_raised_has_its_code_and_says_why(run, error, code, says):
    found, out, err = run(raiser(error))
    assert found == code
    assert says in err
    assert "  hint: " in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize(("error", "code"), [row[:2] for row in TABLE], ids=lambda x: repr(x)[:40])
def test_with_json_the_error_is_one_object_on_standard_output(run, error, code):
    def command(*, json: bool = False) -> None:
        raise error

    found, out, err = run(command, "--json")
    told = json.loads(out)["error"]
    assert found == told["exit"] == code
    assert all(isinstance(told[key], str) and told[key] for key in ("problem", "where", "hint"))
    assert "  hint: " in err


@pytest.mark.parametrize("value", [None, 4, -1, True, False, "0", 0.0, 256, [0]])
def test_ending_without_a_code_of_the_table_is_an_error(run, value):
    code, _, err = run(lambda: value)
    assert code == 3
    assert "not in the table of exit codes" in err


def test_a_crash_names_its_place_and_shows_the_traceback_when_asked(run, monkeypatch):
    code, _, err = run(crash)
    assert code == 3
    line = crash.__code__.co_firstlineno + 1
    assert err.startswith(f"{__file__}:{line}: ZeroDivisionError: division by zero\n  hint: ")
    monkeypatch.setenv("VERIFY_TRACEBACK", "1")
    error = VerifierError("broken", **WORDS)
    error.traceback_text = "told by a worker"
    assert "Traceback (most recent call last)" in run(crash)[2]
    assert "told by a worker" in run(raiser(error))[2]


@pytest.mark.parametrize("arguments", [["--nonsense"], ["extra"], ["--json=maybe"]])
def test_bad_usage_is_two(run, arguments):
    code, out, err = run(lambda: 0, *arguments)
    assert (code, out) == (2, "")
    assert "hint: see verify do --help" in err


def test_an_unanswered_question_is_bad_usage(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    code, _, err = run(lambda: typer.confirm("go on?", abort=True))
    assert code == 2
    assert "--yes" in err


def test_numeric_libraries_get_one_thread(run):
    assert run(lambda: int(any(os.environ[name] != "1" for name in guard._THREADS)))[0] == 0


@pytest.mark.parametrize(
    "name", ["verifier.cli", "verifier.cli.exits", "verifier.errors", "typer.main"]
)
def test_a_broken_import_is_three(run, monkeypatch, name, capsys):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "verifier.cli.failures", raising=False)
    if name != "typer.main":
        monkeypatch.delitem(sys.modules, "verifier.cli.exits", raising=False)
        monkeypatch.setitem(sys.modules, name, None)
    assert guard.guarded(["--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["exit"] == 3
    assert name in err
    assert "  hint: " in err


def test_ctrl_c_during_a_broken_start_is_still_130(monkeypatch, capsys):
    monkeypatch.setattr(guard, "_run", lambda _: raiser(KeyboardInterrupt())())
    monkeypatch.setitem(sys.modules, "verifier.cli.failures", None)
    assert guard.guarded([]) == 130
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_the_guard_and_the_table_agree():
    assert guard.COULD_NOT_JUDGE == Exit.COULD_NOT_JUDGE
    assert guard.INTERRUPTED == Exit.INTERRUPTED


@given(codes=st.lists(st.sampled_from(Exit), min_size=1))
def test_the_worst_wins_and_a_crash_beats_a_verdict(codes: list[Exit]):
    found = worst(codes)
    assert found in codes
    order = [Exit.VERIFIED_OR_OPEN, Exit.NOT_THAT, Exit.BAD_USAGE, Exit.COULD_NOT_JUDGE]
    assert all(order.index(code) <= order.index(found) for code in codes if found in order)


def test_nothing_is_not_the_best():
    with pytest.raises(ValueError, match=r".+"):
        worst([])


COMMANDS = {"run", "lint", "data"}
THERE = {"claims", "claims/x.yaml", "run", "odd"}


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("claims/x.yaml", "run claims/x.yaml"),
        ("not/there.yml --json", "run not/there.yml --json"),
        ("claims --yes", "run claims --yes"),
        ("--json claims", "run --json claims"),
        ("--slots 2 claims/x.yaml", "run --slots 2 claims/x.yaml"),
        ("--slots=2 claims/x.yaml", "run --slots=2 claims/x.yaml"),
        ("odd", "run odd"),
        ("./run", "./run"),
        ("run claims/x.yaml", "run claims/x.yaml"),
        ("--json run claims/x.yaml", "--json run claims/x.yaml"),
        ("lint claims/x.yaml", "lint claims/x.yaml"),
        ("rnu claims/x.yaml", "rnu claims/x.yaml"),
        ("--help", "--help"),
        ("", ""),
    ],
)
def test_the_short_form(argv: str, expected: str):
    found = expand(argv.split(), commands=COMMANDS, is_path=THERE.__contains__)
    assert found == expected.split()


PROGRAM = """
import sys, time
import typer, verifier.cli
from verifier.__main__ import main

app = verifier.cli.app = typer.Typer()

@app.command()
def much():
    print("x" * 1_000_000)
    raise typer.Exit(0)

@app.command()
def little():
    print("VERIFIED")
    raise typer.Exit(0)

@app.command()
def wait():
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("cleaned", flush=True)

main()
"""


def start(*arguments: str, **more):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=buffered, **more)


@pytest.mark.parametrize("command", ["much", "little"])
def test_a_result_that_nobody_could_read_is_no_result(command: str):
    """The reader of a pipe has gone before a byte was written."""
    reading, writing = os.pipe()
    os.close(reading)
    process = start(command, stdout=writing)
    os.close(writing)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "standard output: " in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


def test_a_full_disk_behind_standard_output_is_an_error():
    with Path("/dev/full").open("w") as full:
        process = start("little", stdout=full)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "No space left" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_being_stopped_cleans_up_and_says_how_to_go_on(number: signal.Signals):
    process = start("wait", stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "cleaned\n")
    assert "start it again to go on from there" in err


def test_as_a_module():
    process = subprocess.run(
        [sys.executable, "-m", "verifier", "--no-such-option", "--json"],
        capture_output=True,
        check=False,
    )
    assert process.returncode in (2, 3)  # 3 while there is no command yet
    assert json.loads(process.stdout)["error"]["exit"] == process.returncode
