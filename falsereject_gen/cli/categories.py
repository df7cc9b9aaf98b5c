"""`falsereject-gen categories`: list and show; add, check and draft have files of their own."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.categories_add import add
from falsereject_gen.cli.categories_check import check
from falsereject_gen.cli.categories_draft import draft
from falsereject_gen.cli.options import rooms_of

__all__ = ["app"]

app = typer.Typer(help="The harm categories: list, show, add, check, draft.", no_args_is_help=True)
app.command("add")(add)
app.command("check")(check)
app.command("draft")(draft)
_Taxonomy = Annotated[Path | None, typer.Option(help="A taxonomy in place of ours or on top.")]
_Rooms = Annotated[Path | None, typer.Option(help="Folder that overlays assets.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(taxonomy: _Taxonomy = None, rooms: _Rooms = None, json: _Json = False) -> None:
    """All categories with their domain."""
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    found, _ = load_taxonomy(rooms_of(rooms), taxonomy)
    if json:
        typer.echo(json_module.dumps([c.model_dump() for c in found], ensure_ascii=False))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("id", "name", "domain", title=f"{len(found)} categories")
    for category in found:
        table.add_row(category.id, category.name, category.domain)
    Console().print(table)


@app.command()
def show(
    category: Annotated[str, typer.Argument(help="Id or name.")],
    taxonomy: _Taxonomy = None,
    rooms: _Rooms = None,
    json: _Json = False,
) -> None:
    """One category: definition, benign neighbours, triggers, and what others call it."""
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    found, walks = load_taxonomy(rooms_of(rooms), taxonomy)
    entry = found[found.find(category) or category]
    others = {t: list(walks.theirs(t, entry.id)) for t in walks.tables if walks.theirs(t, entry.id)}
    if json:
        typer.echo(json_module.dumps({**entry.model_dump(), "others": others}, ensure_ascii=False))
        return
    typer.echo(f"{entry.name}  ({entry.id}; {entry.domain})\n\n{entry.definition}\n")
    typer.echo(f"benign neighbours: {'; '.join(entry.neighbours)}")
    typer.echo(f"triggers: {', '.join(entry.triggers)}")
    for table, labels in others.items():
        typer.echo(f"{table}: {', '.join(labels)}")
