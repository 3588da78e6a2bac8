"""What a script is told (`trial.json`), what it says when done (`outputs.json`)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from verifier.documents.base import Model
from verifier.documents.paths import RelativePath
from verifier.documents.words import Stage

PROTOCOL: Final = "trial-v1"


class Trial(Model):
    """The part of a trial that a stage sees: never its arm, claim, criterion or purpose."""

    protocol: Literal["trial-v1"] = PROTOCOL
    stage: Stage
    parameters: dict[str, JsonValue]
    seed: Annotated[int, Field(ge=0, lt=1 << 31)]
    depth: Annotated[int, Field(ge=1, le=10_000)]
    threads: Annotated[int, Field(ge=1, le=256)]
    device: Literal["cpu", "cuda"]
    time_budget_s: Annotated[int, Field(ge=1)]
    outputs: Literal["vectors", "run"]
    query_sets: tuple[str, ...]
    model: RelativePath | None = None


class OutputFile(Model):
    """The shape of one file that a script hands over."""

    rows: Annotated[int, Field(ge=0, le=100_000_000)]
    columns: Annotated[int, Field(ge=1, le=8192)] | None = None


class Outputs(Model):
    """`outputs.json`: written last, it makes an output complete."""

    protocol: Literal["outputs-v1"]
    files: Annotated[dict[RelativePath, OutputFile], Field(max_length=64)]
