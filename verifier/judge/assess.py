"""Look by look: what the evidence so far decides, and what is still needed to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifier.controls.battery import check_controls, control_level, second_strikes
from verifier.controls.isolation import isolation_findings
from verifier.decide.combine import Over, combine
from verifier.decide.outcome import Contrast, Decision
from verifier.documents.verdict import ControlRow
from verifier.documents.words import Outcome, ReasonCode
from verifier.errors import EvidenceError
from verifier.judge.bundle import Evidence
from verifier.judge.criteria import contrasts_of, decide_criterion
from verifier.judge.sheets import ScoreBook, build_sheets
from verifier.stats.alpha import look_alphas
from verifier.study.sheet import Sheet

Condition = tuple[str, str]
_SETTLED = frozenset({ReasonCode.UNDERSPECIFIED, ReasonCode.SETTINGS_DISAGREE})
_CONTROL_REASONS = {"C1": ReasonCode.NONDETERMINISTIC, "C2": ReasonCode.UNUSED_SEED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look: seeds an arm, its share of alpha, and what each condition decides.

    settled: more seeds cannot change what `combined` says, because all that is missing is an
    assay that shows, and that was tried.
    """

    seeds: int
    alpha: float
    sheets: tuple[Sheet, ...]
    contrasts: Mapping[Condition, tuple[Contrast, ...]]
    decisions: Mapping[Condition, Decision]
    combined: Decision
    settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is missing before the evidence decides: more seeds, or control trials by id."""

    seeds: int | None = None
    controls: tuple[str, ...] = ()
    strike: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the evidence says so far; with a `need` it is not the last word."""

    looks: tuple[Look, ...]
    controls: tuple[ControlRow, ...]
    decision: Decision
    need: Need | None

    @property
    def last(self) -> Look | None:
        """The look that decided, or the last there was."""
        return self.looks[-1] if self.looks else None


def assess(evidence: Evidence, book: ScoreBook) -> Assessment:
    """Decide from the evidence so far; EvidenceError if it holds more or less than it should."""
    optional = {use.name for use in evidence.claim.settings if use.optional}
    counting = [row for row in evidence.study.trials if row.setting not in optional]
    found = [finding for row in counting for finding in row.findings]
    found += isolation_findings(tuple(counting))
    if found:
        broken = f"{found[0].where}: {found[0].message}"
        return Assessment(looks=(), controls=(), decision=_broken(broken), need=None)
    available = _seeds(evidence, book)
    looks: list[Look] = []
    rows: tuple[ControlRow, ...] = ()
    for seeds in evidence.claim.seeds.looks:
        if seeds > available:
            return Assessment(
                looks=tuple(looks), controls=rows, decision=_open(looks), need=Need(seeds=seeds)
            )
        sheets = build_sheets(evidence, book, seeds=seeds)
        rows = _controls([sheet for sheet in sheets if sheet.setting not in optional])
        look, need = _look(evidence, sheets, seeds, rows)
        looks.append(look)
        strikes = second_strikes(rows)
        if strikes:
            need = Need(controls=strikes, strike=2)
        decision = _invalidated(rows) or look.combined
        if need is not None or look.settled or _final(decision):
            return Assessment(looks=tuple(looks), controls=rows, decision=decision, need=need)
    return Assessment(looks=tuple(looks), controls=rows, decision=decision, need=None)


def _final(decision: Decision) -> bool:
    return decision.outcome is not Outcome.INCONCLUSIVE or decision.reason in _SETTLED


def _seeds(evidence: Evidence, book: ScoreBook) -> int:
    sheets = build_sheets(evidence, book, seeds=None)
    counts = {len(trials) for sheet in sheets for trials in sheet.arms.values()}
    if len(counts) > 1:
        raise EvidenceError(
            f"arms have different numbers of seeds: {sorted(counts)}",
            where=f"{evidence.name}/study.json",
            hint="a finished study has the same number in every arm and condition",
        )
    return counts.pop() if counts else 0


