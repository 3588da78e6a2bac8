"""The setting `cldr-names`: the task that a card and the installed Babel define."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from verifier.documents.card import Card
from verifier.documents.task import Document, Query, Task
from verifier.errors import VerifierError
from verifier.settings.labels import Label, make_labels
from verifier.settings.names import Names, read_names, require_versions
from verifier.settings.overlap import band, max_jaccard
from verifier.settings.queries import evaluation_queries, named_strings, training_queries
from verifier.settings.scripts import unreachable_languages
from verifier.settings.similarity import label_similarity
from verifier.settings.split import Split
from verifier.settings.summary import TEST, near_overlap, summarise, task_digest

_RATE_DIGITS = 4


def build(card: Card) -> Task:
    """Build the card's task from the installed Babel; VerifierError for another Babel.

    What was built is not yet what the card promises: `check` says whether it is.
    """
    require_versions(babel=card.origin.babel, cldr=card.origin.cldr, where=card.where)
    languages = card.languages
    names = read_names((languages.documents, *languages.train, *languages.test))
    return assemble(card, names)


def assemble(card: Card, names: Names) -> Task:
    """Turn names into a task by the card's rules (METHOD, `cldr-names`)."""
    labels = make_labels(names.by_language[card.languages.documents])
    split = Split(
        salt=card.split.salt,
        dev_percent=card.split.dev_percent,
        seen_percent=card.split.seen_percent,
    )
    strings = {
        language: named_strings(names.by_language[language], labels)
        for language in (*card.languages.train, *card.languages.test)
    }
    train = training_queries({x: strings[x] for x in card.languages.train}, labels, split)
    tested = {x: strings[x] for x in card.languages.test}
    dev, test = evaluation_queries(tested, labels, split, train=train)
    _require_scripts(card, dev + test, train)
    return Task(
        name=card.name,
        documents=tuple(_document(label) for label in labels),
        train=train,
        dev=_with_overlap(dev, train, card.strata.overlap),
        query_sets={TEST: _with_overlap(test, train, card.strata.overlap)},
        similarities=label_similarity(labels, names.places),
    )


def _document(label: Label) -> Document:
    return Document(id=label.id, text=label.text, kind=label.kind)


def _with_overlap(
    queries: Sequence[Query], train: Sequence[Query], edges: Sequence[float]
) -> tuple[Query, ...]:
    overlap = max_jaccard([q.text for q in queries], [q.text for q in train])
    return tuple(
        replace(query, strata={**query.strata, "overlap": band(value, edges)})
        for query, value in zip(queries, overlap.tolist(), strict=True)
    )


def _require_scripts(card: Card, queries: Sequence[Query], train: Sequence[Query]) -> None:
    texts = {x: [q.text for q in queries if q.language == x] for x in card.languages.test}
    out = unreachable_languages(texts, train=[q.text for q in train])
    for language, script in out.items():
        raise VerifierError(
            f"language {language}: its script ({script}) is absent from training, so its "
            f"score would be chance",
            where=card.where,
            hint="take the language off the card, or train on one with the same script",
        )


def primary_positions(card: Card, task: Task) -> tuple[int, ...]:
    """Return the positions, in the test set, of the queries that verdicts are about.

    Those in the card's primary languages and in its primary stratum.
    """
    return tuple(
        position
        for position, query in enumerate(task.query_sets[TEST])
        if query.language in card.languages.primary
        and all(query.strata.get(name) == value for name, value in card.strata.primary.items())
    )


def check(card: Card, task: Task) -> None:
    """Compare a task with its card: VerifierError naming what was expected and what found."""
    found = summarise(task).model_dump()
    differences = _differences("counts", card.counts.model_dump(), found)
    rate = round(near_overlap(task, card.leak.threshold), _RATE_DIGITS)
    differences += _differences("leak.rate", card.leak.rate, rate)
    differences += _differences("digest", card.digest, task_digest(task))
    if not differences:
        return
    more = f" (and {len(differences) - 1} more differences)" if differences[1:] else ""
    raise VerifierError(
        f"this is not the task of the card: {differences[0]}{more}",
        where=card.where,
        hint=f"run: python -m pip install --force-reinstall 'Babel=={card.origin.babel}'; "
        "who changed the rules on purpose gives the card a new version with the found values",
    )


def _differences(place: str, expected: Any, found: Any) -> list[str]:  # noqa: ANN401 (a tree)
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        keys = dict.fromkeys((*expected, *found))
        pairs = ((f"{place}.{key}", expected.get(key), found.get(key)) for key in keys)
        return [line for name, a, b in pairs for line in _differences(name, a, b)]
    return [] if expected == found else [f"{place}: expected {expected}, found {found}"]
