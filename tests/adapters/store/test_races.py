"""Real processes at the same secret, nonce, trial and ledger: one wins, all agree."""

from __future__ import annotations

import os
import time
from pathlib import Path

from verifier.adapters.store import open_ledger, open_store

PROCESSES = 6
A = "a" * 64


def at_once(child, work):
    """Run `work` in several processes that start it at the same moment."""
    start = time.monotonic() + 0.05

    def later(say):
        while time.monotonic() < start:
            pass
        work(say)

    children = [child(later) for _ in range(PROCESSES)]
    heard = [one.heard() for one in children]
    assert {one.status for one in children} == {0}
    return heard


def test_one_secret_whoever_is_first(tmp_path: Path, child):
    for number in range(10):
        root = tmp_path / str(number)
        heard = at_once(child, lambda say, root=root: say(open_store(root).secret().hex()))
        assert len({text for [text] in heard}) == 1


def test_one_nonce_and_one_first_entry(tmp_path: Path, child, clock):
    for number in range(10):
        root = tmp_path / str(number)
        heard = at_once(child, lambda say, root=root: say(open_ledger(root, clock).nonce().hex()))
        assert len({text for [text] in heard}) == 1
        assert [entry["kind"] for entry in open_ledger(root, clock).entries()] == ["nonce"]


def test_a_trial_is_run_by_one_process(root: Path, child):
    """Everybody wants it; whoever holds the lock first does the work, the others find it done."""

    def work(say):
        store = open_store(root)
        with store.trial_lock(A):
            trial = store.get(A)
            if trial is None:
                say("worked")
                trial = store.put(A, {"pid": os.getpid()}, {"x": b"x" * 10_000})
        say(str(trial.record["pid"]))

    heard = at_once(child, work)
    assert sum("worked" in lines for lines in heard) == 1
    assert len({lines[-1] for lines in heard}) == 1
    assert not list((root / "locks").iterdir())


def test_puts_without_a_lock_agree_on_the_first(root: Path, child):
    def work(say):
        store = open_store(root)
        for number in range(10):
            trial = store.put(f"{number:064x}", {"pid": os.getpid()}, {"x": b"%d" % os.getpid()})
            say(f"{trial.record['pid']} {store.blob(trial, 'x').decode()}")

    heard = at_once(child, work)
    for lines in zip(*heard, strict=True):
        assert len(set(lines)) == 1
        assert len(set(lines[0].split())) == 1


def test_appends_of_many_processes_make_one_chain(root: Path, child, clock):
    """Read-then-append under `locked` counts every try once, with no number twice."""
    rounds = 12

    def work(say):
        ledger = open_ledger(root, clock)
        for _ in range(rounds):
            with ledger.locked():
                tries = sum(entry["kind"] == "try" for entry in ledger.entries())
                say(str(ledger.append("try", {"try": tries + 1})["body"]["try"]))

    heard = at_once(child, work)
    counted = sorted(int(text) for lines in heard for text in lines)
    assert counted == list(range(1, PROCESSES * rounds + 1))
    ledger = open_ledger(root, clock)
    assert [entry["seq"] for entry in ledger.entries()] == list(range(len(counted) + 1))
    assert not ledger.warnings


def test_appends_need_no_lock_of_the_caller(root: Path, child, clock):
    def work(say):
        ledger = open_ledger(root, clock)
        for _ in range(12):
            say(str(ledger.append("try", {})["seq"]))

    heard = at_once(child, work)
    numbers = sorted(int(text) for lines in heard for text in lines)
    assert numbers == list(range(1, PROCESSES * 12 + 1))
