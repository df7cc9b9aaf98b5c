"""`falsereject-gen ablate`: what the entity graph and the loop are good for, in one table."""

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["ablate"]


def ablate(
    out: Annotated[Path, typer.Option(help="Folder; each arm is a run in it.")],
    budget: Annotated[int, typer.Option(min=2, help="Accepted rows wanted of each arm.")] = 1000,
    graphs: Annotated[
        str, typer.Option(help="Ways to draw entities, with commas: see `sampling.graph`.")
    ] = "none,seed,walk,coverage",
    rounds: Annotated[
        str, typer.Option(help="Loops, with commas: 0 first drafts, 1 judged once, N all rounds.")
    ] = "0,1,N",
    n: Annotated[int, typer.Option("--n", min=2, help="Rows in a measured sample.")] = 500,
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    seeds: Annotated[list[Path] | None, typer.Option(help="Seed file; repeatable.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Run the same budget with other graphs and loops; write ablation.md and ablation.json.

    Finished arms are not run again, one that was stopped goes on.
    """
    from falsereject_gen import job, settings  # noqa: PLC0415 - heavy, as below
    from falsereject_gen.cli.progress import ProgressWatcher  # noqa: PLC0415
    from falsereject_gen.evaluate.ablate import arms_of, run_arms  # noqa: PLC0415

    assets = rooms_of(rooms)
    given: dict[str, Any] = {"target": budget, "seeds": tuple(seeds) if seeds else None}
    base = settings.load_settings(config, set_ or (), assets, **given)
    arms = arms_of(graphs, rounds, base)

    def run(wanted: settings.RunSettings, folder: Path, resume: bool) -> None:
        with ProgressWatcher() as watcher:
            job.run(wanted, folder, resume=resume, rooms=rooms_of(rooms), watcher=watcher)

    folders = run_arms(base, arms, out, run, say)

    from falsereject_gen.dedup.encoder import MiniLM  # noqa: PLC0415
    from falsereject_gen.entities.lexicon import load_lexicon  # noqa: PLC0415
    from falsereject_gen.evaluate import ablation_table as table  # noqa: PLC0415
    from falsereject_gen.evaluate.surface import KnownEntities  # noqa: PLC0415

    say("measuring")
    known, encoder = KnownEntities(load_lexicon(assets)), MiniLM()
    results = table.measure_arms(arms, folders, base, assets, encoder, known, n=n)
    table.write(results, base, out)
    table.show(results)
    if json:
        found = table.as_object(results, base)
        typer.echo(json_module.dumps({"out": str(out), **found}, ensure_ascii=False))
