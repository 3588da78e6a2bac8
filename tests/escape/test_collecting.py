"""What a program leaves in its output folder, and what we take of it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from verifier.adapters.sandbox import collect
from verifier.errors import VerifierError

pytestmark = pytest.mark.sandbox

# name -> (how a program makes "a.json" something else, what the refusal says)
TRICKS = {
    "link to a file": ("os.symlink('/proc/self/environ', p)", "symbolic link"),
    "link to itself": ("os.symlink('a.json', p)", "symbolic link"),
    "link out of the sandbox": ("os.symlink('/proc/1/root/etc/shadow', p)", "symbolic link"),
    "hard link": ("open(p, 'w').write('x'); os.link(p, '/output/b')", "hard links"),
    "fifo": ("os.mkfifo(p)", "FIFO"),
    "socket": ("socket.socket(socket.AF_UNIX).bind(p)", "socket"),
    "folder": ("os.mkdir(p)", "folder"),
    "holes": ("os.truncate(os.open(p, os.O_CREAT | os.O_RDWR), 900_000)", "holes"),
    "too big": ("open(p, 'wb').write(bytes(2 << 20))", "more than"),
    "mode 000": ("os.close(os.open(p, os.O_CREAT | os.O_WRONLY, 0))", "not readable"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_tricks_are_refused_with_a_reason(bench, name):
    trick, reason = TRICKS[name]
    result = bench.run(
        f"import os, socket\np = '/output/a.json'\n{trick}", outputs={"a.json": 1 << 20}
    )
    assert result.exit_code == 0, result.stderr
    assert dict(result.outputs) == {}
    assert list(result.refused) == ["a.json"]
    assert reason in result.refused["a.json"]


def test_a_plain_file_is_taken(bench):
    script = (
        "import os\nos.makedirs('/output/d')\nopen('/output/d/a', 'wb').write(b'\\0\\xff' * 999)"
    )
    result = bench.run(script, outputs={"d/a": 1998})
    assert dict(result.outputs) == {"d/a": b"\0\xff" * 999}
    assert (dict(result.refused), result.extra) == ({}, ())


def test_a_link_on_the_way_is_refused(bench):
    script = "import os\nos.mkdir('/output/real')\nopen('/output/real/a', 'w').close()\n"
    result = bench.run(script + "os.symlink('real', '/output/d')", outputs={"d/a": 10})
    assert "on the way" in result.refused["d/a"]


@pytest.mark.parametrize(
    "script", ["", "open('/output/a', 'w').close()", "open('/output/a', 'w').write('ab')"]
)
def test_missing_empty_and_short_output_with_exit_0(bench, script):
    result = bench.run(script, outputs={"a": 10})
    expected = {"": {}, "open('/output/a', 'w').close()": {"a": b""}}.get(script, {"a": b"ab"})
    assert (result.exit_code, dict(result.outputs)) == (0, expected)


def test_names_are_exact_and_extra_ones_are_shown_harmless(bench):
    script = """
for name in ["run.trec", "Run.trec", "caf\\u00e9", "cafe\\u0301", "a\\nb", "\\x1b[2J", "\\udcff"]:
    open("/output/" + name, "w").write(repr(name))
"""
    result = bench.run(script, outputs={"run.trec": 99, "caf\u00e9": 99})
    assert set(result.outputs) == {"run.trec", "caf\u00e9"}
    assert result.outputs["caf\u00e9"] == repr("caf\u00e9").encode()
    assert len(result.extra) == 5
    assert "Run.trec" in result.extra
    assert "a\\nb" in result.extra
    assert all(name.isprintable() for name in result.extra)


def test_no_more_than_twenty_extra_names(bench):
    script = "for n in range(200): open(f'/output/{n}', 'w').close()"
    assert len(bench.run(script, limits={"output_files": 300}).extra) == 20


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "."])
def test_an_order_cannot_ask_for_a_file_outside(bench, name):
    result = bench.run("", outputs={name: 10})
    assert dict(result.outputs) == {}
    assert list(result.refused) in ([name], [])


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "", "a\0b"])
@pytest.mark.parametrize("where", ["inputs", "study"])
def test_an_order_cannot_write_outside(bench, where, name):
    def work():
        with pytest.raises(VerifierError):
            bench.__class__("root", bench.environment).run("", **{where: {name: b"x"}})
        return True

    assert bench.do(work)


# -- the collector alone, on folders of ours: what cannot be made inside ---------------------------


@pytest.fixture
def folder(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_naive_reading_would_have_followed(tmp_path, folder):
    """The positive control: what collect refuses, open() reads."""
    secret = tmp_path.parent / "secret"
    secret.write_text("qrels")
    (tmp_path / "a").symlink_to(secret)
    assert (tmp_path / "a").read_text() == "qrels"
    found = collect.collect(folder, {"a": 10}, owner=os.geteuid())
    assert dict(found.refused) == {"a": "a symbolic link"}


def test_another_owner_is_refused(tmp_path, folder):
    (tmp_path / "a").write_text("x")
    found = collect.collect(folder, {"a": 10}, owner=os.geteuid() + 1)
    assert dict(found.refused) == {"a": "belongs to another user"}


def test_a_device_is_refused(root_bench, tmp_path, folder):
    os.mknod(tmp_path / "a", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    found = collect.collect(folder, {"a": 10}, owner=0)
    assert dict(found.refused) == {"a": "a device"}


def test_a_file_of_a_terabyte_costs_nothing(tmp_path, folder):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(1 << 40)
    found = collect.collect(folder, {"a": 1 << 41}, owner=os.geteuid())
    assert "holes" in found.refused["a"]


def test_a_file_that_grows_while_read_is_refused(tmp_path, folder, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 10)
    read = os.read

    def growing(descriptor: int, most: int) -> bytes:
        with path.open("ab") as file:
            file.write(b"y")
        return read(descriptor, most)

    monkeypatch.setattr(collect.os, "read", growing)
    found = collect.collect(folder, {"a": 100}, owner=os.geteuid())
    assert "changed while" in found.refused["a"] or "more than" in found.refused["a"]


def test_no_more_than_the_cap_is_ever_read(tmp_path, folder, monkeypatch):
    (tmp_path / "a").write_bytes(b"x" * 100)
    monkeypatch.setattr(collect, "_inspect", lambda *_: None)  # as if it had been small before
    asked = []
    read = os.read
    monkeypatch.setattr(collect.os, "read", lambda d, n: asked.append(n) or read(d, n))
    found = collect.collect(folder, {"a": 10}, owner=os.geteuid())
    assert "more than 10" in found.refused["a"]
    assert asked[0] == 11


def test_a_socket_in_a_folder_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a")
        found = collect.collect(folder, {"a": 10}, owner=os.geteuid())
    assert "socket" in found.refused["a"]
    assert Path("a").exists()
