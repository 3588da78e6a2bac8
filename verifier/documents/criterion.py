"""Criteria: what must hold for a claim, oriented so that the claim says theta > margin."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from verifier.documents.base import Model
from verifier.documents.faults import BadValueError
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
            raise BadValueError(
                f"direction_only means margin 0, found {self.margin}",
                hint="write margin: 0, or drop direction_only",
                at=("margin",),
            )
        if not self.direction_only and self.margin < SMALLEST_MARGIN:
            raise BadValueError(
                f"margin {self.margin} is below {SMALLEST_MARGIN}",
                hint="name the smallest effect worth publishing, or say direction_only: true",
                at=("margin",),
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
            raise BadValueError(
                f"candidate and baseline are the same arm, {self.candidate}",
                hint="name two levels of the factor",
                at=("baseline",),
            )
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
        for place, level in enumerate(self.levels):
            if level in self.levels[:place]:
                raise BadValueError(
                    f"levels names {level} twice",
                    hint="name every level once, lowest first",
                    at=("levels", place),
                )
        if self.tolerance > self.margin:
            raise BadValueError(
                f"tolerance {self.tolerance} is above the margin {self.margin}",
                hint="a step the wrong way may not outweigh the whole effect: lower it",
                at=("tolerance",),
            )
        return self


Criterion = Annotated[Superiority | DoseResponse, Field(discriminator="kind")]
