"""How alike two labels are: half their place in the taxonomy, half their English names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from verifier.settings.labels import Label
from verifier.settings.overlap import trigram_matrix
from verifier.settings.taxonomy import path_similarity

STEP = 1000  # similarities are whole thousandths, so that machines agree on them


def label_similarity(
    labels: Sequence[Label], places: Mapping[str, Sequence[str]]
) -> NDArray[np.float32]:
    """Return (labels, labels) float32 in [0, 1], symmetric, 1 on the diagonal and only there.

    .5 * taxonomy + .5 * trigram cosine, rounded to thousandths (METHOD: label similarity).
    """
    taxonomy = path_similarity([label.codes for label in labels], places)
    cosine = trigram_cosine([label.text for label in labels])
    mixed = np.floor((taxonomy + cosine) / 2 * STEP + 0.5)
    mixed = np.minimum(mixed, STEP - 1)  # different labels are never the same label
    np.fill_diagonal(mixed, STEP)
    return (mixed / STEP).astype(np.float32)


def trigram_cosine(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return (texts, texts) cosines of 0/1 trigram vectors weighted by log((1+n)/(1+df)) + 1."""
    counts = trigram_matrix(texts, {})
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((1 + len(texts)) / (1 + frequency)) + 1
    weighted = counts @ sparse.diags_array(idf)
    norms = np.sqrt(np.asarray(weighted.power(2).sum(axis=1)))
    unit = sparse.diags_array(1 / norms) @ weighted
    return np.asarray((unit @ unit.T).toarray())


def effective_labels(similarities: NDArray[np.float32], beta: float) -> float:
    """Return the effective number of other labels that weights sim**beta draw from.

    The exponential of the entropy (Hill number of order 1) of each label's weights over the
    labels other than itself, averaged over labels that have any.
    """
    weights = np.power(similarities.astype(np.float64), beta)
    np.fill_diagonal(weights, 0.0)
    totals = weights.sum(axis=1, keepdims=True)
    shares = weights[totals[:, 0] > 0] / totals[totals[:, 0] > 0]
    if not len(shares):
        raise ValueError("want at least two labels that are alike")
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return float(np.exp(-(shares * logs).sum(axis=1)).mean())
