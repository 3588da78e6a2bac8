"""`verify run`: judge one claim, or all claims of a folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifier.cli.exits import Exit, worst
from verifier.cli.options import Json, Output, Quiet, Slots, Yes
from verifier.cli.output import print_json, print_text, say
from verifier.errors import UsageError, VerifierError

if TYPE_CHECKING:
    from verifier.pipeline.verify import Verified
    from verifier.study.tries import Account
    from verifier.wiring import Workshop


def command(
    path: Annotated[str, typer.Argument(metavar="CLAIM", help="A claim spec, or their folder.")],
    *,
    output: Output = None,
    yes: Yes = False,
    json: Json = False,
    slots: Slots = None,
    quiet: Quiet = False,
    tables: Annotated[bool, typer.Option(help="Show tables by language and stratum.")] = False,
) -> None:
    """Run a claim's study in the sandbox, decide it, and write the verdict with its evidence."""
    from verifier.wiring import open_workshop  # noqa: PLC0415 - only what a command needs

    workshop = open_workshop()
    claims = _claims(path)
    ask = _confirmation(yes=yes)
    codes: list[Exit] = []
    documents: list[object] = []
    for claim in claims:
        try:
            done, place = _run(workshop, claim, output, ask, slots=slots, quiet=quiet)
        except VerifierError as error:
            if len(claims) == 1:
                raise
            say(str(error))
            codes.append(Exit.BAD_USAGE if isinstance(error, UsageError) else Exit.COULD_NOT_JUDGE)
            continue
        finally:
            for warning in workshop.store.warnings:
                say(f"warning: {warning}")
            workshop.store.warnings.clear()
        codes.append(_exit(done))
        if json:
            documents.append(done.verdict.model_dump(mode="json", by_alias=True))
        else:
            _show(done, place, tables=tables)
    if json:
        print_json(documents[0] if len(claims) == 1 else {"verdicts": documents})
    raise typer.Exit(worst(codes))


def _claims(path: str) -> list[str]:
    folder = Path(path)
    if not folder.is_dir():
        return [path]
    claims = sorted(str(p) for p in folder.glob("*.yaml"))
    if not claims:
        raise UsageError("no claims here", where=path, hint="a claim is a .yaml file")
    return claims


def _exit(done: Verified) -> Exit:
    return Exit.VERIFIED_OR_OPEN if done.verdict.status == "VERIFIED" else Exit.NOT_THAT


def _run(
    workshop: Workshop,
    claim: str,
    output: Path | None,
    confirm: Callable[[Account], None],
    *,
    slots: int | None,
    quiet: bool,
) -> tuple[Verified, Path]:
    from verifier.adapters.folders import write_verdict  # noqa: PLC0415
    from verifier.cli.watching import Watcher  # noqa: PLC0415
    from verifier.pipeline.verify import verify  # noqa: PLC0415
    from verifier.wiring import load_case, open_bench, open_ports  # noqa: PLC0415

    case = load_case(workshop, claim)
    ports = open_ports(workshop, case, slots=slots)
    with Watcher(workshop.clock, slots=ports.executor.slots, quiet=quiet) as watcher:
        done = verify(
            case, ports, open_bench(workshop, case), confirm=confirm, report=watcher.report
        )
    name = done.try_digest.removeprefix("sha256:")[:12]
    folder = output or workshop.project.state / "verdicts" / case.claim.id / name
    return done, write_verdict(folder, done.verdict_bytes, done.evidence)


def _show(done: Verified, place: Path, *, tables: bool) -> None:
    from verifier.report.terminal import render  # noqa: PLC0415

    shown = place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place
    print_text(render(done.verdict, place=str(shown), colour=sys.stdout.isatty(), tables=tables))


def _confirmation(*, yes: bool) -> Callable[[Account], None]:
    def confirm(account: Account) -> None:
        spends = (
            f"try {account.number} of its lineage: it may spend alpha {account.alpha:.4g} "
            f"of the lineage's 0.01"
        )
        if account.known:
            say(f"{spends}; frozen before, going on")
            return
        say(f"{spends}; a new try is frozen now, before its first trial")
        if yes:
            return
        if not sys.stdin.isatty():
            raise UsageError(
                "a new try would be frozen, and nobody can be asked",
                where="verify run",
                hint="say --yes, or look first with `verify plan` and `verify try`",
            )
        typer.confirm("Freeze it?", abort=True, err=True)

    return confirm
