"""Options that several commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Freeze a new try without asking.")]
ClaimPath = Annotated[str, typer.Argument(metavar="CLAIM", help="A claim spec, claims/x.yaml.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder for the verdict; default .verify/verdicts/."),
]
Slots = Annotated[
    int | None,
    typer.Option("--slots", min=1, max=256, help="Trials at once; default: what fits."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
