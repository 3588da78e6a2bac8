"""The numbers a verdict shows: looks, arms, languages and strata, at six significant digits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from verifier.controls.floor import LanguageFloor, chance_of, language_floors
from verifier.documents.edition import CONTROL_LEVEL
from verifier.documents.numbers import six_digits
from verifier.documents.verdict import ArmRow, LookRow, Number, TableRow
from verifier.judge.assess import Look
from verifier.judge.criteria import contrast_pairs, estimate_pair
from verifier.judge.sheets import design_of
from verifier.scoring.measures import tied_mass
from verifier.stats.estimate import estimate_contrast
from verifier.study.sheet import Sheet

_FEWEST_CLUSTERS = 2
Columns = NDArray[np.int64]


def look_rows(look: Look) -> tuple[LookRow, ...]:
    """Return every contrast of a look; low is judged against the claim's ties, high in favour."""
    rows = []
    for sheet in look.sheets:
        key = (sheet.setting, sheet.regime)
        tied = max(tied_mass(t.ranking) or 0.0 for ts in sheet.arms.values() for t in ts)
        pairs = contrast_pairs(sheet.claim.criterion)
        for (higher, lower), contrast in zip(pairs, look.contrasts[key], strict=True):
            expected = estimate_pair(sheet, higher, lower, ties="expected")
            rows.append(
                LookRow(
                    setting=sheet.setting,
                    regime=sheet.regime,
                    look=look.seeds,
                    seeds=sheet.seeds,
                    contrast=contrast.name,
                    value=six_digits(expected.value),
                    low=six_digits(contrast.against.interval(look.alpha).low),
                    high=six_digits(contrast.in_favour.interval(look.alpha).high),
                    alpha=six_digits(look.alpha),
                    query_variance=six_digits(expected.v_query),
                    seed_variance=six_digits(expected.v_seeds),
                    clusters=expected.clusters,
                    queries=len(sheet.positions),
                    tied_mass=six_digits(tied),
                    outcome=look.decisions[key].outcome,
                )
            )
    return tuple(rows)


def arm_rows(look: Look) -> tuple[ArmRow, ...]:
    """Return every arm of a look with the interval of its own mean."""
    return tuple(row for sheet in look.sheets for row in _arms(sheet, look.alpha))


def _arms(sheet: Sheet, alpha: float) -> Iterator[ArmRow]:
    languages = {sheet.queries.languages[p] for p in sheet.positions.tolist()}
    for arm in sheet.arms:
        estimate = estimate_contrast(
            {arm: sheet.matrix(arm)}, {arm: 1.0}, sheet.design, paired=False
        )
        interval = estimate.interval(alpha)
        chance = [c for name, c in chance_of(sheet, arm).items() if name in languages]
        yield ArmRow(
            setting=sheet.setting,
            regime=sheet.regime,
            arm=arm,
            seeds=sheet.seeds,
            mean=six_digits(estimate.value),
            seed_sd=six_digits(float(np.std(sheet.means(arm), ddof=1))),
            low=six_digits(interval.low),
            high=six_digits(interval.high),
            chance=six_digits(float(np.mean(chance))),
        )


def table_rows(look: Look) -> tuple[TableRow, ...]:
    """Return the main contrast and all arm means by language, and by stratum."""
    level = CONTROL_LEVEL / len(look.sheets)
    return tuple(
        row
        for sheet in look.sheets
        for row in (
            *_languages(sheet, look.alpha, level),
            *_strata(sheet, look.alpha),
            *_nuisance(sheet),
        )
    )


def _nuisance(sheet: Sheet) -> Iterator[TableRow]:
    """Arm means and the main contrast at each nuisance value: does the effect depend on it?"""
    higher, lower = contrast_pairs(sheet.claim.criterion)[0]
    for name, values in sheet.claim.reproduction.nuisance.items():
        for value in values:
            means = {
                arm: float(np.mean(chosen))
                for arm, trials in sheet.arms.items()
                if (chosen := [sheet.mean(t) for t in trials if t.row.parameters[name] == value])
            }
            yield TableRow(
                setting=sheet.setting,
                regime=sheet.regime,
                group=name,
                key=str(value),
                queries=len(sheet.positions),
                clusters=sheet.design.groups,
                primary=True,
                testable=None,
                arms={arm: six_digits(mean) for arm, mean in means.items()},
                contrast=six_digits(means[higher] - means[lower]) if means else None,
                low=None,
                high=None,
            )


def _languages(sheet: Sheet, alpha: float, level: float) -> Iterator[TableRow]:
    """Languages in the primary stratum: the card's primary ones and those only reported."""
    floors = {f.language: f for f in language_floors(sheet, level)}
    names = np.asarray(sheet.queries.languages)
    primary = set(sheet.card.languages.primary)
    for language in sheet.card.languages.test:
        columns = np.flatnonzero((names == language) & sheet.in_stratum)
        if len(columns):
            floor = floors[language]
            yield _row(sheet, "language", language, columns, alpha, language in primary, floor)


def _strata(sheet: Sheet, alpha: float) -> Iterator[TableRow]:
    """Strata among the queries that count; for the stratum that says which count, all of it."""
    spoken = np.isin(np.asarray(sheet.queries.languages), sheet.card.languages.primary)
    for group, values in sheet.queries.strata.items():
        labels = np.asarray(values)
        inside = spoken if group in sheet.card.strata.primary else spoken & sheet.in_stratum
        for key in sorted(set(values)):
            columns = np.flatnonzero((labels == key) & inside)
            if len(columns):
                primary = sheet.card.strata.primary.get(group, key) == key
                yield _row(sheet, group, key, columns, alpha, primary, None)


def _row(
    sheet: Sheet,
    group: str,
    key: str,
    columns: Columns,
    alpha: float,
    primary: bool,  # noqa: FBT001 - a column of the table
    floor: LanguageFloor | None,
) -> TableRow:
    design = design_of(sheet.queries, columns, sheet.claim.criterion.weights)
    means: dict[str, Number] = {
        arm: six_digits(float(design.total(sheet.full(arm)[:, columns].mean(axis=0))))
        for arm in sheet.arms
    }
    value = low = high = None
    higher, lower = contrast_pairs(sheet.claim.criterion)[0]
    if design.groups >= _FEWEST_CLUSTERS:
        estimate = estimate_pair(
            sheet, higher, lower, ties="expected", design=design, columns=columns
        )
        interval = estimate.interval(alpha)
        value, low, high = map(six_digits, (estimate.value, interval.low, interval.high))
    return TableRow(
        setting=sheet.setting,
        regime=sheet.regime,
        group=group,
        key=key,
        queries=len(columns),
        clusters=design.groups,
        primary=primary,
        testable=None if floor is None else floor.testable,
        arms=means,
        contrast=value,
        low=low,
        high=high,
    )


def fewest_clusters(look: Look) -> int:
    """Return the fewest clusters of primary queries in any language that counts."""
    return min(
        len({sheet.queries.clusters[p] for p in sheet.positions.tolist() if at(sheet, p) == name})
        for sheet in look.sheets
        for name in sheet.card.languages.primary
    )


def at(sheet: Sheet, position: int) -> str:
    """Return the language of the query at a position."""
    return sheet.queries.languages[position]
