"""What a decision gets, and what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verifier.documents.words import Outcome, ReasonCode
from verifier.stats.estimate import ContrastEstimate, Interval

__all__ = ["Contrast", "Decision", "NamedInterval", "Outcome", "ReasonCode", "mildest"]

_SLACK = 1e-9
_REFUTED = (ReasonCode.TOO_SMALL, ReasonCode.NO_EFFECT, ReasonCode.OPPOSITE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contrast:
    """A contrast that the claim wants above a bound, with ties broken both ways.

    against: from scores in the order of ties worst for the claim (worst where the coefficient
    is positive, best where it is negative): supports.  in_favour: from the other: refutes.
    """

    name: str
    against: ContrastEstimate
    in_favour: ContrastEstimate

    def __post_init__(self) -> None:
        if not self.against.value <= self.in_favour.value + _SLACK:
            raise ValueError(
                f"{self.name}: the order against the claim gives {self.against.value}, "
                f"more than {self.in_favour.value} in its favour"
            )

    @property
    def varies(self) -> bool:
        """Whether queries differ in either order; if not, no interval speaks."""
        return self.against.varies and self.in_favour.varies


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedInterval:
    """One interval that a decision looked at: of what, at which level, in which order of ties."""

    contrast: str
    ties: str
    alpha: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An outcome with its reason code, the intervals used, and what decided, in sentences.

    why: what beside the intervals kept the study from deciding; also among the sentences.
    """

    outcome: Outcome
    reason: ReasonCode
    intervals: tuple[NamedInterval, ...] = ()
    sentences: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.outcome is Outcome.SUPPORTED) != (self.reason is ReasonCode.SUPPORTED):
            raise ValueError(f"{self.outcome} does not go with {self.reason}")
        if (self.outcome is Outcome.REFUTED) != (self.reason in _REFUTED):
            raise ValueError(f"{self.outcome} does not go with {self.reason}")


def mildest(reasons: Iterable[ReasonCode]) -> ReasonCode:
    """Of several reasons to refute, the one that says least: too small, no effect, opposite."""
    return min(reasons, key=_REFUTED.index)
