"""How queries count and hang together: weights, fixed strata, clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_ROUNDING = 1e-9
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Labels = Sequence[str] | Sequence[int] | NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """Weights, languages (fixed strata) and clusters of the queries.

    weights: (Q,) float64, positive, summing to 1, equal inside a language; languages and
    clusters: (Q,) int64 codes 0..L-1 and 0..G-1, none of them without a query.
    by_language: whether every language counts the same (macro) or every query (micro).
    """

    weights: Floats
    languages: Ints
    clusters: Ints
    by_language: bool

    def __post_init__(self) -> None:
        queries = len(self.weights)
        if not queries == len(self.languages) == len(self.clusters) > 0:
            raise ValueError("want a weight, a language and a cluster for each of some queries")
        if not (bool(np.all(self.weights > 0)) and abs(float(self.weights.sum()) - 1) < _ROUNDING):
            raise ValueError("want positive weights that sum to 1")
        for name, codes in (("language", self.languages), ("cluster", self.clusters)):
            if int(codes.min()) < 0 or int(np.bincount(codes).min()) == 0:
                raise ValueError(f"want {name} codes 0..n-1, each with a query")
        heads = np.unique(self.languages, return_index=True)[1]
        if not np.allclose(
            self.weights, self.weights[heads][self.languages], rtol=_ROUNDING, atol=0
        ):
            raise ValueError("want equal weights inside a language")

    @property
    def queries(self) -> int:
        """How many queries count."""
        return len(self.weights)

    @property
    def groups(self) -> int:
        """G, how many clusters there are."""
        return int(self.clusters.max()) + 1

    @property
    def strata(self) -> int:
        """How many languages there are."""
        return int(self.languages.max()) + 1

    @property
    def lonely(self) -> tuple[int, ...]:
        """Languages whose queries lie in one cluster: they add nothing to the query variance."""
        pairs = np.unique(np.stack([self.languages, self.clusters], axis=1), axis=0)
        return tuple(int(k) for k in np.flatnonzero(np.bincount(pairs[:, 0]) == 1))

    def total(self, values: ArrayLike) -> Floats:
        """Weighted sum over queries, the last axis."""
        return np.asarray(np.asarray(values, dtype=np.float64) @ self.weights)

    def centred(self, values: Floats) -> Floats:
        """Values less their mean in each language; queries on the last axis."""
        rows = np.atleast_2d(values)
        counts = np.bincount(self.languages)
        means = _sums(rows, self.languages) / counts
        return (rows - means[:, self.languages]).reshape(values.shape)

    def cluster_sums(self, values: Floats) -> Floats:
        """Weighted sums inside clusters: (..., Q) -> (..., G)."""
        rows = np.atleast_2d(values * self.weights)
        return _sums(rows, self.clusters).reshape(*values.shape[:-1], self.groups)

    @property
    def effective_groups(self) -> float:
        """How many clusters of equal weight would be as good: 1 / sum of squared weights."""
        return 1.0 / float(np.sum(np.bincount(self.clusters, weights=self.weights) ** 2))

    def stretch(self) -> Floats:
        """1 / (1 - h) for each query, h its cluster's share of its language; 0 where h is 1."""
        cells = self.languages * self.groups + self.clusters
        here = np.bincount(cells)[cells]
        rest = np.bincount(self.languages)[self.languages] - here
        factors: Floats = np.zeros(self.queries)
        np.divide(here + rest, rest, out=factors, where=rest > 0)
        return factors

    def spread(self, values: Floats) -> float:
        """Variance of the weighted mean of `values` over draws of clusters.

        (G-1)/G times the sum over clusters of squared weighted sums of centred values, each
        stretched by 1 / (1 - h): the delete-one-cluster jackknife, and G/(G-1) times the plain
        sum where clusters have equal shares.  values: (Q,) or (S, Q), whose rows are added up.
        ValueError for G < 2.
        """
        if self.groups < 2:  # noqa: PLR2004 - a variance needs two
            raise ValueError("want at least two clusters")
        sums = self.cluster_sums(self.centred(values) * self.stretch())
        return (self.groups - 1) / self.groups * float(np.sum(sums**2))


def _sums(rows: Floats, codes: Ints) -> Floats:
    """Sums of each row by code, (rows, codes) float64."""
    size = int(codes.max()) + 1
    return np.stack([np.bincount(codes, weights=row, minlength=size) for row in rows])


def micro(languages: Labels, clusters: Labels) -> Design:
    """Build the design in which every query counts the same."""
    count = len(languages)
    return Design(
        weights=np.full(count, 1.0 / max(count, 1)),
        languages=_codes(languages),
        clusters=_codes(clusters),
        by_language=False,
    )


def macro(languages: Labels, clusters: Labels) -> Design:
    """Build the design in which every language counts the same."""
    codes = _codes(languages)
    sizes = np.bincount(codes)
    return Design(
        weights=1.0 / (len(sizes) * sizes[codes]),
        languages=codes,
        clusters=_codes(clusters),
        by_language=True,
    )


def restrict(design: Design, keep: NDArray[np.bool_]) -> Design:
    """Build the design of the queries where `keep`, weighted anew in the same way.

    Codes are made dense again, in the same order.  ValueError if no query stays.
    """
    build = macro if design.by_language else micro
    return build(design.languages[keep], design.clusters[keep])


def _codes(labels: Labels) -> Ints:
    """Codes 0..n-1 in sorted order of the labels."""
    return np.unique(np.asarray(labels), return_inverse=True)[1].reshape(-1).astype(np.int64)
