"""Languages out of reach, and the script of a letter."""

from __future__ import annotations

import pytest

from verifier.documents.folding import script_of
from verifier.settings.scripts import unreachable_languages


@pytest.mark.parametrize(
    ("letter", "script"),
    [("a", "LATIN"), ("Ẹ", "LATIN"), ("œ", "LATIN"), ("ж", "CYRILLIC"), ("ک", "ARABIC"),
     ("ऑ", "DEVANAGARI"), ("ৎ", "BENGALI"), ("中", "CJK"), ("አ", "ETHIOPIC"), ("한", "HANGUL"),
     ("ʻ", None), ("1", None), ("́", None), (" ", None)],
)  # fmt: skip
def test_script_of_letters(letter, script):
    assert script_of(letter) == script


def test_a_language_is_out_only_if_its_own_script_is_missing():
    texts = {"am": ["አንድ"], "az": ["bir iki üç dörd beş altı yeddi µ"], "empty": ["1"]}
    assert unreachable_languages(texts, train=["one"]) == {"am": "ETHIOPIC"}
