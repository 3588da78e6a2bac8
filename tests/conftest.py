"""What the end-to-end tests share: scratch projects that run in the real sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from verifier.adapters import environments

REPOSITORY = Path(__file__).resolve().parents[1]
ENVIRONMENT = "repro/environment.txt"
SCRIPT = "repro/script.py"
HONEST = REPOSITORY / "tests/honest/scripts/letters.py"
_LONGEST_S = 300


def claim_document() -> dict[str, Any]:
    """Return a claim that can be decided either way: its scope is enough, it is universal."""
    return {
        "schema": "claim-v1",
        "id": "scratch",
        "record": "scratch",
        "statement": "Our method finds names better than theirs.",
        "quantifier": "universal",
        "source": {
            "work": "made up",
            "locator": "nowhere",
            "task": "entity-name matching",
            "encoders": ["static"],
            "reported": [{"measure": "RR@10", "arm": "ours", "value": "0.7410"}],
        },
        "reproduction": {
            "stages": {"train": ["python", SCRIPT]},
            "files": [SCRIPT, "repro/kit"],
            "environment": ENVIRONMENT,
            "outputs": "vectors",
            "sees_arm": ["train"],
            "fixed": {"dimensions": 128},
            "factors": {"method": {"ours": "ours", "theirs": "theirs"}},
        },
        "settings": [{"name": "cldr-names"}],
        "seeds": {"looks": [5]},
        "criterion": {
            "kind": "superiority",
            "candidate": "ours",
            "baseline": "theirs",
            "measure": "RR@10",
            "margin": 0.01,
        },
        "assay": {"method": {"none": "none"}},
        "limits": {"wall": "60 s", "memory": "1 GiB"},
    }


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return `old` with what `new` says: mappings key by key, all else whole."""
    both = {**old, **new}
    for key in old.keys() & new.keys():
        if isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
            both[key] = merged(old[key], new[key])
    return both


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    def has(self, *words: str) -> bool:
        """Whether stderr holds all these words; shown by pytest where it does not."""
        missing = [word for word in words if word not in self.stderr]
        assert not missing, f"{missing} not in:\n{self.stderr}"
        return True


