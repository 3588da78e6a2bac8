"""How far a study is, and how long it will still take: events in, state and estimate out.

All times are seconds on one monotonic clock, and are passed in.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

_SETTLE_S = 2.0
_ENOUGH = 0.05  # of an item's steps, before they say anything about its length
_STEPS_END = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One item being worked on, with what it said last (telemetry: shown, never trusted)."""

    started_s: float
    step: int | None = None
    steps: int | None = None
    loss: float | None = None

    def share(self) -> float | None:
        """Return the share of its steps that is done, in [0, 1]; None if it has not said."""
        if self.step is None or not self.steps:
            return None
        return min(1.0, self.step / self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One look of a study; each event gives a new value.  Make it with `begin`.

    kinds: what each item is (stage, arm, control), in the order in which they are handed out;
    items of one kind are taken to last about equally long.
    cached: trials that need no work.  spent: kind -> (items finished, their seconds in all).
    latest: the item that spoke last.
    """

    kinds: tuple[str, ...]
    slots: int
    started_s: float
    cached: int = 0
    look: int = 1
    looks: int = 1
    begun: int = 0
    running: Mapping[int, Running] = field(default_factory=dict)
    spent: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    latest: int | None = None

    @property
    def done(self) -> int:
        """Trials there are results of."""
        return self.cached + self.begun - len(self.running)

    @property
    def total(self) -> int:
        """Trials of this look."""
        return self.cached + len(self.kinds)

    def said(self, item: int, body: Mapping[str, object]) -> Progress:
        """Take in an event; fields that are not plain numbers are passed over."""
        known = self.running.get(item)
        if known is None:
            return self
        told = Running(
            started_s=known.started_s,
            step=_count(body.get("step"), known.step),
            steps=_count(body.get("steps"), known.steps),
            loss=_number(body.get("loss"), known.loss),
        )
        return replace(self, running={**self.running, item: told}, latest=item)

    def ended(self, item: int, now_s: float) -> Progress:
        """Take in that an item is finished; the next one then begins."""
        known = self.running.get(item)
        if known is None:
            return self
        kind = self.kinds[item]
        count, seconds = self.spent.get(kind, (0, 0.0))
        spent = {**self.spent, kind: (count + 1, seconds + now_s - known.started_s)}
        rest = {number: one for number, one in self.running.items() if number != item}
        latest = None if self.latest == item else self.latest
        return _filled(replace(self, running=rest, spent=spent, latest=latest), now_s)


def begin(
    kinds: tuple[str, ...],
    *,
    slots: int,
    now_s: float,
    cached: int = 0,
    look: int = 1,
    looks: int = 1,
) -> Progress:
    """Return the state at the start: the first items are running (0 slots count as 1)."""
    state = Progress(
        kinds=kinds, slots=max(1, slots), started_s=now_s, cached=cached, look=look, looks=looks
    )
    return _filled(state, now_s)


def left_s(state: Progress, now_s: float) -> float | None:
    """Return the seconds until the look is done; None while nothing tells.

    The items still to come are dealt to the slots in order, each as long as its kind has
    lasted so far; a running one has its kind's mean times the share of steps it has left.
    """
    if len(state.kinds) == state.begun and not state.running:
        return 0.0
    means = _means(state, now_s)
    if not means or now_s - state.started_s < _SETTLE_S:
        return None
    other = sum(means.values()) / len(means)
    ends = [
        _left_of(one, means.get(state.kinds[item], other), now_s)
        for item, one in state.running.items()
    ]
    ends += [0.0] * (state.slots - len(ends))
    heapq.heapify(ends)
    for kind in state.kinds[state.begun :]:
        heapq.heappush(ends, heapq.heappop(ends) + means.get(kind, other))
    return max(ends)


def _filled(state: Progress, now_s: float) -> Progress:
    """Begin items in order while there are free slots, as executors do."""
    running, begun = dict(state.running), state.begun
    while len(running) < state.slots and begun < len(state.kinds):
        running[begun] = Running(started_s=now_s)
        begun += 1
    return replace(state, running=running, begun=begun)


def _means(state: Progress, now_s: float) -> dict[str, float]:
    """Return seconds per item of each kind: of finished ones, else as running ones' steps tell."""
    told: dict[str, list[float]] = {}
    for item, one in state.running.items():
        share = one.share()
        if share is not None and share >= _ENOUGH:
            told.setdefault(state.kinds[item], []).append((now_s - one.started_s) / share)
    means = {kind: sum(values) / len(values) for kind, values in told.items()}
    return means | {kind: seconds / count for kind, (count, seconds) in state.spent.items()}


def _left_of(one: Running, mean_s: float, now_s: float) -> float:
    share = one.share()
    if share is not None:
        return (1 - share) * mean_s
    return max(0.0, mean_s - (now_s - one.started_s))


def _count(value: object, otherwise: int | None) -> int | None:
    plain = isinstance(value, int) and not isinstance(value, bool)
    return value if plain and 0 <= value < _STEPS_END else otherwise  # type: ignore[operator, return-value]


def _number(value: object, otherwise: float | None) -> float | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and math.isfinite(value) else otherwise  # type: ignore[arg-type]
