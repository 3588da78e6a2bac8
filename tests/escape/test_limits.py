"""Every limit: reached on purpose, next to the same program with room enough."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from verifier.adapters.sandbox import cgroup, kernel, slots
from verifier.adapters.sandbox.ns_full import NamespaceSandbox
from verifier.ports import Ending

pytestmark = pytest.mark.sandbox

MEBIBYTE = 1 << 20


def alive(mark: str) -> list[str]:
    """Return the command lines that hold a mark, of all processes but this one."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                line = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if mark in line:
                found.append(line)
    return found


def left_over() -> list[Path]:
    """Return the control groups of executions that are over; others may be running meanwhile."""
    found = []
    for parent in cgroup.parents():
        for path in parent.path.glob(f"verifier-{os.geteuid()}-*"):
            with slots.hold(int(path.name.rpartition("-")[2])) as slot:
                if slot is not None and path.exists():
                    found.append(path)
    return found


# -- the wall clock --------------------------------------------------------------------------------

HANGS = {
    "sleep": "import time; time.sleep(100)",
    "busy": "while True: pass",
    "stop": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    "ignore": """
import signal, time
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
time.sleep(100)
""",
    "children": """
import os, time
for _ in range(8):
    if os.fork() == 0:
        os.setsid()
        while True: pass
time.sleep(100)
""",
}


@pytest.mark.parametrize("name", HANGS)
def test_the_wall_clock_ends_everything(bench, name):
    mark = f"mark-{os.getpid()}-{name}"
    started = time.monotonic()
    result = bench.run(HANGS[name], mark, limits={"wall_s": 0.4})
    assert result.ending is Ending.WALL_CLOCK
    assert (result.exit_code, result.signal) == (None, None)
    assert time.monotonic() - started < 5
    assert alive(mark) == []


def test_in_time_is_no_fault(bench):
    result = bench.run("import time; time.sleep(0.1)", limits={"wall_s": 20})
    assert (result.ending, result.exit_code) == (Ending.EXITED, 0)
    assert 0.1 <= result.wall_s < 10


def test_cpu_time_counts_children(root_bench):
    script = """
import os, time
if os.fork() == 0:
    end = time.process_time() + 0.5
    while time.process_time() < end: pass
    os._exit(0)
os.wait()
"""
    assert root_bench.run(script).cpu_s >= 0.5


# -- memory ----------------------------------------------------------------------------------------

EATERS = {
    "anonymous": "x = bytearray(160 << 20)",
    "many children": """
import os, time
for _ in range(5):
    if os.fork() == 0:
        x = bytearray(32 << 20)
        time.sleep(1)
        os._exit(0)
try:
    while True: os.wait()
except ChildProcessError: pass
""",
    "a child, and then exit 0": """
import os
if os.fork() == 0:
    x = bytearray(160 << 20)
    os._exit(0)
os.wait()
os._exit(0)
""",
    "memfd": """
import os
fds = [os.memfd_create("x") for _ in range(5)]
for fd in fds:
    for _ in range(32): os.write(fd, bytes(1 << 20))
""",
    "/tmp": """
for n in range(160):
    with open(f"/tmp/{n}", "wb") as f: f.write(bytes(1 << 20))
""",
    "/dev/shm": """
for n in range(160):
    with open(f"/dev/shm/{n}", "wb") as f: f.write(bytes(1 << 20))
""",
}
ROOM = {"tmp_bytes": 200 * MEBIBYTE, "shm_bytes": 200 * MEBIBYTE}


@pytest.mark.parametrize("name", EATERS)
def test_memory_of_the_whole_tree_is_bounded(root_bench, name):
    result = root_bench.run(EATERS[name], limits={"memory_bytes": 96 * MEBIBYTE, **ROOM})
    assert result.ending is Ending.MEMORY
    assert result.exit_code is None
    assert result.peak_memory_bytes <= 96 * MEBIBYTE


@pytest.mark.parametrize("name", EATERS)
def test_with_enough_memory_the_same_program_ends_well(root_bench, name):
    result = root_bench.run(EATERS[name], limits={"memory_bytes": 400 * MEBIBYTE, **ROOM})
    assert (result.ending, result.exit_code) == (Ending.EXITED, 0)
    assert result.peak_memory_bytes > 96 * MEBIBYTE