@dataclass(frozen=True)
class Judged:
    """A verdict that was written, and what tests ask of it."""

    document: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        """Return a field of the verdict."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self.document[name]

    @property
    def rules(self) -> set[str]:
        """The rule ids of its findings that make it invalid or silent."""
        return {f["rule"] for f in self.findings if f["severity"] != "warning"}

    @property
    def controls(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.document["controls"]}

    @property
    def states(self) -> dict[str, str]:
        return {name: row["state"] for name, row in self.controls.items()}

    @property
    def arms(self) -> dict[str, dict[str, Any]]:
        return {row["arm"]: row for row in self.document["arms"]}

    def is_at_chance(self, arm: str) -> bool:
        """Whether an arm found no more than a random ranking would."""
        row = self.arms[arm]
        assert abs(row["mean"] - row["chance"]) < 0.004, row
        return True

    def is_invalid(self, reason: str, rule: str) -> bool:
        """Whether it is UNVERIFIED and invalid for this reason, with this finding."""
        found = (self.status, self.outcome, self.reason_code)
        assert found == ("UNVERIFIED", "invalid", reason), self.reason
        assert rule in self.rules, self.findings
        return True


@dataclass(frozen=True)
class Scratch:
    """A project of its own, with its own store; only the environment is shared."""

    root: Path

    @property
    def state(self) -> Path:
        return self.root / ".verify"

    def write(self, path: str, text: str) -> Path:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def claim(self, *changes: Mapping[str, Any], name: str = "scratch") -> None:
        """Write claims/NAME.yaml: the claim that can be decided, with changes."""
        document = claim_document()
        for change in changes:
            document = merged(document, change)
        self.write(f"claims/{name}.yaml", json.dumps(document, indent=1, ensure_ascii=False))

    def script(self, source: str | Path, path: str = SCRIPT) -> None:
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        self.write(path, text)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "verifier", *words]

    def cli(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> Ended:
        """Run `verify WORDS` in a process of its own, in the project's folder."""
        done = subprocess.run(
            [*command] if command else self.command(*words),
            cwd=self.root,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
            preexec_fn=prepare,
        )
        return Ended(code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def run(self, *words: str, **options: Any) -> Ended:
        """Run `verify run claims/scratch.yaml --yes --quiet`."""
        return self.cli("run", "claims/scratch.yaml", "--yes", "--quiet", *words, **options)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start `verify run` in a session of its own and return while it runs."""
        return subprocess.Popen(
            self.command("run", "claims/scratch.yaml", "--yes", *words),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    @property
    def verdict_folder(self) -> Path:
        """The folder of the newest verdict."""
        found = sorted(
            self.state.glob("verdicts/scratch/*/verdict.json"), key=lambda p: p.stat().st_mtime_ns
        )
        assert found, "no verdict was written"
        return found[-1].parent

    @property
    def verdict_bytes(self) -> bytes:
        return (self.verdict_folder / "verdict.json").read_bytes()

    @property
    def verdict(self) -> Judged:
        return Judged(json.loads(self.verdict_bytes))

    def judged(self, **options: Any) -> Judged:
        """Run the claim, hold the exit code to the status, and return the verdict."""
        done = self.run(**options)
        assert done.code in {0, 1}, done.stderr
        verdict = self.verdict
        assert (done.code == 0) == (verdict.status == "VERIFIED")
        return verdict

    @property
    def trials(self) -> dict[str, tuple[int, bytes]]:
        """Finished trials (and assign stages) in the store: id -> (time of writing, record)."""
        return {
            place.stem: (place.stat().st_mtime_ns, place.read_bytes())
            for place in self.state.glob("store/trials/*/*.json")
        }

    @property
    def ledger(self) -> list[dict[str, Any]]:
        lines = (self.state / "store/ledger.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def copy(self, root: Path) -> Scratch:
        """Return a copy of the project with its store: the same nonce, so the same trials."""
        shutil.copytree(self.root, root, symlinks=True)
        return Scratch(root)


@pytest.fixture(scope="session")
def made_environment() -> Path:
    """The folder with the reproduction environment: without it these tests fail."""
    folder = REPOSITORY / ".verify" / "env"
    if environments.find(REPOSITORY / ENVIRONMENT, folder) is None:
        pytest.fail("the reproduction environment is not made; make it with `verify env create`")
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, made_environment: Path) -> Scratch:
    """A project that has built its task, with nothing run and nothing frozen."""
    scratch = Scratch(tmp_path_factory.mktemp("template") / "project")
    scratch.script(HONEST)
    shutil.copytree(
        REPOSITORY / "repro/kit",
        scratch.root / "repro/kit",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(REPOSITORY / ENVIRONMENT, scratch.root / ENVIRONMENT)
    shutil.copytree(REPOSITORY / "settings", scratch.root / "settings")
    scratch.state.mkdir()
    (scratch.state / "env").symlink_to(made_environment)
    scratch.claim()
    planned = scratch.cli("plan", "claims/scratch.yaml")
    assert planned.code == 0, planned.stderr
    for secret in ("nonce", "secret", "ledger.jsonl"):
        (scratch.state / "store" / secret).unlink(missing_ok=True)
    return scratch


@pytest.fixture
def project(template: Scratch, tmp_path: Path) -> Scratch:
    """A fresh scratch project: the claim that can be decided, the honest script, no trials."""
    return template.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def finished(template: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A project whose claim was VERIFIED: to be copied, never changed."""
    scratch = template.copy(tmp_path_factory.mktemp("finished") / "project")
    verdict = scratch.judged()
    assert verdict.status == "VERIFIED", verdict.reason
    return scratch


@pytest.fixture
def done(finished: Scratch, tmp_path: Path) -> Scratch:
    """A copy of the finished project, to be damaged."""
    return finished.copy(tmp_path / "done")
