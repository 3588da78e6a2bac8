"""The verdict: a gate-verdict-v1 document of the public contract, with our extensions beside it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from verifier.documents.base import Model
from verifier.documents.claim import Name, Source, Text
from verifier.documents.criterion import Criterion
from verifier.documents.evidence import (
    Count,
    EnvironmentRow,
    Finding,
    LedgerEntry,
    SandboxRow,
    Sha256,
)
from verifier.documents.words import Outcome, Quantifier, ReasonCode, Scope, Status

CONTRACT = "https://assignee.net/schemas/gate-verdict-v1"
GATE = "Gate 2 — Verification (formal proof or sandbox reproduction)"
Number = float | int | None


class Subject(Model):
    """The claim that was judged."""

    id: Name
    record: Name
    statement: Text
    quantifier: Quantifier
    source: Source
    document: Sha256
    decision: Sha256


class Format(Model):
    """The form of this document and the rules it was decided by."""

    name: Literal["verdict-v1"] = "verdict-v1"
    edition: Text
    harness: Text


class ScopePart(Model):
    """How far the study reaches, how far the claim asks, and what that leaves open."""

    reached: Scope
    required: Scope
    requires_reason: Text | None
    leaves_open: tuple[Text, ...]
    widen: Text | None


class LookRow(Model):
    """One contrast at one look: its interval is its test at that look's share of alpha."""

    setting: Name
    regime: Name
    look: Count
    seeds: Count
    contrast: Text
    value: Number
    low: Number
    high: Number
    alpha: Number
    query_variance: Number
    seed_variance: Number
    clusters: Count
    queries: Count
    tied_mass: Number
    outcome: Outcome


class ArmRow(Model):
    """One arm at the last look: mean over seeds and queries, with its interval."""

    setting: Name
    regime: Name
    arm: Name
    seeds: Count
    mean: Number
    seed_sd: Number
    low: Number
    high: Number
    chance: Number


class TableRow(Model):
    """One language or stratum: arm means, and the main contrast with its interval."""

    setting: Name
    regime: Name
    group: Name
    key: Text
    queries: Count
    clusters: Count
    primary: bool
    testable: bool | None
    arms: dict[Name, Number]
    contrast: Number
    low: Number
    high: Number


class ControlRow(Model):
    """One control: what it saw and whether a known answer came out."""

    id: Annotated[str, Field(pattern=r"^C[0-9]+$")]
    title: Text
    setting: Name
    regime: Name
    state: Literal["passed", "failed", "not_testable", "warning", "not_needed", "not_run"]
    strike: Count
    detail: Text
    numbers: dict[str, Number]


class Robustness(Model):
    """Shown, not deciding: other ways to look at the main contrast at the last look."""

    setting: Name
    regime: Name
    contrast: Text
    jackknife_ratio: Number
    bootstrap_low: Number
    bootstrap_high: Number
    wins: Count
    ties: Count
    losses: Count
    probability_better: Number
    most_influential_language: Text | None
    without_that_language: Number
    most_influential_cluster: Text | None
    without_that_cluster: Number


class AlphaPart(Model):
    """The try, its lineage and the alpha it may spend, with the account that says so."""

    number: Count
    lineage: Sha256
    digest: Sha256
    alpha: Number
    alpha_per_look: Number
    block: Count
    ledger: tuple[LedgerEntry, ...]


class EvidencePart(Model):
    """Where the evidence is, relative to this document, and its digest."""

    path: Text
    digest: Sha256
    files: Count
    closure: dict[str, Sha256]
    settings: dict[Name, Sha256]
    trials: Count


class Verdict(Model):
    """One judged claim; validates against the public contract alone."""

    schema_: Annotated[
        Literal["https://assignee.net/schemas/gate-verdict-v1"], Field(alias="schema")
    ]
    schema_version: Text
    contract_version: Text
    status: Status
    label: Text
    definition: Text
    reason: Text
    evaluated_at: Text | None
    gate: Text
    enforcement: Text
    subject: Subject
    format: Format
    outcome: Outcome
    reason_code: ReasonCode
    scope: ScopePart
    criterion: Criterion
    plain: Text
    would_change_it: Text
    arm_blind: bool
    estimates: tuple[LookRow, ...]
    arms: tuple[ArmRow, ...]
    tables: tuple[TableRow, ...]
    robustness: tuple[Robustness, ...]
    controls: tuple[ControlRow, ...]
    findings: tuple[Finding, ...]
    sandbox: SandboxRow
    environment: EnvironmentRow
    try_: Annotated[AlphaPart, Field(alias="try")]
    evidence: EvidencePart
    not_enforced: tuple[Text, ...]
    not_measured: tuple[Text, ...]
    cost: dict[str, JsonValue]
