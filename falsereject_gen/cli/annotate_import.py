"""`falsereject-gen annotate import`: people's answers back into their batch."""

import json as json_module
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from falsereject_gen.cli.options import say
from falsereject_gen.errors import InputError, UsageError

if TYPE_CHECKING:
    from falsereject_gen.annotate.inbox import Import

__all__ = ["import_"]

_SHOWN = 20


def import_(
    batch: Annotated[Path, typer.Argument(help="Folder of the batch.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Files with answers.")
    ] = None,
    format: Annotated[str | None, typer.Option(help="Their format; else by their looks.")] = None,
    annotator: Annotated[
        list[str] | None, typer.Option(help="NAME, or THEIRS=NAME for one person; repeatable.")
    ] = None,
    pull: Annotated[str | None, typer.Option(help="Label Studio's URL: fetch them there.")] = None,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object.")] = False,
) -> None:
    """Read answers of any tool; good ones are kept, all others reported by file and line."""
    from falsereject_gen.annotate.folder import read_batch  # noqa: PLC0415 - heavy
    from falsereject_gen.annotate.inbox import import_answers, import_files  # noqa: PLC0415
    from falsereject_gen.annotate.label_studio_api import Server, pull_batch  # noqa: PLC0415
    from falsereject_gen.annotate.names import Names  # noqa: PLC0415

    if bool(files) == (pull is not None):
        raise UsageError("give files, or --pull URL")
    read = read_batch(batch)
    if pull:
        names = Names(read, annotator or [])
        sources = pull_batch(read, Server.of_environment(pull), names)
        found = import_answers(read, sources, names)
    else:
        found = import_files(read, files or [], format=format, annotators=annotator or [])
    _tell(found)
    if json:
        typer.echo(json_module.dumps(found.summary(), ensure_ascii=False))
    if found.lost:
        raise InputError(f"not kept: {len(found.lost):,}, see above; all others were")


def _tell(found: "Import") -> None:
    for kind, count in Counter(problem.kind for problem in found.problems).items():
        lines = [problem for problem in found.problems if problem.kind == kind]
        for problem in lines[:_SHOWN]:
            say(f"{kind}: {problem}")
        if count > _SHOWN:
            say(f"{kind}: {count - _SHOWN:,} more like these; --json has all")
    new, same, changed = (found.kept[kind] for kind in ("new", "same", "changed"))
    say(f"answers: {new:,} new, {changed:,} changed, {same:,} as before")
    for name, left in found.missing.items():
        say(f"{name}: {len(left):,} still to be answered")
