"""Shown, not deciding: the main contrast by other roads, and what carries it."""

from __future__ import annotations

import numpy as np

from verifier.documents.numbers import six_digits
from verifier.documents.verdict import Robustness
from verifier.errors import VerifierError
from verifier.judge.assess import Look
from verifier.judge.criteria import contrast_pairs, estimate_pair
from verifier.stats.bootstrap import bootstrap_contrast
from verifier.stats.draws import StableDraws
from verifier.stats.influence import (
    LeftOut,
    contrast_by_query,
    leave_out_cluster,
    leave_out_language,
    probability_above,
    tally,
)
from verifier.stats.jackknife import AGREEMENT, jackknife_half_width
from verifier.study.sheet import Sheet

DRAWS = 2000


def robustness_rows(look: Look, digest: str) -> tuple[Robustness, ...]:
    """Return one row a condition; random draws are seeded by the evidence digest.

    VerifierError if the jackknife, an independent second implementation of the half-width,
    disagrees by more than 2 %: then no interval of ours can be trusted.
    """
    return tuple(_row(sheet, look.alpha, digest) for sheet in look.sheets)


def _row(sheet: Sheet, alpha: float, digest: str) -> Robustness:
    higher, lower = contrast_pairs(sheet.claim.criterion)[0]
    scores = {arm: sheet.matrix(arm) for arm in (higher, lower)}
    coefficients = {higher: 1.0, lower: -1.0}
    half = estimate_pair(sheet, higher, lower, ties="expected").half_width(alpha)
    second = jackknife_half_width(
        scores,
        coefficients,
        sheet.design,
        alpha=alpha,
        paired=sheet.paired,
    )
    ratio = second / half if half > 0 else 1.0
    if abs(ratio - 1) > AGREEMENT:
        raise VerifierError(
            f"two implementations of the half-width differ: {half:.6g} and {second:.6g}",
            where=f"{sheet.setting}, {sheet.regime}: {higher} - {lower}",
            hint="report this: no interval can be trusted until it is explained",
        )
    drawn = bootstrap_contrast(
        scores,
        coefficients,
        sheet.design,
        paired=sheet.paired,
        alpha=alpha,
        draws=DRAWS,
        rng=StableDraws(f"{digest} {sheet.setting} {sheet.regime}"),
    )
    differences = contrast_by_query(scores, coefficients)
    counts = tally(differences)
    language = leave_out_language(differences, sheet.design)
    cluster = leave_out_cluster(differences, sheet.design)
    return Robustness(
        setting=sheet.setting,
        regime=sheet.regime,
        contrast=f"{higher} - {lower}",
        jackknife_ratio=six_digits(ratio),
        bootstrap_low=six_digits(drawn.low),
        bootstrap_high=six_digits(drawn.high),
        wins=counts.wins,
        ties=counts.ties,
        losses=counts.losses,
        probability_better=six_digits(
            probability_above(scores[higher], scores[lower], sheet.design)
        ),
        most_influential_language=_name(sheet, language, "languages"),
        without_that_language=None if language is None else six_digits(language.value),
        most_influential_cluster=_name(sheet, cluster, "clusters"),
        without_that_cluster=None if cluster is None else six_digits(cluster.value),
    )


def _name(sheet: Sheet, left_out: LeftOut | None, column: str) -> str | None:
    if left_out is None:
        return None
    names = np.asarray(getattr(sheet.queries, column))[sheet.positions]
    return str(np.unique(names)[left_out.code])
