"""From a run folder and settings to what is asked of a batch; nothing is written here."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.plan import ANYBODY, Wanted
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import RunSettings, load_settings

__all__ = ["free_folder", "settings_of", "wanted"]


def settings_of(run: Path, sets: Sequence[str], rooms: Rooms) -> RunSettings:
    """Settings for a batch of a run: those that its manifest has for annotation, then `sets`.

    Raises:
        UsageError: an unknown key or a value out of range.
        InputError: the run's manifest cannot be read.
    """
    base: dict[str, Any] = dict(rooms.yaml("graphs/loop.yaml"))
    path = run / "manifest.json"
    if path.is_file():
        try:
            made: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["settings"]
            base |= {name: made[name] for name in ("seed", "annotation") if name in made}
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise InputError(f"the run's settings cannot be read: {fault}", path=path) from None
    return load_settings(None, sets, rooms, base=base)


def wanted(
    settings: RunSettings, annotators: Sequence[str], overlap: int | None, size: int, pilot: int
) -> Wanted:
    """What is asked of a batch.

    Args:
        settings: `seed` and `annotation`.
        annotators: names; none: the batch is open to whoever comes.
        overlap: people who see a row; none: as the settings say, or all when they are fewer.
        size: rows; 0 takes all.
        pilot: rows of a pilot batch, which everybody sees; 0: no pilot.

    Raises:
        UsageError: a pilot with a size or an overlap of its own.
        InputError: a batch of `annotation.without` cannot be read.
    """
    if pilot and (size or overlap is not None):
        raise UsageError("--pilot: everybody sees all its rows; no --size or --overlap beside it")
    how, people = settings.annotation, tuple(annotators) or ANYBODY
    earlier = (read_batch(folder).keys.values() for folder in how.without)
    return Wanted(
        annotators=people,
        overlap=min(how.overlap, len(people)) if overlap is None else overlap,
        size=pilot or size,
        rng=settings.seed,
        pilot=pilot > 0,
        controls=how.controls,
        attention=how.attention,
        toxic_side=how.toxic_side,
        without=frozenset(key.row_id for keys in earlier for key in keys if key.row_id),
    )


def free_folder(run: Path, pilot: bool) -> Path:
    """RUN/annotation/batch-2 (or pilot-1, …): the first of its kind that is not there yet."""
    kind, number = "pilot" if pilot else "batch", 1
    while (place := run / "annotation" / f"{kind}-{number}").exists():
        number += 1
    return place
