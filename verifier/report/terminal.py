"""A verdict on one screen: the outcome in plain words first, the verdict last."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from verifier.documents.verdict import ArmRow, ControlRow, LookRow, TableRow, Verdict
from verifier.report.listing import render_table

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


def render(
    verdict: Verdict,
    *,
    place: str,
    colour: bool = False,
    tables: bool = False,
    width: int = WIDTH,
) -> str:
    """Return the verdict as text of at most `width` columns; the last line is the verdict."""
    lines = [*wrap(verdict.plain, width), ""]
    lines += _arms(verdict)
    lines += _looks(verdict)
    lines += _controls(verdict.controls)
    lines += _findings(verdict, width)
    lines += _facts(verdict, place, width)
    if tables:
        lines += _tables(verdict)
    lines.append(_coloured(last_line(verdict), verdict.status) if colour else last_line(verdict))
    return "\n".join(lines)


def last_line(verdict: Verdict) -> str:
    """Return verdict and reason in one line."""
    return f"{verdict.status}  {verdict.reason_code}  ({verdict.outcome}, {verdict.subject.id})"


def paragraph(label: str, text: str, *, width: int = WIDTH) -> list[str]:
    """Return a labelled paragraph, its lines indented to one column."""
    return wrap(text, width, initial_indent=label.ljust(_LABEL), subsequent_indent=" " * _LABEL)


def _coloured(text: str, status: str) -> str:
    return f"{_BOLD}{_COLOURS[status]}{text}{_OFF}"


def _number(value: float | None, form: str = ".4f") -> str:
    return "unknown" if value is None else format(value, form)


def _last_look(verdict: Verdict) -> list[LookRow]:
    last = max((row.look for row in verdict.estimates), default=0)
    return [row for row in verdict.estimates if row.look == last]


def _several(verdict: Verdict) -> bool:
    return len({row.setting for row in verdict.arms}) > 1


def _arms(verdict: Verdict) -> list[str]:
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
    return [render_table(rows), note, ""]


def _arm(row: ArmRow) -> str:
    return f"{_number(row.mean)} sd {_number(row.seed_sd)}"


def _looks(verdict: Verdict) -> list[str]:
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
            "difference": _number(row.value, "+.4f"),
            "interval": f"[{_number(row.low, '+.4f')}, {_number(row.high, '+.4f')}]",
            "outcome": row.outcome,
        }
        for row in telling.values()
    ]
    margin = verdict.criterion.margin
    share = verdict.try_.alpha_per_look
    return [render_table(rows), f"margin {margin:g}, alpha {share:.3g} a side and look", ""]


def _controls(rows: tuple[ControlRow, ...]) -> list[str]:
    """Return one line a control, its conditions together; details where it did not pass."""
    if not rows:
        return []
    lines = []
    for control in dict.fromkeys(row.id for row in rows):
        mine = [row for row in rows if row.id == control]
        states = list(dict.fromkeys(_MARKS[row.state] for row in mine))
        lines.append(f"{control:4}{mine[0].title:42}{', '.join(states)}")
    return [*lines, ""]


def _findings(verdict: Verdict, width: int) -> list[str]:
    lines: list[str] = []
    for finding in verdict.findings[:_MOST_FINDINGS]:
        text = f"{finding.rule} ({finding.where}): {finding.message}"
        lines += wrap(text, width, initial_indent="! ", subsequent_indent="  ")
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


def _tables(verdict: Verdict) -> Iterator[str]:
    """Yield the tables by language and stratum, one a condition and group."""
    keys = dict.fromkeys((r.setting, r.regime, r.group) for r in verdict.tables)
    for setting, regime, group in keys:
        rows = [
            r for r in verdict.tables if (r.setting, r.regime, r.group) == (setting, regime, group)
        ]
        yield ""
        yield f"by {group} ({setting}, {regime}); * counts for the verdict"
        yield render_table([_table_row(row) for row in rows])
    yield ""


def _table_row(row: TableRow) -> dict[str, object]:
    return {
        "": f"{row.key}{'*' if row.primary else ''}",
        "queries": row.queries,
        **{arm: _number(mean, ".3f") for arm, mean in row.arms.items()},
        "difference": _number(row.contrast, "+.3f"),
        "interval": f"[{_number(row.low, '+.3f')}, {_number(row.high, '+.3f')}]",
    }
