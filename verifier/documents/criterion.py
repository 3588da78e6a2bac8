"""Criteria: what must hold for a claim, oriented so that the claim says theta > margin."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from verifier.documents.base import Model
from verifier.documents.measures import Measure

SMALLEST_MARGIN = 0.005
Margin = Annotated[float, Field(ge=0, lt=1)]


class Weights(StrEnum):
    """How queries count: each the same, or each language the same."""

    MICRO = "micro"
    MACRO = "macro"


class Shape(StrEnum):
    """The course of the measure over the levels of a factor."""

    INCREASING = "increasing"
    DECREASING = "decreasing"
    INTERIOR_PEAK = "interior_peak"


class _Criterion(Model):
    measure: Measure
    weights: Weights = Weights.MACRO
    margin: Margin
    direction_only: bool = False

    @model_validator(mode="after")
    def _margin_is_worth_something(self) -> _Criterion:
        if self.direction_only and self.margin != 0:
            raise ValueError("direction_only means margin 0: drop one of the two")
        if not self.direction_only and self.margin < SMALLEST_MARGIN:
            raise ValueError(
                f"margin {self.margin} is below {SMALLEST_MARGIN}: name the smallest effect "
                "worth publishing, or say direction_only: true"
            )
        return self


class Superiority(_Criterion):
    """The candidate beats the baseline by more than the margin."""

    kind: Literal["superiority"]
    candidate: str
    baseline: str

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms it compares, baseline first."""
        return (self.baseline, self.candidate)

    @model_validator(mode="after")
    def _two_arms(self) -> Superiority:
        if self.candidate == self.baseline:
            raise ValueError("candidate and baseline are the same arm")
        return self


class DoseResponse(_Criterion):
    """The measure follows a shape over the ordered levels of a factor."""

    kind: Literal["dose_response"]
    shape: Shape
    levels: Annotated[tuple[str, ...], Field(min_length=3)]
    tolerance: Margin

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms it compares, lowest level first."""
        return self.levels

    @property
    def baseline(self) -> str:
        """The level that stands for standard practice: the lowest."""
        return self.levels[0]

    @model_validator(mode="after")
    def _levels_and_tolerance(self) -> DoseResponse:
        if len(set(self.levels)) != len(self.levels):
            raise ValueError("levels names an arm twice")
        if self.tolerance > self.margin:
            raise ValueError(f"tolerance {self.tolerance} is above the margin {self.margin}")
        return self


Criterion = Annotated[Superiority | DoseResponse, Field(discriminator="kind")]
