"""What the sandbox tests share: an environment, who runs, probes run inside and outside."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from verifier.adapters import environments
from verifier.adapters.sandbox import doctor, seccomp
from verifier.adapters.sandbox.ns_full import NamespaceSandbox
from verifier.documents.limits import Limits
from verifier.ports import SandboxOrder, SandboxResult

MEBIBYTE = 1 << 20
USER = 12345
LIMITS = Limits(
    wall_s=30,
    memory_bytes=256 * MEBIBYTE,
    output_bytes=4 * MEBIBYTE,
    output_files=16,
    processes=32,
    shm_bytes=16 * MEBIBYTE,
    tmp_bytes=64 * MEBIBYTE,
)
# As root we test both ways of running; an ordinary user can only be one.
WHO = ("root", "user") if os.geteuid() == 0 else ("user",)


def as_user(work: Callable[[], Any]) -> Any:
    """Run `work` as an ordinary user in a fork, and return or raise what it did."""
    if os.geteuid() != 0:
        return work()
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, USER)
            answer = (True, work())
        except BaseException:  # noqa: BLE001 - it is raised again on the other side
            answer = (False, traceback.format_exc())
        with os.fdopen(theirs, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    fine, value = pickle.loads(data)  # noqa: S301 - from our own fork
    if not fine:
        raise AssertionError(value)
    return value


@dataclass(frozen=True)
class Bench:
    """A sandbox and an environment, used by root or by an ordinary user."""

    who: str
    environment: Path

    def order(self, script: str, *args: str, **changes: Any) -> SandboxOrder:
        limits = replace(LIMITS, **changes.pop("limits", {}))
        values = {
            "argv": ("python", "/study/probe.py", *args),
            "inputs": {"trial.json": b"{}"},
            "study": {"probe.py": script.encode()},
            "environment": self.environment,
            "outputs": {"answer.json": MEBIBYTE},
            "threads": 1,
            **changes,
        }
        return SandboxOrder(limits=limits, **values)

    def run(self, script: str, *args: str, **changes: Any) -> SandboxResult:
        return self.run_order(self.order(script, *args, **changes))

    def run_order(self, order: SandboxOrder) -> SandboxResult:
        return self.do(lambda: NamespaceSandbox().run(order))

    def do(self, work: Callable[[], Any]) -> Any:
        return work() if self.who == "root" else as_user(work)

    def ask(self, script: str, *args: str, **changes: Any) -> Any:
        """Run a probe inside and return what it wrote to answer.json."""
        result = self.run(script, *args, **changes)
        assert result.exit_code == 0, (result.ending, result.stderr.decode())
        return json.loads(result.outputs["answer.json"])

    def ask_outside(self, script: str, *args: str, **options: Any) -> Any:
        """Run the same probe without a sandbox: the positive control."""

        def work() -> Any:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "probe.py")
                path.write_text(script)
                python = "/usr/bin/python3" if os.geteuid() else sys.executable
                extra = options.pop("env", {})
                subprocess.run(
                    [python, "-I", str(path), *args],
                    env={"OUTPUT": folder, "PATH": "/usr/bin:/bin", **extra},
                    check=True,
                    timeout=60,
                    **options,
                )
                return json.loads(Path(folder, "answer.json").read_text())

        return self.do(work)


@pytest.fixture(scope="session")
def environment() -> Path:
    """An environment without packages, readable by the ordinary user too; kept between runs."""
    broken = [c for c in doctor.examine() if c.state is doctor.State.MISSING]
    assert not broken, f"this machine cannot run the sandbox tests: {broken}"
    seccomp.filters()  # the ordinary user may not be able to import it
    root = Path(tempfile.gettempdir(), f"verifier-test-environments-{os.geteuid()}")
    root.mkdir(mode=0o755, exist_ok=True)
    assert root.stat().st_uid == os.geteuid()
    empty = root / "empty.txt"
    empty.write_text("")
    return environments.create(empty, root, progress=print).path


@pytest.fixture(params=WHO)
def bench(request: pytest.FixtureRequest, environment: Path) -> Bench:
    return Bench(request.param, environment)


@pytest.fixture
def root_bench(environment: Path) -> Bench:
    """Where only root can: without root the test fails, and says what would be needed."""
    if os.geteuid() != 0:
        pytest.fail("this needs root: control groups and user ids of their own; see verify doctor")
    return Bench("root", environment)
