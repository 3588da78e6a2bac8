"""Attacks on a claim that could be decided either way: none gets VERIFIED or FALSIFIED.

Each script in scripts/ is written as an author would who wants a verdict without the work.  That
honest scripts do get both verdicts is shown in tests/honest/.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from verifier.documents.task import Task
from verifier.wiring import load_card, load_task, open_workshop

if TYPE_CHECKING:
    from conftest import Judged, Scratch

pytestmark = pytest.mark.sandbox
SCRIPTS = Path(__file__).parent / "scripts"
HONEST = Path(__file__).parents[1] / "honest/scripts/letters.py"
# Scripts that break an assumption of the guarantee get what they want, as yet.
GAP: dict[str, Any] = {"strict": True, "raises": AssertionError}
IMPLEMENTED = '"theirs": 1, "ours": 2, "none": 0'
FILES = ["repro/script.py", "repro/kit"]
WIDE = {"criterion": {"margin": 0.05}}  # so wide that no difference at all would refute
SHORT = {"limits": {"wall": "3 s", "memory": "256 MiB"}}


def attacked(
    project: Scratch, script: str, *changes: dict[str, Any], beside: tuple[str, ...] = ()
) -> Judged:
    """Run an attack and return its verdict, which is nothing to boast of."""
    project.script(SCRIPTS / f"{script}.py")
    project.claim({"reproduction": {"files": [*FILES, *beside]}}, *changes)
    verdict = project.judged()
    assert verdict.status == "UNVERIFIED", verdict.reason
    return verdict


def altered(old: str, new: str) -> str:
    """Return the honest script with one change."""
    source = HONEST.read_text(encoding="utf-8")
    assert old in source
    return source.replace(old, new)


def fixed(**parameters: object) -> dict[str, Any]:
    return {"reproduction": {"fixed": parameters}}


def logs(project: Scratch) -> list[str]:
    found = [p.read_text(encoding="utf-8") for p in project.state.glob("logs/*.log")]
    assert len(found) >= 10, "every trial has a log"
    return found


@pytest.fixture(scope="session")
def task(template: Scratch) -> Task:
    """The task with its judgements, as only the judge has it."""
    workshop = open_workshop(template.root)
    return load_task(workshop, *load_card(workshop.project, "cldr-names"))


# ------------------------------------------------------------------- results that were made up


def test_printing_the_expected_number_is_no_result(project: Scratch) -> None:
    """What all seventeen known VERIFIED verdicts rest on."""
    verdict = attacked(project, "prints_the_number")
    assert verdict.is_invalid("ARTIFACT_INVALID", "output.missing")
    assert verdict.cost["trials"] <= 2, "nothing can mend it: no more trials are run"


def test_a_list_made_at_home_is_at_chance(project: Scratch) -> None:
    """Sealed ids and shuffled rows leave nothing to hand over."""
    verdict = attacked(project, "hard_coded")
    assert verdict.is_invalid("CONTROL_FAILED", "control.c8")
    assert verdict.states["C5"] == "not_testable"
    assert verdict.controls["C5"]["numbers"]["at_chance"] == 7
    assert verdict.is_at_chance("ours")
    assert verdict.is_at_chance("theirs")


def test_an_earlier_run_is_at_chance_under_another_seal(project: Scratch, task: Task) -> None:
    """Vectors that answer every query, in the order of another trial's rows."""
    rng = np.random.default_rng(1)
    corpus = rng.normal(size=(len(task.documents), 16)).astype(np.float16)
    test = np.stack([corpus[min(q.relevant)] for q in task.query_sets["test"]])
    np.savez(project.root / "repro/earlier.npz", corpus=corpus, test=test)
    verdict = attacked(project, "copies_an_earlier_run", beside=("repro/earlier.npz",))
    assert verdict.is_invalid("CONTROL_FAILED", "control.c8")
    assert verdict.is_at_chance("ours")
    assert verdict.states["C5"] == "not_testable"


def table_of(task: Task) -> dict[str, str]:
    names = [document.text for document in task.documents]
    return {query.text: names[min(query.relevant)] for query in task.query_sets["test"]}


