"""The parts of the sandbox that can be looked at without starting one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from verifier.adapters.sandbox import bubblewrap, cgroup, doctor, levels, slots, tape
from verifier.adapters.sandbox.ns_full import _blame_memory, _exit_code, _never_ran
from verifier.errors import VerifierError
from verifier.ports import Enforcement

MOUNTS = """\
30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
40 24 0:36 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
41 24 0:37 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids
50 24 0:40 / /tmp rw - tmpfs tmpfs rw
"""


def test_mounts_of_control_groups_are_told_from_others():
    found = cgroup._mounts(MOUNTS)
    assert [(str(p), r, k) for p, r, k, _ in found] == [
        ("/sys/fs/cgroup", "/", "cgroup2"),
        ("/sys/fs/cgroup/memory", "/", "cgroup"),
        ("/sys/fs/cgroup/pids", "/docker/abc", "cgroup"),
    ]
    assert "memory" in found[1][3]


def test_own_groups_of_both_versions():
    text = "4:memory:/a:b/c\n3:cpu,cpuacct:/\n0::/user.slice\n"
    groups = cgroup._own_groups(text)
    assert groups == {"memory": "/a:b/c", "cpu": "/", "cpuacct": "/", "": "/user.slice"}


@pytest.mark.parametrize(
    ("root", "group", "path"),
    [("/", "/a/b", "/m/a/b"), ("/", "/", "/m"), ("/docker/x", "/docker/x/y", "/m/y")],
)
def test_where_a_group_is_seen(root, group, path):
    assert cgroup._below(Path("/m"), root, group) == Path(path)


def test_version_2_takes_the_nearest_group_that_hands_down(tmp_path):
    own = tmp_path / "user" / "app" / "scope"
    own.mkdir(parents=True)
    for folder, given in ((tmp_path, "cpu memory pids"), (tmp_path / "user", "memory")):
        (folder / "cgroup.subtree_control").write_text(given + "\n")
    for folder in (tmp_path / "user" / "app", own):
        (folder / "cgroup.subtree_control").write_text("\n")
    found = cgroup._handing_down(tmp_path, own)
    assert found == cgroup.Parent(tmp_path / "user", 2, ("memory",))
    (tmp_path / "cgroup.subtree_control").write_text("")
    (tmp_path / "user" / "cgroup.subtree_control").write_text("")
    assert cgroup._handing_down(tmp_path, own) is None


def test_limits_and_counters_of_version_2(tmp_path, monkeypatch):
    """On plain files: what is written where, and what is read back."""
    parent = cgroup.Parent(tmp_path, 2, ("memory", "pids"))
    monkeypatch.setattr(cgroup, "parents", lambda: (parent,))
    monkeypatch.setattr(cgroup, "_fresh", lambda path: path.mkdir())
    (tmp_path / "verifier-x").mkdir()
    (tmp_path / "verifier-x" / "memory.swap.max").write_text("max")
    monkeypatch.setattr(cgroup, "_fresh", lambda path: None)
    group = cgroup.ControlGroup("x", memory_bytes=1000, processes=7)
    folder = tmp_path / "verifier-x"
    assert (folder / "memory.max").read_text() == "1000"
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "7"
    assert group.enforced == {"memory": "cgroup v2", "processes": "cgroup v2"}
    assert group.entrances == (str(folder / "cgroup.procs"),)
    (folder / "memory.peak").write_text("900\n")
    (folder / "memory.events").write_text("low 0\noom 1\noom_kill 2\n")
    (folder / "pids.events").write_text("max 3\n")
    (folder / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    assert group.usage() == cgroup.Usage(
        peak_memory_bytes=900, out_of_memory_kills=2, refused_processes=3, cpu_s=1.5
    )


def test_unknown_counters_are_none_not_zero(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroup, "parents", lambda: ())
    group = cgroup.ControlGroup("x", memory_bytes=1, processes=1)
    assert group.enforced == {}
    usage = group.usage()
    assert (usage.peak_memory_bytes, usage.out_of_memory_kills, usage.cpu_s) == (None, None, None)


def test_slots_are_held_once_and_given_back():
    with slots.claim() as one, slots.claim() as two:
        assert one.index != two.index
        assert one.name != two.name
        with slots.hold(one.index) as nobody:
            assert nobody is None
    with slots.hold(one.index) as again:
        assert again == one


@pytest.mark.parametrize("spoil", ["link", "open to all", "file"])
def test_a_lock_folder_that_is_not_ours_alone_is_refused(tmp_path, monkeypatch, spoil):
    monkeypatch.setattr(slots.os, "geteuid", lambda: os.getuid() or 0)
    monkeypatch.setattr(slots, "_place", lambda user: tmp_path / "locks")
    place = tmp_path / "locks"
    if spoil == "link":
        place.symlink_to(tmp_path)
    elif spoil == "file":
        place.write_text("")
    else:
        place.mkdir()
        place.chmod(0o777)
    with pytest.raises(VerifierError, match="lock"), slots.claim():
        pass


def test_arguments_hold_no_nul():
    assert bubblewrap.packed(["a", "b"]) == b"a\0b\0"
    with pytest.raises(ValueError, match="NUL"):
        bubblewrap.packed(["a\0--share-net"])


def test_options_share_nothing():
    words = bubblewrap.options("/r", read_only=["/env"], threads=2, status_fd=3, filter_fds=(5, 6))
    assert {"--unshare-net", "--unshare-pid", "--unshare-user", "--disable-userns"} <= set(words)
    assert "--share-net" not in words
    assert words.count("--add-seccomp-fd") == 2
    assert not any(word.endswith("-try") for word in words)  # never "best effort"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (b"", None),
        (b'{ "child-pid": 2 }\n', None),
        (b'{ "child-pid": 2 }\n{ "exit-code": 0 }\n', 0),
    ],
)
def test_the_exit_code_is_known_only_if_the_program_ran(status, code):
    assert _exit_code(status) == code


def test_a_program_that_never_ran():
    assert _never_ran(b"bwrap: execvp /x: No such file or directory\n") == 127
    with pytest.raises(VerifierError, match="Can't mount proc"):
        _never_ran(b"bwrap: Can't mount proc on /newroot/proc: Operation not permitted\n")
    with pytest.raises(VerifierError, match="ended from outside"):
        _never_ran(b"")


def test_a_kill_far_below_the_limit_is_our_fault():
    usage = cgroup.Usage(
        peak_memory_bytes=50, out_of_memory_kills=1, refused_processes=0, cpu_s=None
    )
    with pytest.raises(VerifierError, match="machine ran out of memory"):
        _blame_memory(usage, 100)
    _blame_memory(usage, 51)


def test_not_enforced_follows_the_account():
    fine = Enforcement(name="memory", requested="1 B", enforced_by="cgroup v2")
    gone = Enforcement(name="memory", requested="1 B", enforced_by=None)
    assert levels.NO_MEMORY_CAP not in levels.not_enforced((fine,))
    assert levels.NO_MEMORY_CAP in levels.not_enforced((gone,))


def test_the_doctor_looks_at_every_mandatory_layer():
    checks = doctor.examine()
    assert set(levels.MANDATORY) <= {c.name for c in checks}
    assert all(c.to_do for c in checks if c.state is not doctor.State.ENFORCED)
    assert doctor.usable(checks)
    assert not doctor.usable([])


def test_the_doctor_says_what_to_do_without_bubblewrap(monkeypatch):
    def missing() -> Path:
        raise VerifierError("bubblewrap is missing", where="sandbox", hint="install it")

    monkeypatch.setattr(bubblewrap, "find", missing)
    checks = {c.name: c for c in doctor.examine()}
    assert checks["bubblewrap"].state is doctor.State.MISSING
    assert checks["bubblewrap"].to_do == "install it"
    assert checks["self-test"].state is doctor.State.MISSING
    assert not doctor.usable(list(checks.values()))


def test_the_doctor_explains_forbidden_user_namespaces(tmp_path, monkeypatch):
    switch = tmp_path / "switch"
    switch.write_text("0\n")
    monkeypatch.setattr(doctor, "_SWITCHES", ((str(switch), "0", "turn it on"),))
    assert doctor._why_no_user_namespaces() == "turn it on"
    switch.write_text("1\n")
    assert "container" in doctor._why_no_user_namespaces()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_probe_is_built_for_both_architectures(machine, monkeypatch):
    monkeypatch.setattr(tape.platform, "machine", lambda: machine)
    program = tape.build([tape.Call("openat", (-100, b"/x", 0)), tape.Call("read", (3,))])
    assert program.image[:4] == b"\x7fELF"
    assert program.image[18] == {"x86_64": 62, "aarch64": 183}[machine]
    assert len(tape._MACHINES[machine].code) % 8 == 0


def test_no_probe_for_an_unknown_architecture(monkeypatch):
    monkeypatch.setattr(tape.platform, "machine", lambda: "riscv64")
    with pytest.raises(VerifierError, match="no self-test program"):
        tape.build([])


@pytest.mark.parametrize(
    ("user", "id_map", "state"),
    [
        (0, "0 0 4294967295", doctor.State.ENFORCED),
        (0, "0 100000 65536", doctor.State.MISSING),  # root of a container, not of the machine
        (1000, "0 0 4294967295", doctor.State.MISSING),
    ],
)
def test_a_covered_proc_stops_all_but_root_of_the_machine(monkeypatch, user, id_map, state):
    texts = {
        "/proc/self/mountinfo": "1 2 0:3 / /proc/kcore rw - tmpfs tmpfs rw\n",
        "/proc/self/uid_map": id_map,
    }
    monkeypatch.setattr(doctor.Path, "read_text", lambda path: texts[str(path)])
    monkeypatch.setattr(doctor.os, "geteuid", lambda: user)
    check = doctor._whole_proc()
    assert check.state is state
    assert "/proc/kcore" in check.detail
