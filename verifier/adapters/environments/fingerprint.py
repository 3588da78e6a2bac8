"""What an environment is, taken inside the sandbox and compared with its record.

A copied interpreter can silently load another library than the one that was meant, and numbers
change with it; so nothing is believed that was only seen from outside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from verifier.adapters.environments.record import Environment
from verifier.documents.limits import Limits
from verifier.errors import VerifierError
from verifier.ports import Ending, Sandbox, SandboxOrder

_MEBIBYTE: Final = 1 << 20
_LIMITS: Final = Limits(
    wall_s=600,
    memory_bytes=4096 * _MEBIBYTE,
    output_bytes=_MEBIBYTE,
    output_files=1,
    processes=128,
)
_RESULT: Final = "fingerprint.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What the sandboxed interpreter found.

    libpython: the path of the mapped Python library, None if it is part of the program.
    torch, torch_config, cpu_capability: None without torch.
    """

    digest: str
    python: str
    libc: str
    machine: str
    libpython: str | None
    libpython_digest: str | None
    torch: str | None
    torch_config: str | None
    cpu_capability: str | None


def fingerprint(sandbox: Sandbox, environment: Environment) -> Fingerprint:
    """Take the fingerprint of an environment inside `sandbox` and compare it with its record.

    VerifierError names both values where they differ.  Nothing is cached.
    """
    found = _ask(sandbox, environment)
    for name in ("digest", "bytecode", "python", "libc", "machine"):
        _same(name, getattr(environment, name), found[name], environment.path)
    torch: dict[str, str] = found["torch"] or {}
    _same("torch", environment.torch, torch.get("version"), environment.path)
    library = found["libpython"]
    if library is not None:
        _same("folder of libpython", "/lib", str(Path(library).parent), environment.path)
    return Fingerprint(
        digest=found["digest"],
        python=found["python"],
        libc=found["libc"],
        machine=found["machine"],
        libpython=library,
        libpython_digest=found["libpython_digest"],
        torch=torch.get("version"),
        torch_config=torch.get("config"),
        cpu_capability=torch.get("cpu_capability"),
    )


def _ask(sandbox: Sandbox, environment: Environment) -> dict[str, Any]:
    here = Path(__file__).parent
    study = {name: (here / name).read_bytes() for name in ("inside.py", "tree_digest.py")}
    words = ("python", "-I", "-S", "/study/inside.py")
    result = sandbox.run(
        SandboxOrder(
            argv=words if environment.torch is None else (*words, "torch"),
            inputs={},
            study=study,
            environment=environment.path,
            outputs={_RESULT: _MEBIBYTE},
            limits=_LIMITS,
            threads=1,
        )
    )
    answer = result.outputs.get(_RESULT)
    if result.ending is not Ending.EXITED or result.exit_code != 0 or answer is None:
        said = result.stderr.decode(errors="backslashreplace").strip().splitlines()
        raise VerifierError(
            f"the environment's interpreter does not run: {said[-1] if said else result.ending}",
            where=str(environment.path),
            hint="remove it and run `verify env create` again",
        )
    found: dict[str, Any] = json.loads(answer)
    return found


def _same(name: str, recorded: str | None, seen: str | None, path: Path) -> None:
    if recorded != seen:
        raise VerifierError(
            f"{name} is {seen!r} inside the sandbox, and {recorded!r} in the record",
            where=str(path),
            hint="the environment was changed: remove it and run `verify env create` again",
        )
