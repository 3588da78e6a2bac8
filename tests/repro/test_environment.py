"""The reproduction environment is pinned to the last distribution and holds no answers."""

from __future__ import annotations

import re
from pathlib import Path

LINES = (Path(__file__).parents[2] / "repro" / "environment.txt").read_text().splitlines()


def test_every_line_pins_one_distribution_without_a_local_tag():
    assert LINES[0].startswith("# ")
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9.]*", line) for line in LINES[1:])


def test_names_are_sorted_and_stand_once():
    names = [line.partition("==")[0].lower() for line in LINES[1:]]
    assert names == sorted(set(names))


def test_the_roots_are_there_and_nothing_that_holds_answers():
    names = {line.partition("==")[0].lower() for line in LINES[1:]}
    assert {"torch", "sentence-transformers", "faiss-cpu"} <= names
    assert not names & {"babel", "pyicu", "pycountry", "datasets", "langcodes", "language-data"}
