"""`falsereject-gen annotate export`: a batch for people, in the formats of their tools."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["export"]


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    annotators: Annotated[str, typer.Option(help="Names, by commas; none: open to all.")] = "",
    overlap: Annotated[int | None, typer.Option(help="People who see a row.")] = None,
    format: Annotated[
        str,
        typer.Option(help="label-studio, argilla, prodigy, doccano, csv, xlsx, page; by commas."),
    ] = "label-studio,csv",
    out: Annotated[Path | None, typer.Option(help="Folder to make; else in the run's.")] = None,
    size: Annotated[int, typer.Option(min=0, help="Rows to draw; 0 takes all.")] = 0,
    pilot: Annotated[int, typer.Option(min=0, help="Rows of a pilot, which all see.")] = 0,
    controls: Annotated[float | None, typer.Option(help="Share of controls, 0 to 0.5.")] = None,
    push: Annotated[
        str | None, typer.Option(help="Label Studio's URL: make projects there.")
    ] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="annotation.key=value.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Draw rows, mix in controls, deal them out to people, write their files; blind."""
    from falsereject_gen.annotate import batch, order  # noqa: PLC0415 - heavy
    from falsereject_gen.annotate.controls import load_pools  # noqa: PLC0415
    from falsereject_gen.annotate.label_studio_api import Server, push_batch  # noqa: PLC0415
    from falsereject_gen.annotate.plan import make_plan  # noqa: PLC0415
    from falsereject_gen.annotate.rows import published_rows  # noqa: PLC0415

    server = Server.of_environment(push) if push else None
    assets = rooms_of(rooms)
    sets = [*(set_ or []), *([] if controls is None else [f"annotation.controls={controls}"])]
    settings = order.settings_of(run, sets, assets)
    asked = order.wanted(settings, _parts(annotators), overlap, size, pilot)
    plan = make_plan(published_rows(run), load_pools(assets), asked)
    folder = out or order.free_folder(run, bool(pilot))
    blind = not settings.annotation.preannotate
    made = batch.export(plan, folder, _parts(format), preannotate=not blind)
    loads = {name: len(ids) for name, ids in made.assignment.items()}
    shown = ", ".join(f"{name} {count:,}" for name, count in loads.items())
    say(f"{folder}: {made.manifest['rows']['drawn']:,} rows; with controls: {shown}")
    for line in plan.limits:
        say(f"note: {line}")
    say(f"give each person for-<name>/ only; {folder / 'key.jsonl'} says what is a control")
    projects = push_batch(made, server) if server else {}
    for name, number in projects.items():
        say(f"Label Studio: {name} has project {number}")
    if json:
        told = {key: value for key, value in made.manifest.items() if key != "assignment"}
        told |= {"out": str(folder), "items": loads, "projects": projects}
        typer.echo(json_module.dumps(told, ensure_ascii=False))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
