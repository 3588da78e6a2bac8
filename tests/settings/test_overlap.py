"""Overlap of trigrams: against a plain computation with sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.settings.overlap import band, max_jaccard, trigrams

texts = st.lists(st.text(alphabet="aAbc é中", min_size=1, max_size=6), min_size=1, max_size=8)


def test_trigrams_see_the_edges_and_fold():
    assert trigrams("AbA") == (" ab", "aba", "ba ")
    assert trigrams("中") == (" 中 ",)


@given(texts, st.one_of(st.just([]), texts))
def test_max_jaccard_is_the_maximum_over_sets(left, right):
    """The sparse product says exactly what sets say."""

    def jaccard(a, b):
        a, b = set(trigrams(a)), set(trigrams(b))
        return len(a & b) / len(a | b)

    want = [max((jaccard(a, b) for b in right), default=0.0) for a in left]
    assert max_jaccard(left, right).tolist() == want


def test_long_lists_are_cut_into_blocks_without_a_seam():
    left = [f"text number {i}" for i in range(1100)]
    assert np.all(max_jaccard(left, left[::-1]) == 1.0)


@pytest.mark.parametrize(
    ("value", "name"),
    [(0, "<.1"), (0.0999, "<.1"), (0.1, ".1-.3"), (0.3, ".3-.5"), (0.5, ">=.5"), (1, ">=.5")],
)
def test_bands_begin_at_their_edge(value, name):
    assert band(value, (0.1, 0.3, 0.5)) == name
