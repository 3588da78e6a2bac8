"""When two texts are the same text: Unicode folding, and the script a letter belongs to."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Character names are a stable property (Unicode Stability Policy) and begin with the script.
_SCRIPT = re.compile(
    r"(?P<script>[A-Z ]+?)[ -](?:UNIFIED |INDEPENDENT |SMALL |CAPITAL |FINAL )*"
    r"(?:LETTER|LIGATURE|SYLLABLE|SYLLABICS|IDEOGRAPH|CHARACTER|VOWEL|SIGN)\b"
)


def fold(text: str) -> str:
    """Fold a text for comparison: NFKC, case folding, NFKC again, blanks collapsed.

    Source: The Unicode Standard, section 3.13, D147 (compatibility caseless matching).
    """
    cased = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", cased).split())


@lru_cache(maxsize=65536)
def script_of(character: str) -> str | None:
    """Return the script of a letter (`LATIN`, `DEVANAGARI`, `CJK`), or None for anything else.

    Python ships no Script property, so it is read off the character's name; letters whose
    name does not begin with a script (modifier letters, say) have none.
    """
    if unicodedata.category(character) not in {"Lu", "Ll", "Lo"}:
        return None
    match = _SCRIPT.match(unicodedata.name(character, ""))
    return match["script"] if match else None
