"""The command `falsereject-gen`: commands, and errors as one line with an exit code.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 stopped and resumable.
"""

import sys

import typer

from falsereject_gen import __version__
from falsereject_gen.cli import (
    ablate,
    annotate,
    categories,
    doctor,
    eject,
    graph,
    report,
    score,
    scripted_server,
    seeds,
)
from falsereject_gen.cli import metrics as metrics_command
from falsereject_gen.cli import run as run_command
from falsereject_gen.errors import FalseRejectError

__all__ = ["app", "main"]

app = typer.Typer(
    name="falsereject-gen",
    help="Generate prompts that look toxic and are benign, with proof of both.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run_command.run)
app.command("report")(report.report)
app.command("metrics")(metrics_command.metrics)
app.command("ablate")(ablate.ablate)
app.command("doctor")(doctor.doctor)
app.command("eject")(eject.eject)
app.command("scripted-server")(scripted_server.scripted_server)
app.add_typer(seeds.app, name="seeds")
app.add_typer(graph.app, name="graph")
app.add_typer(categories.app, name="categories")
app.add_typer(score.app, name="score")
app.add_typer(annotate.app, name="annotate")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"falsereject-gen {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Generate prompts that look toxic and are benign, with proof of both."""


def main() -> None:
    """Run the command line; a known error becomes one line and its exit code."""
    try:
        app()
    except FalseRejectError as fault:
        typer.echo(f"falsereject-gen: {fault}", err=True)
        sys.exit(fault.exit_code)
    except KeyboardInterrupt:
        typer.echo("falsereject-gen: interrupted", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
