"""Planting: as many as asked, known only to the holder of the key."""

from __future__ import annotations

import pytest

from verifier.documents.task import Document, Query, Task
from verifier.errors import VerifierError
from verifier.sealing.plant import plant


def _task(queries=10):
    return Task(
        name="t",
        documents=tuple(Document(id=f"d{i}", text=f"document {i}", kind="k") for i in range(4)),
        train=(),
        dev=(),
        query_sets={
            "test": tuple(
                Query(id=f"q{i}", text=f"query {i}", language="xx", cluster=f"c{i}",
                      relevant=(i % 3, 3))
                for i in range(queries)
            )
        },
        similarities=None,
    )  # fmt: skip


def test_chosen_queries_ask_in_the_words_of_their_first_document():
    planted, chosen = plant(_task(), b"k", 3)
    assert len(chosen) == 3
    for position, query in enumerate(planted.query_sets["test"]):
        want = f"document {position % 3}" if position in chosen else f"query {position}"
        assert query.text == want
        assert query.relevant == (position % 3, 3)


def test_the_key_decides_and_the_order_of_positions_does_not():
    assert plant(_task(), b"k", 3) == plant(_task(), b"k", 3)
    assert plant(_task(), b"k", 3, among=[9, 8, 7, 6])[1] == \
        plant(_task(), b"k", 3, among=[6, 7, 8, 9, 9])[1]  # fmt: skip
    assert len({plant(_task(), bytes([n]), 3)[1] for n in range(10)}) > 5


def test_only_the_named_positions_are_chosen():
    assert plant(_task(), b"k", 2, among=(4, 5))[1] == (4, 5)


@pytest.mark.parametrize(("count", "among"), [(11, None), (3, (1, 2)), (3, (1, 2, 2)), (0, None)])
def test_too_few_queries_are_an_error(count, among):
    with pytest.raises(VerifierError, match=f"want {count} queries to plant"):
        plant(_task(), b"k", count, among=among)
