"""Shows a study's progress on a terminal (one line, redrawn) or in a log (few lines)."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self, TextIO

from verifier.ports import Clock
from verifier.report.progress import Progress
from verifier.report.progress_line import WIDTH, line

_REDRAW_S = 0.1
_LOG_S = 10.0
_LOG_SHARE = 0.1
_WIDEST = 120
_CLEAR = "\r\x1b[K"


class ProgressWriter:
    """Writes progress to `stream`; a context manager, at whose end the line is cleared.

    On a terminal the line is redrawn at most ten times a second, in one write.  Elsewhere a
    line is added with every tenth of the trials, and every 10 s or tenth of the time so far,
    whichever is longer, so that a log of hours stays short.  A stream that fails is given up:
    progress is never worth an error.
    """

    def __init__(self, stream: TextIO, *, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._next_s = float("-inf")
        self._mark: tuple[int, int] | None = None
        self._drawn = ""
        self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def show(self, state: Progress) -> None:
        """Take in a state; it is written if it is time to."""
        now_s = self._clock.monotonic()
        if self._live:
            self._redraw(state, now_s)
        else:
            self._log(state, now_s)

    def note(self, text: str) -> None:
        """Write a line of its own, such as a warning, without tearing the progress line."""
        self.clear()
        self._write(text + "\n")

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self._drawn:
            self._write(_CLEAR)
            self._drawn, self._next_s = "", float("-inf")

    def _redraw(self, state: Progress, now_s: float) -> None:
        if now_s < self._next_s:
            return
        text = line(state, now_s, width=self._width())
        if text != self._drawn:
            self._write(f"\r{text}\x1b[K")
            self._drawn = text
        self._next_s = now_s + _REDRAW_S

    def _log(self, state: Progress, now_s: float) -> None:
        mark = (state.look, 10 * state.done // max(1, state.total))
        if mark == self._mark and now_s < self._next_s:
            return
        self._write(line(state, now_s, width=_WIDEST) + "\n")
        self._mark = mark
        self._next_s = now_s + max(_LOG_S, _LOG_SHARE * (now_s - state.started_s))

    def _width(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return min(columns, _WIDEST) if columns else WIDTH

    def _write(self, text: str) -> None:
        if self._failed:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._failed = True
