"""A verdict on one screen: the outcome in plain words first, the verdict last."""

from __future__ import annotations

from collections.abc import Iterator

from verifier.documents.numbers import signed
from verifier.documents.verdict import ArmRow, ControlRow, LookRow, TableRow, Verdict
from verifier.report.listing import clean, fold, render_table

WIDTH = 80
_LABEL = 10
_BOLD, _GREEN, _RED, _YELLOW, _OFF = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_COLOURS = {"VERIFIED": _GREEN, "FALSIFIED": _RED, "UNVERIFIED": _YELLOW}
_MARKS = {
    "passed": "ok",
    "failed": "FAILED",
    "not_testable": "not testable",
    "warning": "warning",
    "not_needed": "-",
    "not_run": "NOT RUN",
}
_MOST_FINDINGS = 4
_ID, _TITLE = 4, 42


def render(
    verdict: Verdict,
    *,
    place: str,
    colour: bool = False,
    tables: bool = False,
    width: int = WIDTH,
) -> str:
    """Return the verdict as text of at most `width` columns; the last line is the verdict."""
    lines = [*fold(verdict.plain, width), ""]
    lines += _arms(verdict, width)
    lines += _looks(verdict, width)
    lines += _controls(verdict.controls, width)
    lines += _findings(verdict, width)
    lines += _facts(verdict, place, width)
    if tables:
        lines += _tables(verdict, width)
    last = last_line(verdict, width=width)
    lines.append(_coloured(last, verdict.status) if colour else last)
    return "\n".join(lines)


def last_line(verdict: Verdict, *, width: int = WIDTH) -> str:
    """Return verdict and reason in one line; the claim's name is cut where it does not fit."""
    head = f"{verdict.status}  {verdict.reason_code}  ({verdict.outcome}, "
    name, room = verdict.subject.id, width - len(head) - 1
    return clean(f"{head}{name if len(name) <= room else name[: room - 1] + '…'})")


def paragraph(label: str, text: str, *, width: int = WIDTH) -> list[str]:
    """Return a labelled paragraph, its lines indented to one column."""
    return fold(text, width, first=label.ljust(_LABEL), rest=" " * _LABEL)


def _coloured(text: str, status: str) -> str:
    return f"{_BOLD}{_COLOURS[status]}{text}{_OFF}"


def _signed(value: float | None, digits: int) -> str:
    return "unknown" if value is None else signed(value, digits)


def _number(value: float | None, form: str = ".4f") -> str:
    return "unknown" if value is None else format(value, form)


def _last_look(verdict: Verdict) -> list[LookRow]:
    last = max((row.look for row in verdict.estimates), default=0)
    return [row for row in verdict.estimates if row.look == last]


def _several(verdict: Verdict) -> bool:
    return len({row.setting for row in verdict.arms}) > 1


def _arms(verdict: Verdict, width: int) -> list[str]:
    """Return arm means, one column a condition."""
    if not verdict.arms:
        return []
    arms = list(dict.fromkeys(row.arm for row in verdict.arms))
    conditions = list(dict.fromkeys((row.setting, row.regime) for row in verdict.arms))
    cells = {(r.arm, r.setting, r.regime): _arm(r) for r in verdict.arms}
    measure = str(verdict.criterion.measure)
    rows = [
        {
            measure: arm,
            **{(f"{s} {r}" if _several(verdict) else r): cells[arm, s, r] for s, r in conditions},
        }
        for arm in arms
    ]
    seeds = verdict.arms[0].seeds
    queries = verdict.estimates[-1]
    note = (
        f"means over {seeds} seeds and {queries.queries} queries in {queries.clusters} clusters, "
        "sd over seeds"
    )
    return [render_table(rows, width=width), *fold(note, width), ""]


def _arm(row: ArmRow) -> str:
    return f"{_number(row.mean)} sd {_number(row.seed_sd)}"


