"""The kit reads what the protocol says, refuses what it does not speak, writes whole outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kit import KitError, log_step, read_trial, write_run, write_stream, write_vectors

ROOT = Path(__file__).parents[2]
TRIAL = {"protocol": "trial-v1", "stage": "train", "parameters": {}, "seed": 3, "new": 1}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "input").mkdir()
    (tmp_path / "output").mkdir()
    monkeypatch.setenv("INPUT", str(tmp_path / "input"))
    monkeypatch.setenv("OUTPUT", str(tmp_path / "output"))
    (tmp_path / "input" / "trial.json").write_text(json.dumps(TRIAL))
    return tmp_path


@pytest.fixture
def trial(folder):
    return read_trial()


def test_unknown_fields_are_ignored(trial):
    assert (trial.stage, trial.seed, trial.threads) == ("train", 3, 1)


@pytest.mark.parametrize("protocol", ["trial-v2", "trial-v10", "trial-v1x", None, 1, ""])
def test_another_major_version_is_refused(folder, protocol):
    (folder / "input" / "trial.json").write_text(json.dumps({**TRIAL, "protocol": protocol}))
    with pytest.raises(KitError, match=r"speaks trial-v1"):
        read_trial()


def test_a_minor_version_is_read(folder):
    (folder / "input" / "trial.json").write_text(json.dumps({**TRIAL, "protocol": "trial-v1.4"}))
    assert read_trial().seed == 3


def test_vectors_are_little_endian_float32_in_rows(trial, folder):
    write_vectors(trial, "queries-test", np.array([[1, 2, 3], [4, 5, 6]], dtype=">f8"))
    data = (folder / "output" / "vectors" / "queries-test.f32").read_bytes()
    assert np.frombuffer(data, "<f4").tolist() == [1, 2, 3, 4, 5, 6]
    assert trial.files == {"vectors/queries-test.f32": {"rows": 2, "columns": 3}}


@pytest.mark.parametrize("wrong", [np.zeros(3), np.array([[np.nan]]), np.array([[np.inf]])])
def test_what_is_no_finite_matrix_is_refused(trial, wrong):
    with pytest.raises(KitError, match="finite matrix"):
        write_vectors(trial, "corpus", wrong)
    assert trial.files == {}


def test_a_run_has_six_columns_and_exact_scores(trial, folder):
    score = float(np.float32(1) / np.float32(3))
    write_run(trial, "test", ["q1"], [[("d2", score), ("d1", -0.5)]])
    lines = (folder / "output" / "test.trec").read_text().splitlines()
    assert [line.split(" ")[:4] for line in lines] == [
        ["q1", "Q0", "d2", "1"],
        ["q1", "Q0", "d1", "2"],
    ]
    assert np.float32(lines[0].split(" ")[4]) == np.float32(score)
    assert trial.files == {"test.trec": {"rows": 2}}


def test_a_stream_has_no_header(trial, folder):
    write_stream(trial, [[0, "q1", "d1", "d2"], [1, "q2", "d2", "d1"]])
    assert (folder / "output" / "stream.tsv").read_text() == "0\tq1\td1\td2\n1\tq2\td2\td1\n"
    assert trial.files == {"stream.tsv": {"rows": 2}}


def test_telemetry_grows_by_lines(trial, folder):
    log_step(trial, step=0, steps=2, loss=0.5, seconds=0.1)
    log_step(trial, step=1, steps=2, loss=0.25, seconds=0.2)
    lines = (folder / "output" / "telemetry.jsonl").read_text().splitlines()
    assert json.loads(lines[1]) == {"step": 1, "steps": 2, "loss": 0.25, "seconds": 0.2}


def test_missing_similarities_say_what_needs_none(trial):
    with pytest.raises(KitError, match="use negatives that need none"):
        trial.similarities(3)


def test_a_model_is_a_path_under_the_input(folder):
    (folder / "input" / "trial.json").write_text(json.dumps({**TRIAL, "model": "models/tiny"}))
    assert read_trial().model == folder / "input" / "models" / "tiny"


def test_finish_completes_the_output_and_leaves_with_buffers_flushed(folder):
    code = "from kit import *; t = read_trial(); write_stream(t, []); print('said'); finish(t)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'repro'); {code}"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "said\n"
    written = json.loads((folder / "output" / "outputs.json").read_text())
    assert written == {"protocol": "outputs-v1", "files": {"stream.tsv": {"rows": 0}}}
    assert not list((folder / "output").glob("*.tmp"))


def test_the_kit_loads_without_torch():
    code = "import sys; sys.path.insert(0, 'repro'); import kit; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_outputs_of_one_trial_do_not_show_in_another(trial):
    other = replace(trial, files={})
    write_stream(other, [])
    assert trial.files == {}
