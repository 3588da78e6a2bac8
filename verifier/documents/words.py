"""The words that verdicts are made of, one enumeration each."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What the study says of the claim; `invalid` means the procedure cannot speak."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"


class Status(StrEnum):
    """The public word, derived from outcome and scope by the status rule."""

    VERIFIED = "VERIFIED"
    FALSIFIED = "FALSIFIED"
    UNVERIFIED = "UNVERIFIED"


class ReasonCode(StrEnum):
    """Why a verdict is what it is, for machines."""

    SUPPORTED = "SUPPORTED"
    OPPOSITE = "OPPOSITE"
    NO_EFFECT = "NO_EFFECT"
    TOO_SMALL = "TOO_SMALL"
    INSUFFICIENT_POWER = "INSUFFICIENT_POWER"
    NO_VARIATION = "NO_VARIATION"
    SETTINGS_DISAGREE = "SETTINGS_DISAGREE"
    NOT_TESTABLE = "NOT_TESTABLE"
    SCOPE_TOO_NARROW = "SCOPE_TOO_NARROW"
    ARTIFACT_INVALID = "ARTIFACT_INVALID"
    CONTROL_FAILED = "CONTROL_FAILED"
    NONDETERMINISTIC = "NONDETERMINISTIC"
    UNUSED_SEED = "UNUSED_SEED"
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    UNRESOLVABLE = "UNRESOLVABLE"
    UNDERSPECIFIED = "UNDERSPECIFIED"
    NOT_REPLICATED = "NOT_REPLICATED"
    NOT_ATTEMPTED = "NOT_ATTEMPTED"


class Scope(StrEnum):
    """How far a study reaches, weakest first; `proof` stands apart."""

    MECHANISM = "mechanism"
    ANALOGUE = "analogue"
    REPLICATION = "replication"
    REPRODUCTION = "reproduction"
    PROOF = "proof"


class Severity(StrEnum):
    """How much a finding weighs: `invalid` alone makes the outcome invalid."""

    INFO = "info"
    WARNING = "warning"
    NOT_TESTABLE = "not_testable"
    INVALID = "invalid"


class Quantifier(StrEnum):
    """Over which settings the claim speaks: can one setting falsify it?"""

    THIS_SETTING = "this_setting"
    EVERY_NAMED = "every_named"
    UNIVERSAL = "universal"


class Stage(StrEnum):
    """A part of a trial that runs by itself in the sandbox."""

    ASSIGN = "assign"
    TRAIN = "train"


class Regime(StrEnum):
    """Where the negatives of a contrastive step come from."""

    EXPLICIT = "explicit"
    IN_BATCH = "in_batch"
