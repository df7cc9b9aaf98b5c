"""`falsereject-gen categories check`: is a category new, whole, and ready for a run?"""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say
from falsereject_gen.errors import InputError

__all__ = ["check"]


def check(
    category: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="Id or name of a category, or a sheet (.yaml).")
    ],
    taxonomy: Annotated[
        Path | None, typer.Option(help="A taxonomy in place of ours or on top.")
    ] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how close a category is to the others, and whether it is ready; exit 1 if not."""
    from falsereject_gen.categories.check import check as examine  # noqa: PLC0415 - heavy
    from falsereject_gen.categories.overlay import sheet_of  # noqa: PLC0415
    from falsereject_gen.categories.sheet import make_sheet, read_sheet  # noqa: PLC0415
    from falsereject_gen.categories.show import show  # noqa: PLC0415
    from falsereject_gen.dedup.encoder import MiniLM  # noqa: PLC0415
    from falsereject_gen.entities.lexicon import load_lexicon  # noqa: PLC0415
    from falsereject_gen.taxonomy import load_taxonomy  # noqa: PLC0415

    assets = rooms_of(rooms)
    known, _ = load_taxonomy(assets, taxonomy)
    if category.lower().endswith((".yaml", ".yml")):
        sheet = read_sheet(Path(category))
    else:
        found = known.find(category) or known[category].id
        values = sheet_of(found, assets, known)
        if not values.get("seeds"):
            raise InputError(
                f"category `{found}` has no graphs/seeds/{found}.yaml; check its sheet or add seeds"
            )
        sheet = make_sheet(values, f"graphs/seeds/{found}.yaml")
    say("comparing with the other categories (this loads the sentence encoder) …")
    result = examine(sheet, known, assets, load_lexicon(assets), MiniLM())
    if json:
        values = {"ready": result.ready, **result.model_dump(mode="json")}
        typer.echo(json_module.dumps(values, ensure_ascii=False))
    else:
        show(result)
    if not result.ready:
        raise typer.Exit(1)
