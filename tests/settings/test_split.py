"""The split: by hash, domains apart."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from verifier.settings.split import Split

SPLIT = Split(salt="s", dev_percent=20, seen_percent=80)


def test_known_answers():
    """The split never moves: these were computed once, with sha256sum."""
    assert SPLIT._percentile("dev", "territory:FR") == 100 * 0x4BFC1BB63597 / 2**48
    assert SPLIT._percentile("seen", "territory:FR") == 100 * 0xF8CCA6E32356 / 2**48


def test_shares_are_about_as_asked_and_independent():
    labels = [f"unit:{i}" for i in range(4000)]
    dev = {x for x in labels if SPLIT.is_dev(x)}
    seen = {x for x in labels if SPLIT.is_seen(x)}
    assert 0.17 < len(dev) / len(labels) < 0.23
    assert 0.77 < len(seen) / len(labels) < 0.83
    assert 0.13 < len(dev & seen) / len(labels) < 0.19


@given(st.text())
def test_a_larger_share_only_adds_labels(label):
    """Moving a percentage moves no label the other way."""
    assert SPLIT.is_dev(label) <= replace(SPLIT, dev_percent=21).is_dev(label)


def test_another_salt_is_another_split():
    labels = [f"unit:{i}" for i in range(100)]
    other = replace(SPLIT, salt="t")
    assert [SPLIT.is_seen(x) for x in labels] != [other.is_seen(x) for x in labels]
