"""Plain words for verdicts: what was compared, by how much, how sure, and what would change it."""

from __future__ import annotations

from verifier.decide.outcome import Decision
from verifier.documents.claim import STATIC, Claim
from verifier.documents.criterion import DoseResponse, Shape, Superiority
from verifier.documents.numbers import signed
from verifier.documents.verdict import LookRow
from verifier.documents.words import Outcome, ReasonCode, Scope, Status

DEFINITIONS = {
    Status.VERIFIED: "A sealed run supported the claim by its frozen criterion, at the scope the "
    "claim requires; the evidence is attached.",
    Status.FALSIFIED: "A sealed run refuted the claim by its frozen criterion, at a scope at which "
    "one study can; the evidence is attached.",
    Status.UNVERIFIED: "No sealed run has settled the claim at the scope it requires; the reason "
    "code says why.",
}
LABELS = {
    Status.VERIFIED: "Verified",
    Status.FALSIFIED: "Falsified",
    Status.UNVERIFIED: "Unverified",
}
ENFORCEMENT = (
    "VERIFIED and FALSIFIED need the attached evidence: the verdict is a function of the evidence "
    "and the edition, and `verify audit` computes it again. It is not derived from a review score "
    "or a number of claims."
)
_OUTCOME_WORDS = {
    Outcome.SUPPORTED: "The data support the claim",
    Outcome.REFUTED: "The data refute the claim",
    Outcome.INCONCLUSIVE: "The data do not decide the claim",
    Outcome.INVALID: "The procedure cannot speak",
}


def criterion_words(claim: Claim) -> str:
    """Say what must hold, in one clause."""
    criterion = claim.criterion
    match criterion:
        case Superiority():
            return (
                f"{criterion.measure} of {criterion.candidate} is above that of "
                f"{criterion.baseline} by more than {criterion.margin:g}"
            )
        case DoseResponse(shape=Shape.INTERIOR_PEAK):
            return (
                f"{criterion.measure} at some level between {criterion.levels[0]} and "
                f"{criterion.levels[-1]} is above both ends by more than {criterion.margin:g}"
            )
        case DoseResponse():
            return (
                f"{criterion.measure} is {criterion.shape} from {criterion.levels[0]} to "
                f"{criterion.levels[-1]}, by more than {criterion.margin:g}, with no step the "
                f"wrong way by more than {criterion.tolerance:g}"
            )


def interval_words(row: LookRow) -> str:
    """Say one contrast: `+0.0471 [+0.0312, +0.0630] (explicit)`."""
    if row.value is None or row.low is None or row.high is None:
        return f"{row.contrast} unknown ({row.regime})"
    shown = f"{row.contrast} {signed(row.value)} [{signed(row.low)}, {signed(row.high)}]"
    return shown if row.regime == "only" else f"{shown} ({row.regime}: {row.outcome})"


def plain_words(claim: Claim, decision: Decision, leading: tuple[LookRow, ...]) -> str:
    """Lead with the outcome: what was compared, by how much, how sure."""
    start = f"{_OUTCOME_WORDS[decision.outcome]} that {criterion_words(claim)}."
    if decision.outcome is Outcome.INVALID:
        return f"{_OUTCOME_WORDS[decision.outcome]}: {decision.sentences[0]}."
    if decision.why:
        start = f"{start[:-1]} ({'; '.join(decision.why)})."
    if not leading:
        return start
    sure = f"intervals at {1 - (leading[0].alpha or 0):.2%} a side"
    return f"{start} {claim.criterion.measure}: {'; '.join(map(interval_words, leading))}; {sure}."


def reason_words(
    claim: Claim,
    decision: Decision,
    status_sentence: str,
    leading: tuple[LookRow, ...],
    *,
    code: ReasonCode,
    scope: Scope,
    attempt: int,
) -> str:
    """The reason: code, measure, estimates, margin, setting, encoder, seeds, queries, scope."""
    head = f"{code}: {'; '.join((status_sentence, *decision.why))}."
    if decision.outcome is Outcome.INVALID:
        return f"{head} {decision.sentences[0]}."
    parts = [
        f"{claim.criterion.measure} {interval_words(row)} against margin "
        f"{claim.criterion.margin:g}, setting {row.setting}, {row.seeds} seeds an arm, "
        f"{row.queries} queries in {row.clusters} clusters"
        for row in leading
    ]
    encoders = ", ".join(dict.fromkeys(use.encoder for use in claim.settings))
    tail = f"encoder {encoders}; scope {scope}; try {attempt} of its lineage"
    return f"{head} {'; '.join(parts)}; {tail}."


def leaves_open(claim: Claim, *, task: str, scope: Scope) -> tuple[str, ...]:
    """Say what a study of this scope does not tell about the claim as its source makes it."""
    if scope in {Scope.REPRODUCTION, Scope.PROOF}:
        return ()
    open_points = []
    if task != claim.source.task:
        open_points.append(
            f"The setting is {task}; the source's task is {claim.source.task}. The effect may "
            "differ there."
        )
    named = ", ".join(claim.source.encoders) or "not named"
    used = ", ".join(dict.fromkeys(use.encoder for use in claim.settings))
    if used not in claim.source.encoders:
        open_points.append(f"The encoder is {used}; the source's is {named}.")
    data = ", ".join(claim.source.data) or "not named"
    open_points.append(f"The data are not the source's ({data}).")
    return tuple(open_points)


def widen_words(claim: Claim, *, scope: Scope, required: Scope) -> str | None:
    """Say how to widen the scope, if it is too narrow."""
    order = [Scope.MECHANISM, Scope.ANALOGUE, Scope.REPLICATION, Scope.REPRODUCTION]
    if scope not in order or required not in order or order.index(scope) >= order.index(required):
        return None
    kind = "static" if claim.source.encoders == (STATIC,) else "pre-trained"
    return (
        f"name a setting whose task is {claim.source.task} under settings: in the claim, with a "
        f"{kind} encoder, then: verify run claims/{claim.id}.yaml"
    )


def change_words(decision: Decision, *, widen: str | None) -> str:
    """Say what would change the status."""
    if decision.outcome is Outcome.INVALID:
        return "another script: see findings and controls; it will be a new try"
    if decision.outcome is Outcome.INCONCLUSIVE:
        match decision.reason:
            case ReasonCode.UNDERSPECIFIED:
                return "a source that says whether it trained with in-batch negatives"
            case ReasonCode.SETTINGS_DISAGREE:
                return "a claim that says in which settings it holds"
            case ReasonCode.NOT_TESTABLE:
                return (
                    "a study that can see an effect: every language above chance, and a level "
                    "of the factor that is known to matter (assay) shown to matter there"
                )
            case _:
                return "more seeds or more queries: they were too few to decide every contrast"
    return widen or "nothing but new evidence: the scope is as wide as the claim requires"
