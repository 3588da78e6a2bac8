"""The digest of a folder tree.  Standard library only: the same file also runs in the sandbox.

sha256 over the sorted lines "path NUL sha256 newline" of every file, where a symbolic link counts
as "link:" and its target.  Bytecode has a digest of its own: it follows from the sources, but not
byte for byte.
"""

# Plain calls: it must run where only the standard library is, and fast.
# ruff: noqa: PTH114, PTH115, PTH118, PTH123, PTH206

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

_CHUNK = 1 << 20


def tree_digests(root: str, folders: tuple[str, ...]) -> tuple[str, str]:
    """Return the digests of `folders` below `root`: of all but bytecode, and of the bytecode."""
    paths = sorted(path for folder in folders for path in _files(os.path.join(root, folder)))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        digests = list(pool.map(_digest, paths))
    sources, bytecode = hashlib.sha256(), hashlib.sha256()
    for path, digest in zip(paths, digests, strict=True):
        name = os.path.relpath(path, root)
        kind = bytecode if "__pycache__" in name.split(os.sep) else sources
        kind.update(f"{name}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return sources.hexdigest(), bytecode.hexdigest()


def file_digest(path: str) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    total = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def _digest(path: str) -> str:
    return f"link:{os.readlink(path)}" if os.path.islink(path) else file_digest(path)


def _files(folder: str) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        for name in folders:
            if os.path.islink(os.path.join(here, name)):
                yield os.path.join(here, name)
        for name in files:
            yield os.path.join(here, name)
