"""Ways out of the sandbox: each attempted inside, and outside to show that the attempt is real."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from verifier.adapters.sandbox import bubblewrap, seccomp, selftest, slots, tape
from verifier.adapters.sandbox.ns_full import NamespaceSandbox
from verifier.errors import VerifierError
from verifier.ports import Ending

pytestmark = pytest.mark.sandbox

HEAD = """
import errno, json, os, socket, stat, subprocess, sys
def answer(value):
    with open(os.environ["OUTPUT"] + "/answer.json", "w") as file:
        json.dump(value, file)
def tries(function, *args):
    try:
        function(*args)
    except (OSError, ValueError):
        return False
    return True
"""

# name -> a program whose answer is true where it breached something
BREACHES = {
    "secrets in environments": """
names = set()
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        data = open(f"/proc/{pid}/environ", "rb").read()
    except OSError:
        continue
    names |= {entry.split(b"=")[0] for entry in data.split(b"\\0") if entry}
answer(b"SECRET" in names)
""",
    "host files": """
paths = ["/etc/passwd", "/etc/hostname", "/sys/kernel", "/usr/bin/env", "/proc/1/root/etc/passwd",
         "/proc/self/root/etc/passwd", "/proc/1/cwd/etc/passwd", *sys.argv[1:]]
answer([p for p in paths if os.path.exists(p)])
""",
    "places to write": """
found = []
def walk(folder, depth):
    path = os.path.join(folder, f".breach-{os.getpid()}")
    if tries(os.mkdir, path):
        os.rmdir(path)
        found.append(folder)
    if depth:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False) and entry.name not in ("proc", "sys"):
                if os.access(entry.path, os.R_OK | os.X_OK):
                    walk(entry.path, depth - 1)
walk("/", int(sys.argv[1]))
answer(sorted(set(found) - {"/tmp", "/output", "/dev/shm"}))
""",
    "socket families": """
kinds = [(socket.AF_INET, 1, 0), (socket.AF_INET, 2, 0), (socket.AF_INET6, 1, 0),
         (socket.AF_INET, 1, 262), (16, 3, 0), (17, 3, 0), (38, 5, 0), (40, 1, 0),
         (44, 3, 0), (29, 3, 1), (30, 1, 0), (21, 5, 0), (31, 5, 0)]
def make(kind):
    socket.socket(*kind).close()
answer([kind for kind in kinds if tries(make, kind)])
""",
    "programs from writable folders": """
import shutil, tempfile
ran = []
for folder in {"/tmp", os.environ["OUTPUT"]} | ({"/dev/shm"} if os.getuid() == 65534 else set()):
    path = os.path.join(folder, f"breach-{os.getpid()}")
    shutil.copy("/proc/self/exe", path)
    os.chmod(path, 0o755)
    def run():
        subprocess.run([path, "-c", ""], check=False)
    if tries(run):
        ran.append(folder)
    os.unlink(path)
answer(ran)
""",
    "the harness's processes": """
answer([p for p in sys.argv[1:] if tries(os.kill, int(p), 0) or os.path.exists("/proc/" + p)])
""",
}  # fmt: skip


def arguments(name: str, *, inside: bool) -> list[str]:
    depth = "9" if inside else "2"
    return {
        "host files": [__file__, str(Path(__file__).parents[2])],
        "places to write": [depth],
        "the harness's processes": [str(os.getpid()), str(os.getppid())],
    }.get(name, [])


@pytest.mark.parametrize("name", BREACHES)
def test_no_breach_inside_and_the_same_probe_sees_it_outside(bench, name):
    script = HEAD + BREACHES[name]
    assert not bench.ask(script, *arguments(name, inside=True))
    assert bench.ask_outside(script, *arguments(name, inside=False), env={"SECRET": "x"})


ROOT_BREACHES = {
    "kernel settings": """
paths = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger",
         "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/modprobe"]
