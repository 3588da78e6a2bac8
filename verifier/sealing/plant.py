"""Planted queries (control C8): a few ask for their document in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from verifier.documents.prf import prf
from verifier.documents.task import Task
from verifier.errors import VerifierError

PLANTED = 200


def plant(
    task: Task,
    key: bytes,
    count: int = PLANTED,
    *,
    among: Sequence[int] | None = None,
    query_set: str = "test",
) -> tuple[Task, tuple[int, ...]]:
    """Replace `count` queries' texts by the exact text of their first relevant document.

    among: positions in the query set to choose from (the card's primary queries), all by
    default.  Returns the task and the chosen positions, ascending; who lacks the key cannot
    tell beforehand which.  VerifierError if there are fewer than `count`.
    """
    queries = task.query_sets[query_set]
    positions = range(len(queries)) if among is None else sorted(set(among))
    if not 1 <= count <= len(positions):
        raise VerifierError(
            f"want {count} queries to plant, found {len(positions)}",
            where=f"setting {task.name}, query set {query_set}",
            hint="plant fewer, or choose among more queries",
        )
    drawn = sorted(positions, key=lambda p: prf(key, "plant-v1", query_set, queries[p].id))
    chosen = frozenset(drawn[:count])
    planted = tuple(
        replace(query, text=task.documents[query.relevant[0]].text) if p in chosen else query
        for p, query in enumerate(queries)
    )
    sets = {**task.query_sets, query_set: planted}
    return replace(task, query_sets=sets), tuple(sorted(chosen))
