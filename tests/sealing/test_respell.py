"""Re-spelling: equality, length, script and case are kept, everything else is new."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.documents.folding import fold, script_of
from verifier.documents.task import Document, Query, Task
from verifier.sealing.alphabet import movable_classes
from verifier.sealing.respell import respell, respelling

# Letters of five scripts, precomposed ones, marks that compose with some of them, and the
# awkward: sharp s, Turkish i, ligature, Kelvin, superscript, full width, final sigma, jamo.
ALPHABET = (
    "aAbBeEéÉẹẸsSiIkKnNßẞİıſﬁ²ＡжЖйЙσςΣ中文国अनर१تسآ\u212a\u0301\u0300\u0323\u0307"
    "\u093c\u093f\u0653\u1112\u1161ｶﾞカガǰ-'12 .()"
)
nfc = st.text(alphabet=ALPHABET, max_size=12).map(lambda t: unicodedata.normalize("NFC", t))
many = st.lists(nfc, min_size=1, max_size=12)
keys = st.binary(min_size=1, max_size=8)


def spelled(texts, key):
    table = respelling(texts, key)
    return [text.translate(table) for text in texts]


@given(many, keys)
def test_texts_are_equal_after_exactly_if_they_were_before(texts, key):
    """Folded equality and plain equality, both ways: nothing is merged, nothing torn apart."""
    after = spelled(texts, key)
    for a, new_a in zip(texts, after, strict=True):
        for b, new_b in zip(texts, after, strict=True):
            assert (a == b) == (new_a == new_b)
            assert (fold(a) == fold(b)) == (fold(new_a) == fold(new_b))


@given(many, keys)
def test_the_table_is_a_bijection_that_keeps_script_case_width_and_partner(texts, key):
    table = respelling(texts, key)
    assert sorted(table) == sorted(ord(letter) for letter in table.values())
    for code, new in table.items():
        old = chr(code)
        assert script_of(old) == script_of(new) is not None
        assert unicodedata.category(old) == unicodedata.category(new)
        assert len(old.encode()) == len(new.encode())
        assert table.get(ord(old.lower())) in {None, new.lower()}
        assert fold(old) == old.lower()


@given(many, keys)
def test_length_form_and_everything_but_letters_are_kept(texts, key):
    for old, new in zip(texts, spelled(texts, key), strict=True):
        assert len(old) == len(new)
        assert unicodedata.is_normalized("NFC", new)
        for a, b in zip(old, new, strict=True):
            assert a == b or script_of(a) is not None


@given(many, keys)
def test_folding_keeps_the_pattern_of_characters(texts, key):
    """Trigrams too are equal after exactly if they were before, so overlaps stay."""
    grams, news = [], []
    for old, new in zip(texts, spelled(texts, key), strict=True):
        a, b = fold(old), fold(new)
        assert len(a) == len(b)
        grams += [a[i : i + 3] for i in range(len(a) - 2)]
        news += [b[i : i + 3] for i in range(len(b) - 2)]
    pairs = set(zip(grams, news, strict=True))
    assert len(pairs) == len(set(grams)) == len(set(news))


@given(many, keys)
def test_the_same_key_gives_the_same_spelling(texts, key):
    assert spelled(texts, key) == spelled(texts[::-1], key)[::-1]


def test_other_keys_give_other_spellings():
    texts = ["abcdefgh", "привет"]
    assert len({tuple(spelled(texts, bytes([n]))) for n in range(20)}) == 20


def test_known_answer():
    """The permutation is part of the evidence: it may not change."""
    assert spelled(["Hello", "world"], b"key") == ["Rodde", "wehdl"]


@pytest.mark.parametrize("text", ["ß", "İ", "ı", "ʻ", "ª", "\u212a", "ſ", "ﬁ", "²", "\u1112", "ꭰ"])
def test_what_folding_mixes_up_stays(text):
    assert ord(text) not in respelling([text, "abcdefg"], b"k")


def test_letters_that_a_fixed_character_folds_to_stay():
    """`ß` folds to `ss`: were s to move, `Straße` and `STRASSE` would come apart."""
    for number in range(10):
        a, b = spelled(["Straße", "STRASSE", "bcdefghjklmn"], bytes([number]))[:2]
        assert fold(a) == fold(b)
        assert "s" not in {chr(c) for c in respelling(["ß", "stuv"], bytes([number]))}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ｶﾞ", "ガ"),  # a half-width mark folds to one that composes with the letter before
        ("カﾞ", "ガ"),
        ("ﬁ\u0301", "fí"),  # a mark composes with the last letter of what is folded out
    ],
)
def test_letters_that_folding_composes_stay_too(one, other):
    rest = "àéùçôêbcdghアイウエオキグゲゴ"
    for number in range(10):
        a, b = spelled([one, other, rest], bytes([number]))[:2]
        assert fold(a) == fold(b)


@pytest.mark.parametrize("texts", [["q\u0301bcdfghaeiou"], ["q\u0301", "e\u0331"]])
def test_a_letter_before_a_mark_never_becomes_one_that_composes_with_it(texts):
    for number in range(30):
        assert all(unicodedata.is_normalized("NFC", t) for t in spelled(texts, bytes([number])))


def test_classes_do_not_mix_scripts():
    classes = movable_classes(["abжщ中国अक"])
    assert [len({script_of(unit[0]) for unit in units}) for units in classes] == [1] * len(classes)
    assert len(classes) == 4


def test_no_texts_no_table():
    assert respelling([], b"k") == {}


def _task():
    query = Query(id="q", text="alfa", language="xx", cluster="c", relevant=(0,), strata={"a": "b"})
    return Task(
        name="t",
        documents=(Document(id="d", text="Alpha ß", kind="k"),),
        train=(query,),
        dev=(query,),
        query_sets={"test": (query,), "more": (query,)},
        similarities=None,
    )


def test_all_texts_of_a_task_are_respelled_and_nothing_else():
    old, new = _task(), respell(_task(), b"key")
    table = respelling(["alfa", "Alpha ß"], b"key")
    assert new.documents[0].text == "Alpha ß".translate(table) != "Alpha ß"
    parts = [new.train, new.dev, new.query_sets["test"], new.query_sets["more"]]
    assert {query.text for part in parts for query in part} == {"alfa".translate(table)}
    back = Counter((q.id, q.language, q.cluster, q.relevant) for part in parts for q in part)
    assert back == {("q", "xx", "c", (0,)): 4}
    assert old == _task()