def writes(path):
    os.close(os.open(path, os.O_WRONLY))
answer([p for p in paths if tries(writes, p)])
""",
    "the first process's program": """
def change():
    program = f"/proc/{sys.argv[1]}/exe"
    os.chmod(program, stat.S_IMODE(os.stat(program).st_mode))
answer(tries(change))
""",
    "rights": """
def device():
    path = os.environ["OUTPUT"] + "/device"
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 1))
    os.unlink(path)
def priority():
    os.nice(-1)
calls = {"setuid": lambda: os.setuid(0), "setgroups": lambda: os.setgroups([0]),
         "mknod": device, "nice": priority}
answer([name for name, call in calls.items() if tries(call)])
""",
}  # fmt: skip


@pytest.mark.parametrize("name", ROOT_BREACHES)
def test_rights_of_root_are_gone_inside(bench, name):
    script = HEAD + ROOT_BREACHES[name]
    assert not bench.ask(script, "1")
    if bench.who == "root":  # an ordinary user has no such rights outside either
        assert bench.ask_outside(script, str(os.getpid()))


def test_no_descriptor_comes_through(bench):
    script = (
        HEAD
        + """
fds = set(map(int, os.listdir("/proc/self/fd")))
listing = {fd for fd in fds if not os.path.exists(f"/proc/self/fd/{fd}")}
answer(sorted(fd for fd in fds if fd > 2 and tries(os.fstat, fd)))
"""
    )
    with tempfile.TemporaryFile() as secret:
        os.set_inheritable(secret.fileno(), True)
        assert bench.ask(script) == []
        seen = bench.ask_outside(script, pass_fds=(secret.fileno(),))
        assert secret.fileno() in seen


def test_local_sockets_of_the_host_are_out_of_reach(bench, tmp_path):
    script = (
        HEAD
        + """
def reach(name):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(name)
answer([n for n in ("\\0" + sys.argv[1], sys.argv[2]) if tries(reach, n)])
"""
    )
    name = f"verifier-test-{os.getpid()}-{bench.who}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = f"{folder}/s"
        with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as two:
            one.bind("\0" + name)
            two.bind(path)
            os.chmod(path, 0o777)  # noqa: PTH101, S103 - the ordinary user shall reach it
            one.listen()
            two.listen()
            assert bench.ask(script, name, path) == []
            assert len(bench.ask_outside(script, name, path)) == 2


def test_local_sockets_inside_work(bench):
    assert bench.ask(HEAD + "a, b = socket.socketpair(); a.send(b'x'); answer(b.recv(1) == b'x')")


# -- system calls ------------------------------------------------------------------------------


def run_tape(bench, program: tape.Tape) -> tuple[int, ...]:
    order = bench.order("", argv=("/study/probe",), study={"probe": program.image})
    result = bench.run_order(replace_environment(order))
    assert result.exit_code == 0, (result.ending, result.stderr)
    return program.answers(result.stdout)


def replace_environment(order):
    return replace(order, environment=None)


def run_outside(image: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "probe")
        path.write_bytes(image)
        path.chmod(0o700)
        return subprocess.run([path], stdout=subprocess.PIPE, check=True).stdout


def names(calls) -> list[str]:
    return [n for n in calls if seccomp._number(n) is not None]


def test_every_denied_call_is_refused(bench):
    denied = names(seccomp.DENIED)
    assert len(denied) > 60
    program = tape.build([tape.Call(seccomp._number(n), (-1,) * 6) for n in denied])
    answers = dict(zip(denied, run_tape(bench, program), strict=True))
    assert {n: a for n, a in answers.items() if a != -errno.EPERM} == {}
    if bench.who == "root":
        outside = program.answers(run_outside(program.image))
        assert sum(a != -errno.EPERM for a in outside) > 50


def test_calls_on_no_list_do_not_exist(bench):
    listed = {seccomp._number(n) for n in seccomp.ALLOWED + seccomp.DENIED}
    unlisted = [n for n in range(424, 520) if n not in listed]
    program = tape.build([tape.Call(n, (-1,) * 6) for n in unlisted])
    assert set(run_tape(bench, program)) == {-errno.ENOSYS}
    assert set(program.answers(run_outside(program.image))) != {-errno.ENOSYS}


@pytest.mark.skipif("__import__('platform').machine() != 'x86_64'", reason="x32 is of x86_64")
def test_the_x32_door_kills(bench):
    program = tape.build([tape.Call(0x40000000 | 39)])
    order = bench.order("", argv=("/study/probe",), study={"probe": program.image})
    result = bench.run_order(replace_environment(order))
    assert (result.ending, result.signal) == (Ending.SIGNALLED, 31)
    assert run_outside(program.image)


def test_socket_families_beyond_the_name(bench):
    families = [n for n in range(60) if n != 1] + [(1 << 32) | 2, (1 << 32) | 40]
    program = tape.build([tape.Call("socket", (n, 1, 0)) for n in families])
    assert set(run_tape(bench, program)) == {-errno.EPERM}
    assert any(a >= 0 for a in program.answers(run_outside(program.image)))


# -- what the sandbox tells ----------------------------------------------------------------------

TELL = HEAD + """
def read(path):
    return open(path, "rb").read().decode(errors="replace")
