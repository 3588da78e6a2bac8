"""The shared libraries that programs and extension modules need: the exact transitive closure.

The dynamic loader itself is asked (ld.so(8), --list), so its rules are not copied here.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from verifier.errors import VerifierError

_MAGIC: Final = b"\x7fELF"
_PT_INTERP: Final = 3
_NEEDED: Final = re.compile(r"^\s*(\S+) => (/\S.*) \(0x[0-9a-f]+\)$", re.MULTILINE)
# Loaded by name when a thread is cancelled or a stack is walked, so no file lists it.
ALWAYS: Final = ("libgcc_s.so.1",)


def is_elf(path: Path) -> bool:
    """Tell whether a file is an ELF object."""
    try:
        with path.open("rb") as file:
            return file.read(4) == _MAGIC
    except OSError:
        return False


def elf_files(folder: Path) -> list[Path]:
    """Return the ELF objects below a folder, sorted, links left out."""
    found = []
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if not path.is_symlink() and path.is_file() and is_elf(path):
                found.append(path)
    return sorted(found)


def loader_of(program: Path) -> Path:
    """Return the dynamic loader a 64-bit little-endian program asks for; VerifierError if none.

    Source: elf(5), PT_INTERP.
    """
    with program.open("rb") as file:
        data = file.read(1 << 16)
    if data[:6] != _MAGIC + b"\x02\x01":
        raise _unusable(program, "is no 64-bit little-endian ELF program")
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for index in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", data, table + index * size)
        if kind == _PT_INTERP:
            return Path(data[offset : offset + length].rstrip(b"\0").decode())
    raise _unusable(program, "asks for no dynamic loader")


def libraries(objects: Iterable[Path], loader: Path, *, bundled: Path) -> Mapping[str, Path]:
    """Return name -> file of every library the objects need from outside `bundled`.

    The loader is among them.  A library that is not found is left out: objects that want it
    cannot be loaded outside either.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        listings = pool.map(lambda path: _listing(path, loader), objects)
    inside = bundled.resolve()
    needed = {loader.name: loader}
    for listing in listings:
        for name, path in _NEEDED.findall(listing):
            if not Path(path).resolve().is_relative_to(inside):
                needed.setdefault(Path(name).name, Path(path))
    folders = {path.parent for path in needed.values()}
    for name in ALWAYS:
        for folder in sorted(folders):
            if name not in needed and (folder / name).exists():
                needed[name] = folder / name
    return needed


def _listing(path: Path, loader: Path) -> str:
    answer = subprocess.run(
        [loader, "--list", path], env={}, capture_output=True, check=False, text=True
    )
    return answer.stdout


def _unusable(program: Path, problem: str) -> VerifierError:
    return VerifierError(
        problem, where=str(program), hint="use a CPython built for this machine, such as Debian's"
    )