def _looks(verdict: Verdict, width: int) -> list[str]:
    """Return the telling contrast of each look and condition, with its interval."""
    telling: dict[tuple[str, str, int], LookRow] = {}
    for row in verdict.estimates:
        telling.setdefault((row.setting, row.regime, row.look), row)
    if not telling:
        return []
    rows = [
        {
            "seeds": row.look,
            "regime": f"{row.setting} {row.regime}" if _several(verdict) else row.regime,
            "contrast": row.contrast,
            "difference": _signed(row.value, 4),
            "interval": f"[{_signed(row.low, 4)}, {_signed(row.high, 4)}]",
            "outcome": row.outcome,
        }
        for row in telling.values()
    ]
    margin = verdict.criterion.margin
    share = verdict.try_.alpha_per_look
    note = f"margin {margin:g}, alpha {_number(share, '.3g')} a side and look"
    return [render_table(rows, width=width), *fold(note, width), ""]


def _controls(rows: tuple[ControlRow, ...], width: int) -> list[str]:
    """Return one line a control, its conditions together; details where it did not pass."""
    if not rows:
        return []
    lines: list[str] = []
    for control in dict.fromkeys(row.id for row in rows):
        mine = [row for row in rows if row.id == control]
        states = list(dict.fromkeys(_MARKS[row.state] for row in mine))
        title, shown = f"{control:{_ID}}{mine[0].title}", ", ".join(states)
        if len(title) < _ID + _TITLE <= width - max(map(len, states)):
            rest = " " * (_ID + _TITLE)
            lines += fold(shown, width, first=clean(title).ljust(_ID + _TITLE), rest=rest)
        else:
            lines += fold(f"{title}: {shown}", width, rest=" " * _ID)
    return [*lines, ""]


def _findings(verdict: Verdict, width: int) -> list[str]:
    lines: list[str] = []
    for finding in verdict.findings[:_MOST_FINDINGS]:
        text = f"{finding.rule} ({finding.where}): {finding.message}"
        lines += fold(text, width, first="! ", rest="  ")
    left = len(verdict.findings) - _MOST_FINDINGS
    if left > 0:
        lines.append(f"! and {left} more findings in the verdict")
    return lines


def _facts(verdict: Verdict, place: str, width: int) -> Iterator[str]:
    scope = verdict.scope
    attempt = verdict.try_
    cost = verdict.cost
    yield from paragraph(
        "scope", f"{scope.reached}; the claim requires {scope.required}", width=width
    )
    for text in scope.leaves_open[:1]:
        yield from paragraph("open", text, width=width)
    yield from paragraph("change", verdict.would_change_it, width=width)
    yield from paragraph(
        "rests on",
        f"try {attempt.number} of its lineage (alpha {_number(attempt.alpha, '.4g')}), "
        f"{cost['trials']} trials, sandbox {verdict.sandbox.level}",
        width=width,
    )
    yield from paragraph("audit", f"verify audit {place}", width=width)


def _tables(verdict: Verdict, width: int) -> Iterator[str]:
    """Yield the tables by language and stratum, one a condition and group."""
    keys = dict.fromkeys((r.setting, r.regime, r.group) for r in verdict.tables)
    for setting, regime, group in keys:
        rows = [
            r for r in verdict.tables if (r.setting, r.regime, r.group) == (setting, regime, group)
        ]
        yield ""
        yield from fold(f"by {group} ({setting}, {regime}); * counts for the verdict", width)
        yield render_table([_table_row(row) for row in rows], width=width)
    yield ""


def _table_row(row: TableRow) -> dict[str, object]:
    return {
        "": f"{row.key}{'*' if row.primary else ''}",
        "queries": row.queries,
        **{arm: _number(mean, ".3f") for arm, mean in row.arms.items()},
        "difference": _signed(row.contrast, 3),
        "interval": "-" if row.low is None else f"[{_signed(row.low, 3)}, {_signed(row.high, 3)}]",
    }