def test_cached_files_do_not_count_as_used_up(root_bench):
    """Reading more file bytes than the limit makes the kernel drop cache, not kill."""
    script = """
import os
total = 0
for here, _, names in os.walk("/python"):
    for name in names:
        total += len(open(os.path.join(here, name), "rb").read())
assert total > 32 << 20, total
"""
    result = root_bench.run(script, limits={"memory_bytes": 32 * MEBIBYTE})
    assert (result.ending, result.exit_code) == (Ending.EXITED, 0), result.stderr


def test_a_limit_that_nothing_enforces_is_not_claimed(bench):
    result = bench.run("")
    entry = next(e for e in result.enforcement if e.name == "memory")
    if bench.who == "root":
        assert entry.enforced_by is not None
        assert entry.peak == f"{result.peak_memory_bytes} B"
    else:
        assert (entry.enforced_by, entry.peak) == (None, None)
        assert (result.peak_memory_bytes, result.cpu_s) == (None, None)
    missing = any("memory of all processes" in s for s in result.not_enforced)
    assert missing == (entry.enforced_by is None)
    assert len(result.not_enforced) >= 6


# -- processes -------------------------------------------------------------------------------------

FORKS = """
import json, os, time
count = 1
try:
    while count < 60:
        if os.fork() == 0:
            time.sleep(100)
        count += 1
except OSError: pass
json.dump(count, open("/output/answer.json", "w"))
"""
THREADS = """
import json, os, threading, time
threading.stack_size(65536)
count = 1
try:
    while count < 60:
        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        count += 1
except RuntimeError: pass
with open("/output/answer.json", "w") as f: json.dump(count, f)
os._exit(0)
"""


@pytest.mark.parametrize("script", [FORKS, THREADS], ids=["forks", "threads"])
def test_processes_and_threads_are_bounded(bench, script):
    assert bench.ask(script, limits={"processes": 10}) == 10
    assert bench.ask(script, limits={"processes": 80}) == 60


def test_daemons_that_hold_the_pipes_do_not_outlive_the_program(bench):
    mark = f"mark-{os.getpid()}-daemon"
    script = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            time.sleep(100)
        os._exit(0)
print("done", flush=True)
"""
    started = time.monotonic()
    result = bench.run(script, mark, limits={"wall_s": 20})
    assert (result.ending, result.exit_code, result.stdout) == (Ending.EXITED, 0, b"done\n")
    assert time.monotonic() - started < 5
    assert alive(mark) == []


# -- files -----------------------------------------------------------------------------------------


def test_output_bytes_are_bounded(bench):
    script = """
import sys
with open("/output/answer.json", "wb") as f:
    for _ in range(int(sys.argv[1])): f.write(bytes(65536))
"""
    room = {"output_bytes": MEBIBYTE, "output_files": 2}
    over = bench.run(script, "40", limits=room)
    assert over.ending is Ending.OUTPUT_OVERFLOW
    fine = bench.run(script, "16", limits=room)
    assert (fine.ending, fine.exit_code) == (Ending.EXITED, 0)
    assert len(fine.outputs["answer.json"]) == MEBIBYTE


def test_output_overflow_hides_behind_no_exit_0(bench):
    script = """
try:
    with open("/output/x", "wb") as f:
        while True: f.write(bytes(65536))
except OSError: pass
"""
    result = bench.run(script, limits={"output_bytes": MEBIBYTE})
    assert result.ending is Ending.OUTPUT_OVERFLOW


@pytest.mark.parametrize(
    "make", ["open(path, 'w').close()", "os.mkdir(path)", "os.symlink('x', path)"]
)
def test_output_names_are_bounded(bench, make):
    script = f"""
import os, sys
for n in range(int(sys.argv[1])):
    path = f"/output/{{n}}"
    {make}
"""
    assert bench.run(script, "1000").ending is Ending.OUTPUT_OVERFLOW
    assert bench.run(script, "16").ending is Ending.EXITED


@pytest.mark.parametrize(("folder", "most"), [("/tmp", 65536), ("/dev/shm", 4096)])
def test_names_in_temporary_folders_are_bounded(bench, folder, most):
    script = f"""
import json
count = 0
try:
    while count < 70000:
        open(f"{folder}/{{count}}", "w").close()
        count += 1
except OSError: pass
json.dump(count, open("/output/answer.json", "w"))
"""
    assert bench.ask(script) < most


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_bytes_in_temporary_folders_are_bounded(bench, folder):
    script = f"""
