"""Re-spelling (control C7): other letters everywhere, the same task for whoever learns it.

A script that learns from the texts it is given finds the same regularities; whatever knows
the real texts (a look-up table, a helper, a system library) finds nothing it knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from verifier.documents.prf import draw
from verifier.documents.task import Query, Task
from verifier.sealing.alphabet import Unit, movable_classes


def respell(task: Task, key: bytes) -> Task:
    """Apply one keyed permutation of letters to all texts of a task.

    Letters move within their script and class (see `alphabet`), capitals with their small
    letters; marks, digits and punctuation stay.  Lengths, in characters and in UTF-8 bytes,
    and all equalities of folded texts and of their trigrams are kept, so that removals,
    overlap and label similarities are those of the original.  Same key, same bytes.
    """
    table = respelling(_texts(task), key)

    def queries(given: Iterable[Query]) -> tuple[Query, ...]:
        return tuple(replace(query, text=query.text.translate(table)) for query in given)

    return replace(
        task,
        documents=tuple(replace(d, text=d.text.translate(table)) for d in task.documents),
        train=queries(task.train),
        dev=queries(task.dev),
        query_sets={name: queries(given) for name, given in task.query_sets.items()},
    )


def respelling(texts: Collection[str], key: bytes) -> Mapping[int, str]:
    """Return the table for `str.translate`: a bijection on the letters of these texts."""
    table: dict[int, str] = {}
    for number, units in enumerate(movable_classes(texts)):
        for source, target in zip(units, _shuffled(units, key, number), strict=True):
            table |= {ord(a): b for a, b in zip(source, target, strict=True)}
    return table


def _texts(task: Task) -> frozenset[str]:
    queries = (task.train, task.dev, *task.query_sets.values())
    asked = {query.text for part in queries for query in part}
    return frozenset(asked | {document.text for document in task.documents})


def _shuffled(units: list[Unit], key: bytes, number: int) -> list[Unit]:
    """Shuffle by Fisher and Yates, every draw from the keyed function."""
    shuffled = list(units)
    for last in range(len(shuffled) - 1, 0, -1):
        other = draw(key, "respell-v1", number, last, below=last + 1)
        shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
    return shuffled
