"""The claim spec: one proposition that can fail, and how it is to be tested."""

from __future__ import annotations

from math import prod
from typing import Annotated, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from verifier.documents.base import Model
from verifier.documents.canonical import canonical_bytes
from verifier.documents.criterion import Criterion, DoseResponse
from verifier.documents.edition import MINIMUM_SEEDS_DOSE_RESPONSE
from verifier.documents.faults import BadValueError
from verifier.documents.measures import Measure
from verifier.documents.paths import RelativePath
from verifier.documents.units import Duration, Size
from verifier.documents.wording import nearest
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
        homes = {"in_batch": "regimes"}
        for home in ("factors", "nuisance", "fixed"):
            for name in getattr(self, home):
                if name in homes:
                    raise BadValueError(
                        f"{name} is set by {homes[name]} and by {home}",
                        hint="give every parameter one home: regimes, factors, nuisance or fixed",
                        at=(home, name),
                    )
                homes[name] = home
        if self.stages.assign is None and Stage.ASSIGN in self.sees_arm:
            raise BadValueError(
                "sees_arm names assign, but there is no assign stage",
                hint="write sees_arm: [train], or give the assign stage its command",
                at=("sees_arm",),
            )
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
        for place in range(1, len(looks)):
            if looks[place] <= looks[place - 1]:
                raise BadValueError(
                    f"looks must ascend, found {looks[place]} after {looks[place - 1]}",
                    hint=f"write looks: {sorted(set(looks))}",
                    at=(place,),
                )
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
        homes: dict[bytes, str] = {}
        for at, arm in _named_arms(self.criterion):
            if arm not in known:
                listed = f"its levels are {', '.join(known)}"
                raise BadValueError(
                    f"criterion names {arm}, which is no level of factor {self.factor}",
                    hint=nearest(arm, list(known), otherwise=listed),
                    at=("criterion", *at),
                )
            twin = homes.setdefault(canonical_bytes(known[arm]), arm)
            if twin != arm:
                raise BadValueError(
                    f"arms {twin} and {arm} have the same level of {self.factor}",
                    hint="arms must differ in their factor: change one of the two",
                    at=("reproduction", "factors", self.factor, arm),
                )
        return self

    @model_validator(mode="after")
    def _assay_is_of_the_factor(self) -> Claim:
        levels = {canonical_bytes(level): arm for arm, level in self.arms.items()}
        for factor, named in self.assay.items():
            if factor != self.factor:
                raise BadValueError(
                    f"{factor} is not the factor of this claim",
                    hint=f"an assay is a level of {self.factor}",
                    at=("assay", factor),
                )
            for name, level in named.items():
                twin = name if name in self.arms else levels.get(canonical_bytes(level))
                if twin is not None:
                    raise BadValueError(
                        f"the assay's level {name} is the arm {twin}",
                        hint="name another level, known to matter, under a name of its own",
                        at=("assay", factor, name),
                    )
        return self

    @model_validator(mode="after")
    def _weaker_scope_is_argued(self) -> Claim:
        if self.requires in {Scope.MECHANISM, Scope.ANALOGUE} and not self.requires_reason:
            raise BadValueError(
                f"requires: {self.requires} is weaker than the rule, and no reason is given",
                hint="add requires_reason: one sentence that the verdict repeats",
                at=("requires",),
            )
        return self

    @model_validator(mode="after")
    def _settings_and_regimes_stand_once(self) -> Claim:
        names = [use.name for use in self.settings]
        for key, values in (("settings", names), ("regimes", self.regimes)):
            for place, value in enumerate(values):
                if value in values[:place]:
                    raise BadValueError(
                        f"{key} names {value} twice",
                        hint="name it once; another encoder in the same setting is another claim",
                        at=(key, place),
                    )
        if all(use.optional for use in self.settings):
            raise BadValueError(
                "every setting is optional",
                hint="one must count: drop optional: true of one",
                at=("settings",),
            )
        return self

    @model_validator(mode="after")
    def _dose_response_starts_at_ten(self) -> Claim:
        least = MINIMUM_SEEDS_DOSE_RESPONSE
        if isinstance(self.criterion, DoseResponse) and self.seeds.looks[0] < least:
            raise BadValueError(
                f"a dose response starts at {least} seeds, its first look is at "
                f"{self.seeds.looks[0]}",
                hint="write seeds: {looks: [10, 20]}",
                at=("seeds", "looks", 0),
            )
        cells = prod(len(values) for values in self.reproduction.nuisance.values())
        if self.seeds.looks[0] < cells:
            raise BadValueError(
                f"{cells} combinations of nuisance values, but the first look is at "
                f"{self.seeds.looks[0]} seeds: some would not be tried",
                hint=f"begin looks at {cells} or more, or list fewer nuisance values",
                at=("seeds", "looks", 0),
            )
        return self


def _named_arms(criterion: Criterion) -> list[tuple[tuple[str | int, ...], str]]:
    """Return the arms a criterion names, each with its place in the criterion."""
    if isinstance(criterion, DoseResponse):
        return [(("levels", place), level) for place, level in enumerate(criterion.levels)]
    return [(("candidate",), criterion.candidate), (("baseline",), criterion.baseline)]
