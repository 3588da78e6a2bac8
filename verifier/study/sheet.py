"""A study's scores laid out for judging: one sheet for each setting in each regime."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from verifier.documents.card import Card
from verifier.documents.claim import Claim
from verifier.documents.evidence import QueryTable, TrialRow
from verifier.documents.ranking import Qrels, Ranking
from verifier.scoring.measures import Scores
from verifier.stats.design import Design

Order = Literal["worst", "expected", "best"]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTrial:
    """One trial with its ranking of the test queries and their scores.

    scores: three (queries,) float64 arrays, one for each order of ties.
    """

    row: TrialRow
    ranking: Ranking
    scores: Scores

    @property
    def ranking_digest(self) -> str:
        """The digest of what the ranking says: equal for equal runs, however they are packed."""
        parts = (self.ranking.starts, self.ranking.documents, self.ranking.tied)
        body = b"|".join(part.astype("<i8").tobytes() for part in parts)
        return "sha256:" + hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is known of one condition: arms, seeds, queries, and the trials of its controls.

    `design` weighs the primary queries, which are at `positions` of the query table;
    `in_stratum`: (queries,) bool, those in the card's primary strata, whatever their language.
    """

    claim: Claim
    card: Card
    setting: str
    encoder: str
    regime: str
    queries: QueryTable
    qrels: Qrels
    positions: NDArray[np.int64]
    in_stratum: NDArray[np.bool_]
    design: Design
    arms: Mapping[str, tuple[ScoredTrial, ...]]
    controls: tuple[ScoredTrial, ...]
    failed: tuple[TrialRow, ...]

    @property
    def paired(self) -> bool:
        """Whether a seed index binds the arms together: nuisance values are drawn for it."""
        return bool(self.claim.reproduction.nuisance)

    @property
    def seeds(self) -> int:
        """Seeds an arm."""
        return min(len(trials) for trials in self.arms.values())

    def matrix(self, arm: str, order: Order = "expected") -> Array:
        """Return the arm's scores of the primary queries: (seeds, primary queries)."""
        return self.full(arm, order)[:, self.positions]

    def full(self, arm: str, order: Order = "expected") -> Array:
        """Return the arm's scores of all test queries: (seeds, queries)."""
        trials = self.arms[arm][: self.seeds]
        return np.stack([getattr(trial.scores, order) for trial in trials])

    def mean(self, trial: ScoredTrial) -> float:
        """Return one trial's weighted mean over the primary queries."""
        return float(self.design.weights @ trial.scores.expected[self.positions])

    def means(self, arm: str) -> Array:
        """Return the weighted mean of each of the arm's seeds: (seeds,)."""
        return self.matrix(arm) @ self.design.weights

    def control_trials(self, role: str, strike: int) -> tuple[ScoredTrial, ...]:
        """Return the finished trials of one control's strike."""
        return tuple(t for t in self.controls if t.row.role == role and t.row.strike == strike)

    def twin(self, trial: ScoredTrial) -> ScoredTrial:
        """Return the study's trial with the same arm and seed index as a control's trial."""
        return self.arms[trial.row.arm][trial.row.index]


def seed_noise(sheet: Sheet, arm: str) -> tuple[float, int]:
    """Return the sd of one trial's mean over the seeds of an arm, and its degrees of freedom.

    Where nuisance values are drawn for each seed index it is the sd within an index (METHOD
    part 2): what is left after the means of arms and of indices are taken out, divided by the
    share of its own noise that an arm keeps there.  That is never too small on average, also
    for a noisy arm among quiet ones.
    """
    means = sheet.means(arm)
    df = len(means) - 1
    if not sheet.paired or len(sheet.arms) == 1:
        return float(np.std(means, ddof=1)), df
    table = np.stack([sheet.means(name) for name in sheet.arms])
    residual = means - means.mean() - (table.mean(axis=0) - table.mean())
    kept = 1 - 1 / len(sheet.arms)
    return float(np.sqrt((residual**2).sum() / df)) / kept, df
