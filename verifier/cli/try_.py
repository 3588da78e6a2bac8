"""`verify try`: one quick trial on the dev split, in the real sandbox."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import ClaimPath, Json, Quiet, Slots
from verifier.cli.output import print_json, print_text
from verifier.errors import UsageError

if TYPE_CHECKING:
    from verifier.pipeline.try_ import Tried


def command(
    claim: ClaimPath,
    *,
    arm: Annotated[
        list[str] | None, typer.Option("--arm", help="An arm to try; default: the first.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Try every arm.")] = False,
    json: Json = False,
    slots: Slots = None,
    quiet: Quiet = False,
) -> None:
    """Try a claim's script on the dev split.  It spends no alpha and decides nothing."""
    from verifier.cli.watching import Watcher  # noqa: PLC0415
    from verifier.pipeline.try_ import try_claim  # noqa: PLC0415
    from verifier.report.listing import render_table  # noqa: PLC0415
    from verifier.wiring import load_case, open_bench, open_ports, open_workshop  # noqa: PLC0415

    workshop = open_workshop()
    case = load_case(workshop, claim)
    known = tuple(case.claim.arms)
    arms = known if every else tuple(arm or known[:1])
    unknown = [name for name in arms if name not in known]
    if unknown:
        raise UsageError(
            f"there is no arm {unknown[0]}", where=claim, hint=f"arms: {', '.join(known)}"
        )
    ports = open_ports(workshop, case, slots=slots)
    ports.prepare()
    with Watcher(workshop.clock, slots=ports.executor.slots, quiet=quiet) as watcher:
        tried = try_claim(
            case, open_bench(workshop, case), ports.executor, arms=arms, report=watcher.report
        )
    if json:
        rows = [{**asdict(t), "findings": [f.model_dump() for f in t.findings]} for t in tried]
        print_json({"claim": claim, "split": "dev", "trials": rows})
    else:
        print_text(render_table([_row(t, str(case.claim.criterion.measure)) for t in tried]))
        for t in tried:
            for finding in t.findings:
                print_text(f"{t.arm} ({t.regime}): {finding.where}: {finding.message}")
        print_text("dev split only: this decides nothing and spends no alpha")
    failed = any(t.findings for t in tried)
    raise typer.Exit(Exit.NOT_THAT if failed else Exit.VERIFIED_OR_OPEN)


def _row(tried: Tried, measure: str) -> dict[str, object]:
    peak = tried.peak_memory_bytes
    return {
        "arm": tried.arm,
        "regime": tried.regime,
        f"dev {measure}": "failed" if tried.score is None else f"{tried.score:.4f}",
        "seconds": f"{tried.wall_s:.1f}",
        "peak MiB": "-" if peak is None else f"{peak / (1 << 20):.0f}",
        "logs": f"verify logs {tried.trial[:12]}",
    }
