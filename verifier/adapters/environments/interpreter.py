"""The interpreter of an environment: copied, with every shared library it and its packages need."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from verifier.adapters.environments import closure
from verifier.errors import VerifierError

_LEFT_OUT: Final = shutil.ignore_patterns(
    "site-packages", "dist-packages", "__pycache__", "test", "tests", "idlelib", "ensurepip",
    "tkinter", "turtledemo", "turtle.py", "lib2to3", "pydoc_data", "config-*", "*.a",
    "sitecustomize.py", "usercustomize.py", "_tkinter.*", "EXTERNALLY-MANAGED",
)  # fmt: skip

_DESCRIBE: Final = """
import json, os, platform, sys, sysconfig
print(json.dumps({
    "program": os.path.realpath(sys.executable), "version": platform.python_version(),
    "library": sysconfig.get_path("stdlib"), "platform_library": sysconfig.get_path("platstdlib"),
    "folder": sys.platlibdir, "short": "%d.%d" % sys.version_info[:2],
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The base interpreter an environment is made from."""

    program: Path
    version: str
    short: str
    library: Path
    platform_library: Path
    folder: str


def describe(program: Path) -> Interpreter:
    """Ask an interpreter what it is; VerifierError if it does not answer."""
    answer = subprocess.run(
        [program, "-I", "-S", "-c", _DESCRIBE], capture_output=True, check=False, text=True
    )
    try:
        told = json.loads(answer.stdout)
    except ValueError as error:
        raise VerifierError(
            f"the interpreter does not answer: {answer.stderr.strip()[-300:]}",
            where=str(program),
            hint="name a working Python 3.11 or newer",
        ) from error
    return Interpreter(
        program=Path(told["program"]),
        version=told["version"],
        short=told["short"],
        library=Path(told["library"]),
        platform_library=Path(told["platform_library"]),
        folder=told["folder"],
    )


def copy_python(building: Path, interpreter: Interpreter) -> Path:
    """Copy the interpreter, so that no upgrade of the machine changes it behind our back."""
    name = f"python{interpreter.short}"
    program = building / "python" / "bin" / name
    program.parent.mkdir(parents=True)
    shutil.copy(interpreter.program, program)
    library = building / "python" / interpreter.folder / name
    for source in {interpreter.library, interpreter.platform_library}:
        shutil.copytree(
            source, library, ignore=_LEFT_OUT, ignore_dangling_symlinks=True, dirs_exist_ok=True
        )
    if interpreter.folder != "lib":
        (building / "python" / "lib").symlink_to(interpreter.folder)
    commands = building / "env" / "bin"
    commands.mkdir()
    for link in ("python", "python3", name):
        (commands / link).symlink_to(f"../../python/bin/{name}")
    (building / "env" / "pyvenv.cfg").write_text(
        "home = /python/bin\ninclude-system-site-packages = false\n"
        f"version = {interpreter.version}\n"
    )
    return program


def copy_libraries(building: Path, interpreter: Interpreter) -> None:
    """Copy the library closure into one flat folder, reachable by every default search path."""
    folder = building / "lib"
    folder.mkdir()
    loader = closure.loader_of(interpreter.program)
    # The original program: where it finds libpython may hang on where it stands.
    objects = [interpreter.program, *closure.elf_files(building / "python")]
    objects += closure.elf_files(building / "env")
    for name, path in closure.libraries(objects, loader, bundled=building).items():
        shutil.copy(path, folder / name)
    (folder / f"{platform.machine()}-linux-gnu").symlink_to(".")


def compile_all(building: Path, interpreter: Interpreter) -> None:
    """Write bytecode that is checked against the source when it is used (PEP 552)."""
    for name in ("python", "env"):
        subprocess.run(
            [
                *(str(interpreter.program), "-I", "-m", "compileall", "-q", "-q", "-j", "0"),
                *("--invalidation-mode", "checked-hash", "-s", str(building), "-p", "/"),
                str(building / name),
            ],
            stdout=subprocess.DEVNULL,
            check=False,  # some packages carry templates that are no Python
        )


def open_to_all(building: Path) -> None:
    """Let the sandbox's user read everything and nobody write."""
    building.chmod(0o755)
    for here, folders, files in os.walk(building):
        for name in folders + files:
            path = Path(here, name)
            if not path.is_symlink():
                executable = path.is_dir() or bool(path.stat().st_mode & 0o100)
                path.chmod(0o755 if executable else 0o644)
