"""Labels: equal names merged, currencies that differ only in years dropped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from verifier.documents.folding import fold
from verifier.settings.labels import dated_twins, make_labels


def test_equal_names_are_one_label_across_kinds():
    labels = make_labels({"script:Aa": "Fooish", "language:aa": "FOOISH ", "language:bb": "Bar"})
    assert [label.id for label in labels] == ["language:aa+script:Aa", "language:bb"]
    assert labels[0].kind == "language"
    assert labels[0].text == "FOOISH "


def test_a_currency_that_differs_only_in_years_is_dropped():
    names = {"currency:AAA": "Foo Crown", "currency:AAB": "Foo Crown (1901\u20131910)"}
    assert dated_twins(names) == {"currency:AAB"}
    assert [label.id for label in make_labels(names)] == ["currency:AAA"]


def test_two_dated_currencies_without_an_undated_one_are_both_dropped():
    names = {"currency:AAA": "Foo (1901\u20131910)", "currency:AAB": "Foo (1920\u20142001)"}
    assert dated_twins(names) == set(names)


def test_a_dated_currency_that_stands_alone_stays():
    names = {"currency:AAA": "Foo (1901\u20131910)", "currency:AAB": "Bar (Same day)"}
    assert not dated_twins(names)


def test_years_are_not_dropped_outside_currencies():
    names = {"territory:AA": "Foo", "territory:AB": "Foo (1901\u20131910)"}
    assert not dated_twins(names)
    assert len(make_labels(names)) == 2


@given(st.dictionaries(st.sampled_from([f"unit:{c}" for c in "abcdef"]), st.text(min_size=1)))
def test_every_code_is_in_one_label_and_no_two_labels_share_a_name(names):
    """Merging loses no code and leaves no ties."""
    labels = make_labels(names)
    assert sorted(code for label in labels for code in label.codes) == sorted(names)
    assert len({fold(label.text) for label in labels}) == len(labels)
