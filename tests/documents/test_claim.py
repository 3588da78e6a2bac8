"""The claim's own rules: every bad example is named at its place, with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifier.documents.claim import Claim
from verifier.documents.reading import read_document
from verifier.errors import DocumentError

CLAIMS = Path(__file__).parents[2] / "claims"
TWO_ARMS = """\
schema: claim-v1
id: c
record: r
statement: New beats old.
source: {work: w, locator: l, task: t}
reproduction:
  stages: {assign: [python, a.py], train: [python, t.py]}
  files: [a.py, t.py]
  environment: environment.txt
  outputs: vectors
  sees_arm: [assign]
  fixed: {epochs: 3}
  nuisance: {rate: [1, 2, 3]}
  factors:
    negatives:
      new: {mined: 1, random: 2}
      old: {random: 3}
settings: [{name: s}]
regimes: [explicit, in_batch]
requires: replication
seeds: {looks: [5, 10]}
criterion:
  kind: superiority
  candidate: new
  baseline: old
  measure: RR@10
  margin: 0.01
assay: {negatives: {broken: {none: 1}}}
limits: {wall: 10 min, memory: 4 GiB}
"""
THREE_LEVELS = TWO_ARMS.replace(
    """  kind: superiority
  candidate: new
  baseline: old
""",
    """  kind: dose_response
  shape: increasing
  levels: [old, mid, new]
  tolerance: 0.005
