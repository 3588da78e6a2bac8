"""Closed forms for a group of ties in random order.

McSherry and Najork, "Computing Information Retrieval Performance Measures Efficiently in the
Presence of Tied Scores", ECIR 2008.  A group has `size` documents, `relevant` of them relevant,
on ranks above + 1 to above + size.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]


def sum_to(term: Literal["1/i", "1/log2(i+1)"], first: _Ints, last: _Ints) -> _Floats:
    """Sum of `term` over the ranks i = first + 1 .. last, elementwise.

    From running sums in long double: the difference is exact to the last bits of float64.
    """
    ranks = np.arange(1, int(last.max(initial=0)) + 1, dtype=np.longdouble)
    terms = 1 / ranks if term == "1/i" else 1 / np.log2(ranks + 1)
    running = np.concatenate([np.zeros(1, dtype=np.longdouble), np.cumsum(terms)])
    sums: _Floats = (running[last] - running[np.minimum(first, last)]).astype(np.float64)
    return sums


def expect_none(size: _Ints, relevant: _Ints, inside: _Ints) -> _Floats:
    """Probability that the group's first `inside` documents hold no relevant one."""
    possible = size - relevant >= inside
    spare = np.where(possible, size - inside, relevant)
    chance = np.exp(_log_choose(spare, relevant) - _log_choose(size, relevant))
    single = 1.0 - inside / size
    return np.where(possible, np.where(relevant == 1, single, chance), 0.0)


def expect_first(above: _Ints, size: _Ints, relevant: _Ints, inside: _Ints) -> _Floats:
    """Expected 1/rank of the group's first relevant document, 0 beyond `inside` of them."""
    values = sum_to("1/i", above, above + inside) / size
    many = np.flatnonzero(relevant > 1)
    if len(many) == 0:
        return values
    rows = np.stack([above[many], size[many], relevant[many], inside[many]], axis=1)
    kinds, which = np.unique(rows, axis=0, return_inverse=True)
    values[many] = _first_of_many(kinds)[which.ravel()]
    return values


def _first_of_many(kinds: _Ints) -> _Floats:
    """Sum over places j of C(size - j, relevant - 1) / C(size, relevant) / (above + j)."""
    above, size, relevant, inside = kinds.T
    places = np.minimum(size - relevant + 1, inside)
    row = np.repeat(np.arange(len(kinds)), places)
    place = np.arange(len(row)) - np.repeat(np.cumsum(places) - places, places) + 1
    logs = _log_choose(size[row] - place, relevant[row] - 1) - _log_choose(size[row], relevant[row])
    terms = np.exp(logs) / (above[row] + place)
    return np.bincount(row, weights=terms, minlength=len(kinds)).astype(np.float64, copy=False)


def _log_choose(n: _Ints, k: _Ints) -> _Floats:
    logs: _Floats = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return logs
