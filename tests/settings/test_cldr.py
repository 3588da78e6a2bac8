"""The real task against its card, and what becomes of a card that does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from verifier.documents.folding import fold
from verifier.errors import VerifierError
from verifier.settings.cldr import assemble, build, check, primary_positions
from verifier.settings.names import Names
from verifier.settings.overlap import trigram_matrix
from verifier.settings.summary import chance_rr, floor_rr, near_overlap, summarise, task_digest


def test_the_task_is_what_the_card_says(card, task):
    check(card, task)


def test_building_again_gives_the_same_task(card, task):
    again = build(card)
    assert task_digest(again) == task_digest(task)
    assert np.array_equal(again.similarities, task.similarities)


def test_nothing_leaks(task):
    """No test string stands, folded, in training, in dev or in the knowledge base."""
    test = {fold(q.text) for q in task.query_sets["test"]}
    others = [*task.train, *task.dev, *task.documents]
    assert test.isdisjoint(fold(item.text) for item in others)
    assert {fold(q.text) for q in task.dev}.isdisjoint(fold(q.text) for q in task.train)


def test_dev_and_test_share_no_label_and_unseen_labels_are_not_trained(task):
    test, dev = task.query_sets["test"], task.dev
    assert {d for q in test for d in q.relevant}.isdisjoint(d for q in dev for d in q.relevant)
    unseen = {d for q in (*test, *dev) if q.strata["exposure"] == "unseen" for d in q.relevant}
    assert unseen.isdisjoint(d for q in task.train for d in q.relevant)


def test_ids_are_unique_and_languages_play_their_part(card, task):
    queries = [*task.train, *task.dev, *task.query_sets["test"]]
    assert len({q.id for q in queries}) == len(queries)
    assert len({d.id for d in task.documents}) == len(task.documents)
    assert {q.language for q in task.train} == set(card.languages.train)
    assert {q.language for q in task.query_sets["test"]} == set(card.languages.test)


def test_a_cluster_holds_all_queries_of_its_labels(task):
    clusters = {}
    for query in task.query_sets["test"]:
        for document in query.relevant:
            assert clusters.setdefault(document, query.cluster) == query.cluster


def test_primary_queries_are_seen_and_low_resource(card, task):
    chosen = [task.query_sets["test"][p] for p in primary_positions(card, task)]
    assert len(chosen) == sum(card.counts.test[x]["seen"] for x in card.languages.primary)
    assert {q.strata["exposure"] for q in chosen} == {"seen"}
    assert {q.language for q in chosen} == set(card.languages.primary)


def test_floor_leak_rate_and_ceiling_hold(card, task):
    positions = primary_positions(card, task)
    assert floor_rr(task, positions, depth=10) == pytest.approx(card.floor["RR@10"], abs=5e-6)
    assert near_overlap(task, card.leak.threshold) == pytest.approx(card.leak.rate, abs=5e-5)
    nearest = _nearest_name_rr(task, positions)
    assert nearest == pytest.approx(0.687, abs=0.002)
    assert nearest < card.ceiling["RR@10"]


def _nearest_name_rr(task, positions):
    """Macro RR@10 of "the document of the nearest training or English name" (worst ties)."""
    known = [(q.text, q.relevant) for q in task.train]
    known += [(d.text, (i,)) for i, d in enumerate(task.documents)]
    queries = [task.query_sets["test"][p] for p in positions]
    vocabulary: dict[str, int] = {}
    right = trigram_matrix([text for text, _ in known], vocabulary)
    left = trigram_matrix([q.text for q in queries], vocabulary)
    right.resize((len(known), len(vocabulary)))
    sizes = np.diff(right.indptr)
    by_language: dict[str, list[float]] = {}
    for i, query in enumerate(queries):
        row = (left[i : i + 1] @ right.T).tocsr()
        scores = np.zeros(len(task.documents))
        union = left.indptr[i + 1] - left.indptr[i] + sizes[row.indices] - row.data
        for column, value in zip(row.indices, row.data / union, strict=True):
            for document in known[column][1]:
                scores[document] = max(scores[document], value)
        best = max(scores[d] for d in query.relevant)
        rank = 1 + int((scores > best).sum())
        found = 1 / rank if best > 0 and rank <= 10 else 0.0
        by_language.setdefault(query.language, []).append(found)
    return np.mean([np.mean(v) for v in by_language.values()])


@pytest.mark.parametrize("documents", [1, 7, 30])
@pytest.mark.parametrize("relevant", [1, 2, 7])
def test_chance_is_the_mean_over_random_rankings(documents, relevant):
    if relevant > documents:
        with pytest.raises(ValueError, match="relevant"):
            chance_rr(documents, relevant, 10)
        return
    rng = np.random.default_rng(0)
    draws = rng.permuted(np.tile(np.arange(documents), (20000, 1)), axis=1)
    ranks = 1 + np.argmax(draws < relevant, axis=1)
    want = np.where(ranks <= 10, 1 / ranks, 0).mean()
    assert chance_rr(documents, relevant, 10) == pytest.approx(want, abs=0.01)


def _tampered(card, **changes):
    return card.model_copy(update=changes)


def test_a_changed_count_is_an_error_naming_expected_and_found(card, task):
    test = {**card.counts.test, "ne": {**card.counts.test["ne"], "seen": 1}}
    counts = card.counts.model_copy(update={"test": test})
    with pytest.raises(VerifierError) as caught:
        check(_tampered(card, counts=counts), task)
    want = f"counts.test.ne.seen: expected 1, found {card.counts.test['ne']['seen']}"
    assert want in str(caught.value)
    assert "Babel==2.18.0" in caught.value.hint
    assert "more" not in caught.value.problem


def test_a_missing_language_is_an_error(card, task):
    train = {k: v for k, v in card.counts.train.items() if k != "hi"}
    counts = card.counts.model_copy(update={"train": train})
    with pytest.raises(VerifierError, match=r"counts\.train\.hi: expected None, found"):
        check(_tampered(card, counts=counts), task)


def test_a_changed_digest_is_an_error(card, task):
    other = "sha256:" + "0" * 64
    with pytest.raises(VerifierError, match=f"digest: expected {other}, found sha256:"):
        check(_tampered(card, digest=other), task)


def test_a_changed_leak_rate_is_an_error(card, task):
    leak = card.leak.model_copy(update={"rate": 0.5})
    with pytest.raises(VerifierError, match=r"leak\.rate: expected 0\.5, found"):
        check(_tampered(card, leak=leak), task)


def test_one_changed_text_changes_the_digest_though_no_count(task):
    first, *rest = task.query_sets["test"]
    changed = replace(first, text=first.text + "!")
    other = replace(task, query_sets={"test": (changed, *rest)})
    assert summarise(other) == summarise(task)
    assert task_digest(other) != task_digest(task)


def test_another_babel_builds_nothing(card):
    origin = card.origin.model_copy(update={"babel": "2.17.0"})
    with pytest.raises(VerifierError, match=r"want Babel 2\.17\.0, found Babel 2\.18\.0"):
        build(_tampered(card, origin=origin))


def test_a_language_whose_script_is_not_trained_is_refused(card):
    languages = card.languages.model_copy(update={"train": ("xx",), "primary": ("am",),
                                                  "reported": ()})  # fmt: skip
    names = {"en": "One", "xx": "Uno", "am": "አንድ"}
    codes = [f"unit:a-{i}" for i in range(40)]
    texts = Names(
        by_language={x: {c: f"{name * 3} {c[7:]}" for c in codes} for x, name in names.items()},
        places={},
    )
    with pytest.raises(VerifierError, match="script"):
        assemble(_tampered(card, languages=languages), texts)
