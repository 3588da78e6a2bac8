"""`verify list`: claims, settings, measures, criteria."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import Json
from verifier.cli.output import print_json, print_text


class What(StrEnum):
    """What can be listed."""

    CLAIMS = "claims"
    SETTINGS = "settings"
    MEASURES = "measures"
    CRITERIA = "criteria"


MEASURES = {
    "RR@k": "reciprocal rank of the first relevant document, 0 below rank k",
    "Success@k": "1 if a relevant document is among the first k (Top-k)",
    "R@k": "share of the relevant documents among the first k",
    "P@k": "share of relevant documents among the first k",
    "AP": "average precision; AP@k stops at rank k",
    "nDCG@k": "normalised discounted cumulative gain at rank k",
}
CRITERIA = {
    "superiority": "the candidate beats the baseline by more than the margin",
    "dose_response": "the measure follows a shape (increasing, decreasing, interior_peak)",
}


def command(
    what: Annotated[What, typer.Argument(help="What to list.")] = What.CLAIMS,
    *,
    json: Json = False,
) -> None:
    """List claims, settings, measures or kinds of criterion."""
    from verifier.report.listing import render_table  # noqa: PLC0415

    match what:
        case What.CLAIMS:
            rows = _claims()
        case What.SETTINGS:
            rows = _settings()
        case What.MEASURES:
            rows = [{"name": name, "meaning": text} for name, text in MEASURES.items()]
        case What.CRITERIA:
            rows = [{"name": name, "meaning": text} for name, text in CRITERIA.items()]
    if json:
        print_json({str(what): rows})
    else:
        print_text(render_table(rows))
    raise typer.Exit(Exit.VERIFIED_OR_OPEN)


def _claims() -> list[dict[str, object]]:
    from pathlib import Path  # noqa: PLC0415

    from verifier.adapters.project import find_project  # noqa: PLC0415
    from verifier.wiring import load_claim  # noqa: PLC0415

    project = find_project(Path.cwd())
    rows: list[dict[str, object]] = []
    for path in project.claims():
        claim, _ = load_claim(project, path)
        rows.append({"claim": path, "kind": claim.criterion.kind, "statement": claim.statement})
    return rows


def _settings() -> list[dict[str, object]]:
    from pathlib import Path  # noqa: PLC0415

    from verifier.adapters.project import find_project  # noqa: PLC0415
    from verifier.wiring import load_card  # noqa: PLC0415

    project = find_project(Path.cwd())
    cards = [load_card(project, name)[0] for name in project.cards()]
    return [{"name": card.name, "task": card.task, "title": card.title} for card in cards]
