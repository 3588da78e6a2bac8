"""A tiny task, and two interpreters: pytest's own for the kit, the other for the scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "repro"))  # the kit; it needs numpy and nothing else

DOCUMENTS = 60
SYLLABLES = ["ka", "lo", "mi", "tu", "re", "sha", "nor", "bel", "qui", "dza"]


@pytest.fixture(scope="session")
def repro_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the reproduction environment's interpreter; its absence is a failure, not a skip.

    Outside the sandbox the environment's packages are named by PYTHONPATH, in a small wrapper.
    """
    if chosen := os.environ.get("REPRO_PYTHON"):
        return chosen
    found = sorted(
        (ROOT / ".verify").glob("env/*/environment.json"), key=lambda p: p.stat().st_mtime
    )
    if not found:
        pytest.fail("no reproduction environment: run `verify env create`, or set REPRO_PYTHON")
    home = found[-1].parent
    (program,) = (home / "python/bin").glob("python3.*")
    (packages,) = (home / "env/lib").glob("python3.*/site-packages")
    wrapper = tmp_path_factory.mktemp("interpreter") / "python"
    path = f"{packages}${{PYTHONPATH:+:$PYTHONPATH}}"
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{program}" "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


@dataclass(frozen=True)
class Task:
    """What the tiny task holds; `positives` by query id."""

    documents: list[str]
    texts: list[str]
    positives: dict[str, list[str]]
    queries: list[dict[str, Any]]
    similarities: np.ndarray


@pytest.fixture(scope="session")
def task() -> Task:
    """Sixty documents, four queries each; the first two documents are twins, both relevant."""
    rng = np.random.default_rng(5)
    texts = ["".join(rng.choice(SYLLABLES, 4)) for _ in range(DOCUMENTS)]
    documents = [f"d{i:02}" for i in range(DOCUMENTS)]
    queries = []
    for i, text in enumerate(texts):
        relevant = documents[:2] if i < 2 else [documents[i]]
        for language in range(4):
            start = int(rng.integers(0, 3))
            queries.append(
                {
                    "id": f"q{i:02}{language}",
                    "text": text[start:] + str(language),
                    "language": f"l{language}",
                    "positives": relevant,
                }
            )
    rng.shuffle(queries)
    similar = np.round(rng.random((DOCUMENTS, DOCUMENTS)), 1)  # rounded: many ties
    similar = np.maximum(similar, similar.T).astype("<f4")
    np.fill_diagonal(similar, 1)
    positives = {query["id"]: query["positives"] for query in queries}
    return Task(documents, texts, positives, queries, similar)


class Bench:
    """Writes an input folder, runs one stage of the script, returns its output folder."""

    def __init__(self, python: str, task: Task, folder: Path) -> None:
        self.python, self.task, self.folder, self.runs = python, task, folder, 0

    def run(
        self, stage: str, parameters: dict[str, Any], *, stream: Path | None = None, **trial: Any
    ) -> Path:
        """Run a stage that must succeed."""
        done, output = self.attempt(stage, parameters, stream=stream, **trial)
        assert done.returncode == 0, done.stderr
        return output

    def attempt(
        self, stage: str, parameters: dict[str, Any], *, stream: Path | None = None, **trial: Any
    ) -> tuple[subprocess.CompletedProcess[str], Path]:
        """Run a stage that may fail."""
        self.runs += 1
        home = self.folder / str(self.runs)
        self.write_inputs(home / "input", stage, parameters, stream, trial)
        (home / "output").mkdir()
        environment = {
            "INPUT": str(home / "input"),
            "OUTPUT": str(home / "output"),
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "error::DeprecationWarning:__main__",
            "TMPDIR": str(home),
        }
        done = subprocess.run(
            [self.python, "repro/negative_sampling.py", stage],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return done, home / "output"

    def write_inputs(
        self, folder: Path, stage: str, parameters: dict[str, Any], stream: Path | None, more: dict
    ) -> None:
        trial = {
            "protocol": "trial-v1", "stage": stage, "parameters": parameters, "seed": 1,
            "depth": 10, "threads": 1, "device": "cpu", "time_budget_s": 60, "outputs": "vectors",
            "query_sets": ["test"], "model": None, "a_field_of_a_later_minor_version": True,
        }  # fmt: skip
        (folder / "train").mkdir(parents=True)
        (folder / "queries").mkdir()
        if "model_folder" in more:
            (folder / "models").symlink_to(more.pop("model_folder"))
        (folder / "trial.json").write_text(json.dumps({**trial, **more}))
        task = self.task
        rows = [{"id": i, "text": t} for i, t in zip(task.documents, task.texts, strict=True)]
        write_lines(folder / "corpus.jsonl", rows)
        write_lines(folder / "train" / "queries.jsonl", task.queries)
        held = [{k: q[k] for k in ("id", "text", "language")} for q in task.queries[:50]]
        write_lines(folder / "queries" / "test.jsonl", held)
        if stage == "assign":
            (folder / "train" / "similarities.f32").write_bytes(task.similarities.tobytes())
        if stream is not None:
            (folder / "train" / "stream.tsv").write_bytes(stream.read_bytes())

    def python_says(self, code: str) -> Any:
        """What a piece of code beside the script prints, as JSON."""
        code = f"import sys; sys.argv=['', 'train']; sys.path.insert(0, 'repro')\n{code}"
        done = subprocess.run(
            [self.python, "-c", code],
            cwd=ROOT, env={"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


@pytest.fixture(scope="session")
def bench(repro_python: str, task: Task, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(repro_python, task, tmp_path_factory.mktemp("bench"))
