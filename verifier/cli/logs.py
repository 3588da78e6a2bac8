"""`verify logs`: what a trial wrote to stdout and stderr."""

from __future__ import annotations

from typing import Annotated

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import Json
from verifier.cli.output import print_json, print_text


def command(
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="A trial's id, or its beginning.")],
    *,
    json: Json = False,
) -> None:
    """Print a trial's logs, stage by stage, safe for a terminal."""
    from pathlib import Path  # noqa: PLC0415

    from verifier.adapters.logs import LogFolder  # noqa: PLC0415
    from verifier.adapters.project import find_project  # noqa: PLC0415
    from verifier.documents.plain import plain_lines  # noqa: PLC0415

    project = find_project(Path.cwd())
    found = LogFolder(root=project.state / "logs").find(trial)
    shown = {stage: plain_lines(data) for stage, data in found.items()}
    if json:
        print_json({"trial": trial, "stages": shown})
    else:
        for stage, lines in shown.items():
            print_text("\n".join([f"-- {stage} --", *lines]))
    raise typer.Exit(Exit.VERIFIED_OR_OPEN)
