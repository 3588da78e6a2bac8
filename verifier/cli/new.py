"""`verify new`: a claim spec and its script, ready to be filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from verifier.cli.exits import Exit
from verifier.cli.output import print_text
from verifier.errors import UsageError


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The claim's id: a-z, 0-9, _ .")],
) -> None:
    """Write claims/NAME.yaml and repro/NAME.py; nothing that exists is touched."""
    from verifier.report.scaffold import claim_text, script_text  # noqa: PLC0415

    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        raise UsageError(
            f"{name!r} is no id", where="verify new", hint="use a-z, 0-9 and _, a letter first"
        )
    files = {
        Path("claims") / f"{name}.yaml": claim_text(name),
        Path("repro") / f"{name}.py": script_text(name),
    }
    taken = [place for place in files if place.exists()]
    if taken:
        raise UsageError("it exists", where=str(taken[0]), hint="choose another name")
    for place, text in files.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    print_text(
        "\n".join(
            [
                *(f"wrote {place}" for place in files),
                f"next: fill in what is marked, then: verify try claims/{name}.yaml",
            ]
        )
    )
    raise typer.Exit(Exit.VERIFIED_OR_OPEN)