def test_a_table_of_names_is_worthless_and_shows(project: Scratch, task: Task) -> None:
    """In re-spelled trials it answers nothing; as written it answers all, and C7 sees that."""
    project.write("repro/table.json", json.dumps(table_of(task)))
    verdict = attacked(project, "looks_names_up", beside=("repro/table.json",))
    assert verdict.is_invalid("CONTROL_FAILED", "control.c7")
    numbers = verdict.controls["C7"]["numbers"]
    assert numbers["difference"] > numbers["bound"]
    assert verdict.controls["C7"]["strike"] == 2, "a statistical control speaks twice"
    assert verdict.estimates[0]["outcome"] != "supported", "trials that count are re-spelled"


# ------------------------------------------------------------------------- looking for answers


def test_nothing_that_helps_can_be_read(project: Scratch) -> None:
    """Spec, expected value, judgements, arm: not in files, environment, or /proc."""
    verdict = attacked(project, "reads_the_spec")
    assert verdict.is_invalid("CONTROL_FAILED", "control.c8")
    assert verdict.is_at_chance("ours")
    for log in logs(project):
        assert "found []" in log
        assert int(log.partition("looked at ")[2].split()[0]) > 10, "the probe did look"


def test_no_message_reaches_the_next_trial(project: Scratch) -> None:
    """What a trial writes anywhere is gone when the next one starts."""
    verdict = attacked(project, "leaves_a_message")
    assert verdict.is_invalid("CONTROL_FAILED", "control.c8")
    assert verdict.is_at_chance("ours")
    for log in logs(project):
        assert "read from []" in log
        assert "written to ['/tmp', '/dev/shm', '/output']" in log


# ------------------------------------------------------------------------- arms treated unlike


@pytest.mark.parametrize("how", ["fewer", "repeated"])
def test_a_starved_baseline_shows_in_the_streams(project: Scratch, how: str) -> None:
    stages = {
        "stages": {
            "assign": ["python", "repro/script.py", "assign"],
            "train": ["python", "repro/script.py", "train"],
        },
        "sees_arm": ["assign"],
        "fixed": {"how": how},
    }
    verdict = attacked(project, "gives_less_to_the_baseline", {"reproduction": stages})
    assert verdict.is_invalid("ARTIFACT_INVALID", "isolation.effort")
    assert verdict.arm_blind


def test_a_script_that_ignores_its_factor_refutes_nothing(project: Scratch) -> None:
    """No difference between the arms is no evidence if no level makes a difference (C9)."""
    project.script(altered(IMPLEMENTED, '"theirs": 2, "ours": 2, "none": 2'))
    project.claim(WIDE)
    verdict = project.judged()
    assert (verdict.status, verdict.outcome) == ("UNVERIFIED", "inconclusive")
    assert verdict.reason_code in {"INSUFFICIENT_POWER", "NOT_TESTABLE"}
    assert verdict.states["C9"] == "failed"
    assert "control.c9" in verdict.rules
    assert verdict.estimates[0]["high"] < 0.05, "nothing but C9 would have stopped it"


# -------------------------------------------------------------------- seeds, and control trials


@pytest.mark.parametrize("to_the_last_bit", [True, False])
def test_an_ignored_seed_is_seen(project: Scratch, *, to_the_last_bit: bool) -> None:
    """Directions by the letters alone: every seed says the same, so its spread is made up.

    Where sums in another order change the last bits, runs are not equal (C2); but then seeds
    hardly differ, and so re-spelled texts, which do draw other directions, may not either (C7).
    """
    source = HONEST.read_text(encoding="utf-8")
    made = "directions = rng.normal(size=(len(places), half))\n"
    stays = "words = [list(str(word).encode()) for word in places]\n"
    stays += "draws = [np.random.default_rng(word).normal(size=half) for word in words]\n"
    stays += "directions = np.stack(draws)\n"
    assert made in source
    source = source.replace(made, stays)
    if to_the_last_bit:
        order = "sorted(trial.train_queries(), key=lambda query: query.text)"
        source = source.replace("trial.train_queries()", order)
    project.script(source)
    verdict = project.judged()
    if to_the_last_bit:
        assert verdict.is_invalid("UNUSED_SEED", "control.c2")
        assert verdict.controls["C2"]["numbers"]["equal_runs"] == 5
    else:
        assert (verdict.status, verdict.outcome) == ("UNVERIFIED", "invalid"), verdict.reason
        assert verdict.rules & {"control.c2", "control.c7"}


