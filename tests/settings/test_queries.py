"""Queries: each rule of removal by an example that falls if the rule is dropped."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from verifier.settings.labels import make_labels
from verifier.settings.queries import evaluation_queries, named_strings, training_queries

ENGLISH = {"unit:a": "alpha", "unit:b": "beta", "unit:c": "gamma", "unit:d": "delta"}
LABELS = make_labels(ENGLISH)


def split(dev="", seen="abcd"):
    return SimpleNamespace(
        is_dev=lambda label: label[-1] in dev, is_seen=lambda label: label[-1] in seen
    )


def evaluated(names, *, train=None, **sides):
    train_queries = training_queries(_strings(train or {}), LABELS, split(**sides))
    return evaluation_queries(_strings(names), LABELS, split(**sides), train=train_queries)


def _strings(names):
    return {language: named_strings(own, LABELS) for language, own in names.items()}


def _ids(queries):
    return [query.id for query in queries]


def test_a_plain_name_becomes_one_test_query():
    dev, found = evaluated({"xx": {"unit:a": "Alfa"}})
    assert not dev
    assert _ids(found) == ["xx:unit:a"]
    assert found[0].relevant == (0,)
    assert found[0].strata == {"kind": "unit", "exposure": "seen"}
    assert found[0].cluster == "unit:a"


@pytest.mark.parametrize("name", ["alpha", "ALPHA", "ａｌｐｈａ", " alpha  "])
def test_a_name_equal_to_the_english_one_is_removed(name):
    assert named_strings({"unit:a": name, "unit:b": "x"}, LABELS).keys() == {"x"}


def test_the_english_name_of_another_label_trains_but_does_not_test():
    names = {"xx": {"unit:a": "BETA"}}
    assert _ids(training_queries(_strings(names), LABELS, split())) == ["xx:unit:a"]
    assert evaluated(names) == ((), ())


def test_a_test_string_that_occurs_in_training_is_removed():
    train = {"tt": {"unit:a": "Alfa"}}
    assert _ids(evaluated({"xx": {"unit:a": "ALFA", "unit:b": "Bet"}}, train=train)[1]) == [
        "xx:unit:b"
    ]


def test_a_dev_string_that_occurs_in_training_is_removed():
    train = {"tt": {"unit:a": "Alfa"}}
    assert evaluated({"xx": {"unit:a": "ALFA"}}, train=train, dev="a") == ((), ())


def test_a_string_not_in_training_because_its_label_is_unseen_is_kept():
    train = {"tt": {"unit:a": "Alfa"}}
    _, found = evaluated({"xx": {"unit:a": "Alfa"}}, train=train, seen="b")
    assert [q.strata["exposure"] for q in found] == ["unseen"]


def test_a_homograph_is_one_query_with_several_relevant_documents():
    names = {"xx": {"unit:a": "Foo", "unit:b": "foo", "unit:c": "Bar"}}
    _, found = evaluated(names)
    assert _ids(found) == ["xx:unit:a+unit:b", "xx:unit:c"]
    assert found[0].relevant == (0, 1)
    assert training_queries(_strings(names), LABELS, split())[0].relevant == (0, 1)


def test_homographs_join_clusters_also_of_other_queries():
    names = {
        "xx": {"unit:b": "Foo", "unit:c": "foo"},
        "yy": {"unit:c": "Gam", "unit:d": "gam"},
        "zz": {"unit:d": "Del", "unit:a": "Al"},
    }
    _, found = evaluated(names)
    assert {q.id: q.cluster for q in found} == {
        "xx:unit:b+unit:c": "unit:b",
        "yy:unit:c+unit:d": "unit:b",
        "zz:unit:a": "unit:a",
        "zz:unit:d": "unit:b",
    }


def test_a_string_of_dev_and_test_labels_is_removed():
    assert evaluated({"xx": {"unit:a": "Foo", "unit:b": "foo"}}, dev="a") == ((), ())


def test_a_string_of_seen_and_unseen_labels_is_removed_everywhere():
    names = {"xx": {"unit:a": "Foo", "unit:b": "foo"}}
    assert evaluated(names, seen="a") == ((), ())
    assert training_queries(_strings(names), LABELS, split(seen="a")) == ()


def test_a_test_string_that_occurs_in_dev_is_removed():
    names = {"xx": {"unit:a": "Foo"}, "yy": {"unit:b": "FOO", "unit:c": "Gam"}}
    dev, found = evaluated(names, dev="a")
    assert _ids(dev) == ["xx:unit:a"]
    assert _ids(found) == ["yy:unit:c"]


def test_training_has_seen_labels_of_dev_and_test_alike():
    names = {"xx": {"unit:a": "Al", "unit:b": "Be", "unit:c": "Ga"}}
    found = training_queries(_strings(names), LABELS, split(dev="a", seen="ab"))
    assert _ids(found) == ["xx:unit:a", "xx:unit:b"]


def test_names_of_no_label_are_ignored():
    assert named_strings({"unit:zz": "Zed"}, LABELS) == {}
