"""What a task comes to: its counts, its digest, its chance level, its share of near copies."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from verifier.documents.card import Counts
from verifier.documents.task import Query, Task
from verifier.settings.overlap import max_jaccard

TEST = "test"


def summarise(task: Task) -> Counts:
    """Count a task's documents, pairs and queries as its card does."""
    test = task.query_sets[TEST]
    languages = dict.fromkeys(query.language for query in test)
    names = dict.fromkeys(name for query in test for name in query.strata)
    return Counts(
        documents=_sorted(document.kind for document in task.documents),
        train=_sorted(query.language for query in task.train),
        dev=_sorted(query.language for query in task.dev),
        test={
            language: _sorted(q.strata["exposure"] for q in test if q.language == language)
            for language in languages
        },
        clusters=len({query.cluster for query in test}),
        homographs=sum(len(query.relevant) > 1 for query in test),
        strata={name: _sorted(q.strata[name] for q in test if name in q.strata) for name in names},
    )


def _sorted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def task_digest(task: Task) -> str:
    """Return `sha256:...` over all texts, ids, languages, clusters, judgements and strata.

    Canonical: one JSON array a line, UTF-8, no blanks, keys sorted.  Similarities are left
    out: they are floats, and follow from the rest.
    """
    lines: list[Any] = [["task-v1", task.name]]
    lines += [["document", d.id, d.text, d.kind] for d in task.documents]
    parts = {"train": task.train, "dev": task.dev}
    parts |= {f"queries/{name}": task.query_sets[name] for name in sorted(task.query_sets)}
    for part, queries in parts.items():
        lines += [[part, *_row(query)] for query in queries]
    text = "\n".join(
        json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for line in lines
    )
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _row(query: Query) -> list[Any]:
    relevant = list(query.relevant)
    return [query.id, query.text, query.language, query.cluster, relevant, dict(query.strata)]


def chance_rr(documents: int, relevant: int, depth: int) -> float:
    """Return the expected RR@depth of a uniformly random ranking, in closed form.

    P(first relevant at rank r) = C(documents - r, relevant - 1) / C(documents, relevant).
    """
    if not 1 <= relevant <= documents:
        raise ValueError(f"want 1 <= relevant <= {documents}, got {relevant}")
    missed, expected = 1.0, 0.0
    for rank in range(1, min(depth, documents - relevant + 1) + 1):
        hit = missed * relevant / (documents - rank + 1)
        expected += hit / rank
        missed -= hit
    return expected


def floor_rr(task: Task, positions: Sequence[int], *, depth: int) -> float:
    """Return the macro (over languages) chance RR@depth of these test queries."""
    by_language: dict[str, list[float]] = {}
    for position in positions:
        query = task.query_sets[TEST][position]
        chance = chance_rr(len(task.documents), len(query.relevant), depth)
        by_language.setdefault(query.language, []).append(chance)
    if not by_language:
        raise ValueError("want at least one query")
    return sum(sum(v) / len(v) for v in by_language.values()) / len(by_language)


def near_overlap(task: Task, threshold: float) -> float:
    """Return the share of test queries that are near copies of a training name."""
    test = [query.text for query in task.query_sets[TEST]]
    overlap = max_jaccard(test, [query.text for query in task.train])
    return float((overlap >= threshold).mean())
