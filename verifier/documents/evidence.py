"""Evidence: everything a verdict rests on, bound by digest, enough to decide again offline."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from verifier.documents.base import Model
from verifier.documents.claim import Name, Text
from verifier.documents.paths import RelativePath
from verifier.documents.words import Severity, Stage

Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, lt=1 << 53)]
STUDY = "study"


class Finding(Model):
    """One observation of one check: rule, weight, place, and what was seen."""

    rule: Annotated[str, Field(pattern=r"^[a-z0-9]+([._][a-z0-9]+)*$")]
    severity: Severity
    message: Text
    where: Text


class Enforced(Model):
    """One limit or layer of the sandbox: asked, enforced by what (null: nothing), peak seen."""

    name: Text
    requested: Text
    enforced_by: Text | None
    peak: Text | None = None


class StageRun(Model):
    """How one stage of a trial went; `sandbox` names the profile it ran under."""

    stage: Stage
    id: Hex
    sandbox: Sha256
    ending: Name
    exit_code: int | None
    signal: int | None
    wall_s: float
    cpu_s: float | None
    peak_memory_bytes: Count | None
    outputs: dict[RelativePath, Sha256]


class Variant(Model):
    """How a trial's task differs from the card's: re-spelled, with planted queries, or not.

    spelling: 0 as written, else the number of a secret alphabet; planted: 0 none, else the
    number of a draw of planted queries.
    """

    spelling: Annotated[int, Field(ge=0)] = 0
    planted: Annotated[int, Field(ge=0)] = 0


class TrialRow(Model):
    """One trial of a study: what it was, how it ended, and the digest of its ranking.

    `seal_key` re-keys the ids that the script saw; with it anyone can unseal raw outputs.
    `effort` digests what no factor of negatives touches in the stream.
    `planted` holds the positions of the replaced queries of a planted trial.
    """

    id: Hex
    setting: Name
    regime: Name
    arm: Name
    index: Count
    role: Annotated[str, Field(pattern=r"^(study|C[0-9]+)$")]
    strike: Annotated[int, Field(ge=1, le=2)]
    seed: Annotated[int, Field(ge=0, lt=1 << 31)]
    seal: Count
    replicate: Count
    variant: Variant
    parameters: dict[str, JsonValue]
    seal_key: Hex
    stages: tuple[StageRun, ...]
    rankings: dict[Name, Sha256]
    stream: Sha256 | None
    effort: Sha256 | None
    planted: tuple[Count, ...] = ()
    findings: tuple[Finding, ...] = ()


class SettingRow(Model):
    """One setting of a study by digest, and the file that holds its judgements."""

    name: Name
    encoder: Text
    model: Sha256 | None
    card: Sha256
    task: Sha256
    judgements: RelativePath


class LedgerEntry(Model):
    """One line of the account of tries."""

    seq: Count
    kind: Name
    at: Text
    body: dict[str, JsonValue]
    previous: Sha256 | None
    digest: Sha256


class TryRow(Model):
    """Which try of which lineage this is, and the alpha it may spend."""

    lineage: Sha256
    digest: Sha256
    decision: Sha256
    document: Sha256
    number: Annotated[int, Field(ge=1)]
    alpha: Annotated[float, Field(gt=0, lt=1)]
    block: Count
    ledger: tuple[LedgerEntry, ...]


class EnvironmentRow(Model):
    """The environment that scripts ran in, its digest recomputed inside the sandbox."""

    digest: Sha256
    python: Text
    packages: tuple[Text, ...]
    details: dict[str, JsonValue] = Field(default_factory=dict)


class SandboxRow(Model):
    """What held a script, limit by limit."""

    level: Name
    enforced: tuple[Enforced, ...]
    not_enforced: tuple[Text, ...]


class Study(Model):
    """The index of an evidence folder: what was asked, frozen, run and observed."""

    schema_: Annotated[Literal["evidence-v1"], Field(alias="schema")] = "evidence-v1"
    edition: Text
    harness: Text
    evaluated_at: Text
    try_: Annotated[TryRow, Field(alias="try")]
    closure: dict[RelativePath, Sha256]
    closure_digest: Sha256
    environment: EnvironmentRow
    instructions: Text
    threads: Count
    device: Literal["cpu", "cuda"]
    sandboxes: dict[Sha256, SandboxRow]
    settings: tuple[SettingRow, ...]
    missing_settings: tuple[Name, ...] = ()
    trials: tuple[TrialRow, ...]


class QueryTable(Model):
    """The queries of one set without their texts, and the judgements, as columns."""

    ids: tuple[str, ...]
    languages: tuple[str, ...]
    clusters: tuple[str, ...]
    strata: dict[Name, tuple[str, ...]]
    relevant: tuple[tuple[Count, ...], ...]


class Judgements(Model):
    """What the judge knew and scripts did not: the withheld half of one setting."""

    schema_: Annotated[Literal["judgements-v1"], Field(alias="schema")] = "judgements-v1"
    setting: Name
    documents: tuple[str, ...]
    query_sets: dict[Name, QueryTable]


class ManifestFile(Model):
    """One file of an evidence folder."""

    sha256: Sha256
    bytes: Count


class EvidenceManifest(Model):
    """Every file of an evidence folder; its own digest is the digest of the evidence."""

    schema_: Annotated[Literal["evidence-manifest-v1"], Field(alias="schema")] = (
        "evidence-manifest-v1"
    )
    files: dict[RelativePath, ManifestFile]
