"""The status rule: outcome and scope to the public word (DESIGN part 11)."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.decide.outcome import Decision, Outcome, ReasonCode
from verifier.decide.scope import reaches
from verifier.documents.edition import MINIMUM_CLUSTERS, MINIMUM_SEEDS
from verifier.documents.words import Quantifier, Scope, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the status rule asks of a study beside its decision.

    scope: the weakest over settings; source_states_size: the source gives a number for the
    effect; sandboxed: the level reached the minimum that the edition names, with no unsafe
    flag; clusters, seeds: the fewest of any setting and arm, None where none are involved
    (proofs, arithmetic, deterministic arms); missing_settings: mandatory ones without data;
    minimum_seeds: what the kind of criterion needs.
    """

    scope: Scope
    required: Scope
    quantifier: Quantifier
    source_states_size: bool
    sandboxed: bool
    clusters: int | None
    seeds: int | None
    missing_settings: tuple[str, ...] = ()
    minimum_seeds: int = MINIMUM_SEEDS


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReason:
    """The public word, its reason code and one sentence."""

    status: Status
    reason: ReasonCode
    sentence: str


def derive_status(decision: Decision, study: Circumstances) -> StatusReason:
    """Derive the status; anything but a clear case is UNVERIFIED, with its reason."""
    if decision.outcome in (Outcome.INVALID, Outcome.INCONCLUSIVE):
        return _unverified(decision.reason, f"the outcome is {decision.outcome}")
    capped = _cap(study)
    if capped is not None:
        return capped
    if not reaches(study.scope, study.required):
        return _unverified(
            ReasonCode.SCOPE_TOO_NARROW,
            f"{decision.outcome} at scope {study.scope}, the claim requires {study.required}",
        )
    if decision.outcome is Outcome.SUPPORTED:
        return StatusReason(
            status=Status.VERIFIED,
            reason=decision.reason,
            sentence=f"supported at scope {study.scope}",
        )
    return _refuted(decision, study)


def _cap(study: Circumstances) -> StatusReason | None:
    """What keeps any outcome from a status above UNVERIFIED."""
    if study.missing_settings:
        names = ", ".join(study.missing_settings)
        return _unverified(ReasonCode.DATA_UNAVAILABLE, f"no data for {names}")
    if not study.sandboxed:
        return _unverified(ReasonCode.NOT_TESTABLE, "the sandbox was below the minimum level")
    if study.clusters is not None and study.clusters < MINIMUM_CLUSTERS:
        return _unverified(
            ReasonCode.INSUFFICIENT_POWER,
            f"{study.clusters} clusters of queries, {MINIMUM_CLUSTERS} are needed",
        )
    if study.seeds is not None and study.seeds < study.minimum_seeds:
        return _unverified(
            ReasonCode.INSUFFICIENT_POWER, f"{study.seeds} seeds, {study.minimum_seeds} are needed"
        )
    return None


def _refuted(decision: Decision, study: Circumstances) -> StatusReason:
    if decision.reason is ReasonCode.TOO_SMALL and not study.source_states_size:
        return _unverified(
            ReasonCode.TOO_SMALL, "there is an effect below the margin and the source names no size"
        )
    whole = study.scope in (Scope.REPRODUCTION, Scope.PROOF)
    if whole or study.quantifier is Quantifier.UNIVERSAL:
        return StatusReason(
            status=Status.FALSIFIED,
            reason=decision.reason,
            sentence=f"refuted at scope {study.scope}",
        )
    return _unverified(
        ReasonCode.NOT_REPLICATED,
        f"refuted at scope {study.scope}; a claim that is not universal needs a reproduction",
    )


def _unverified(reason: ReasonCode, sentence: str) -> StatusReason:
    return StatusReason(status=Status.UNVERIFIED, reason=reason, sentence=sentence)
