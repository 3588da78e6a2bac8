"""From names to queries: what is kept, what is removed, and why nothing leaks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from verifier.documents.folding import fold
from verifier.documents.task import Query
from verifier.settings.labels import Label
from verifier.settings.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One string in one language and the labels it names: a homograph names several."""

    text: str
    codes: tuple[str, ...]
    labels: tuple[int, ...]


def named_strings(names: Mapping[str, str], labels: Sequence[Label]) -> dict[str, Named]:
    """Group the names of one language by their folded text.

    names: code -> name; codes that are no label's are ignored.  A name equal (folded) to the
    English name of its own label is removed: there is nothing to match.
    """
    owner = {code: i for i, label in enumerate(labels) for code in label.codes}
    english = [fold(label.text) for label in labels]
    found: dict[str, list[str]] = {}
    for code in sorted(owner.keys() & names.keys()):
        folded = fold(names[code])
        if folded and folded != english[owner[code]]:
            found.setdefault(folded, []).append(code)
    return {
        folded: Named(
            text=names[codes[0]],
            codes=tuple(codes),
            labels=tuple(sorted({owner[code] for code in codes})),
        )
        for folded, codes in found.items()
    }


def training_queries(
    strings: Mapping[str, Mapping[str, Named]], labels: Sequence[Label], split: Split
) -> tuple[Query, ...]:
    """Return the training pairs: strings all of whose labels are seen, of dev and test alike."""
    return tuple(
        _query(language, named, labels, exposure="seen")
        for language, by_text in strings.items()
        for named in by_text.values()
        if _side(named, labels, split.is_seen) is True
    )


def evaluation_queries(
    strings: Mapping[str, Mapping[str, Named]],
    labels: Sequence[Label],
    split: Split,
    *,
    train: Iterable[Query],
) -> tuple[tuple[Query, ...], tuple[Query, ...]]:
    """Return (dev, test) queries with clusters.

    Removed: strings that occur, folded, in training or among the English names; strings that
    name labels of both sides, or both seen and unseen ones; test strings that occur in dev.
    """
    known = {fold(query.text) for query in train} | {fold(label.text) for label in labels}
    sides: dict[bool, list[tuple[str, Query]]] = {True: [], False: []}
    for language, by_text in strings.items():
        for folded, named in by_text.items():
            is_dev = _side(named, labels, split.is_dev)
            is_seen = _side(named, labels, split.is_seen)
            if folded in known or is_dev is None or is_seen is None:
                continue
            exposure = "seen" if is_seen else "unseen"
            sides[is_dev].append((folded, _query(language, named, labels, exposure=exposure)))
    in_dev = {folded for folded, _ in sides[True]}
    dev = [query for _, query in sides[True]]
    test = [query for folded, query in sides[False] if folded not in in_dev]
    return _clustered(dev, labels), _clustered(test, labels)


def _side(named: Named, labels: Sequence[Label], rule: Callable[[str], bool]) -> bool | None:
    """Whether the rule holds for all labels of a string (True), none (False), or some (None)."""
    answers = {rule(labels[i].id) for i in named.labels}
    return answers.pop() if len(answers) == 1 else None


def _query(language: str, named: Named, labels: Sequence[Label], *, exposure: str) -> Query:
    first = labels[named.labels[0]]
    return Query(
        id=f"{language}:{'+'.join(named.codes)}",
        text=named.text,
        language=language,
        cluster=first.id,
        relevant=named.labels,
        strata={"kind": first.kind, "exposure": exposure},
    )


def _clustered(queries: Sequence[Query], labels: Sequence[Label]) -> tuple[Query, ...]:
    """Name each query's cluster after the smallest label it is connected with by homographs."""
    parent = list(range(len(labels)))

    def root(label: int) -> int:
        while parent[label] != label:
            parent[label] = parent[parent[label]]
            label = parent[label]
        return label

    for query in queries:
        for other in query.relevant[1:]:
            low, high = sorted((root(query.relevant[0]), root(other)))
            parent[high] = low
    return tuple(replace(query, cluster=labels[root(query.relevant[0])].id) for query in queries)
