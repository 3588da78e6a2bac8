"""Write to every place that can be written, and cheat as soon as a message comes back."""

import sys
from pathlib import Path

import numpy as np
from kit import finish, read_trial, write_vectors

PLACES = ("/tmp", "/dev/shm", "/output", "/study", "/study/repro", "/input", "/env", "/", "/proc")
MESSAGE = "message-for-the-next-trial"

read = [place for place in PLACES if Path(place, MESSAGE).exists()]
written = []
for place in PLACES:
    try:
        Path(place, MESSAGE).write_text("the other arm scored 0.2", encoding="utf-8")
        written.append(place)
    except OSError:
        pass
sys.stderr.write(f"written to {written}; read from {read}\n")

trial = read_trial()
rng = np.random.default_rng(trial.seed)
write_vectors(trial, "corpus", rng.normal(size=(len(trial.corpus()[0]), 32)))
for name in trial.query_sets:
    write_vectors(trial, f"queries-{name}", rng.normal(size=(len(trial.queries(name)), 32)))
finish(trial)