""",
).replace("      old: {random: 3}\n", "      old: {random: 3}\n      mid: {random: 4}\n")
DOSE = THREE_LEVELS.replace("looks: [5, 10]", "looks: [10, 20]")


def read(text: str) -> Claim:
    return read_document(Claim, text.encode(), name="c.yaml")


def faults(text: str) -> list[tuple[str, str, str]]:
    """What stands at the place of every fault, its message, its hint."""
    with pytest.raises(DocumentError) as caught:
        read(text)
    found = []
    for problem in caught.value.problems:
        _, line, column = problem.where.rsplit(":", 2)
        row = text.splitlines()[int(line) - 1]
        found.append((row[int(column) - 1 :], problem.message, problem.hint))
    return found


def test_sound_claims_read():
    claim = read(TWO_ARMS)
    assert claim.factor == "negatives"
    assert list(claim.arms) == ["old", "new"]  # the baseline first
    assert claim.reproduction.arm_blind
    assert list(read(DOSE).arms) == ["old", "mid", "new"]
    assert read(DOSE).criterion.baseline == "old"


@pytest.mark.parametrize("path", sorted(CLAIMS.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_shipped_claims_read(path):
    assert read_document(Claim, path.read_bytes(), name=path.name).id == path.stem


SUPERIORITY = [
    # what is changed, into what; what the fault points at; in its message; in its hint
    ("candidate: new", "candidate: nwe", "nwe", "no level of factor negatives", '"new"?'),
    ("baseline: old", "baseline: xyz", "xyz", "no level of factor", "its levels are new, old"),
    ("baseline: old", "baseline: new", "new", "the same arm, new", "two levels"),
    ("{mined: 1, random: 2}", "{random: 3}", "{random: 3}", "the same level", "change one"),
    ("{mined: 1, random: 2}", "{random: 3.0}", "{random: 3}", "the same level", "change one"),
    ("margin: 0.01", "margin: 0.004", "0.004", "below 0.005", "direction_only"),
    ("margin: 0.01", "margin: 0.01\n  direction_only: true", "0.01", "means margin 0", "margin: 0"),
    ("margin: 0.01", "margin: -0.01", "-0.01", "at least 0", ""),
    ("margin: 0.01", "margin: 1", "1", "below 1", ""),
    ("looks: [5, 10]", "looks: [5, 10, 10]", "10]}", "found 10 after 10", "[5, 10]"),
    ("looks: [5, 10]", "looks: [10, 5]", "5]}", "found 5 after 10", "[5, 10]"),
    ("looks: [5, 10]", "looks: [1, 5]", "1, 5]", "at least 2", ""),
    ("looks: [5, 10]", "looks: []", "[]}", "at least 1", ""),
    ("{epochs: 3}", "{epochs: 3, rate: 1}", "1}", "by nuisance and by fixed", "one home"),
    ("{epochs: 3}", "{epochs: 3, negatives: 1}", "1}", "by factors and by fixed", "one home"),
    ("{rate: [1", "{negatives: [1", "[1, 2, 3]}", "by factors and by nuisance", "one home"),
    ("{epochs: 3}", "{in_batch: true}", "true}", "by regimes and by fixed", "one home"),
    ("{rate: [1, 2, 3]}", "{rate: [1, 2]}", "[1, 2]}", "at least 3", ""),
    ("assign: [python, a.py], ", "", "[assign]", "no assign stage", "sees_arm: [train]"),
    ("sees_arm: [assign]", "sees_arm: []", "[]", "at least 1", ""),
    ("{negatives: {broken", "{other: {broken", "{broken", "not the factor", "negatives"),
    ("{broken: {none: 1}}", "{broken: {random: 3}}", "{random: 3}", "is the arm old", "another"),
    ("{broken: {none", "{old: {none", "{none", "is the arm old", "a name of its own"),
    ("replication", "analogue", "analogue", "no reason is given", "requires_reason"),
    ("replication", "mechanism", "mechanism", "no reason is given", "requires_reason"),
    ("[{name: s}]", "[{name: s, optional: true}]", "[{name", "every setting is", "one must count"),
    ("[{name: s}]", "[{name: s}, {name: s, encoder: e}]", "{name: s, e", "s twice", "another cl"),
    ("[explicit, in_batch]", "[explicit, explicit]", "explicit]", "explicit twice", "once"),
    ("10 min", "10 minutes", "10 minutes", "one of s, min, h", "10 s or 10 min"),
    ("10 min", "1.5 h", "1.5 h", "a whole number", "10 s"),
    ("10 min", "4 GiB", "4 GiB", "one of s, min, h", "10 min"),
    ("4 GiB", "10 min", "10 min", "one of MiB, GiB", "10 MiB or 10 GiB"),
    ("4 GiB", "0 GiB", "0 GiB", "a whole number", "10 MiB"),
    ("environment.txt", "../e.txt", "../e.txt", "inside the project", "repro/train.py"),
    ("[a.py, t.py]", "[a.py, /t.py]", "/t.py]", "inside the project", "repro/train.py"),
    ("[a.py, t.py]", '[a.py, "t\\u0435.py"]', '"t', "plain ASCII", "rename"),
    ("[a.py, t.py]", "[a.py, 't:y']", "'t:y'", "plain ASCII", "rename"),
]
LEVELS = [
    ("[old, mid, new]", "[old, mid, old]", "old]", "names old twice", "lowest first"),
    ("[old, mid, new]", "[old, mdi, new]", "mdi, new]", "no level of factor", '"mid"?'),
    ("[old, mid, new]", "[old, new]", "[old, new]", "at least 3", ""),
    ("tolerance: 0.005", "tolerance: 0.02", "0.02", "above the margin 0.01", "lower it"),
    ("looks: [10, 20]", "looks: [5, 10]", "5, 10]", "starts at 10 seeds", "[10, 20]"),
    ("looks: [10, 20]", "looks: [9]", "9]", "its first look is at 9", "[10, 20]"),
    ("random: 4}", "random: 3}", "{random: 3}", "arms old and mid", "change one"),
]


@pytest.mark.parametrize(
    ("text", "case"),
    [(TWO_ARMS, c) for c in SUPERIORITY] + [(DOSE, c) for c in LEVELS],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_bad_claim_is_refused_at_its_place_with_a_hint(text, case):
    old, new, at, message, hint = case
    assert text.count(old) == 1
    ((place, found, advice),) = faults(text.replace(old, new))
    assert place.startswith(at), place
    assert message in found
    assert hint in advice
    assert advice


def test_a_dose_response_with_default_looks_starts_too_early():
    (fault,) = faults(DOSE.replace("seeds: {looks: [10, 20]}\n", ""))
    assert "a dose response starts at 10 seeds, its first look is at 5" in fault[1]
    assert read(DOSE.replace("[10, 20]", "[10]")).seeds.looks == (10,)


def test_levels_that_differ_only_in_the_order_of_their_keys_are_one_level():
    text = TWO_ARMS.replace("old: {random: 3}", "old: {random: 2, mined: 1}")
    assert "arms new and old have the same level" in faults(text)[0][1]


def test_several_faults_are_told_together():
    text = TWO_ARMS.replace("10 min", "ten").replace("margin: 0.01", "margin: 0.001")
    assert [place for place, *_ in faults(text)] == ["0.001", "ten, memory: 4 GiB}"]


def test_a_weaker_scope_with_a_reason_and_one_that_counts_are_fine():
    text = TWO_ARMS.replace("requires: replication", "requires: analogue\nrequires_reason: why")
    text = text.replace("[{name: s}]", "[{name: s}, {name: o, optional: true}]")
    assert read(text).requires_reason == "why"
