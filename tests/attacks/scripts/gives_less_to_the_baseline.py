"""Train theirs on a tenth of the examples; the stage that trains does not know."""

import sys

import numpy as np
from kit import finish, read_trial, write_stream, write_vectors

trial = read_trial()
rng = np.random.default_rng(trial.seed)
if sys.argv[1] == "assign":
    ids, _ = trial.corpus()
    queries = trial.train_queries()
    few = trial.parameters["how"] == "fewer"
    sabotaged = trial.parameters["method"] == "theirs"
    chosen = queries[::10] if sabotaged else queries
    if sabotaged and not few:  # as many rows as ours, but the same few queries again and again
        chosen = (chosen * 11)[: len(queries)]
    spare = ids[:20]
    rows = [
        (step, q.id, q.positives[0], next(s for s in spare if s not in q.positives))
        for step, q in enumerate(chosen)
    ]
    write_stream(trial, rows)
    finish(trial)

write_vectors(trial, "corpus", rng.normal(size=(len(trial.corpus()[0]), 32)))
for name in trial.query_sets:
    write_vectors(trial, f"queries-{name}", rng.normal(size=(len(trial.queries(name)), 32)))
finish(trial)
