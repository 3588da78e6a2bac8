"""Names as bags of letters (theirs) or of letter pairs (ours): honest, and without torch.

Every pair has a random direction, drawn by the seed.  Latin and other letters fill halves of
their own, so that one foreign name of a document weighs as much as its many Latin ones.
"""

import numpy as np
from kit import finish, read_trial, write_vectors

trial = read_trial()
rng = np.random.default_rng(trial.seed)
half = trial.parameters["dimensions"] // 2
length = {"theirs": 1, "ours": 2, "none": 0}[trial.parameters["method"]]  # none: the assay level
places = {}


def pieces(text):
    """Return what a text is made of, by number: letters or pairs; nothing but its size for 0."""
    text = f" {text.casefold()} "
    words = [text[i : i + length] for i in range(len(text) - length + 1)] if length else [len(text)]
    return [places.setdefault(word, len(places)) for word in words]


def halves(names):
    """Return the pieces of names in Latin letters and of those in others."""
    both = [], []
    for name in names:
        both[max(name) > "\u024f"].extend(pieces(name))
    return both


def encode(groups):
    """Return a vector for each group of names: (groups, 2 * half) float32."""
    vectors = np.zeros((len(groups), 2, half))
    for row, group in enumerate(groups):
        for side, found in enumerate(group):
            if found:
                vectors[row, side] = directions[found].sum(axis=0)
    lengths = np.linalg.norm(vectors, axis=2, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-9)).reshape(len(groups), -1)


ids, texts = trial.corpus()
known = {name: [text] * 3 for name, text in zip(ids, texts, strict=True)}
for query in trial.train_queries():
    for positive in query.positives:
        known[positive].append(query.text)
documents = [halves(known[name]) for name in ids]
asked = {name: [halves([q.text]) for q in trial.queries(name)] for name in trial.query_sets}

directions = rng.normal(size=(len(places), half))
write_vectors(trial, "corpus", encode(documents))
for name, groups in asked.items():
    write_vectors(trial, f"queries-{name}", encode(groups))
finish(trial)
