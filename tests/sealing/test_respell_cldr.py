"""Re-spelling the real task: it is the same task, and nobody knows its texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from verifier.documents.card import Card
from verifier.documents.folding import fold
from verifier.documents.reading import read_document
from verifier.sealing.alphabet import movable_classes
from verifier.sealing.plant import plant
from verifier.sealing.respell import respell
from verifier.settings.cldr import build, primary_positions
from verifier.settings.overlap import max_jaccard

CARD = Path(__file__).parents[2] / "settings" / "cldr-names.yaml"


@pytest.fixture(scope="module")
def card():
    return read_document(Card, CARD.read_bytes(), name="settings/cldr-names.yaml")


@pytest.fixture(scope="module")
def task(card):
    return build(card)


def _texts(task):
    return [item.text for part in (task.documents, task.train, task.dev, task.query_sets["test"])
            for item in part]  # fmt: skip


def test_overlap_with_training_is_the_same_to_the_last_bit(task):
    new = respell(task, b"key")
    old_test, new_test = ([q.text for q in t.query_sets["test"]] for t in (task, new))
    old_train, new_train = ([q.text for q in t.train] for t in (task, new))
    assert np.array_equal(max_jaccard(old_test, old_train), max_jaccard(new_test, new_train))


def test_folded_texts_correspond_one_to_one(task):
    pairs = {(fold(a), fold(b)) for a, b in zip(_texts(task), _texts(respell(task, b"key")),
                                               strict=True)}  # fmt: skip
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_hardly_any_real_name_is_left(task):
    known = {fold(text) for text in _texts(task)}
    left = [fold(q.text) in known for q in respell(task, b"key").query_sets["test"]]
    assert np.mean(left) < 0.005


def test_most_letters_of_each_script_may_move(task):
    """If folding ever pinned a script, the control would be blind there."""
    classes = movable_classes(frozenset(_texts(task)))
    moving = sum(len(units) for units in classes if len(units) > 2)
    assert moving > 0.97 * len({fold(c) for text in _texts(task) for c in text if c.isalpha()})


def test_planting_two_hundred_primary_queries(card, task):
    among = primary_positions(card, task)
    planted, chosen = plant(task, b"key", among=among)
    assert len(chosen) == 200
    assert set(chosen) <= set(among)
    for position, (old, new) in enumerate(
        zip(task.query_sets["test"], planted.query_sets["test"], strict=True)
    ):
        if position in chosen:
            assert new.text == task.documents[old.relevant[0]].text != old.text
        else:
            assert new == old