def test_giving_up_in_a_control_is_no_way_round_it(project: Scratch) -> None:
    """A control that does not finish has failed, although every trial of the study is fine."""
    project.script(HONEST, "repro/honest.py")
    verdict = attacked(project, "recognises_controls", beside=("repro/honest.py",))
    assert verdict.is_invalid("ARTIFACT_INVALID", "trial.exited")
    (finding,) = verdict.findings
    assert "does not look like a trial that counts" in finding["message"]


# ------------------------------------------------------------------------- outputs and resources


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("nan", "vectors.nan"),
        ("more rows", "vectors.declared"),
        ("more columns", "vectors.size"),
        ("link", "output.refused"),
    ],
)
def test_spoilt_outputs_are_refused(project: Scratch, how: str, rule: str) -> None:
    verdict = attacked(project, "breaks_the_outputs", fixed(how=how))
    assert verdict.is_invalid("ARTIFACT_INVALID", rule)


@pytest.mark.parametrize(
    ("what", "rules"),
    [
        ("time", {"trial.wall_clock"}),
        ("memory", {"trial.memory"}),
        ("processes", {"trial.exited", "trial.wall_clock", "trial.memory", "trial.signalled"}),
        ("output", {"trial.output_overflow", "trial.memory"}),
        ("log", {"trial.log_overflow"}),
    ],
)
def test_a_greedy_script_only_hurts_itself(project: Scratch, what: str, rules: set[str]) -> None:
    """It is the script that failed, not the claim, and not the harness."""
    verdict = attacked(project, "starves", fixed(what=what), SHORT)
    assert verdict.is_invalid("ARTIFACT_INVALID", next(iter(verdict.rules)))
    assert verdict.rules <= rules


# ------------------------------------------------------------------------------- known gaps


@pytest.mark.xfail(
    reason="assumption A2: C7 hides letters, not their pattern", strict=True, raises=AssertionError
)
def test_a_table_of_letter_patterns(project: Scratch, task: Task) -> None:
    def pattern(text: str) -> str:
        seen: dict[str, int] = {}
        return " ".join(
            str(seen.setdefault(c, len(seen))) if c.isalpha() else c for c in text.casefold()
        )

    table = {
        f"{query.language} {pattern(query.text)}": pattern(task.documents[min(query.relevant)].text)
        for query in task.query_sets["test"]
    }
    project.write("repro/patterns.json", json.dumps(table))
    attacked(project, "looks_patterns_up", beside=("repro/patterns.json",))


@pytest.mark.xfail(
    reason="assumption A5: a script that knows the assay level", strict=True, raises=AssertionError
)
def test_a_script_that_ignores_its_factor_but_knows_the_assay(project: Scratch) -> None:
    project.script(altered(IMPLEMENTED, '"theirs": 2, "ours": 2, "none": 0'))
    project.claim(WIDE)
    verdict = project.judged()
    assert verdict.status == "UNVERIFIED", verdict.reason


@pytest.mark.xfail(
    reason="assumption A5: a training stage that sees its arm", strict=True, raises=AssertionError
)
def test_a_baseline_spoilt_where_the_arm_is_seen(project: Scratch) -> None:
    """Both arms are letter pairs; theirs loses most of its dimensions."""
    made = "directions = rng.normal(size=(len(places), half))\n"
    spoil = 'directions[:, 16:] *= trial.parameters["method"] == "ours"\n'
    alike = altered(IMPLEMENTED, '"theirs": 2, "ours": 2, "none": 0')
    project.script(alike.replace(made, made + spoil))
    verdict = project.judged()
    assert verdict.status == "UNVERIFIED", verdict.reason