mounts = [line.split(" - ") for line in read("/proc/self/mountinfo").splitlines()]
answer({
    "mounts": [left.split(" ", 3)[3] + " - " + right for left, right in mounts],
    "argv": [read(f"/proc/{p}/cmdline") for p in sorted(filter(str.isdigit, os.listdir("/proc")))
             if p != str(os.getpid())],
    "environ": dict(os.environ), "first": read("/proc/1/environ"),
    "host": socket.gethostname(), "group": read("/proc/self/cgroup"),
    "ids": [read("/proc/self/uid_map").split(), read("/proc/self/gid_map").split()],
    "user": [os.getuid(), os.getgid(), os.getgroups()], "cwd": os.getcwd(), "root": os.listdir("/"),
    "stat": [os.stat(p).st_mtime_ns for p in ("/study/probe.py", "/input/trial.json")],
    "limits": __import__("resource").getrlimit(5) and read("/proc/self/limits"),
    "seccomp of init": [l for l in read("/proc/1/status").splitlines() if "Seccomp" in l],
})
"""  # fmt: skip


def test_the_sandbox_tells_nothing_of_the_trial(bench):
    """Two executions at the same time, with different inputs, see exactly the same."""
    told = bench.ask(TELL)
    sleeper = bench.order("import time; time.sleep(60)")
    child = os.fork()
    if child == 0:
        try:
            bench.do(lambda: NamespaceSandbox().run(sleeper))
        finally:
            os._exit(0)
    time.sleep(0.3)
    try:
        again = bench.ask(TELL, inputs={"trial.json": b"{}", "other": b"x" * 100_000})
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert again == told
    assert told["first"] == ""
    assert told["environ"] == bubblewrap.variables(1) | {"PWD": "/study"}
    assert told["host"] == "sandbox"
    assert {line.split(":")[2] for line in told["group"].split()} == {"/"}
    assert told["ids"] == [["65534", "65534", "1"]] * 2
    assert told["user"][:2] == [65534, 65534]
    assert told["argv"] == ["bwrap|--args|4|--|/env/bin/python|/study/probe.py|".replace("|", "\0")]
    assert sorted(told["root"]) == sorted(
        ["dev", "env", "input", "lib", "lib64", "output", "proc", "python", "study", "tmp", "usr"]
    )
    assert told["stat"] == [0, 0]
    assert all("2" in line for line in told["seccomp of init"])


def test_mountinfo_names_no_host_folder_but_the_environment(bench):
    shown = json.dumps(bench.ask(TELL)["mounts"])
    assert str(bench.environment) in shown  # documented: the same for all trials
    rest = shown.replace(str(bench.environment), "")
    home, repository = str(Path.home()), str(Path(__file__).parents[2])
    for word in (home, repository, "verifier", "pytest", str(slots.FIRST_ID)):
        assert word not in rest, word


def test_an_environment_in_a_private_folder_of_root_works(root_bench, tmp_path):
    """The sandbox's user cannot walk there; the folder is bound before rights are dropped."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "environment").mkdir()
    for name in ("python", "env", "lib"):
        subprocess.run(
            ["cp", "-a", root_bench.environment / name, private / "environment"], check=True
        )
    assert root_bench.ask(HEAD + "answer(1)", environment=private / "environment") == 1


