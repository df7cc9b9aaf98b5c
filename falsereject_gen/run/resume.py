"""Going on with a run: its settings, and what is different now."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from falsereject_gen.errors import RoomError, UsageError
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.store import Store
from falsereject_gen.settings import BUNDLED, RunSettings, load_settings

__all__ = [
    "added",
    "changed_since",
    "finished",
    "nothing_to_do",
    "remember",
    "resumed_settings",
]

_FREE = {"target", "seeds", "output", "budget", "annotation"}
"""Settings that may change without changing what a row is."""


def resumed_settings(folder: Path) -> RunSettings:
    """The settings of the run in a folder.

    Raises:
        UsageError: there is no run in it.
    """
    if not (folder / "run.sqlite").is_file():
        raise UsageError(f"--resume {folder}: no run.sqlite in it, so no run to go on with")
    store = Store(folder / "run.sqlite")
    try:
        values = store.get("settings")
    finally:
        store.close()
    if values is None:
        raise UsageError(f"--resume {folder}: the run stopped before it began; start it anew")
    return load_settings(base=values)


def added(before: Sequence[str], more: Sequence[Path] | None) -> tuple[Path, ...] | None:
    """Seed files of a run that goes on: those it had (none: the bundled seeds), then the new ones.

    Args:
        before: seed files of its settings.
        more: files given now; None or empty changes nothing.
    """
    if not more:
        return None
    return tuple(dict.fromkeys([*(map(Path, before) if before else [BUNDLED]), *more]))


def remember(store: Store, settings: RunSettings, rooms: Rooms) -> None:
    """Keep what rows are made with from now on."""
    store.put("settings", settings.model_dump(mode="json"))
    store.put("rooms", _sums(rooms))


def finished(store: Store, settings: RunSettings, summary: dict[str, Any]) -> None:
    """Note that all files of a run are written, and with which settings."""
    store.put("finished", {"settings": settings.model_dump(mode="json"), "summary": summary})


def nothing_to_do(folder: Path, settings: RunSettings, rooms: Rooms) -> dict[str, Any] | None:
    """The summary of a run that is finished as it is asked for now, else None.

    Looks at the store's notes, at the assets' sums and at what is on disk; loads no model.
    """
    store = Store(folder / "run.sqlite")
    try:
        ended, files = store.get("finished"), store.get("rooms") or {}
    finally:
        store.close()
    written = ("manifest.json", "report.html", "dataset/README.md", "rejected.jsonl")
    if (
        ended is None
        or ended["settings"] != settings.model_dump(mode="json")
        or ended["summary"]["accepted"] < settings.target
        or not all((folder / name).is_file() for name in written)
    ):
        return None
    with contextlib.suppress(RoomError):
        for name in files:
            rooms.text(name)
    summary: dict[str, Any] = {**ended["summary"], "out": str(folder)}
    return summary if _sums(rooms) == files else None


def changed_since(store: Store, settings: RunSettings, rooms: Rooms) -> list[str]:
    """One line for each thing that is not as it was when the run's rows so far were made."""
    had, files = store.get("settings") or {}, store.get("rooms") or {}
    now, sums = settings.model_dump(mode="json"), _sums(rooms)
    names = _differences(had, {name: now[name] for name in now if name not in _FREE})
    lines = [f"setting {name} is {new}, was {old}" for name, old, new in names if had]
    lines += [f"{name} is another file now" for name in sorted(files) if _moved(name, files, sums)]
    return [f"{line}: rows from now on are made with the new one" for line in lines]


def _moved(name: str, files: dict[str, str], sums: dict[str, str]) -> bool:
    return name in sums and files[name] != sums[name]


def _sums(rooms: Rooms) -> dict[str, str]:
    return {name: entry["sha256"] for name, entry in sorted(rooms.read.items())}


def _differences(had: Any, now: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    """Leaves that differ, by dotted name."""
    if isinstance(had, dict) and isinstance(now, dict):
        return [
            found
            for key in now
            for found in _differences(had.get(key), now[key], f"{name}.{key}".lstrip("."))
        ]
    return [] if had == now else [(name, had, now)]
