"""`falsereject-gen annotate adjudicate` and `publish`. cli/annotate.py registers them."""

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["adjudicate", "publish"]

Batches = Annotated[list[Path], typer.Argument(help="A batch, then its tie-break batches.")]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object.")]


def adjudicate(
    batches: Batches,
    method: Annotated[str, typer.Option(help="majority, unanimous, dawid-skene.")] = "majority",
    need: Annotated[list[str] | None, typer.Option(help="Question that must be decided.")] = None,
    sure: Annotated[float, typer.Option(min=0.5, max=1, help="For dawid-skene.")] = 0.95,
    tie_break: Annotated[str, typer.Option(help="Names of others, separated by commas.")] = "",
    overlap: Annotated[int, typer.Option(min=1, help="Tie-breakers who see a row.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder of the tie-break batch.")] = None,
    json: Json = False,
) -> None:
    """Decide each row's labels; disputed rows can go to others in a tie-break batch."""
    from falsereject_gen.annotate import adjudicate as room  # noqa: PLC0415 - heavy
    from falsereject_gen.annotate import tie_break as ties  # noqa: PLC0415
    from falsereject_gen.annotate.agreement.gather import gather  # noqa: PLC0415

    given = gather(batches)
    found = room.adjudicate(given, method, needed=need or room.NEEDED, sure=sure)
    made = ""
    if tie_break and found.disputed:
        folder = out or ties.free_name(batches[0])
        ties.write_tie_break(given, found, tie_break.split(","), folder, overlap=overlap)
        made = str(folder)
    place = found.write(batches[0])
    for line in found.lines():
        say(line)
    say(str(place))
    if made:
        say(f"{made}: disputed rows for {tie_break}; name it after the batch when it is answered")
    elif found.disputed:
        say("nothing is decided for disputed rows: --tie-break NAME,NAME asks others")
    if json:
        told = {**found.facts, "disputed": [one.row_id for one in found.disputed]}
        typer.echo(json_module.dumps({**told, "tie_break": made}, ensure_ascii=False))


def publish(
    batches: Batches,
    out: Annotated[Path, typer.Option(help="Folder of the dataset.")],
    run: Annotated[Path | None, typer.Option(help="Run that the rows come from.")] = None,
    without_unsafe: Annotated[bool, typer.Option(help="List unsafe rows only.")] = False,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    json: Json = False,
) -> None:
    """Write the human-verified test split of an adjudicated batch, with its card."""
    from falsereject_gen import publish as room  # noqa: PLC0415 - heavy
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    limits = load_settings(rooms=rooms_of(rooms)).loop
    done = room.publish(batches, out, limits, run=run, with_unsafe=not without_unsafe)
    say(f"{out}: " + ", ".join(f"{count:,} {name}" for name, count in done.configs.items()))
    for reason, count in done.left_out.items():
        say(f"left out: {count:,} {reason}")
    if json:
        told = {"out": str(out), "configs": done.configs, "left_out": done.left_out}
        typer.echo(json_module.dumps(told, ensure_ascii=False))
