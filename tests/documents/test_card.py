"""The card's own rules: unknown keys, parts that overlap, classes, floors."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from verifier.documents.card import Card
from verifier.documents.reading import read_document
from verifier.errors import DocumentError

BYTES = (Path(__file__).parents[2] / "settings" / "cldr-names.yaml").read_bytes()


def _plain():
    return copy.deepcopy(YAML(typ="safe").load(BYTES.decode()))


def _check(document):
    import json  # noqa: PLC0415

    return Card.model_validate_json(json.dumps(document))


def test_the_card_reads():
    card = _check(_plain())
    assert card.where == "settings/cldr-names.yaml"
    assert card.languages.test[0] == "ne"
    assert card == read_document(Card, BYTES, name="settings/cldr-names.yaml")


def test_an_unknown_key_is_refused_with_its_place():
    data = BYTES.replace(b"ceiling_reason:", b"celing_reason:")
    with pytest.raises(DocumentError, match=r"settings/cldr-names.yaml:\d+:\d+: "):
        read_document(Card, data, name="settings/cldr-names.yaml")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema",), "card-v2", "card-v1"),
        (("surprise",), 1, "Extra inputs"),
        (("counts", "surprise"), 1, "Extra inputs"),
        (("languages", "train"), ["hi", "ne"], "named twice"),
        (("languages", "train"), ["hi"], "one class for each language"),
        (("languages", "resource_class", "ne"), 3, "move"),
        (("languages", "resource_class", "gl"), 2, "move"),
        (("languages", "resource_class", "ne"), 6, "less than or equal to 5"),
        (("split", "dev_percent"), 0, "greater than or equal to 1"),
        (("split", "dev_percent"), "20", "integer"),
        (("strata", "overlap"), [0.3, 0.1], "ascending"),
        (("floor",), {}, "same measures"),
        (("floor",), {"AP": 0.1}, "same measures"),
        (("floor",), {"RR@10": 0.9}, "not below ceiling"),
        (("leak", "rate"), 1.1, "less than or equal to 1"),
        (("digest",), "sha256:xyz", "pattern"),
        (("similarity", "beta"), 0, "greater than 0"),
    ],
)
def test_a_fault_is_refused(path, value, message):
    document = _plain()
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValidationError, match=message):
        _check(document)
