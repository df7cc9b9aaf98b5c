"""`falsereject-gen annotate agreement`: how far annotators agree. cli/annotate.py registers it."""

from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["agreement"]


def agreement(
    batches: Annotated[list[Path], typer.Argument(help="A batch, then its tie-break batches.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the page and the JSON; BATCH/agreement.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the bootstrap.")] = 0,
    resamples: Annotated[
        int, typer.Option(min=100, max=100_000, help="Resamples of the bootstrap.")
    ] = 2000,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure agreement, annotators and the discriminator; write a page and JSON."""
    from rich.console import Console  # noqa: PLC0415 - only here

    from falsereject_gen.annotate.agreement.gather import gather  # noqa: PLC0415 - heavy
    from falsereject_gen.annotate.agreement.measure import measure  # noqa: PLC0415
    from falsereject_gen.annotate.agreement.page import write_agreement  # noqa: PLC0415
    from falsereject_gen.annotate.agreement.show import show  # noqa: PLC0415
    from falsereject_gen.settings import load_settings  # noqa: PLC0415

    limits = load_settings(rooms=rooms_of(rooms)).loop
    result = measure(gather(batches), limits, seed=seed, resamples=resamples)
    html, data = write_agreement(result, out or batches[0] / "agreement")
    if json:
        typer.echo(result.model_dump_json(indent=1))
    else:
        show(result, Console())
    say(f"{html} and {data.name}")
