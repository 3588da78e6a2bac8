"""Death at any point: what had returned is there, the rest is absent, everything is readable."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from verifier.adapters.store import open_ledger, open_store
from verifier.errors import VerifierError

SYSTEM_CALLS = ("open", "write", "fsync", "rename", "link", "ftruncate", "unlink", "mkdir")


def trial_id(number: int) -> str:
    return f"{number:064x}"


def blobs(number: int) -> dict[str, bytes]:
    return {"x": bytes([number % 256]) * 3000, "y": b"%d" % number, "same": b"same"}


def keep_one(root: Path, clock: object, number: int, say: Callable[[str], None]) -> None:
    open_store(root).put(trial_id(number), {"n": number}, blobs(number))
    say(f"trial {number}")
    open_ledger(root, clock).append("try", {"n": number})
    say(f"entry {number}")


def check(root: Path, clock: object, said: list[str], numbers: range) -> None:
    """What was said to be kept is; what is there is whole; a next writer is not held up."""
    store, ledger = open_store(root), open_ledger(root, clock)
    for number in numbers:
        trial = store.get(trial_id(number))
        if trial is not None:
            assert trial.record == {"n": number}
            assert {name: store.blob(trial, name) for name in trial.blobs} == blobs(number)
        assert trial is not None or f"trial {number}" not in said
    entered = [entry["body"].get("n") for entry in ledger.entries()]
    assert {int(text.split()[1]) for text in said if text.startswith("entry")} <= set(entered)
    assert not store.warnings
    assert all("torn by a crash" in text for text in ledger.warnings)
    assert not list((root / "incoming").iterdir())
    keep_one(root, clock, numbers.stop, lambda _: None)


def test_killed_at_random_moments(root: Path, clock, child):
    dice = random.Random(5)
    said: list[str] = []
    for round_ in range(25):
        numbers = range(100 * round_, 100 * round_ + 90)

        def work(say, numbers=numbers):
            for number in numbers:
                keep_one(root, clock, number, say)

        one = child(work)
        time.sleep(dice.uniform(0.002, 0.04))
        one.kill()
        said += one.heard()
        check(root, clock, said, numbers)
    assert said


@contextmanager
def at_call(patch: pytest.MonkeyPatch, turn: int, fault: Callable[..., int]) -> Iterator[list[int]]:
    """Let the `turn`-th system call that touches files go through `fault` instead."""
    count = [0]

    def wrapped(name: str, real: Callable[..., int]) -> Callable[..., int]:
        def call(*args: object, **more: object) -> int:
            count[0] += 1
            return fault(name, real, *args) if count[0] == turn else real(*args, **more)

        return call

    with patch.context() as inner:
        for name in SYSTEM_CALLS:
            inner.setattr(os, name, wrapped(name, getattr(os, name)))
        yield count


def die(name: str, real: Callable[..., int], *args: object) -> int:
    if name == "write":
        fd, data = args
        real(fd, bytes(data)[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def test_killed_at_every_system_call(scratch: Path, clock, child, monkeypatch):
    """Deterministic: the process dies at call 1, 2, 3, ... until it gets through."""
    for turn in range(1, 200):
        root = scratch / str(turn)

        def work(say, root=root, turn=turn):
            with at_call(monkeypatch, turn, die):
                keep_one(root, clock, 0, say)

        one = child(work)
        said = one.heard()
        check(root, clock, said, range(1))
        if one.status == 0:
            assert turn > 40
            assert said == ["trial 0", "entry 0"]
            return
    raise AssertionError("never got through")


def full(name: str, real: Callable[..., int], *args: object) -> int:
    if name in ("unlink", "ftruncate"):  # these need no room
        return real(*args)
    if name == "write":
        fd, data = args
        real(fd, bytes(data)[: len(data) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_disk_fills_up_at_every_system_call(scratch: Path, clock, monkeypatch):
    """Always a VerifierError that says what to do, never a half file, and it works afterwards."""
    for turn in range(1, 200):
        root = scratch / str(turn)
        said: list[str] = []
        with at_call(monkeypatch, turn, full) as count:
            try:
                keep_one(root, clock, 0, said.append)
            except VerifierError as error:
                assert "No space left" in error.problem  # noqa: PT017
                assert "free some space" in error.hint  # noqa: PT017
        if root.exists() and (root / "incoming").exists():
            assert not list((root / "incoming").iterdir())
        check(root, clock, said, range(1))
        if count[0] < turn:
            assert turn > 40
            return
    raise AssertionError("never got through")


@contextmanager
def small_disk(folder: Path, *, mount: bool) -> Iterator[bool]:
    """Mount 256 KiB at `folder` where we may; else let the caller bound the size of files."""
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    mounted = False
    if mount and shutil.which("mount"):
        mounted = not subprocess.run(options, check=False, capture_output=True).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("mount", [True, False])
def test_a_really_full_disk(tmp_path: Path, child, *, mount: bool):
    with small_disk(tmp_path / "small", mount=mount) as mounted:
        root = tmp_path / "small" / "store"
        big = b"" if mounted else os.urandom(200_000)

        def work(say):
            if not mounted:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            try:
                for number in range(1000):
                    extra = {"big": big} if number == 5 else {}
                    open_store(root).put(trial_id(number), {"n": number}, blobs(number) | extra)
                    say(f"trial {number}")
            except VerifierError as error:
                say(f"! {error}")

        *said, last, hint = child(work).heard()
        assert last.startswith("! ")
        assert "cannot keep a finished trial" in last
        assert "free some space" in hint or "file-size limit" in hint
        assert len(said) >= 5
        store = open_store(root)
        assert all(store.get(trial_id(number)) for number in range(len(said)))
        assert not list((root / "incoming").iterdir())
        assert not store.warnings


def test_everything_is_synced_before_it_gets_its_name_and_the_name_after(root: Path, monkeypatch):
    """What kill tests cannot see (a power cut): contents, then name, then the record's name."""
    store = open_store(root)
    calls: list[str] = []
    for name in ("fsync", "rename", "link"):
        real = getattr(os, name)

        def call(*args: object, name: str = name, real: Callable[..., int] = real) -> int:
            calls.append(name)
            return real(*args)

        monkeypatch.setattr(os, name, call)
    store.put(trial_id(1), {}, {"x": b"x"})
    names = [place for place, call in enumerate(calls) if call != "fsync"]
    assert [calls[place] for place in names] == ["rename", "link"]
    assert all(calls[place - 1] == calls[place + 1] == "fsync" for place in names)
