"""What the machine offers, read from the files of made-up machines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from verifier.adapters.executors.machine import available_memory_bytes, slots_for, usable_cores

GIB = 1 << 30


@pytest.fixture
def machine(tmp_path: Path):
    """Make /proc and /sys/fs/cgroup: 8 GiB available, and the files given."""

    def make(groups: str = "", **files: str) -> tuple[Path, Path]:
        proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
        contents = {"proc/meminfo": f"MemTotal: 9 kB\nMemAvailable:  {8 << 20} kB\nBuffers: 1 kB\n"}
        contents |= {"proc/self/cgroup": groups} if groups else {}
        contents |= {f"cgroup/{name}": text for name, text in files.items()}
        for name, text in contents.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return proc, cgroups

    return make


def test_without_groups_it_is_what_the_kernel_says(machine):
    assert available_memory_bytes(*machine()) == 8 * GIB
    assert usable_cores(*machine()) == len(os.sched_getaffinity(0))


def test_nothing_said_is_unknown(tmp_path: Path):
    assert available_memory_bytes(tmp_path, tmp_path) is None


def test_the_tightest_group_above_counts_and_cache_is_room(machine):
    files = {
        "a/memory.max": f"{6 * GIB}",
        "a/memory.current": f"{5 * GIB}",
        "a/memory.stat": f"anon 1\ninactive_file {2 * GIB}\n",
        "a/b/memory.max": "max\n",
        "a/b/memory.current": "1",
    }
    assert available_memory_bytes(*machine("0::/a/b\n", **files)) == 3 * GIB


def test_version_1_groups(machine):
    files = {
        "memory/x/memory.limit_in_bytes": f"{2 * GIB}",
        "memory/x/memory.usage_in_bytes": f"{GIB}",
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": "1",
        "cpu/x/cpu.cfs_quota_us": "150000",
        "cpu/x/cpu.cfs_period_us": "100000",
    }
    made = machine("4:memory:/x\n2:cpu,cpuacct:/x\n0::/\n", **files)
    assert available_memory_bytes(*made) == GIB
    assert usable_cores(*made) == 1


@pytest.mark.parametrize(
    ("text", "cores"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", None)]
)
def test_the_quota_of_processor_time(machine, text: str, cores: int | None):
    found = usable_cores(*machine("0::/\n", **{"cpu.max": text}))
    assert found == (cores or len(os.sched_getaffinity(0)))


def test_this_machine_offers_something():
    assert usable_cores() >= 1
    assert (available_memory_bytes() or 0) > 1 << 20


@pytest.mark.parametrize(
    ("cores", "need", "there", "slots"),
    [
        (8, None, GIB, 8),
        (8, GIB, None, 8),
        (8, GIB, 3 * GIB, 3),
        (2, GIB, 3 * GIB, 2),
        (2, GIB, 1, 1),
    ],
)
def test_slots(cores, need, there, slots):
    assert slots_for(cores, need, there) == slots
