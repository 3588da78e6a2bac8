"""Error rates in simulation: the interval keeps its level where the usual tests do not."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import binom, t

from verifier.stats.design import Design, macro, micro
from verifier.stats.estimate import estimate_contrast

DIFFERENCE = {"a": 1.0, "b": -1.0}
ALPHA = 0.01
REPEATS = 3000


@dataclass(frozen=True, kw_only=True)
class World:
    """Two arms; the true contrast of `a` over `b` is `theta`, over draws of clusters and seeds.

    cluster_sd: of the clusters' own differences; seed_sd: (a, b); mixed_sd: seed by cluster.
    """

    theta: float = 0.01
    clusters: int = 30
    largest: int = 4
    languages: int = 1
    seeds: tuple[int, int] = (5, 5)
    cluster_sd: float = 0.05
    query_sd: float = 0.1
    mixed_sd: float = 0.02
    seed_sd: tuple[float, float] = (0.01, 0.01)
    paired: bool = False
    nuisance_sd: float = 0.0

    def design(self) -> Design:
        """Clusters of 1 to `largest` queries a language, most of them small."""
        sizes = 1 + (np.arange(self.clusters) ** 3 % 97) * self.largest // 97
        cluster = np.tile(np.repeat(np.arange(self.clusters), sizes), self.languages)
        language = np.repeat(np.arange(self.languages), sizes.sum())
        return (macro if self.languages > 1 else micro)(language, cluster)

    def draw(self, design: Design, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Scores (seeds, Q) of both arms."""
        groups, queries = design.clusters, design.queries
        shared = rng.normal(0.3, 0.1, self.clusters)[groups]
        own = rng.normal(0, self.cluster_sd, self.clusters)[groups] + self.theta
        own = own + rng.normal(0, self.query_sd, queries)
        nuisance = rng.normal(0, self.nuisance_sd, (max(self.seeds), 1)) if self.paired else 0.0
        return {
            arm: shared
            + (own if arm == "a" else 0)
            + nuisance
            + rng.normal(0, self.seed_sd[k], (self.seeds[k], 1))
            + rng.normal(0, self.mixed_sd, (self.seeds[k], self.clusters))[:, groups]
            for k, arm in enumerate("ab")
        }


QUIET = {"seeds": (20, 20), "seed_sd": (0.0, 0.0), "mixed_sd": 0.0}
GRID = {
    "few clusters": World(clusters=8, largest=2),
    "few unequal clusters": World(clusters=12, largest=9),
    "many clusters": World(clusters=200, largest=4, cluster_sd=0.02),
    "eight very unequal clusters": World(clusters=8, largest=20, **QUIET),
    "twenty unequal clusters": World(clusters=20, largest=20, **QUIET),
    "loud seeds": World(seed_sd=(0.05, 0.05)),
    "one quiet arm": World(seed_sd=(0.05, 0.0), mixed_sd=0.0),
    "quiet arm, ten seeds": World(seeds=(10, 5), seed_sd=(0.0, 0.03), cluster_sd=0.01),
    "twenty seeds": World(seeds=(20, 20), cluster_sd=0.05),
    "paired nuisance draws": World(paired=True, nuisance_sd=0.1, seed_sd=(0.02, 0.02)),
    "languages share clusters": World(languages=4, clusters=25, largest=2),
}


def false_support(world, alpha=ALPHA, repeats=REPEATS, *, naive=False):
    """How often L > theta, of `repeats`, and how often U < theta."""
    rng = np.random.default_rng(20)
    design = world.design()
    above = below = 0
    for _ in range(repeats):
        scores = world.draw(design, rng)
        if naive:
            d = (scores["a"].mean(axis=0) - scores["b"].mean(axis=0)) - world.theta
            half = t.isf(alpha, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
            above += d.mean() - half > 0
            below += d.mean() + half < 0
            continue
        got = estimate_contrast(scores, DIFFERENCE, design, paired=world.paired).interval(alpha)
        above += got.low > world.theta
        below += got.high < world.theta
    return above, below


@pytest.mark.parametrize("world", GRID.values(), ids=GRID)
def test_false_support_is_at_most_nominal(world):
    """Fails when the count is above what 1 % allows in one of 2,000 such tests."""
    most = binom.isf(0.0005, REPEATS, ALPHA)
    above, below = false_support(world)
    assert above <= most
    assert below <= most


def test_the_usual_test_fails_in_the_same_worlds():
    """Positive control: ignoring clusters and seeds, the rate is several times nominal."""
    for name in ("few unequal clusters", "loud seeds", "languages share clusters"):
        above, below = false_support(GRID[name], repeats=400, naive=True)
        assert above + below > 3 * 2 * ALPHA * 400, name


@pytest.mark.parametrize("name", ["many clusters", "twenty seeds"])
def test_the_interval_is_not_vacuous(name):
    """At level .05 a side it misses at least 1.5 % on each, so it is not merely wide."""
    above, below = false_support(GRID[name], alpha=0.05, repeats=1000)
    assert 15 <= above <= binom.isf(0.0005, 1000, 0.05)
    assert 15 <= below <= binom.isf(0.0005, 1000, 0.05)
