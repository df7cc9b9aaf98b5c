"""`falsereject-gen graph`: build and export the entity graph of seeds."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.graph_export import export, picture
from falsereject_gen.cli.graph_show import show
from falsereject_gen.cli.graph_stats import stats
from falsereject_gen.cli.options import rooms_of, say

__all__ = ["app"]

app = typer.Typer(
    help="The entity graph of seeds: build, stats, show, export, picture.", no_args_is_help=True
)
app.command("stats")(stats)
app.command("show")(show)
app.command("export")(export)
app.command("picture")(picture)


@app.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder for GraphML and node-link JSON.")],
    seeds: Annotated[list[Path] | None, typer.Option(help="Seed file; repeatable.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Extract the entities of seeds and write their merged graph."""
    from falsereject_gen.cli.seed_bar import SeedBar  # noqa: PLC0415 - heavy, as below
    from falsereject_gen.entities.graph import stats as counts  # noqa: PLC0415
    from falsereject_gen.run.graph_only import build_graph  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    assets = rooms_of(rooms)
    settings = load_settings(None, set_ or (), assets, seeds=tuple(seeds) if seeds else None)
    with SeedBar() as bar:
        graph, told = build_graph(settings, assets, out, bar.begin)
    found = counts(graph)
    made = f"{found['entities']} entities, {found['relations']} relations"
    say(f"{made} from {told['seeds']} seeds in {out}")
    for code, count in told["languages_left_alone"].items():
        say(f"{count} seeds in language `{code}` are left alone: this graph is of English ones")
    if told["failed"]:
        say(f"{len(told['failed'])} seeds could not be extracted; why: {out / 'extraction.json'}")
    if told["left_out"]:
        what = ", ".join(f"{count} × {name}" for name, count in told["left_out"].items())
        say(f"left out of the extractions: {what}")
    if json:
        typer.echo(json_module.dumps({"out": str(out), **found, "extraction": told}))
