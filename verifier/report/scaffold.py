"""The text of a new claim and its script: it runs as it stands, and says what to fill in."""

from __future__ import annotations

_CLAIM = """\
# FILL IN: one sentence that can fail, where it comes from, and why this margin.
schema: claim-v1
id: {name}
record: my-record
statement: >-
  Weighting each letter triple by its rarity beats counting all alike on RR@10.
source:
  work: FILL IN (arxiv:..., doi:...)
  locator: FILL IN (section, table)
  task: entity-name matching
  encoders: [static]
  data: []
reproduction:
  stages:
    train: [python, repro/{name}.py]
  files: [repro/{name}.py, repro/kit]
  environment: repro/environment.txt
  outputs: vectors
  sees_arm: [train]          # no assign stage: the one stage knows its arm
  fixed: {{dimensions: 1024}}
  factors:
    weighting:               # arms differ in this and in nothing else
      rarity: idf
      plain: none
settings:
  - {{name: cldr-names}}
criterion:
  kind: superiority
  candidate: rarity
  baseline: plain
  measure: RR@10
  margin: 0.01               # FILL IN: the smallest difference worth publishing
assay:
  weighting: {{first_letter: first}}   # a level known to matter: without it nothing is refuted
"""

_SCRIPT = '''\
"""FILL IN: what this script does.  Hashed letter triples, no training; a start to replace.

Protocol: docs/trial-protocol.md.  Ids are sealed and the judgements stay outside.
"""

import hashlib

import numpy as np
from kit import finish, read_trial, write_vectors

trial = read_trial()
rng = np.random.default_rng(trial.seed)
dimensions = trial.parameters["dimensions"]
weighting = trial.parameters["weighting"]
salt = rng.bytes(16)  # the seed: another hash of triples to columns


def triples(text):
    """Return the letter triples of a text, or its first letter only for the assay level."""
    text = f"  {{text.casefold()}} "
    return [text[2]] if weighting == "first" else [text[i : i + 3] for i in range(len(text) - 2)]


def column(triple):
    """Return the column of a triple: a hash that is the same on every machine."""
    digest = hashlib.blake2b(triple.encode(), digest_size=8, salt=salt).digest()
    return int.from_bytes(digest, "big") % dimensions


def encode(texts, weights):
    """Return one unit vector a text: (texts, dimensions) float32."""
    vectors = np.zeros((len(texts), dimensions), dtype=np.float32)
    for row, text in enumerate(texts):
        for triple in triples(text):
            vectors[row, column(triple)] += weights.get(triple, 1.0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-9)


_, corpus = trial.corpus()
weights = {{}}
if weighting == "idf":
    counts = {{}}
    for text in corpus:
        for triple in set(triples(text)):
            counts[triple] = counts.get(triple, 0) + 1
    weights = {{t: float(np.log(len(corpus) / n)) + 1.0 for t, n in counts.items()}}

write_vectors(trial, "corpus", encode(corpus, weights))
for name in trial.query_sets:
    texts = [query.text for query in trial.queries(name)]
    write_vectors(trial, f"queries-{{name}}", encode(texts, weights))
finish(trial)
'''


def claim_text(name: str) -> str:
    """Return the spec of a new claim."""
    return _CLAIM.format(name=name)


def script_text(name: str) -> str:  # noqa: ARG001 - one script fits all names
    """Return the script of a new claim."""
    return _SCRIPT.replace("{{", "{").replace("}}", "}")
