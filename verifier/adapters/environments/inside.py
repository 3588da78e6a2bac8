"""Runs in the sandbox: tell what this environment is, as seen from here.

Started with -I -S, so that no package can run before the digests are taken; torch is asked
afterwards, in a process of its own.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - one file

from tree_digest import file_digest, tree_digests  # type: ignore[import-not-found]

_TORCH = """
import json, torch
print(json.dumps({"version": torch.__version__, "config": torch.__config__.show(),
                  "cpu_capability": torch.backends.cpu.get_cpu_capability()}))
"""


def _libpython() -> str | None:
    """Return the path of the Python library this process has mapped, None if it is built in."""
    with open("/proc/self/maps") as maps:  # noqa: PTH123 - one line
        for line in maps:
            path = line.split(maxsplit=5)[-1].strip()
            if "/libpython" in path:
                return path
    return None


def _torch() -> dict[str, str] | None:
    answer = subprocess.run(
        [sys.executable, "-c", _TORCH], capture_output=True, check=False, text=True
    )
    if answer.returncode:
        return None
    told: dict[str, str] = json.loads(answer.stdout)
    return told


def main() -> None:
    """Write what was found to the output folder."""
    library = _libpython()
    digest, bytecode = tree_digests("/", ("env", "lib", "python"))
    found = {
        "digest": digest,
        "bytecode": bytecode,
        "python": platform.python_version(),
        "libc": os.confstr("CS_GNU_LIBC_VERSION"),
        "machine": platform.machine(),
        "libpython": library,
        "libpython_digest": None if library is None else file_digest(library),
        "torch": _torch() if "torch" in sys.argv[1:] else None,
    }
    with open("/output/fingerprint.json", "w") as file:  # noqa: PTH123 - one line
        json.dump(found, file)


main()
