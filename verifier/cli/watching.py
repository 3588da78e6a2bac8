"""Progress of a study on stderr: events of the pipeline -> one line of state."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from verifier.adapters.progress import ProgressWriter
from verifier.pipeline.execute import Begun, Executed
from verifier.ports import Clock, Event, Finished
from verifier.report.progress import Progress, begin


class Watcher:
    """Turns what the pipeline reports into progress lines; a context manager."""

    def __init__(self, clock: Clock, *, slots: int, quiet: bool) -> None:
        self._clock, self._slots, self._quiet = clock, slots, quiet
        self._writer = ProgressWriter(sys.stderr, clock=clock)
        self._state: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.clear()

    def report(self, said: Begun | Event | Finished[Executed]) -> None:
        """Take in one report and show where the study is."""
        now_s = self._clock.monotonic()
        match said:
            case Begun():
                if not self._quiet:
                    self._writer.note(f"{said.group}: {len(said.plans)} trials to run")
                self._state = begin(
                    tuple(f"{p.regime} {p.arm}" for p in said.plans),
                    slots=self._slots,
                    now_s=now_s,
                    cached=said.cached,
                )
            case Event() if self._state is not None:
                self._state = self._state.said(said.item, said.body)
            case Finished() if self._state is not None:
                self._state = self._state.ended(said.item, now_s)
        if self._state is not None and not self._quiet:
            self._writer.show(self._state)