import json
count = 0
try:
    with open("{folder}/x", "wb", buffering=0) as f:
        while count < 64: count += f.write(bytes(1 << 20)) >> 20
except OSError: pass
json.dump(count, open("/output/answer.json", "w"))
"""
    small = {"tmp_bytes": 8 * MEBIBYTE, "shm_bytes": 8 * MEBIBYTE}
    large = {"tmp_bytes": 80 * MEBIBYTE, "shm_bytes": 80 * MEBIBYTE}
    assert bench.ask(script, limits=small) == 8
    assert bench.ask(script, limits=large) == 64


def test_a_deep_tree_does_no_harm(bench):
    script = """
import os
os.chdir("/output")
try:
    for _ in range(1000):
        os.mkdir("d"); os.chdir("d")
except OSError: pass
"""
    result = bench.run(script, limits={"output_files": 3000})
    assert result.ending is Ending.EXITED
    assert len(result.extra) == 1


# -- logs ------------------------------------------------------------------------------------------

FLOODS = {
    "lines": "import sys\nwhile True: sys.stdout.write('x' * 99 + '\\n')",
    "no newline": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "errors": "import os\nwhile True: os.write(2, b'x' * 65536)",
    "both": "import os\nwhile True: os.write(1, b'x' * 999); os.write(2, b'x' * 999)",
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_of_logs_ends_the_program(bench, name):
    result = bench.run(FLOODS[name], limits={"log_bytes": 100_000})
    assert result.ending is Ending.LOG_OVERFLOW
    assert len(result.stdout) + len(result.stderr) == 100_000


def test_a_flood_at_the_very_end_is_seen_too(bench):
    result = bench.run("import os; os.write(1, b'x' * 50_000)", limits={"log_bytes": 1000})
    assert result.ending is Ending.LOG_OVERFLOW


def test_logs_are_bytes(bench):
    sent = b"\xff\xfe\x00\x1b[2J\x1b]0;title\x07\r\n"
    result = bench.run(f"import os; os.write(1, {sent!r}); os.write(2, {sent!r}); os._exit(3)")
    assert (result.stdout, result.stderr, result.exit_code) == (sent, sent, 3)


# -- how it ended ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 3, 127, 128])
def test_exit_codes(bench, code):
    result = bench.run(f"import os; os._exit({code})")
    assert (result.ending, result.exit_code, result.signal) == (Ending.EXITED, code, None)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_signals(bench, number):
    result = bench.run(f"import os; os.kill(os.getpid(), {int(number)})")
    assert (result.ending, result.exit_code) == (Ending.SIGNALLED, None)
    assert result.signal == number


def test_a_command_that_is_not_there_is_the_studys_fault(bench):
    result = bench.run("", argv=("/study/nothing",))
    assert (result.ending, result.exit_code) == (Ending.EXITED, 127)


# -- telemetry -------------------------------------------------------------------------------------


def test_lines_are_reported_while_the_file_grows(bench):
    script = """
import time
with open("/output/t.jsonl", "w", buffering=1) as f:
    for n in range(5):
        f.write(f"line {n}\\n"); time.sleep(0.3)
    f.write("x" * 70000 + "\\nlast\\npartial")
