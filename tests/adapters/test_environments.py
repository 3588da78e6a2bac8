"""Environments: made whole or not at all, told apart by content, checked from inside."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from verifier.adapters import environments
from verifier.adapters.environments import closure, interpreter, make, packages
from verifier.adapters.environments.tree_digest import tree_digests
from verifier.adapters.sandbox.ns_full import NamespaceSandbox
from verifier.documents.limits import Limits
from verifier.errors import UsageError, VerifierError
from verifier.ports import SandboxOrder

pytestmark = pytest.mark.sandbox
LIMITS = Limits(wall_s=30, memory_bytes=1 << 28, output_bytes=1 << 20, output_files=4, processes=16)


def make_one(folder: str) -> tuple[str, str]:
    path = Path(folder, "requirements.txt")
    path.write_text("# no packages\n")
    made = environments.create(path, Path(folder, "environments"), progress=lambda _: None)
    return str(made.path), made.digest


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def environment(folder: Path) -> environments.Environment:
    """Made by two processes at once: one makes it, the other finds it."""
    with ProcessPoolExecutor(2) as pool:
        one, two = pool.map(make_one, [str(folder)] * 2)
    assert one == two
    return environments.load(Path(one[0]))


@pytest.fixture
def changed(environment: environments.Environment, tmp_path: Path) -> environments.Environment:
    """A copy that a test may spoil."""
    tmp_path.chmod(0o755)
    copy = Path(tempfile.mkdtemp()) / "copy"
    copy.parent.chmod(0o755)
    shutil.copytree(environment.path, copy, symlinks=True)
    yield environments.load(copy)
    shutil.rmtree(copy.parent)


def run(environment: environments.Environment, code: str) -> Any:
    order = SandboxOrder(
        argv=("python", "-c", code), inputs={}, study={}, environment=environment.path,
        outputs={}, limits=LIMITS, threads=2,
    )  # fmt: skip
    result = NamespaceSandbox().run(order)
    assert result.exit_code == 0, result.stderr.decode()
    return json.loads(result.stdout)


def test_nothing_unfinished_is_left(folder, environment):
    names = {p.name for p in (folder / "environments").iterdir()}
    assert names == {environment.path.name, f".{environment.path.name}.lock"}
    assert sorted(p.name for p in environment.path.iterdir()) == [
        "env", "environment.json", "lib", "python",
    ]  # fmt: skip


def test_a_second_request_finds_the_first(folder, environment):
    said = []
    again = environments.create(
        folder / "requirements.txt", folder / "environments", progress=said.append
    )
    assert again == environment
    assert said == []


def test_the_record_names_no_path(environment):
    text = (environment.path / "environment.json").read_text()
    assert "/" not in text.replace("glibc", "")


def test_the_interpreter_inside_is_the_one_of_the_environment(environment):
    found = run(
        environment,
        "import json, sys, os, ssl, sqlite3, ctypes, hashlib, zlib, bz2, lzma, unicodedata\n"
        "maps = {l.split()[-1] for l in open('/proc/self/maps') if '/' in l}\n"
        "print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, sys.path, sorted(maps)]))",
    )
    executable, prefix, base, path, maps = found
    assert (executable, prefix, base) == ("/env/bin/python", "/env", "/python")
    assert all(p.startswith(("/python/", "/env/")) for p in path if p)
    assert all(m.startswith(("/python/", "/env/", "/lib/")) for m in maps), maps


def test_what_could_answer_is_not_there(environment):
    names = {p.name for p in environment.path.rglob("*")}
    assert not names & {"test", "idlelib", "ensurepip", "tkinter", "site-packages.pth", "pip"}
    assert not any("icu" in n.lower() and ".so" in n for n in names)
    assert not any("zoneinfo" in n and n.endswith(".tab") for n in names)


def test_everything_can_be_read_by_all_and_written_by_the_owner(environment):
    for path in environment.path.rglob("*"):
        if not path.is_symlink():
            mode = path.stat().st_mode
            assert mode & 0o004, path
            assert not mode & 0o022, path


def test_the_fingerprint_agrees(environment):
    found = environments.fingerprint(NamespaceSandbox(), environment)
    assert found.digest == environment.digest
    assert found.python == environment.python
    assert (found.torch, found.cpu_capability) == (None, None)
    assert (found.libpython is None) == (found.libpython_digest is None)


SPOILERS = {
    "a module": ("digest", lambda e: next(e.rglob("this.py")).write_text("# other\n")),
    "a library": ("digest", lambda e: (e / "lib" / "libc.so.7").write_bytes(b"x")),
    "bytecode": ("bytecode", lambda e: next(e.rglob("__pycache__/this.*.pyc")).write_bytes(b"x")),
    "a link": ("digest", lambda e: (e / "env" / "extra").symlink_to("/python")),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_a_changed_environment_is_an_error_that_names_both(changed, name):
    what, spoil = SPOILERS[name]
    before = getattr(changed, what)
    spoil(changed.path)
    with pytest.raises(VerifierError, match=f"{what} is") as caught:
        environments.fingerprint(NamespaceSandbox(), changed)
    assert before in str(caught.value)


def test_an_environment_that_does_not_start_is_an_error(changed):
    for path in (changed.path / "lib").glob("libc.so*"):
        path.unlink()
    with pytest.raises(VerifierError, match="does not run"):
        environments.fingerprint(NamespaceSandbox(), changed)


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "environment-v0"}', "[]", "nonsense"])
def test_a_record_that_is_none(tmp_path, text):
    (tmp_path / "environment.json").write_text(text)
    with pytest.raises(VerifierError, match="no usable environment"):
        environments.load(tmp_path)


def test_a_record_without_its_folders(environment, tmp_path):
    shutil.copy(environment.path / "environment.json", tmp_path)
    with pytest.raises(VerifierError, match="lacks its folder"):
        environments.load(tmp_path)


@pytest.mark.parametrize("line", ["Babel==2.18.0", "  PyICU==2.0", "language_data", "Py-Country"])
def test_packages_that_hold_the_answers_are_refused(tmp_path, line):
    path = tmp_path / "r.txt"
    path.write_text(f"six==1.17.0\n{line.replace('Py-Country', 'pycountry')}\n")
    with pytest.raises(UsageError, match="withheld answers") as caught:
        environments.create(path, tmp_path / "e", progress=print)
    assert caught.value.where == f"{path}:2"


def test_a_forbidden_dependency_is_refused(tmp_path):
    info = tmp_path / "Babel-2.18.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Babel\nVersion: 2.18.0\n")
    with pytest.raises(UsageError, match="withheld answers"):
        packages.installed(tmp_path)


def test_a_list_that_cannot_be_installed_shows_what_pip_said(tmp_path, monkeypatch):
    monkeypatch.setattr(make.base, "copy_python", lambda *_: None)
    path = tmp_path / "r.txt"
    path.write_text("six==0.0.0.dev999\n")
    with pytest.raises(UsageError, match="No matching distribution") as caught:
        environments.create(path, tmp_path / "e", progress=lambda _: None)
    assert "wheels" in caught.value.hint
    assert [p.name for p in (tmp_path / "e").iterdir() if not p.name.endswith(".lock")] == []


def test_a_missing_venv_module_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "_told", lambda *_: ["No module named venv"])
    with pytest.raises(VerifierError, match="No module named venv") as caught:
        packages.install(tmp_path, tmp_path / "r", tmp_path, Path("python3"), print)
    assert "python3-venv" in caught.value.hint


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(make, "_build", full)
    (tmp_path / "r.txt").write_text("")
    with pytest.raises(VerifierError, match="No space left") as caught:
        environments.create(tmp_path / "r.txt", tmp_path / "e", progress=print)
    assert "free some space" in caught.value.hint


def test_a_python_that_is_none(tmp_path):
    (tmp_path / "r.txt").write_text("")
    with pytest.raises(VerifierError, match="does not answer"):
        environments.create(tmp_path / "r.txt", tmp_path, progress=print, python=Path("/bin/true"))


def test_the_key_depends_on_list_and_interpreter(environment):
    one = interpreter.describe(Path(os.path.realpath("/proc/self/exe")))
    assert make._key(b"a", one) == make._key(b"a", one)
    assert make._key(b"a", one) != make._key(b"b", one)


def test_tree_digests_see_every_change(tmp_path):
    seen = {tree_digests(str(tmp_path), ("d",))}
    (tmp_path / "d" / "__pycache__").mkdir(parents=True)
    steps = [
        lambda: (tmp_path / "d" / "a").write_text("1"),
        lambda: (tmp_path / "d" / "a").write_text("2"),
        lambda: (tmp_path / "d" / "a").rename(tmp_path / "d" / "b"),
        lambda: (tmp_path / "d" / "l").symlink_to("b"),
        lambda: (tmp_path / "d" / "__pycache__" / "b.pyc").write_text("1"),
    ]
    for count, step in enumerate(steps, start=2):
        step()
        seen.add(tree_digests(str(tmp_path), ("d",)))
        assert len(seen) == count
    assert tree_digests(str(tmp_path), ("d",)) == tree_digests(str(tmp_path), ("d",))


def test_the_loader_is_read_from_the_program():
    program = Path(os.path.realpath("/proc/self/exe"))
    assert closure.loader_of(program).name.startswith("ld-linux")
    assert closure.is_elf(program)
    assert not closure.is_elf(Path(__file__))
    with pytest.raises(VerifierError, match="no 64-bit"):
        closure.loader_of(Path(__file__))
