"""The line of progress, the time it says is left, and how it is written."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.adapters.progress import ProgressWriter
from verifier.report.progress import Progress, begin, left_s
from verifier.report.progress_line import line, spell


def simulate(kinds, lengths, slots, *, steps=None, upto=1.0, start_up=0.0):
    """Run a schedule; give the states when `upto` of the time has gone, its time, and the end.

    steps: every item tells its step whenever anything happens, after `start_up` seconds.
    """
    ends, free = [], [0.0] * slots
    for length in lengths:
        slot = free.index(min(free))
        ends.append((free[slot], free[slot] + length))
        free[slot] += length
    total = max(free)
    state, stop = begin(tuple(kinds), slots=slots, now_s=100.0), upto * total
    order = sorted(range(len(ends)), key=lambda item: ends[item][1])
    for item in order:
        if ends[item][1] <= stop:
            state = state.ended(item, 100.0 + ends[item][1])
    for item in [*state.running] if steps else []:
        begun, end = ends[item]
        share = max(0.0, stop - begun - start_up) / (end - begun - start_up)
        state = state.said(item, {"step": int(steps * share), "steps": steps})
    return state, 100.0 + stop, 100.0 + total


@pytest.mark.parametrize("slots", [1, 3, 16])
@pytest.mark.parametrize("upto", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_is_within_a_quarter_after_a_fifth(slots: int, upto: float, seed: int):
    """Assignments of 2 s and trainings of 20 s, each up to 20 % shorter or longer."""
    dice = random.Random(seed)
    kinds = ["assign", "train"] * 60
    means = {"assign": 2.0, "train": 20.0}
    lengths = [means[kind] * dice.uniform(0.8, 1.2) for kind in kinds]
    state, now_s, end_s = simulate(kinds, lengths, slots, upto=upto)
    left = left_s(state, now_s)
    assert left is not None
    assert abs(now_s + left - end_s) < 0.25 * (end_s - now_s)


@pytest.mark.parametrize("slots", [2, 10])
def test_steps_tell_before_the_first_item_is_finished(slots: int):
    """Ten trials of 100 s with 5 s of start-up: a fifth of the first ones is enough."""
    kinds = ["train"] * 10
    state, now_s, end_s = simulate(
        kinds, [100.0] * 10, slots, steps=1000, upto=20 / (1000 / slots), start_up=5.0
    )
    left = left_s(state, now_s)
    assert left is not None
    assert abs(left - (end_s - now_s)) < 0.35 * (end_s - now_s)


def test_without_anything_to_go_by_it_says_so():
    state = begin(("train",) * 4, slots=2, now_s=0.0)
    assert left_s(state, 30.0) is None
    assert line(state, 30.0) == "trials 0/4 (2 running)  elapsed 30 s  estimating"
    early = state.said(0, {"step": 1, "steps": 100})
    assert left_s(early, 30.0) is None
    assert left_s(state.ended(0, 0.5), 1.0) is None


@given(
    st.lists(st.sampled_from("ab"), max_size=20),
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(-1, 25), st.booleans(), st.floats(0, 1e6)), max_size=60),
)
def test_any_story_has_a_line_that_fits(kinds: list[str], slots: int, story):
    """Events of unknown items, repeated or out of order: never an error, never a wrong count."""
    state, now_s = begin(tuple(kinds), slots=slots, now_s=0.0, cached=3, looks=3), 0.0
    for item, ends, wait in story:
        now_s += wait
        state = state.ended(item, now_s) if ends else state.said(item, {"step": item})
        left = left_s(state, now_s)
        assert left is None or left >= 0
        assert 3 <= state.done <= state.total == len(kinds) + 3
        assert len(line(state, now_s)) < 80
        assert f"trials {state.done}/{state.total}" in line(state, now_s)
    for item in range(len(kinds)):
        state = state.ended(item, now_s)
    assert state.done == state.total
    assert left_s(state, now_s) == 0


TIMES = "elapsed 2 min 10 s  left about 7 min"


def example() -> Progress:
    state = begin(("train",) * 106, slots=2, now_s=0.0, cached=14, look=1, looks=3)
    for item in range(23):
        state = state.ended(item, 5.0 * (item + 1))
    return state.said(24, {"step": 410, "steps": 1100, "loss": 1.734})


def test_the_whole_line():
    assert line(example(), 130.0, width=200) == (
        "look 1 of 3  trials 37/120 (2 running, 14 cached)  step 410/1100  loss 1.73"
        "  elapsed 2 min 10 s  left about 7 min"
    )


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (100, f"look 1 of 3  trials 37/120  step 410/1100  loss 1.73  {TIMES}"),
        (90, f"look 1 of 3  trials 37/120  step 410/1100  {TIMES}"),
        (70, f"look 1 of 3  trials 37/120  {TIMES}"),
        (50, "look 1 of 3  trials 37/120  left about 7 min"),
        (20, "trials 37/120"),
        (1, ""),
    ],
)
def test_what_matters_least_goes_first(width: int, expected: str):
    assert line(example(), 130.0, width=width) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"step": "1\x1b[2J", "loss": "low"},
        {"step": -1, "loss": float("nan")},
        {"step": 1 << 40, "loss": float("inf")},
        {"step": True, "loss": True},
        {"step": [1], "loss": None},
        {},
    ],
)
def test_what_scripts_say_is_shown_only_if_it_is_a_number(body):
    state = begin(("train",), slots=1, now_s=0.0).said(0, body)
    assert line(state, 1.0, width=200) == "trials 0/1 (1 running)  elapsed 1 s  estimating"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (130, "2 min 10 s"), (3900, "1 h 5 min")],
)
def test_times_in_words(seconds: float, text: str):
    assert spell(seconds) == text


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def story(stream: io.StringIO, *, seconds: float, trials: int = 100) -> list[str]:
    """Show `trials` trials of equal length, ten states a trial; return what each write held."""
    clock = Clock()
    writes: list[str] = []
    stream.write = writes.append  # type: ignore[assignment, method-assign]
    with ProgressWriter(stream, clock=clock) as writer:
        state = begin(("train",) * trials, slots=1, now_s=0.0)
        for item in range(trials):
            for step in range(10):
                writer.show(state.said(item, {"step": step, "steps": 10}))
                clock.at += seconds / trials / 10
            state = state.ended(item, clock.at)
        writer.show(state)
    return writes


def test_a_terminal_has_one_line_redrawn_and_cleared_at_the_end(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    writes = story(Terminal(), seconds=20)
    assert all(text.startswith("\r") and text.endswith("\x1b[K") for text in writes)
    assert all(len(text) < 80 + 4 and "\n" not in text for text in writes)
    assert writes[-1] == "\r\x1b[K"
    assert 100 < len(writes) <= 200 + 2


@pytest.mark.parametrize(("seconds", "most"), [(1, 12), (60, 18), (7200, 80)])
def test_a_log_has_few_lines(seconds: float, most: int):
    writes = story(io.StringIO(), seconds=seconds)
    assert 10 <= len(writes) <= most
    assert all(text.endswith("\n") and "\x1b" not in text and "\r" not in text for text in writes)
    assert "trials 100/100" in writes[-1]


def test_a_dumb_terminal_is_a_log(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert not any("\r" in text for text in story(Terminal(), seconds=1))


def test_a_note_does_not_tear_the_line(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with ProgressWriter(stream, clock=Clock()) as writer:
        writer.show(begin(("train",), slots=1, now_s=0.0))
        writer.note("objects/ab: damaged")
        writer.show(begin(("train",), slots=1, now_s=0.0))
    assert "\r\x1b[Kobjects/ab: damaged\n\rtrials 0/1" in stream.getvalue()


def test_a_stream_that_fails_is_given_up():
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with ProgressWriter(Broken(), clock=Clock()) as writer:
        writer.show(begin(("train",), slots=1, now_s=0.0))
        writer.note("x")
