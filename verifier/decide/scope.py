"""How far a study reaches: computed from card, encoder and source, never chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verifier.documents.words import Scope

_STRENGTH = (Scope.MECHANISM, Scope.ANALOGUE, Scope.REPLICATION, Scope.REPRODUCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """What was studied: the card's task and data, the encoder's class and name.

    generated: the data are made up; internal: the measured quantity is internal to the model.
    """

    task: str
    data: str
    encoder_class: str
    encoder: str
    generated: bool = False
    internal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """What the source studied: task, data sets, encoder classes and encoders, by name."""

    task: str
    data: tuple[str, ...]
    encoder_classes: tuple[str, ...]
    encoders: tuple[str, ...]


def compute_scope(studied: Studied, source: Sourced) -> Scope:
    """Compute the scope of one setting (METHOD part 6)."""
    if studied.generated or studied.internal:
        return Scope.MECHANISM
    if studied.task != source.task or studied.encoder_class not in source.encoder_classes:
        return Scope.ANALOGUE
    if studied.data in source.data and studied.encoder in source.encoders:
        return Scope.REPRODUCTION
    return Scope.REPLICATION


def weakest(scopes: Iterable[Scope]) -> Scope:
    """Return the weakest of several settings' scopes; ValueError for none or for a proof."""
    return min(scopes, key=_STRENGTH.index)


def reaches(scope: Scope, required: Scope) -> bool:
    """Whether `scope` is at least as strong as `required`; a proof matches only a proof."""
    if Scope.PROOF in (scope, required):
        return scope is required
    return _STRENGTH.index(scope) >= _STRENGTH.index(required)
