"""The state of a study in one line of text."""

from __future__ import annotations

import math
from collections.abc import Mapping

from verifier.report.progress import Progress, left_s

WIDTH = 80
_MINUTE, _HOUR = 60, 3600


def line(state: Progress, now_s: float, *, width: int = WIDTH) -> str:
    """Return the state in one line of fewer than `width` characters.

    What matters least is left out first: loss, numbers of running and cached, step, elapsed.
    """
    parts = _parts(state, now_s)
    shown: set[str] = set()
    for name in ("trials", "left", "look", "elapsed", "step", "detail", "loss"):
        if name == "loss" and "step" not in shown:
            continue
        if parts[name] and len(_join(parts, shown | {name})) < width:
            shown.add(name)
    return _join(parts, shown)


def spell(seconds: float) -> str:
    """Return a time as people say it: "45 s", "2 min 10 s", "1 h 5 min"."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def _parts(state: Progress, now_s: float) -> dict[str, str]:
    detail = [f"{len(state.running)} running"] if state.running else []
    detail += [f"{state.cached} cached"] if state.cached else []
    told = state.running.get(-1 if state.latest is None else state.latest)
    step = loss = ""
    if told and told.step is not None:
        step = f"step {told.step}" + (f"/{told.steps}" if told.steps else "")
    if told and told.loss is not None:
        loss = f"loss {told.loss:.3g}"
    left = left_s(state, now_s)
    return {
        "look": f"look {state.look} of {state.looks}" if state.looks > 1 else "",
        "trials": f"trials {state.done}/{state.total}",
        "detail": f"({', '.join(detail)})" if detail else "",
        "step": step,
        "loss": loss,
        "elapsed": f"elapsed {spell(now_s - state.started_s)}",
        "left": "estimating" if left is None else f"left about {_roughly(left)}",
    }


def _join(parts: Mapping[str, str], shown: set[str]) -> str:
    text = "  ".join(parts[name] for name in parts if name in shown)
    return text.replace("  (", " (")


def _roughly(seconds: float) -> str:
    if seconds < _MINUTE - 5:
        return f"{max(5, 5 * math.ceil(seconds / 5))} s"
    minutes = max(1, round(seconds / _MINUTE))
    if minutes < _MINUTE:
        return f"{minutes} min"
    return spell(5 * _MINUTE * round(minutes / 5))
