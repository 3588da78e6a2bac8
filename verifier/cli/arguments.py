"""The short form of the command line: `verify claims/x.yaml` is `verify run claims/x.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

_DOCUMENTS = (".yaml", ".yml")


def expand(
    argv: Sequence[str], *, commands: Container[str], is_path: Callable[[str], bool]
) -> list[str]:
    """Return `argv` with "run" in front, if its first word is a document or folder.

    commands: names that win over paths (`./run` is always a path).
    is_path: tells whether something of that name exists.
    Options before that word are passed over; a word right after one may be its value.
    """
    may_be_value = False
    for word in argv:
        if word.startswith("-"):
            may_be_value = "=" not in word
        elif word in commands:
            break
        elif word.endswith(_DOCUMENTS) or is_path(word):
            return ["run", *argv]
        elif not may_be_value:
            break
        else:
            may_be_value = False
    return list(argv)
