"""Lay out, in a mount namespace of our own, what the sandbox will show."""

# Runs between fork and exec, where plain system calls are what one can reason about.
# ruff: noqa: PTH102, PTH103, PTH120, PTH211

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from verifier.adapters.sandbox import kernel
from verifier.errors import VerifierError
from verifier.ports import SandboxOrder

STAGE: Final = "/sys"  # a folder every Linux has and that neither we nor bubblewrap need
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SEALED: Final = kernel.MS_NOSUID | kernel.MS_NODEV
DEVICES: Final = ("null", "zero", "full", "random", "urandom")
ENVIRONMENT: Final = ("python", "env", "lib")  # folders of an environment, and where they show
ROOMS: Final = {"output": "output", "tmp": "tmp", "shm": "dev/shm"}
LINKS: Final = {
    "dev/fd": "/proc/self/fd",
    "dev/stdin": "/proc/self/fd/0",
    "dev/stdout": "/proc/self/fd/1",
    "dev/stderr": "/proc/self/fd/2",
}
_SPARE_NAMES: Final = 4096  # for /tmp and /dev/shm: names are bounded too
_SCRATCH_NAMES: Final = 65536


@dataclass(frozen=True, slots=True)
class Room:
    """A writable folder: at most `size` bytes (in whole pages) and `names` files and folders."""

    size: int
    names: int


def rooms(order: SandboxOrder) -> dict[str, Room]:
    """Return the writable folders of an order; each file may waste one page."""
    limits = order.limits
    return {
        "output": _output_room(order),
        "tmp": Room(_pages(limits.tmp_bytes), _SCRATCH_NAMES),
        "shm": Room(_pages(limits.shm_bytes), _SPARE_NAMES),
    }


def _output_room(order: SandboxOrder) -> Room:
    """Return the room of /output: one name more than allowed, so that "full" means "too many"."""
    limits = order.limits
    folders = {p for name in order.outputs for p in PurePosixPath(name).parents}
    names = limits.output_files + len(folders) + 2
    return Room(_pages(limits.output_bytes) + PAGE * (names + 1), names)


def lay_out(order: SandboxOrder, owner: int | None) -> int:
    """Build the sandbox's whole file system at STAGE; return a descriptor of its output folder.

    Runs in the new mount namespace, with the right to mount there.  owner: the uid and gid that
    get the writable folders, None when they are ours already.  OSError names the failed mount.
    """
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("proc", "/proc", "proc", _SEALED | kernel.MS_NOEXEC)
    kernel.mount("tmpfs", STAGE, "tmpfs", _SEALED | kernel.MS_NOEXEC, "mode=755")
    _skeleton(order.environment)
    _read_only("input", order.inputs, order.models, noexec=True)
    # Programs may be run from /study only where there is no interpreter to run them.
    _read_only("study", order.study, {}, noexec=order.environment is not None)
    for name, room in rooms(order).items():
        target = f"{STAGE}/{ROOMS[name]}"
        settings = f"mode=700,size={room.size},nr_inodes={room.names}"
        kernel.mount("tmpfs", target, "tmpfs", _SEALED | kernel.MS_NOEXEC, settings)
        if owner is not None:
            os.chown(target, owner, owner)
    return os.open(f"{STAGE}/output", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def read_only(order: SandboxOrder) -> list[str]:
    """Return the mount points, as seen inside, that hold folders of the host."""
    places = [f"/input/models/{name}" for name in order.models]
    if order.environment is not None:
        places += [f"/{name}" for name in ENVIRONMENT]
    return places


def _skeleton(environment: Path | None) -> None:
    """Make the folders, devices and links of the root, and bind the environment."""
    for name in ("proc", "dev", "dev/shm", "tmp", "output"):
        os.mkdir(f"{STAGE}/{name}", 0o755)
    for device in DEVICES:
        os.close(os.open(f"{STAGE}/dev/{device}", os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
        kernel.bind(f"/dev/{device}", f"{STAGE}/dev/{device}")
    for name, target in LINKS.items():
        os.symlink(target, f"{STAGE}/{name}")
    if environment is None:
        return
    os.mkdir(f"{STAGE}/usr", 0o755)
    for name in ("lib", "lib64"):
        os.symlink("/lib", f"{STAGE}/usr/{name}")
    os.symlink("lib", f"{STAGE}/lib64")
    for name in ENVIRONMENT:
        os.mkdir(f"{STAGE}/{name}", 0o755)
        kernel.bind(str(environment / name), f"{STAGE}/{name}")


def _read_only(
    name: str, files: Mapping[str, bytes], models: Mapping[str, Path], *, noexec: bool
) -> None:
    """Mount a folder, write the files, bind the models, and seal it."""
    folder = f"{STAGE}/{name}"
    flags = _SEALED | (kernel.MS_NOEXEC if noexec else 0)
    os.mkdir(folder)
    kernel.mount("tmpfs", folder, "tmpfs", flags, "mode=755")
    for path, data in files.items():
        _write(folder, path, data)
    for model, source in models.items():
        target = f"{folder}/models/{_safe(model)}"
        os.makedirs(target, mode=0o755)
        kernel.bind(str(source), target)
    kernel.mount("tmpfs", folder, "tmpfs", flags | kernel.MS_REMOUNT | kernel.MS_RDONLY)


def _write(folder: str, path: str, data: bytes) -> None:
    """Write one file, readable by all, its times at zero so that they say nothing."""
    target = f"{folder}/{_safe(path)}"
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o555)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.utime(descriptor, ns=(0, 0))
    finally:
        os.close(descriptor)


def _safe(path: str) -> str:
    """Return a relative path that stays where it is put; VerifierError for any other."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\0" in path:
        raise VerifierError(
            f"the path {path!r} leaves its folder",
            where="sandbox order",
            hint="name files by relative paths without '..'",
        )
    return str(pure)


def _pages(size: int) -> int:
    return -(-max(size, 1) // PAGE) * PAGE
