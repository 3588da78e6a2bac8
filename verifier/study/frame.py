"""What is the same for all trials of a study once a try is frozen."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.documents.claim import Claim, SettingUse
from verifier.documents.measures import Measure
from verifier.documents.words import Regime

ONLY = "only"
SHALLOWEST = 10
DEEPEST = 1000


def study_depth(measure: Measure) -> int:
    """Return how many documents a query a study ranks: the measure's cutoff, at least 10.

    Ten are what control C8 looks at; a measure without a cutoff gets a thousand.
    """
    return max(SHALLOWEST, DEEPEST if measure.cutoff is None else measure.cutoff)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFrame:
    """One setting by digest, with the model that serves as encoder, if it has one."""

    use: SettingUse
    card: str
    task: str
    depth: int
    query_sets: tuple[str, ...]
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frozen try: claim, digests of all it depends on, nonce and seed block.

    nonce: 32 bytes drawn when the try was frozen and public since; it fixes every seed and draw.
    """

    claim: Claim
    decision: str
    closure: str
    environment: str
    settings: tuple[SettingFrame, ...]
    nonce: bytes
    block: int
    threads: int
    device: str
    instructions: str

    @property
    def regimes(self) -> tuple[str, ...]:
        """The regimes to run, or the one there is."""
        return tuple(str(r) for r in self.claim.regimes) or (ONLY,)

    @property
    def conditions(self) -> tuple[tuple[SettingFrame, str], ...]:
        """Every setting in every regime."""
        return tuple((s, r) for s in self.settings for r in self.regimes)


def regime_parameters(regime: str) -> dict[str, bool]:
    """The parameters a regime sets; none for a claim without regimes."""
    return {} if regime == ONLY else {"in_batch": regime == Regime.IN_BATCH}
