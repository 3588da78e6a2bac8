"""The command line: one module per command; each parses, calls, prints and exits."""

import typer

from verifier.cli import audit, data, doctor, env, listing, logs, new, plan, run, try_

app = typer.Typer(
    name="verify",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Judge a claim by a sealed reproduction.  `verify claims/x.yaml` is `verify run ...`.",
)
app.command(name="run")(run.command)
app.command(name="plan")(plan.command)
app.command(name="try")(try_.command)
app.command(name="audit")(audit.command)
app.command(name="doctor")(doctor.command)
app.add_typer(env.app, name="env")
app.add_typer(data.app, name="data")
app.command(name="list")(listing.command)
app.command(name="logs")(logs.command)
app.command(name="new")(new.command)
