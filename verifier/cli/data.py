"""`verify data`: the settings there are, and whether they can be built here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import Json
from verifier.cli.output import print_json, print_text
from verifier.errors import VerifierError

if TYPE_CHECKING:
    from verifier.wiring import Workshop

app = typer.Typer(no_args_is_help=True, help="The settings: data sets with their cards.")


@app.callback()
def data() -> None:
    """The settings: data sets with their cards."""


@app.command(name="list")
def list_settings(*, json: Json = False) -> None:
    """Build and check every setting here, and say what is in it."""
    from verifier.report.listing import render_table  # noqa: PLC0415
    from verifier.wiring import open_workshop  # noqa: PLC0415

    workshop = open_workshop()
    rows = [_describe(workshop, name) for name in workshop.project.cards()]
    if json:
        print_json({"settings": rows})
    else:
        print_text(render_table(rows))
    ready = all(row["state"] == "ready" for row in rows)
    raise typer.Exit(Exit.VERIFIED_OR_OPEN if ready else Exit.COULD_NOT_JUDGE)


def _describe(workshop: Workshop, name: str) -> dict[str, object]:
    from verifier.settings.cldr import primary_positions  # noqa: PLC0415
    from verifier.wiring import load_card, load_task  # noqa: PLC0415

    card, raw = load_card(workshop.project, name)
    try:
        task = load_task(workshop, card, raw)
    except VerifierError as error:
        return {"name": name, "task": card.task, "state": f"{error.problem}; {error.hint}"}
    return {
        "name": name,
        "task": card.task,
        "state": "ready",
        "documents": len(task.documents),
        "train": len(task.train),
        "dev": len(task.dev),
        "test": sum(len(queries) for queries in task.query_sets.values()),
        "primary": len(primary_positions(card, task)),
        "licence": card.licence.spdx,
        "digest": card.digest,
    }