def _controls(sheets: Sequence[Sheet]) -> tuple[ControlRow, ...]:
    level = control_level(len(sheets))
    return tuple(row for sheet in sheets for row in check_controls(sheet, level=level))


def _look(
    evidence: Evidence, sheets: tuple[Sheet, ...], seeds: int, rows: tuple[ControlRow, ...]
) -> tuple[Look, Need | None]:
    claim = evidence.claim
    alpha = look_alphas(evidence.study.try_.alpha, len(claim.seeds.looks))[0]
    contrasts, decisions, if_sensitive = {}, {}, {}
    optional = {u.name for u in claim.settings if u.optional}
    for sheet in sheets:
        if sheet.setting in optional:
            continue
        key = (sheet.setting, sheet.regime)
        contrasts[key] = contrasts_of(sheet)
        mine = [r for r in rows if (r.setting, r.regime) == key]
        shown = _sensitive(mine)
        decisions[key] = _guard_floor(
            decide_criterion(sheet, contrasts[key], alpha=alpha, sensitive=shown), mine
        )
        if_sensitive[key] = _guard_floor(
            decide_criterion(sheet, contrasts[key], alpha=alpha, sensitive=True), mine
        )
    combined = combine_conditions(decisions)
    hypothetical = combine_conditions(if_sensitive)
    untried = any(r.id == "C9" and r.state == "not_needed" for r in rows)
    asks = _final(hypothetical) and not _final(combined) and untried
    look = Look(
        seeds=seeds,
        alpha=alpha,
        sheets=tuple(s for s in sheets if s.setting not in optional),
        contrasts=contrasts,
        decisions=decisions,
        combined=combined,
        settled=_final(hypothetical) and not asks,
    )
    return look, Need(controls=("C9",)) if asks else None


def combine_conditions(decisions: Mapping[Condition, Decision]) -> Decision:
    """Combine regimes inside each setting, then the settings."""
    settings = dict.fromkeys(setting for setting, _ in decisions)
    return combine(
        {
            name: combine(
                {regime: d for (s, regime), d in decisions.items() if s == name},
                over=Over.REGIMES,
            )
            for name in settings
        },
        over=Over.SETTINGS,
    )


def _sensitive(rows: list[ControlRow]) -> bool | None:
    states = [r.state for r in rows if r.id == "C9"]
    if "passed" in states:
        return True
    return False if "failed" in states else None


def _guard_floor(decision: Decision, rows: list[ControlRow]) -> Decision:
    """Where languages are at chance nothing is refuted; where all are, nothing is decided."""
    floor = next(r for r in rows if r.id == "C5")
    if floor.state != "not_testable":
        return decision
    none_left = floor.numbers["languages"] == floor.numbers["at_chance"]
    if decision.outcome is Outcome.REFUTED or none_left:
        why = f"no arm can be told from chance ({floor.detail})"
        return Decision(
            outcome=Outcome.INCONCLUSIVE,
            reason=ReasonCode.NOT_TESTABLE,
            intervals=decision.intervals,
            sentences=(*decision.sentences, why),
            why=(why,),
        )
    return decision


def _invalidated(rows: tuple[ControlRow, ...]) -> Decision | None:
    """Return the decision that a failed or unfinished control forces, if there is one."""
    for row in rows:
        unfinished = row.state == "not_run" and row.id != "C9"
        if unfinished or (row.state == "failed" and row.id != "C9"):
            return Decision(
                outcome=Outcome.INVALID,
                reason=_CONTROL_REASONS.get(row.id, ReasonCode.CONTROL_FAILED),
                sentences=(f"control {row.id} ({row.title}, {row.regime}): {row.detail}",),
            )
    return None


def _broken(message: str) -> Decision:
    return Decision(
        outcome=Outcome.INVALID, reason=ReasonCode.ARTIFACT_INVALID, sentences=(message,)
    )


def _open(looks: list[Look]) -> Decision:
    if looks:
        return looks[-1].combined
    return Decision(outcome=Outcome.INCONCLUSIVE, reason=ReasonCode.NOT_ATTEMPTED)
