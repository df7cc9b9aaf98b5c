"""`falsereject-gen run`: the main job."""

import json as json_module
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from falsereject_gen.cli.options import rooms_of
from falsereject_gen.errors import UsageError

__all__ = ["run"]


def run(
    config: Annotated[Path | None, typer.Option(help="YAML file with settings.")] = None,
    seeds: Annotated[
        list[Path] | None,
        typer.Option(help="Seed file, or `bundled`; repeatable. With --resume: more seeds."),
    ] = None,
    target: Annotated[int | None, typer.Option(help="Accepted rows wanted.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder to make.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Run folder to go on with.")] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value; repeatable.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only estimate calls, tokens and cost.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Generate a seemingly-toxic dataset: seeds in; dataset, batch and report out."""
    from falsereject_gen import job, settings  # noqa: PLC0415 - heavy
    from falsereject_gen.cli.progress import ProgressWatcher, tell  # noqa: PLC0415
    from falsereject_gen.run.resume import added, resumed_settings  # noqa: PLC0415

    if out is not None and resume is not None:
        raise UsageError("--out and --resume: give one of them")
    assets = rooms_of(rooms)
    given: dict[str, Any] = {"target": target, "seeds": tuple(seeds) if seeds else None}
    if resume is not None:
        base = resumed_settings(resume).model_dump(mode="json")
        given["seeds"] = added(base["seeds"], seeds)
        resolved = settings.load_settings(config, set_ or (), assets, base=base, **given)
    else:
        resolved = settings.load_settings(config, set_ or (), assets, **given)
    if dry_run:
        from falsereject_gen.cli.dry_run import dry_run as estimate  # noqa: PLC0415

        estimate(resolved, assets, resume, as_json=json)
        return
    folder = resume or out or Path("outputs") / time.strftime("%Y%m%d-%H%M%S")
    with ProgressWatcher() as watcher:
        result = job.run(resolved, folder, resume=resume is not None, rooms=assets, watcher=watcher)
    tell(result)
    if json:
        typer.echo(json_module.dumps(result.summary(), ensure_ascii=False))
