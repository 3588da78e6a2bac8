"""What `assign` writes: right counts, no relevant negatives, each kind as it is declared."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

EPOCHS, BATCH = 2, 16
KINDS = ["random", "fixed_random", "weighted", "near", "hardest", "one_document"]
KINDS += ["mined", "mined_with_positives"]


def stream_of(bench, negatives, **more):
    seed = more.pop("seed", 1)
    parameters = {"negatives": negatives, "epochs": EPOCHS, "batch_size": BATCH, **more}
    output = bench.run("assign", parameters, seed=seed)
    return [line.split("\t") for line in (output / "stream.tsv").read_text().splitlines()]


def by_positive(rows):
    """Sets of negatives by (positive, is the query one of the twins')."""
    found = defaultdict(set)
    for _, query, positive, *negatives in rows:
        found[positive, query[:3] in ("q00", "q01")].add(tuple(negatives))
    return found


@pytest.mark.parametrize("recipe", [{kind: 3} for kind in KINDS] + [{"random": 1, "weighted": 2}])
def test_every_recipe_keeps_the_law_of_the_stream(bench, task, recipe):
    """Same number of negatives, each query once an epoch, true positives, no false negatives."""
    rows = stream_of(bench, recipe)
    assert {len(row) for row in rows} == {6}
    steps = [int(row[0]) for row in rows]
    assert sorted(steps) == steps
    a_step = Counter(steps)
    per_epoch = -(-len(task.queries) // BATCH)
    assert list(a_step) == list(range(EPOCHS * per_epoch))
    assert max(a_step.values()) == BATCH
    half = len(rows) // EPOCHS
    assert {row[1] for row in rows[:half]} == {row[1] for row in rows[half:]} == set(task.positives)
    for _, query, positive, *negatives in rows:
        assert positive in task.positives[query]
        assert not set(negatives) & set(task.positives[query])
        assert len(set(negatives)) == 3


def test_kinds_can_share_a_row_and_stand_in_their_order(bench, task):
    rows = stream_of(bench, {"mined": 1, "random": 1, "hardest": 1, "one_document": 1})
    place = {name: i for i, name in enumerate(task.documents)}
    assert len({row[3] for row in rows}) <= 3  # one document, but for the queries it answers
    for row in rows:
        assert len(set(row[3:])) == 4
        others = set(task.documents) - {row[3], *task.positives[row[1]]}
        best = max(task.similarities[place[row[2]], place[name]] for name in others)
        assert task.similarities[place[row[2]], place[row[4]]] == best


def test_equal_seeds_give_equal_streams_and_others_do_not(bench):
    recipe = {"random": 2, "weighted": 1}
    one, again = stream_of(bench, recipe), stream_of(bench, recipe)
    other = stream_of(bench, recipe, seed=2)
    assert one == again
    assert one != other
    assert [row[1] for row in one] != [row[1] for row in other]


def test_the_order_of_examples_does_not_depend_on_the_recipe(bench):
    """What the factor does not touch is the same in both arms."""
    one, other = stream_of(bench, {"random": 3}), stream_of(bench, {"hardest": 3})
    assert [row[:3] for row in one] == [row[:3] for row in other]


def test_both_twins_serve_as_positive(bench):
    rows = stream_of(bench, {"random": 1}, epochs=6)
    assert {row[2] for row in rows if row[1].startswith("q00")} == {"d00", "d01"}


def test_hardest_are_the_most_similar_with_ties_broken_by_seed(bench, task):
    place = {name: i for i, name in enumerate(task.documents)}
    streams = [by_positive(stream_of(bench, {"hardest": 3}, seed=seed)) for seed in (1, 2)]
    for (positive, twin), sets in streams[0].items():
        assert len(sets) == 1
        row = task.similarities[place[positive]]
        relevant = {"d00", "d01"} if twin else {positive}
        others = sorted((row[place[d]] for d in task.documents if d not in relevant), reverse=True)
        chosen = [row[place[name]] for name in next(iter(sets))]
        assert chosen == others[:3]
    assert streams[0] != streams[1]


def test_near_draws_among_the_most_similar_only(bench, task):
    place = {name: i for i, name in enumerate(task.documents)}
    seen = defaultdict(set)
    for _, query, positive, *negatives in stream_of(bench, {"near": 2}, near=5, epochs=8):
        if query[:3] not in ("q00", "q01"):
            seen[positive].update(negatives)
    for positive, names in seen.items():
        row = task.similarities[place[positive]]
        others = sorted((row[i] for i in range(len(row)) if i != place[positive]), reverse=True)
        assert len(names) <= 5
        assert min(row[place[name]] for name in names) >= others[4]
    assert sum(len(names) == 5 for names in seen.values()) > 0.9 * len(seen)


def test_weighted_follows_similarity_to_the_power_beta(bench, task):
    """Frequencies of 16,000 draws: chi-square per cell near 1, and far from 1 if uniform."""
    place = {name: i for i, name in enumerate(task.documents)}
    counts = np.zeros_like(task.similarities, dtype=float)
    for _, query, positive, negative in stream_of(bench, {"weighted": 1}, beta=2.0, epochs=67):
        if query[:3] not in ("q00", "q01"):
            counts[place[positive], place[negative]] += 1
    weight = task.similarities.astype(float) ** 2
    np.fill_diagonal(weight, 0)
    expected = weight / weight.sum(axis=1, keepdims=True) * counts.sum(axis=1, keepdims=True)
    assert counts[expected == 0].sum() == 0
    cells = expected > 1
    ratio = ((counts - expected)[cells] ** 2 / expected[cells]).sum() / cells.sum()
    assert 0.9 < ratio < 1.1
    flat = counts.sum(axis=1, keepdims=True) / (len(task.documents) - 1)
    assert (((counts - flat) ** 2)[cells] / np.broadcast_to(flat, cells.shape)[cells]).mean() > 1.5


def test_random_reaches_everything_that_is_not_relevant(bench, task):
    seen = defaultdict(set)
    for _, query, _, *negatives in stream_of(bench, {"random": 4}, epochs=60):
        seen[query[:3]].update(negatives)
    for query, names in seen.items():
        assert names == set(task.documents) - set(task.positives[query + "0"])


def test_fixed_random_is_one_set_a_label_and_new_with_the_seed(bench):
    one = by_positive(stream_of(bench, {"fixed_random": 3}))
    other = by_positive(stream_of(bench, {"fixed_random": 3}, seed=2))
    assert {len(sets) for sets in one.values()} == {1}
    assert len({next(iter(sets)) for sets in one.values()}) > 50
    assert one != other


def test_one_document_is_the_same_for_every_query_it_does_not_answer(bench):
    counts = Counter(row[3] for row in stream_of(bench, {"one_document": 1}))
    assert len(counts) <= 3
    assert counts.most_common(1)[0][1] >= 464  # of 480; the twins' queries come 16 times


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"negatives": {"hard": 1}}, "unknown kinds of negatives"),
        ({"negatives": {"mined": 1, "mined_with_positives": 1}}, "both of"),
        ({"negatives": {"random": 1}, "epoch": 3}, "unknown parameters"),
        ({"negatives": {"near": 3}, "near": 2}, "2 documents can be drawn, rows want 3"),
    ],
)
def test_what_cannot_be_is_said(bench, parameters, message):
    done, output = bench.attempt("assign", parameters)
    assert done.returncode != 0
    assert message in done.stderr
    assert not (output / "outputs.json").exists()


def test_a_steep_beta_still_draws_without_replacement(bench):
    """One document has nearly all the weight: drawing again and again would never end."""
    rows = stream_of(bench, {"weighted": 3}, beta=300.0)
    assert all(len(set(row[3:])) == 3 for row in rows)


def test_assign_needs_no_torch(bench):
    code = "sys.argv = ['', 'assign']; import negative_sampling; print(int('torch' in sys.modules))"
    assert bench.python_says(code) == 0
