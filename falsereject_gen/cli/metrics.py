"""`falsereject-gen metrics`: measure datasets of prompts side by side."""

import json as json_module
import random
from pathlib import Path
from typing import Annotated

import typer

from falsereject_gen.cli.options import rooms_of, say

__all__ = ["metrics"]


def metrics(
    file: Annotated[Path, typer.Argument(help="A run folder, a dataset folder, or a file.")],
    against: Annotated[
        list[Path] | None, typer.Option(help="Print this one beside it; may be given often.")
    ] = None,
    n: Annotated[int, typer.Option("--n", min=2, help="Prompts in a sample.")] = 500,
    repeats: Annotated[int, typer.Option(min=1, help="Samples.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is drawn.")] = 0,
    prompt_column: Annotated[
        str | None, typer.Option(help="Column with the prompt in FILE; others by their format.")
    ] = None,
    category_column: Annotated[
        str | None, typer.Option(help="Column with the category in FILE.")
    ] = None,
    rooms: Annotated[Path | None, typer.Option(help="Folder that overlays assets.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure diversity, openings, length, balance and coverage of prompts, at a fixed n."""
    from falsereject_gen.evaluate.texts import read_texts  # noqa: PLC0415 - heavy, as below

    sets = [read_texts(file, prompt_column, category_column)]
    sets += [read_texts(path) for path in against or []]  # bad input is told before the models load

    from falsereject_gen.dedup.encoder import MiniLM  # noqa: PLC0415
    from falsereject_gen.entities.lexicon import load_lexicon  # noqa: PLC0415
    from falsereject_gen.evaluate.metrics import measure  # noqa: PLC0415
    from falsereject_gen.evaluate.show import as_object, show  # noqa: PLC0415
    from falsereject_gen.evaluate.surface import KnownEntities, give_away  # noqa: PLC0415

    assets = rooms_of(rooms)
    pattern, known = give_away(assets), KnownEntities(load_lexicon(assets))
    encoder = MiniLM(cache=1)
    measured = []
    for texts in sets:
        say(f"measuring {texts.name} ({len(texts.texts):,} prompts)")
        found = measure(
            texts.texts,
            texts.categories,
            n=n,
            repeats=repeats,
            rng=random.Random(seed),
            encoder=encoder,
            known=known,
            give_away=pattern,
        )
        measured.append((texts, found))
    if json:
        typer.echo(json_module.dumps(as_object(measured, seed), ensure_ascii=False))
    else:
        show(measured)
