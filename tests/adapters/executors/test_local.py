"""The local executor: order, errors, deaths, interruption, with real processes."""

from __future__ import annotations

import os
import pickle
import signal
import stat
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from verifier.adapters.executors import local
from verifier.adapters.executors.local import LocalExecutor, WorkError
from verifier.errors import (
    DocumentError,
    EvidenceError,
    OutputError,
    Problem,
    UsageError,
    VerifierError,
)
from verifier.ports import Event, Finished

WORDS = {"where": "there", "hint": "do this"}
ERRORS = [
    VerifierError("a", **WORDS),
    UsageError("b", **WORDS),
    EvidenceError("c", **WORDS),
    OutputError("d", rule="output.nan", **WORDS),
    DocumentError([Problem(message="e", **WORDS), Problem(message="f", **WORDS)]),
    WorkError("g", where="there", traceback_text="Traceback ..."),
]


@pytest.fixture(autouse=True)
def no_child_is_left():
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def results(executor, items, work):
    return [one for one in executor.run(items, work) if isinstance(one, Finished)]


@pytest.mark.parametrize("slots", [0, 1, 2, 5])
def test_every_item_gives_its_result(slots: int):
    found = results(LocalExecutor(slots), ["a", "b", "c", "d"], lambda item, _: item * 2)
    assert sorted((one.item, one.value) for one in found) == list(
        enumerate(["aa", "bb", "cc", "dd"])
    )
    assert results(LocalExecutor(slots), [], lambda item, _: item) == []


@pytest.mark.parametrize("slots", [0, 2])
def test_events_come_in_the_order_said_and_before_their_result(slots: int):
    def work(item, emit):
        for step in range(3):
            emit({"step": step})
        return item

    told = list(LocalExecutor(slots).run(range(4), work))
    for item in range(4):
        mine = [one for one in told if one.item == item]
        assert mine == [Event(item=item, body={"step": n}) for n in range(3)] + [
            Finished(item=item, value=item)
        ]


def test_items_are_handed_out_one_by_one_in_order():
    """One slot: strictly in order.  Two: a long item does not hold up those after it."""
    assert [one.item for one in results(LocalExecutor(1), range(9), lambda i, _: i)] == list(
        range(9)
    )
    found = results(LocalExecutor(2), range(6), lambda i, _: time.sleep(0.3 if i == 0 else 0.01))
    assert [one.item for one in found] == [1, 2, 3, 4, 5, 0]


def test_large_values_and_closures_pass():
    big = os.urandom(3_000_000)
    [one] = results(LocalExecutor(2), [lambda: big], lambda item, _: item() + b"!")
    assert one.value == big + b"!"


def test_workers_are_other_processes_and_are_used_again():
    pids = {one.value for one in results(LocalExecutor(2), range(10), lambda i, _: os.getpid())}
    assert len(pids) <= 2
    assert os.getpid() not in pids
    assert results(LocalExecutor(0), [1], lambda i, _: os.getpid())[0].value == os.getpid()


def test_a_worker_holds_no_pipe_of_another():
    """Else a parent's end stays open in siblings, one more for each worker made."""

    def sockets(_item=None, _emit=None) -> int:
        return sum(_is_socket(int(path.name)) for path in Path("/proc/self/fd").iterdir())

    before = sockets()
    found = results(LocalExecutor(4), range(12), lambda i, _: time.sleep(0.02) or sockets())
    assert {one.value - before for one in found} == {1}


def _is_socket(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:  # the one that listed the folder
        return False


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_our_errors_come_back_whole(error: VerifierError):
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(copy) is type(error)
    assert (str(copy), copy.args, vars(copy)) == (str(error), error.args, vars(error))

    def work(item, emit):
        raise error

    with pytest.raises(type(error)) as caught:
        list(LocalExecutor(1).run([0], work))
    told = vars(caught.value)
    assert {**told, "traceback_text": None} == {**vars(error), "traceback_text": None}
    assert str(caught.value) == str(error)


@pytest.mark.parametrize("slots", [0, 1, 3])
def test_the_first_error_in_order_is_raised_and_running_items_are_kept(slots: int, tmp_path: Path):
    def work(item, emit):
        (tmp_path / str(item)).touch()
        if item == 2:
            time.sleep(0.1)  # fails after item 3 has
        if item in (2, 3):
            raise VerifierError(f"item {item}", **WORDS)
        time.sleep(0.01)
        return item

    executor = LocalExecutor(slots)
    found = []
    with pytest.raises(VerifierError, match="item 2"):
        found.extend(executor.run(range(50), work))
    begun = {int(path.name) for path in tmp_path.iterdir()}
    assert {one.item for one in found} == begun - {2, 3}
    assert max(begun) < 40


@pytest.mark.parametrize("slots", [0, 2])
def test_any_other_error_is_ours_with_its_traceback(slots: int):
    def work(item, emit):
        return {}["missing"]

    with pytest.raises(WorkError, match="KeyError: 'missing'") as caught:
        list(LocalExecutor(slots).run([0], work))
    assert 'return {}["missing"]' in caught.value.traceback_text
    assert "VERIFY_TRACEBACK" in caught.value.hint


def test_a_value_that_cannot_come_back_is_an_error():
    with pytest.raises(WorkError):
        list(LocalExecutor(1).run([0], lambda item, emit: lambda: None))


@pytest.mark.parametrize("end", [lambda: os.kill(os.getpid(), 9), lambda: os._exit(0), sys.exit])
def test_an_exit_in_work_is_no_result(end):
    with pytest.raises(VerifierError):
        list(LocalExecutor(2).run(range(3), lambda item, emit: end()))


def test_a_dead_worker_has_its_item_done_again_once(tmp_path: Path):
    def work(item, emit):
        if item == 1 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert {one.item for one in results(LocalExecutor(2), range(5), work)} == set(range(5))


def test_an_item_that_kills_twice_is_given_up(tmp_path: Path):
    def work(item, emit):
        if item == 1:
            (tmp_path / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    with pytest.raises(VerifierError, match=r"item 1 of 40: .*died twice .*\(killed by SIGKILL\)"):
        list(LocalExecutor(2).run(range(40), work))
    assert len(list(tmp_path.iterdir())) == 2


def test_closing_early_lets_workers_clean_up(tmp_path: Path):
    def work(item, emit):
        try:
            emit({})
            time.sleep(60)
        finally:
            (tmp_path / str(item)).touch()

    begun = time.monotonic()
    with closing(LocalExecutor(3).run(range(9), work)) as told:
        for _ in range(3):
            next(told)
    assert time.monotonic() - begun < 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_threads_are_refused():
    from threading import Event as Flag  # noqa: PLC0415
    from threading import Thread  # noqa: PLC0415

    flag = Flag()
    thread = Thread(target=flag.wait, name="painter")
    thread.start()
    try:
        with pytest.raises(VerifierError, match="painter"):
            list(LocalExecutor(1).run([0], lambda item, emit: item))
    finally:
        flag.set()
        thread.join()


def test_slots_are_bounded_by_cores_and_memory(monkeypatch):
    monkeypatch.setattr(local, "usable_cores", lambda: 8)
    monkeypatch.setattr(local, "available_memory_bytes", lambda: 10 << 30)
    assert LocalExecutor().slots == 8
    assert LocalExecutor(memory_bytes=4 << 30).slots == 2
    assert LocalExecutor(memory_bytes=100 << 30).slots == 1
    assert LocalExecutor(3, memory_bytes=4 << 30).slots == 3
    with pytest.raises(ValueError, match="0 or more"):
        LocalExecutor(-1)
