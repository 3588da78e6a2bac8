"""`verify audit`: decide a verdict again from its evidence, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import Json
from verifier.cli.output import print_json, print_text


def command(
    path: Annotated[Path, typer.Argument(metavar="VERDICT", help="verdict.json or its folder.")],
    *,
    json: Json = False,
) -> None:
    """Check every digest of the evidence, decide again, and compare the verdict byte by byte."""
    from verifier.adapters.folders import read_evidence, read_verdict  # noqa: PLC0415
    from verifier.adapters.project import shipped_cards  # noqa: PLC0415
    from verifier.pipeline.audit import audit, evidence_path  # noqa: PLC0415
    from verifier.report.audit import render_audit  # noqa: PLC0415

    data = read_verdict(path)
    folder = path if path.is_dir() else path.parent
    where = str(path)
    evidence = read_evidence(folder / evidence_path(data, name=where))
    done = audit(data, evidence, name=where, shipped_cards=shipped_cards())
    if json:
        print_json(
            {
                "agrees": done.agrees,
                "differences": list(done.differences),
                "notes": list(done.notes),
                "status": done.computed.status,
                "reason_code": done.computed.reason_code,
                "outcome": done.computed.outcome,
                "evidence": done.published.evidence.digest,
            }
        )
    else:
        print_text(render_audit(done.published, done.computed, done.differences, done.notes))
    raise typer.Exit(Exit.VERIFIED_OR_OPEN if done.agrees else Exit.NOT_THAT)
