"""From evidence to score sheets: decoded once, scored by us, checked by a second scorer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from verifier.documents.card import Card
from verifier.documents.criterion import Weights
from verifier.documents.edition import QUERY_SET
from verifier.documents.evidence import STUDY, Judgements, QueryTable, TrialRow
from verifier.documents.measures import Measure
from verifier.documents.ranking import Qrels, Ranking, decode_ranking
from verifier.errors import EvidenceError, VerifierError
from verifier.judge.bundle import Evidence
from verifier.scoring.measures import Scores, score
from verifier.scoring.second import check_second
from verifier.stats.design import Design, macro, micro
from verifier.stats.draws import StableDraws
from verifier.study.sheet import ScoredTrial, Sheet

SECOND_SAMPLE = 1000


@dataclass(slots=True)
class ScoreBook:
    """Scores by ranking and judgements, so that no ranking is scored twice."""

    _entries: dict[tuple[str, str, str], tuple[Ranking, Scores]] = field(default_factory=dict)
    _qrels: dict[str, Qrels] = field(default_factory=dict)

    def qrels(self, judgements: Judgements) -> Qrels:
        """Return the judgements of a setting's test queries as arrays."""
        if judgements.setting not in self._qrels:
            table = judgements.query_sets[QUERY_SET]
            self._qrels[judgements.setting] = Qrels.of([tuple(r) for r in table.relevant])
        return self._qrels[judgements.setting]

    def score(self, evidence: Evidence, row: TrialRow, measure: Measure) -> tuple[Ranking, Scores]:
        """Return a trial's ranking and its scores; EvidenceError for a ranking that misfits."""
        ranking_digest = row.rankings[QUERY_SET]
        key = (ranking_digest, row.setting, str(measure))
        if key not in self._entries:
            where = f"{evidence.name}/rankings/{ranking_digest[7:19]}"
            ranking = decode_ranking(evidence.rankings[ranking_digest], where=where)
            judgements = evidence.judgements[row.setting]
            qrels = self.qrels(judgements)
            _check_fit(ranking, qrels, len(judgements.documents), where)
            scores = score(ranking, qrels, measure)
            sample = second_sample(ranking_digest, ranking.queries)
            wrong = check_second(ranking, qrels, measure, scores, sample=sample)
            if wrong:
                first = wrong[0]
                raise VerifierError(
                    f"our scorer says {first.ours:.9f}, pytrec_eval says {first.theirs:.9f} "
                    f"for query {first.query} ({first.order} order of ties)",
                    where=where,
                    hint="report this: no verdict can rest on scores that two scorers dispute",
                )
            self._entries[key] = (ranking, scores)
        return self._entries[key]


def second_sample(ranking_digest: str, queries: int) -> list[int]:
    """Return the queries of a ranking that the second scorer checks: 1,000 draws, or all.

    Drawn by the ranking's own digest, so that nobody can choose them and an audit draws the
    same; another ranking of the same arm has others.  All of them cost ten times the time.
    """
    if queries <= SECOND_SAMPLE:
        return list(range(queries))
    drawn = StableDraws(ranking_digest).integers(queries, (SECOND_SAMPLE,))
    return sorted(set(drawn.tolist()))


def _check_fit(ranking: Ranking, qrels: Qrels, documents: int, where: str) -> None:
    largest = int(ranking.documents.max()) if len(ranking.documents) else 0
    if ranking.queries != qrels.queries or largest >= documents:
        raise EvidenceError(
            f"it ranks {ranking.queries} queries up to document {largest}, but there are "
            f"{qrels.queries} queries and {documents} documents",
            where=where,
            hint="restore the folder from its publisher",
        )


def in_primary_strata(card: Card, table: QueryTable) -> NDArray[np.bool_]:
    """Return which queries are in the card's primary strata, whatever their language."""
    keep = np.ones(len(table.ids), dtype=np.bool_)
    for stratum, wanted in card.strata.primary.items():
        keep &= np.asarray(table.strata[stratum]) == wanted
    return keep


def primary_queries(card: Card, table: QueryTable) -> NDArray[np.int64]:
    """Return the positions of the queries that verdicts are about: languages and strata."""
    spoken = np.isin(np.asarray(table.languages), np.asarray(card.languages.primary))
    return np.flatnonzero(in_primary_strata(card, table) & spoken)


def weighted_design(languages: Sequence[str], clusters: Sequence[str], weights: Weights) -> Design:
    """Return the design of queries, weighted as a criterion says."""
    build = macro if weights is Weights.MACRO else micro
    return build(languages, clusters)


def design_of(table: QueryTable, positions: NDArray[np.int64], weights: Weights) -> Design:
    """Return the design of some queries of a table."""
    chosen = positions.tolist()
    languages = [table.languages[p] for p in chosen]
    return weighted_design(languages, [table.clusters[p] for p in chosen], weights)


def build_sheets(evidence: Evidence, book: ScoreBook, *, seeds: int | None) -> tuple[Sheet, ...]:
    """Return one sheet for each setting in each regime, with the first `seeds` seeds an arm."""
    study = evidence.study
    keys = {(t.setting, t.regime): None for t in study.trials}
    return tuple(_sheet(evidence, book, setting, regime, seeds) for setting, regime in keys)


def _sheet(
    evidence: Evidence, book: ScoreBook, setting: str, regime: str, seeds: int | None
) -> Sheet:
    claim, card = evidence.claim, evidence.cards[setting]
    rows = [t for t in evidence.study.trials if (t.setting, t.regime) == (setting, regime)]
    finished = [t for t in rows if QUERY_SET in t.rankings]

    def scored(row: TrialRow) -> ScoredTrial:
        ranking, scores = book.score(evidence, row, claim.criterion.measure)
        return ScoredTrial(row=row, ranking=ranking, scores=scores)

    arms = {}
    for arm in claim.criterion.arms:
        mine = sorted(
            (t for t in finished if t.role == STUDY and t.arm == arm), key=lambda t: t.index
        )
        _check_indices(evidence, mine, arm)
        arms[arm] = tuple(scored(t) for t in mine[:seeds])
    table = evidence.judgements[setting].query_sets[QUERY_SET]
    positions = primary_queries(card, table)
    use = next(u for u in claim.settings if u.name == setting)
    return Sheet(
        claim=claim,
        card=card,
        setting=setting,
        encoder=use.encoder,
        regime=regime,
        queries=table,
        qrels=book.qrels(evidence.judgements[setting]),
        positions=positions,
        in_stratum=in_primary_strata(card, table),
        design=design_of(table, positions, claim.criterion.weights),
        arms=arms,
        controls=tuple(scored(t) for t in finished if t.role != STUDY),
        failed=tuple(t for t in rows if QUERY_SET not in t.rankings),
    )


def _check_indices(evidence: Evidence, rows: list[TrialRow], arm: str) -> None:
    if [t.index for t in rows] != list(range(len(rows))):
        raise EvidenceError(
            f"the seeds of arm {arm} are not 0 to {len(rows) - 1}",
            where=f"{evidence.name}/study.json",
            hint="a seed was left out; do not rely on this evidence",
        )
