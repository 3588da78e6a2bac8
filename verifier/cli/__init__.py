"""The command line: one module per command; each parses, calls, prints and exits."""

import typer

app = typer.Typer(name="verify", no_args_is_help=True)
