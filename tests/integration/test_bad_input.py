"""Whatever is wrong, the exit code says whose fault it is and the message what to do."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from verifier.adapters.folders import read_evidence
from verifier.errors import EvidenceError
from verifier.pipeline.audit import audit

if TYPE_CHECKING:
    from conftest import Ended, Scratch

pytestmark = pytest.mark.sandbox
GOOD, NOT_THAT, USAGE, ERROR = 0, 1, 2, 3
SHIMS = {
    "babel": "import babel; babel.__version__ = '2.17.0'",
    "metadata": (
        "import importlib.metadata as m; old = m.version; "
        "m.version = lambda n: '2.17.0' if n.lower() == 'babel' else old(n)"
    ),
    "bwrap": (
        "from pathlib import Path; from verifier.adapters.sandbox import bubblewrap; "
        "bubblewrap.find.__wrapped__.__defaults__ = ((Path('/nowhere/bwrap'),),)"
    ),
    "pipeline": "import sys; sys.modules['verifier.pipeline.verify'] = None",
    "cli": "import sys; sys.modules['verifier.cli'] = None",
}


def shimmed(project: Scratch, *shims: str, words: tuple[str, ...] = ()) -> Ended:
    """Run `verify run` where something of the machine or of our own code is broken."""
    code = "; ".join([*(SHIMS[s] for s in shims), "from verifier.__main__ import main; main()"])
    words = words or ("run", "claims/scratch.yaml", "--yes", "--quiet")
    python = project.command()[0]
    return project.cli(command=[python, "-c", code, *words])


# ---------------------------------------------------------------------------------- the claim


def test_all_faults_of_a_spec_are_told_at_once(project: Scratch) -> None:
    place = project.root / "claims/scratch.yaml"
    text = place.read_text(encoding="utf-8")
    text = text.replace('"quantifier": "universal"', '"quantifier": "mostly"')
    text = text.replace('"margin": 0.01', '"margin": "wide"')
    text = text.replace('"record": "scratch"', '"recrod": "scratch"')
    place.write_text(text, encoding="utf-8")
    done = project.run()
    assert done.code == USAGE
    assert done.has(
        'unknown key "recrod"', 'did you mean "record"?', "every_named", "want a number"
    )
    lines = text.splitlines()
    for word in ("quantifier", "margin", "recrod"):
        (line,) = [n for n, said in enumerate(lines, start=1) if f'"{word}"' in said]
        assert f"claims/scratch.yaml:{line}:" in done.stderr, word
    assert not project.trials
    assert not (project.state / "verdicts").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reproduction": {"files": ["repro/nowhere.py", "repro/kit"]}}, ["repro/nowhere.py"]),
        ({"reproduction": {"files": ["repro/kit"]}}, ["repro/script.py", "not among the files"]),
        ({"settings": [{"name": "nowhere"}]}, ["settings/nowhere.yaml", "cldr-names"]),
        (
            {"reproduction": {"environment": "repro/nowhere.txt"}},
            ["repro/nowhere.txt", "environment"],
        ),
    ],
    ids=["no script", "script not in files", "unknown setting", "no requirements"],
)
def test_what_a_claim_names_must_be_there(
    project: Scratch, change: dict[str, object], words: list[str]
) -> None:
    project.claim(change)
    done = project.run()
    assert done.code == USAGE
    assert done.has(*words, "hint:")
    assert not project.trials


def test_an_environment_that_was_not_made(project: Scratch) -> None:
    (project.state / "env").unlink()
    done = project.run()
    assert done.code == USAGE
    assert done.has("repro/environment.txt", "verify env create repro/environment.txt")


def test_nobody_there_to_be_asked(project: Scratch) -> None:
    """Without a terminal and without --yes nothing is frozen."""
    done = project.cli("run", "claims/scratch.yaml")
    assert done.code == USAGE
    assert done.has("nobody can be asked", "--yes", "verify plan")
    assert not any(entry["kind"] == "freeze" for entry in project.ledger)


def test_errors_are_documents_too(project: Scratch) -> None:
    """With --json a machine reads the same error on stdout."""
    done = project.cli("run", "claims/nowhere.yaml", "--yes", "--json")
    assert done.code == USAGE
    assert '"exit": 2' in done.stdout
    assert '"where": "claims/nowhere.yaml"' in done.stdout


# --------------------------------------------------------------------------------- the script

RUN = """
import json, os
from kit import read_trial
trial = read_trial()
ids, _ = trial.corpus()
query = trial.queries("test")[0].id
lines = {
    "repeated": [f"{query} Q0 {ids[0]} 1 2.0 x", f"{query} Q0 {ids[0]} 2 1.0 x"],
    "unknown": [f"{query} Q0 Iceland 1 2.0 x"],
    "nan": [f"{query} Q0 {ids[0]} 1 nan x"],
}[HOW]
(trial.output / "test.trec").write_text("".join(line + chr(10) for line in lines))
body = {"protocol": "outputs-v1", "files": {"test.trec": {"rows": len(lines)}}}
(trial.output / "outputs.json").write_text(json.dumps(body))
"""
SPOILT = """
import os
from kit import finish, read_trial, write_vectors
trial = read_trial()
file = trial.output / "vectors/corpus.f32"
file.parent.mkdir()
"""


@pytest.mark.parametrize(
    ("source", "rule", "words", "outputs"),
    [
        ("raise SystemExit('no data today')", "trial.exited", "no data today", "vectors"),
        ("open('/output/outputs.json', 'w').write('[')", "output.missing", "corpus", "vectors"),
        (SPOILT + "os.mkfifo(file)\nfinish(trial)", "output.refused", "FIFO", "vectors"),
        ("HOW = 'repeated'" + RUN, "run.", "test.trec:2", "run"),
        ("HOW = 'unknown'" + RUN, "run.", "test.trec:1", "run"),
        ("HOW = 'nan'" + RUN, "run.", "test.trec:1", "run"),
    ],
    ids=["exit 1", "garbage", "fifo", "repeated document", "unknown document", "nan"],
)
def test_a_bad_script_makes_the_outcome_invalid(
    project: Scratch, source: str, rule: str, words: str, outputs: str
) -> None:
    """That is a judgement (exit 1), never an error, and says nothing of the claim."""
    project.script(source)
    project.claim({"reproduction": {"outputs": outputs}})
    done = project.run()
    assert done.code == NOT_THAT, done.stderr
    verdict = project.verdict
    assert (verdict.status, verdict.reason_code) == ("UNVERIFIED", "ARTIFACT_INVALID")
    finding = verdict.findings[0]
    assert finding["rule"].startswith(rule)
    assert words in finding["where"] + finding["message"]
    assert "ARTIFACT_INVALID" in done.stdout


# -------------------------------------------------------------------------------- the machine


def test_another_babel_is_refused(project: Scratch) -> None:
    """Another version has other names: that would be another data set."""
    shutil.rmtree(project.state / "store/cache")
    done = shimmed(project, "babel", "metadata")
    assert done.code == ERROR
    assert done.has("2.17.0", "2.18.0", "cldr-names", "pip install")


def test_no_bubblewrap(project: Scratch) -> None:
    done = shimmed(project, "bwrap")
    assert done.code == ERROR
    assert done.has("bubblewrap is missing", "apt install bubblewrap")
    assert not project.trials
    assert not (project.state / "verdicts").exists()


@pytest.mark.parametrize("shim", ["pipeline", "cli"])
def test_a_broken_import_of_ours_is_no_judgement(project: Scratch, shim: str) -> None:
    done = shimmed(project, shim)
    assert done.code == ERROR
    assert done.has("ModuleNotFoundError", f"verifier.{shim}", "hint:")
    assert not (project.state / "verdicts").exists()


def assert_own_limits_are_no_fault_of_the_script(project: Scratch, largest: int) -> None:
    """A script that may not write its outputs because we may not has done nothing wrong."""
    bound = (largest, largest)
    done = project.run(prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, bound))
    assert done.code == ERROR, done.stdout
    assert done.has("limit on file size", "ulimit -f unlimited")
    assert not project.trials
    assert not (project.state / "verdicts").exists()


def test_limits_of_our_own_process_are_ours(project: Scratch) -> None:
    """Room enough for our files and the self-test, but not for what the script must write."""
    assert_own_limits_are_no_fault_of_the_script(project, 2 << 20)


def mounted(place: Path, *, size: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)


def test_a_full_disk_loses_nothing(project: Scratch) -> None:
    """The trials that were finished are kept, and count when there is room again."""
    store, kept = project.state / "store", project.state / "kept"
    if os.geteuid() != 0:  # only root may mount: a bound on every file is what is left
        assert_own_limits_are_no_fault_of_the_script(project, 1 << 20)
        return
    used = sum(p.stat().st_blocks * 512 for p in store.rglob("*") if p.is_file())
    store.rename(kept)
    store.mkdir()
    mounted(store, size=f"{(used >> 10) + 1600}k")
    try:
        shutil.copytree(kept, store, dirs_exist_ok=True)
        done = project.run("--slots", "1")
        assert done.code == ERROR, done.stdout
        assert done.has("No space left on device", "free some space", "what was finished is kept")
        assert not (project.state / "verdicts").exists()
        before = project.trials
        assert before, "some trials had room"
        subprocess.run(["mount", "-o", "remount,size=100m", store], check=True)
        assert project.judged().status == "VERIFIED"
        assert before.items() <= project.trials.items(), "finished trials were not run again"
    finally:
        subprocess.run(["umount", store], check=True)


def test_a_damaged_trial_is_run_again_and_no_other(done: Scratch) -> None:
    before = done.trials
    victim = min((done.state / "store/objects").glob("*/*"))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.chmod(0o644)
    victim.write_bytes(data)
    again = done.run()
    assert again.code == GOOD, again.stderr
    assert again.has("warning:", "damaged", "moved to")
    after = done.trials
    assert after.keys() == before.keys()
    changed = {name for name in before if after[name][0] != before[name][0]}
    assert 1 <= len(changed) <= 2, "C1's repetition has the same ranking as its twin"
    assert list((done.state / "store/damaged").iterdir())


# ------------------------------------------------------------------- verdicts and their evidence


def test_a_second_run_gives_the_same_bytes_and_audit_agrees(done: Scratch) -> None:
    """Nothing is run again, and nothing of the accused or the sandbox is needed to audit."""
    verdict, trials = done.verdict_bytes, done.trials
    assert done.run().code == GOOD
    assert done.verdict_bytes == verdict
    assert done.trials == trials
    code = (
        "import sys; [sys.modules.__setitem__(n, None) for n in "
        "('torch', 'babel', 'pyseccomp', 'sentence_transformers', 'faiss')]; "
        "from verifier.__main__ import main; main()"
    )
    python = done.command()[0]
    elsewhere = done.root.parent / "elsewhere"
    shutil.copytree(done.verdict_folder, elsewhere)
    audited = done.cli(
        command=[python, "-c", code, "audit", str(elsewhere)], env={"PATH": "/nowhere"}
    )
    assert audited.code == GOOD, audited.stderr


def test_a_changed_byte_of_evidence_carries_no_verdict(done: Scratch) -> None:
    """Every file of the folder, the manifest included."""
    folder = done.verdict_folder
    verdict, evidence = done.verdict_bytes, read_evidence(folder / "evidence")
    assert len(evidence) > 15
    for path, data in evidence.items():
        changed = data[: len(data) // 3] + bytes([data[len(data) // 3] ^ 1])
        changed += data[len(data) // 3 + 1 :]
        with pytest.raises(EvidenceError, match="evidence") as caught:
            audit(verdict, {**evidence, path: changed}, name="verdict.json", shipped_cards={})
        assert caught.value.hint
        left = {name: d for name, d in evidence.items() if name != path}
        with pytest.raises(EvidenceError):
            audit(verdict, left, name="verdict.json", shipped_cards={})
    place = folder / "evidence/study.json"
    place.chmod(0o644)
    place.write_bytes(place.read_bytes().replace(b'"seed":', b'"sead":', 1))
    audited = done.cli("audit", str(folder))
    assert audited.code == ERROR
    assert audited.has("study.json", "restore the folder")


def test_an_edited_verdict_is_told_apart(done: Scratch) -> None:
    """Evidence is whole but does not say what the verdict says."""
    place = done.verdict_folder / "verdict.json"
    text = place.read_text(encoding="utf-8")
    value = f'"value":{done.verdict.estimates[0]["value"]}'
    assert value in text.replace('": ', '":')
    edited = text.replace('"supported"', '"refuted"', 1)
    assert edited != text
    place.chmod(0o644)
    place.write_text(edited, encoding="utf-8")
    audited = done.cli("audit", str(done.verdict_folder))
    assert audited.code == NOT_THAT
    assert "refuted" in audited.stdout


def test_evidence_of_another_claim_beside_a_verdict(done: Scratch, project: Scratch) -> None:
    project.script("raise SystemExit(1)")
    assert project.run().code == NOT_THAT
    shutil.rmtree(done.verdict_folder / "evidence")
    shutil.copytree(project.verdict_folder / "evidence", done.verdict_folder / "evidence")
    audited = done.cli("audit", str(done.verdict_folder))
    assert audited.code == ERROR
    assert audited.has("evidence", "rests on", "hint:")