"""
    order = bench.order(script, follow="t.jsonl", outputs={})

    def work():
        seen = []
        result = NamespaceSandbox().run(
            order, on_line=lambda line: seen.append((time.monotonic(), line))
        )
        return seen, result

    seen, result = bench.do(work)
    assert [line for _, line in seen] == [b"line %d" % n for n in range(5)] + [b"last"]
    assert seen[4][0] - seen[0][0] > 0.5  # not all at the end
    assert result.extra == ("t.jsonl",)


@pytest.mark.parametrize(
    "kind", ["os.symlink('/proc/self/environ', p)", "os.mkfifo(p)", "os.mkdir(p)"]
)
def test_following_something_else_than_a_file_does_no_harm(bench, kind):
    script = f"import os, time\np = '/output/t'\n{kind}\ntime.sleep(0.6)"
    order = bench.order(script, follow="t", outputs={})

    def work():
        seen = []
        NamespaceSandbox().run(order, on_line=seen.append)
        return seen

    assert bench.do(work) == []


def test_an_error_in_the_listener_ends_the_sandbox(bench):
    mark = f"mark-{os.getpid()}-listener"
    script = "import time\nprint('x', file=open('/output/t', 'w'), flush=True)\ntime.sleep(50)"
    order = bench.order(script, mark, follow="t")

    def work():
        try:
            NamespaceSandbox().run(order, on_line=lambda line: 1 / 0)
        except ZeroDivisionError:
            return "raised"

    assert bench.do(work) == "raised"
    assert alive(mark) == []


# -- the end of the harness ------------------------------------------------------------------------


def test_no_sandbox_outlives_a_killed_harness(bench, tmp_path):
    """SIGKILL at random moments; afterwards nothing that carries the mark is left."""
    mark = f"mark-{os.getpid()}-{bench.who}-kill"
    order = bench.order("import time; time.sleep(100)", mark)
    rng = random.Random(7)

    def round_() -> None:
        harness = os.fork()
        if harness == 0:
            name_myself(mark)
            try:
                NamespaceSandbox().run(order)
            finally:
                os._exit(1)
        time.sleep(rng.uniform(0, 0.06))
        os.kill(harness, signal.SIGKILL)
        os.waitpid(harness, 0)

    def work() -> None:
        for _ in range(100):
            round_()

    bench.do(work)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (alive(mark) or strays(mark[-15:])):
        time.sleep(0.05)
    assert alive(mark) == []
    assert strays(mark[-15:]) == []
    cgroup.sweep()
    assert left_over() == []


def name_myself(mark: str) -> None:
    """Set the name that forks inherit and that exec replaces; prctl(2), PR_SET_NAME."""
    name = ctypes.create_string_buffer(mark[-15:].encode())
    assert kernel._libc.prctl(15, ctypes.addressof(name), 0, 0, 0) == 0


def strays(comm: str) -> list[str]:
    """Return the processes that carry a name: forks of a harness that did not become bubblewrap."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if (folder / "comm").read_text().strip() == comm:
                    found.append(folder.name)
            except OSError:
                continue
    return found


def test_the_search_for_strays_sees_one():
    """The positive control: a child that is not tied to its parent's life is found."""
    mark = f"mark-{os.getpid()}-control"
    child = subprocess.Popen(["/bin/sh", "-c", f"sleep 60 & echo {mark}; wait"])
    try:
        time.sleep(0.1)
        assert alive(mark)
    finally:
        child.kill()
        child.wait()


def test_ctrl_c_leaves_nothing(bench):
    cgroup.sweep()
    mark = f"mark-{os.getpid()}-{bench.who}-int"
    order = bench.order("import time; time.sleep(100)", mark)

    def work() -> str:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            NamespaceSandbox().run(order)
        except KeyboardInterrupt:
            return f"interrupted, {left_over()}"
        return "not interrupted"

    assert bench.do(work) == "interrupted, []"
    assert alive(mark) == []


def test_groups_are_removed(root_bench):
    cgroup.sweep()
    root_bench.run("")
    root_bench.run(HANGS["children"], limits={"wall_s": 0.3})
    assert left_over() == []


def test_executions_at_the_same_time_do_not_meet(bench):
    """Four at once: each finds only its own files, and its own user where root can give one."""
    script = """
import json, os, sys, time
open("/tmp/mine", "w").write(sys.argv[1])
open("/dev/shm/mine", "w").write(sys.argv[1])
time.sleep(0.5)
found = [open(p).read() for p in ("/tmp/mine", "/dev/shm/mine")]
pids = [p for p in os.listdir("/proc") if p.isdigit()]
json.dump([found, len(pids), os.listdir("/tmp")], open("/output/answer.json", "w"))
"""
    children = {}
    for number in range(4):
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                answer = bench.ask(script, str(number))
                os.write(theirs, repr(answer).encode())
            finally:
                os._exit(0)
        os.close(theirs)
        children[number] = (child, ours)
    for number, (child, ours) in children.items():
        with os.fdopen(ours) as pipe:
            assert pipe.read() == repr([[str(number)] * 2, 2, ["mine"]])
        os.waitpid(child, 0)


def test_no_environment_variable_or_argument_order_changes_the_result(bench):
    order = bench.order("import json; json.dump(1, open('/output/answer.json', 'w'))")
    first, second = bench.run_order(order), bench.run_order(replace(order))
    assert first.outputs == second.outputs
    assert [e.name for e in first.enforcement] == [e.name for e in second.enforcement]