def test_models_are_shown_read_only(bench, tmp_path):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "config.json").write_text("{}")
        script = (
            HEAD
            + """
path = "/input/models/static/config.json"
answer([open(path).read(), tries(open, path, "a"), tries(os.mkdir, "/input/models/static/x")])
"""
        )
        told = bench.ask(script, models={"static": Path(folder)})
    assert told == ["{}", False, False]


def test_a_folder_that_is_no_environment_is_an_error(bench, tmp_path):
    with pytest.raises(VerifierError, match="no environment"):
        NamespaceSandbox().run(bench.order("", environment=tmp_path))


# -- the self-test, and what must not fail open ----------------------------------------------------


def test_the_self_test_holds_inside_and_sees_every_layer_outside(bench):
    inside = bench.do(lambda: selftest.selftest(NamespaceSandbox()))
    assert [p for p in inside if not p.held] == []
    outside = selftest.probe(run_outside)
    if bench.who == "root":
        blind = {p.layer for p in inside} - {p.layer for p in outside if not p.held}
        assert blind <= {"open files"}  # shown by test_no_descriptor_comes_through
        with pytest.raises(VerifierError, match="does not hold"):
            selftest.refuse_broken(outside)


def test_an_empty_self_test_is_no_pass():
    with pytest.raises(VerifierError, match="did not look"):
        selftest.refuse_broken([])


def test_a_missing_bubblewrap_is_an_error(tmp_path):
    with pytest.raises(VerifierError, match="missing"):
        bubblewrap.find((tmp_path / "bwrap",))


@pytest.mark.parametrize(("mode", "owner"), [(0o4755, 0), (0o777, 0), (0o755, 12345)])
def test_a_bubblewrap_that_others_could_change_is_refused(root_bench, tmp_path, mode, owner):
    path = tmp_path / "bwrap"
    path.write_text("#!/bin/sh\necho bubblewrap 0.9.0\n")
    os.chown(path, owner, owner)
    path.chmod(mode)
    with pytest.raises(VerifierError, match="set-uid, not root's, or writable"):
        bubblewrap.find((path,))


def test_an_old_bubblewrap_is_refused(root_bench, tmp_path):
    path = tmp_path / "bwrap"
    path.write_text("#!/bin/sh\necho bubblewrap 0.4.1\n")
    path.chmod(0o755)
    with pytest.raises(VerifierError, match="too old"):
        bubblewrap.find((path,))


def test_a_bubblewrap_in_path_is_not_taken(tmp_path, monkeypatch):
    (tmp_path / "bwrap").write_text('#!/bin/sh\nexec "$@"\n')
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bubblewrap.find() in bubblewrap.CANDIDATES


def test_an_empty_filter_is_an_error():
    class Empty:
        def export_bpf(self, file):
            """Write nothing."""

    with pytest.raises(OSError, match="empty or broken"):
        seccomp._export(Empty())


def test_lists_of_calls_do_not_overlap():
    assert not set(seccomp.ALLOWED) & set(seccomp.DENIED)
    assert {"clone3", "ptrace", "bpf", "io_uring_setup"} & set(seccomp.ALLOWED) == set()
