"""The card of a setting: what its data are, how they are split, and what they must come to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from verifier.documents.base import Model

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8})*$")]
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[int, Field(ge=1, le=99)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]

LOW_RESOURCE_CLASSES = 2  # Joshi et al. 2020: classes 0 to 2


class CldrOrigin(Model):
    """Names of Unicode CLDR as one exact version of Babel ships them."""

    kind: Literal["cldr"]
    babel: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    cldr: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]


class Licence(Model):
    """Under which licence the data are, and what must be said of them."""

    spdx: Text
    notice: Text


class Languages(Model):
    """Who plays which part; resource_class is the source of "low-resource"."""

    documents: Language
    train: Annotated[tuple[Language, ...], Field(min_length=1)]
    primary: Annotated[tuple[Language, ...], Field(min_length=1)]
    reported: tuple[Language, ...] = ()
    resource_class: dict[Language, Annotated[int, Field(ge=0, le=5)]]
    resource_source: Text

    @property
    def test(self) -> tuple[Language, ...]:
        """The languages of the queries: primary ones first."""
        return self.primary + self.reported

    @model_validator(mode="after")
    def _parts_are_apart(self) -> Languages:
        everyone = (self.documents, *self.train, *self.test)
        if len(set(everyone)) != len(everyone):
            raise ValueError("a language is named twice")
        if set(self.resource_class) != set(self.train + self.test):
            raise ValueError("resource_class: want one class for each language but the documents'")
        high = [x for x in self.primary if self.resource_class[x] > LOW_RESOURCE_CLASSES]
        low = [x for x in self.reported if self.resource_class[x] <= LOW_RESOURCE_CLASSES]
        if high or low:
            raise ValueError(
                f"primary is for resource classes 0 to 2, reported for 3 to 5: move {high + low}"
            )
        return self


class SplitRule(Model):
    """How labels are divided: SHA-256 of domain, salt and label, below so many percent."""

    salt: Text
    dev_percent: Percent
    seen_percent: Percent
    rules: Text


class Strata(Model):
    """Which stratum verdicts are about, and where the bands of trigram overlap lie."""

    primary: dict[Name, Text]
    overlap: Annotated[tuple[Share, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _edges_ascend(self) -> Strata:
        if list(self.overlap) != sorted(set(self.overlap)):
            raise ValueError("overlap: want ascending edges")
        return self


class Leak(Model):
    """Test queries with trigram Jaccard >= threshold with a training name, and their rate."""

    threshold: Share
    rate: Share


class LabelSimilarity(Model):
    """How labels are alike, and the exponent of the weights sim**beta."""

    beta: Annotated[float, Field(gt=0)]
    effective_labels: Annotated[float, Field(gt=1)]
    taxonomy: dict[Name, Text]
    formula: Text


class Counts(Model):
    """What a built task comes to; test by language and exposure, strata of the test set."""

    documents: dict[Name, Count]
    train: dict[Language, Count]
    dev: dict[Language, Count]
    test: dict[Language, dict[Name, Count]]
    clusters: Count
    homographs: Count
    strata: dict[Name, dict[str, Count]]


class Card(Model):
    """The card `settings/<name>.yaml`: no data, but everything that decides them.

    floor and ceiling: measure -> score of a random ranking, and the highest score that an
    honest arm is expected to reach.  digest: of the built task's texts and judgements.
    """

    schema_: Annotated[Literal["card-v1"], Field(alias="schema")]
    name: Name
    version: Annotated[int, Field(ge=1)]
    title: Text
    task: Text
    origin: CldrOrigin
    licence: Licence
    languages: Languages
    split: SplitRule
    cluster: Text
    strata: Strata
    floor: dict[Text, Share]
    ceiling: dict[Text, Share]
    ceiling_reason: Text
    leak: Leak
    similarity: LabelSimilarity
    counts: Counts
    digest: Digest

    @property
    def where(self) -> str:
        """The card's place in the repository, for messages."""
        return f"settings/{self.name}.yaml"

    @model_validator(mode="after")
    def _floor_is_below_ceiling(self) -> Card:
        if self.floor.keys() != self.ceiling.keys() or not self.floor:
            raise ValueError("want a floor and a ceiling for the same measures")
        wrong = [m for m in self.floor if not self.floor[m] < self.ceiling[m]]
        if wrong:
            raise ValueError(f"floor is not below ceiling for {', '.join(wrong)}")
        return self
