"""The real card and the real task, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.documents.card import Card
from verifier.documents.reading import read_document
from verifier.documents.task import Task
from verifier.settings.cldr import build

CARD = Path(__file__).parents[2] / "settings" / "cldr-names.yaml"


@pytest.fixture(scope="session")
def card() -> Card:
    return read_document(Card, CARD.read_bytes(), name="settings/cldr-names.yaml")


@pytest.fixture(scope="session")
def task(card: Card) -> Task:
    return build(card)
