"""`verify plan`: what verifying a claim would run, and what it costs."""

from __future__ import annotations

from dataclasses import asdict

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import ClaimPath, Json, Slots
from verifier.cli.output import print_json, print_text


def command(claim: ClaimPath, *, json: Json = False, slots: Slots = None) -> None:
    """Show trials, time and alpha of a claim's study.  Nothing is run and nothing is frozen."""
    from verifier.pipeline.plan import plan  # noqa: PLC0415
    from verifier.report.plan import render_plan  # noqa: PLC0415
    from verifier.wiring import load_case, open_bench, open_ports, open_workshop  # noqa: PLC0415

    workshop = open_workshop()
    case = load_case(workshop, claim)
    ports = open_ports(workshop, case, slots=slots)
    planned = plan(case, workshop.ledger, open_bench(workshop, case), slots=ports.executor.slots)
    if json:
        print_json(asdict(planned))
    else:
        groups = [(g.name, g.trials, g.kept, g.seconds) for g in planned.groups]
        print_text(
            render_plan(
                claim=claim,
                number=planned.account.number,
                known=planned.account.known,
                alpha=planned.account.alpha,
                alpha_per_look=planned.alpha_per_look,
                slots=planned.slots,
                groups=groups,
            )
        )
    raise typer.Exit(Exit.VERIFIED_OR_OPEN)
