"""`falsereject-gen graph`: build and export the entity graph of seeds."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["app"]

app = typer.Typer(help="The entity graph of seeds: build.", no_args_is_help=True)


@app.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder for GraphML and node-link JSON.")],
    seeds: Annotated[list[Path] | None, typer.Option(help="Seed file; repeatable.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Extract the entities of seeds and write their merged graph."""
    from falsereject_gen.entities.graph import stats, write_graph  # noqa: PLC0415 - heavy
    from falsereject_gen.models.desk import open_models  # noqa: PLC0415
    from falsereject_gen.run.world import prepare  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    assets = rooms_of(rooms)
    settings = load_settings(None, set_ or (), assets, seeds=tuple(seeds) if seeds else None)
    world = prepare(settings, assets, open_models({}, assets))
    write_graph(world.graph, out)
    found = stats(world.graph)
    made = f"{found['entities']} entities, {found['relations']} relations"
    say(f"{made} from {len(world.seeds)} seeds in {out}")
    if json:
        typer.echo(json_module.dumps({"out": str(out), **found}))
