"""The claim spec: one proposition that can fail, and how it is to be tested."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from verifier.documents.base import Model
from verifier.documents.criterion import Criterion
from verifier.documents.measures import Measure
from verifier.documents.paths import RelativePath
from verifier.documents.units import Duration, Size
from verifier.documents.words import Quantifier, Regime, Scope, Stage

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Argument = Annotated[str, Field(min_length=1, max_length=400)]
Parameters = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], JsonValue]
STATIC = "static"


class Reported(Model):
    """A number as its source prints it: text, because its precision is data."""

    measure: Measure
    arm: Name
    value: Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


class Source(Model):
    """Where the claim comes from; with task, encoders and data the scope is computed."""

    work: Text
    locator: Text
    task: Text
    encoders: tuple[Text, ...] = ()
    data: tuple[Text, ...] = ()
    states_size: bool = False
    reported: tuple[Reported, ...] = ()


class Stages(Model):
    """The command of each stage; `assign` may be missing."""

    assign: Annotated[tuple[Argument, ...], Field(min_length=1)] | None = None
    train: Annotated[tuple[Argument, ...], Field(min_length=1)]


class Reproduction(Model):
    """The accused: its commands, its files and nothing else, its parameters and arms."""

    stages: Stages
    files: Annotated[tuple[RelativePath, ...], Field(min_length=1)]
    environment: RelativePath
    outputs: Literal["vectors", "run"]
    sees_arm: Annotated[tuple[Stage, ...], Field(min_length=1)] = (Stage.ASSIGN,)
    deterministic: bool = False
    fixed: Parameters = Field(default_factory=dict)
    nuisance: dict[Name, Annotated[tuple[JsonValue, ...], Field(min_length=3)]] = Field(
        default_factory=dict
    )
    factors: Annotated[
        dict[Name, Annotated[dict[Name, JsonValue], Field(min_length=1)]],
        Field(min_length=1, max_length=1),
    ]

    @model_validator(mode="after")
    def _parameters_have_one_home(self) -> Reproduction:
        homes = (set(self.fixed), set(self.nuisance), set(self.factors), {"in_batch"})
        names = [name for home in homes for name in home]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: in two of fixed, nuisance, factors, regimes")
        if self.stages.assign is None and Stage.ASSIGN in self.sees_arm:
            raise ValueError("sees_arm names assign, but there is no assign stage: say [train]")
        return self

    @property
    def arm_blind(self) -> bool:
        """Whether the stage that trains and retrieves does not know its arm."""
        return Stage.TRAIN not in self.sees_arm


class SettingUse(Model):
    """One setting the claim is tested in; an optional one never counts."""

    name: Name
    encoder: Text = STATIC
    optional: bool = False


class Seeds(Model):
    """After how many seeds an arm the study looks at its results."""

    looks: Annotated[tuple[Annotated[int, Field(ge=2, le=200)], ...], Field(min_length=1)] = (
        5,
        10,
        20,
    )

    @field_validator("looks")
    @classmethod
    def _ascending(cls, looks: tuple[int, ...]) -> tuple[int, ...]:
        if list(looks) != sorted(set(looks)):
            raise ValueError("looks must ascend")
        return looks


class ClaimLimits(Model):
    """The bounds of one trial."""

    wall: Duration = "10 min"
    memory: Size = "4 GiB"


class Claim(Model):
    """One claim: its sentence, its source, its reproduction and its criterion."""

    schema_: Annotated[Literal["claim-v1"], Field(alias="schema")]
    id: Name
    record: Name
    statement: Text
    quantifier: Quantifier = Quantifier.THIS_SETTING
    source: Source
    reproduction: Reproduction
    settings: Annotated[tuple[SettingUse, ...], Field(min_length=1)]
    regimes: tuple[Regime, ...] = ()
    requires: Scope = Scope.REPLICATION
    requires_reason: Text | None = None
    seeds: Seeds = Seeds()
    criterion: Criterion
    assay: Annotated[
        dict[Name, Annotated[dict[Name, JsonValue], Field(min_length=1, max_length=1)]],
        Field(max_length=1),
    ] = Field(default_factory=dict)
    limits: ClaimLimits = ClaimLimits()

    @property
    def factor(self) -> str:
        """The one thing in which arms may differ."""
        return next(iter(self.reproduction.factors))

    @property
    def arms(self) -> dict[str, JsonValue]:
        """Level by arm name, only those that the criterion compares."""
        levels = self.reproduction.factors[self.factor]
        return {arm: levels[arm] for arm in self.criterion.arms}

    @model_validator(mode="after")
    def _criterion_names_arms(self) -> Claim:
        known = self.reproduction.factors[self.factor]
        unknown = [arm for arm in self.criterion.arms if arm not in known]
        if unknown:
            raise ValueError(
                f"criterion names {', '.join(unknown)}, but the levels of factor "
                f"{self.factor} are {', '.join(known)}"
            )
        if len({repr(known[arm]) for arm in self.criterion.arms}) != len(self.criterion.arms):
            raise ValueError(f"two arms have the same level of {self.factor}")
        return self

    @model_validator(mode="after")
    def _assay_is_of_the_factor(self) -> Claim:
        for factor, levels in self.assay.items():
            if factor != self.factor:
                raise ValueError(f"assay: {factor} is not the factor of this claim ({self.factor})")
            if any(value in self.arms.values() for value in levels.values()):
                raise ValueError("assay: its level is one of the arms")
        return self

    @model_validator(mode="after")
    def _weaker_scope_is_argued(self) -> Claim:
        if self.requires in {Scope.MECHANISM, Scope.ANALOGUE} and not self.requires_reason:
            raise ValueError(f"requires: {self.requires} needs a requires_reason to repeat")
        names = [(use.name, use.encoder) for use in self.settings]
        if len(set(names)) != len(names) or len(set(self.regimes)) != len(self.regimes):
            raise ValueError("a setting or a regime is named twice")
        if all(use.optional for use in self.settings):
            raise ValueError("every setting is optional: one must count")
        return self
