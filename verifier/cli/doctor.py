"""`verify doctor`: what this machine can enforce, what not, and what to do."""

from __future__ import annotations

import typer

from verifier.cli.exits import Exit
from verifier.cli.options import Json
from verifier.cli.output import print_json, print_text


def command(*, json: Json = False) -> None:
    """Say what the sandbox can enforce here, layer by layer; exit 3 if it cannot hold a script."""
    from verifier.adapters.sandbox.doctor import examine, usable  # noqa: PLC0415
    from verifier.report.doctor import render_checks  # noqa: PLC0415

    checks = examine()
    holds = usable(checks)
    if json:
        print_json(
            {
                "usable": holds,
                "checks": [
                    {
                        "name": check.name,
                        "state": check.state,
                        "detail": check.detail,
                        "to_do": check.to_do,
                    }
                    for check in checks
                ],
            }
        )
    else:
        rows = [(c.name, c.state, c.detail, c.to_do) for c in checks]
        print_text(render_checks(rows, usable=holds))
    raise typer.Exit(Exit.VERIFIED_OR_OPEN if holds else Exit.COULD_NOT_JUDGE)
