"""Languages that training cannot reach because it never shows their script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from verifier.documents.folding import script_of

MAX_FOREIGN = 0.05  # share of letters; a name may quote a sign of another script


def letters_by_script(texts: Iterable[str]) -> Counter[str]:
    """Count the letters of these texts by script; letters without a script are left out."""
    counts = Counter(character for text in texts for character in text)
    scripts: Counter[str] = Counter()
    for character, times in counts.items():
        script = script_of(character)
        if script is not None:
            scripts[script] += times
    return scripts


def unreachable_languages(
    texts: Mapping[str, Iterable[str]], *, train: Iterable[str]
) -> dict[str, str]:
    """Return language -> its main script, where that language's script is absent from training.

    Absent means: more than 5 % of its letters are of scripts that no training text has.
    """
    known = letters_by_script(train).keys()
    found = {}
    for language, own in texts.items():
        scripts = letters_by_script(own)
        foreign = sum(times for script, times in scripts.items() if script not in known)
        if foreign > MAX_FOREIGN * scripts.total():
            found[language] = scripts.most_common(1)[0][0]
    return found
