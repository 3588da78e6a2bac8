"""`verify env`: make and show the environments that scripts run in."""

from __future__ import annotations

from typing import Annotated

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import Json
from verifier.cli.output import print_json, print_text, say

app = typer.Typer(no_args_is_help=True, help="The environments that scripts run in.")
Requirements = Annotated[str, typer.Argument(help="A pinned list of packages.")]
DEFAULT = "repro/environment.txt"


@app.command()
def create(requirements: Requirements = DEFAULT, *, json: Json = False) -> None:
    """Make the environment of a pinned list, if it is not there yet."""
    from pathlib import Path  # noqa: PLC0415

    from verifier.adapters import environments  # noqa: PLC0415
    from verifier.adapters.project import find_project  # noqa: PLC0415

    project = find_project(Path.cwd())
    project.read(requirements, hint="name a file with one name==version a line")
    made = environments.create(
        project.root / requirements,
        project.state / "env",
        progress=lambda line: say(shown) if (shown := brief(line)) else None,
    )
    _print(made, json=json)
    raise typer.Exit(Exit.VERIFIED_OR_OPEN)


def brief(line: str) -> str | None:
    """Return what is worth saying of a line of progress: our own, and pip's packages by name."""
    words = line.split()
    if not words or words[0] in {"WARNING:", "Looking", "Downloading", "Successfully", "Using"}:
        return None
    if words[0] in {"Collecting", "Processing"}:
        return f"  {words[1].rpartition('/')[2]}"
    if words[0] == "Installing":
        return "installing"
    return None if "━" in line else line


@app.command()
def show(requirements: Requirements = DEFAULT, *, json: Json = False) -> None:
    """Show an environment: digest, interpreter, packages."""
    from verifier.wiring import load_environment, open_workshop  # noqa: PLC0415

    _print(load_environment(open_workshop(), requirements), json=json)
    raise typer.Exit(Exit.VERIFIED_OR_OPEN)


def _print(environment: object, *, json: bool) -> None:
    from verifier.adapters.environments import Environment  # noqa: PLC0415

    if not isinstance(environment, Environment):
        raise TypeError("want an environment")
    facts = {
        "digest": environment.digest,
        "python": environment.python,
        "machine": environment.machine,
        "libc": environment.libc,
        "torch": environment.torch,
        "path": str(environment.path),
    }
    if json:
        print_json({**facts, "packages": list(environment.packages)})
        return
    lines = [f"{name:9} {value}" for name, value in facts.items()]
    print_text("\n".join([*lines, f"packages  {len(environment.packages)}"]))
