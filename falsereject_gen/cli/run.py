"""`falsereject-gen run`: the main job."""

import json as json_module
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from falsereject_gen.cli.options import rooms_of, say
from falsereject_gen.errors import UsageError

if TYPE_CHECKING:
    from falsereject_gen.rooms import Rooms
    from falsereject_gen.settings import RunSettings

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
    from falsereject_gen import settings  # noqa: PLC0415 - heavy
    from falsereject_gen.run.resume import added, nothing_to_do, resumed_settings  # noqa: PLC0415

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
    done = nothing_to_do(resume, resolved, assets) if resume is not None else None
    if done is not None:
        _tell_again(done)
    else:
        done = _go(resolved, folder, assets, resume is not None)
    if json:
        typer.echo(json_module.dumps(done, ensure_ascii=False))


def _go(resolved: "RunSettings", folder: Path, assets: "Rooms", resume: bool) -> dict[str, Any]:
    """Run, with somebody watching; returns the summary."""
    from falsereject_gen import job  # noqa: PLC0415 - heavy
    from falsereject_gen.cli.progress import ProgressWatcher, tell  # noqa: PLC0415

    with ProgressWatcher() as watcher:
        result = job.run(resolved, folder, resume=resume, rooms=assets, watcher=watcher)
    tell(result)
    return result.summary()


def _tell_again(summary: dict[str, Any]) -> None:
    out = Path(summary["out"])
    say(f"{summary['accepted']} of {summary['target']} rows: finished before, nothing to do")
    say(f"  dataset  {out / 'dataset'}\n  report   {out / 'report.html'}")
