"""The one door to `agents/`, `graphs/` and `prompts/`: packaged copy first, checkout second.

A user's `--rooms DIR` overlays single files. Which file won is recorded with its sha256, so that a
manifest can say it. The working directory is never searched.
"""

import hashlib
import shutil
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from falsereject_gen.errors import RoomError, UsageError

__all__ = ["ROOMS", "Rooms", "eject", "parse_yaml"]

ROOMS = ("agents", "graphs", "prompts")


class Rooms:
    """Reads assets by their relative name (`graphs/taxonomy.yaml`) and remembers what was read.

    Args:
        overlay: folder whose files replace the packaged ones, file by file.

    Raises:
        UsageError: the overlay is not a folder, or has none of the three rooms.
    """

    def __init__(self, overlay: Path | None = None) -> None:
        if overlay is not None and not any((overlay / room).is_dir() for room in ROOMS):
            raise UsageError(
                f"--rooms {overlay}: no folder with agents/, graphs/ or prompts/ in it. "
                f"`falsereject-gen eject {overlay}` makes one."
            )
        self.overlay = overlay
        self.read: dict[str, dict[str, str]] = {}

    def text(self, name: str) -> str:
        """The text of one asset; the overlay's file wins over the packaged one."""
        found, origin = self._find(name)
        data = found.read_bytes()
        self.read[name] = {"from": origin, "sha256": hashlib.sha256(data).hexdigest()}
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as fault:
            raise RoomError(f"{name} ({origin}): not UTF-8 text: {fault}") from None

    def yaml(self, name: str) -> Any:
        """One asset, parsed."""
        return parse_yaml(self.text(name), name)

    def names(self, folder: str, suffix: str = ".yaml") -> list[str]:
        """Sorted relative names of the assets in a folder, packaged and overlaid."""
        found: set[str] = set()
        for base in self._bases():
            place = base.joinpath(folder)
            if place.is_dir():
                found |= {f"{folder}/{e.name}" for e in place.iterdir() if e.name.endswith(suffix)}
        return sorted(found)

    def _bases(self) -> list[Traversable]:
        return ([self.overlay] if self.overlay else []) + [_packaged()]

    def _find(self, name: str) -> tuple[Traversable, str]:
        for base in self._bases():
            place = base.joinpath(name)
            if place.is_file():
                return place, "overlay" if base is self.overlay else "package"
        raise RoomError(
            f"{name}: no such asset in the package"
            + ("" if not self.overlay else " or the overlay")
        )


def parse_yaml(text: str, name: str) -> Any:
    """YAML text to values; a fault becomes one line with its place.

    Raises:
        RoomError: the text is not YAML.
    """
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(fault, "problem", None) or str(fault).splitlines()[0]
        advice = "; put a value with a colon in it in quotes" if "mapping values" in problem else ""
        raise RoomError(f"{name}{where}: not valid YAML: {problem}{advice}") from None


def eject(target: Path) -> list[Path]:
    """Copy every packaged asset into `target`, so that it can be edited and given as `--rooms`.

    Raises:
        UsageError: a file stands in the way; nothing is overwritten.
    """
    made: list[Path] = []
    for room in ROOMS:
        if (target / room).exists():
            raise UsageError(f"{target / room} exists already; choose an empty folder")
    for room in ROOMS:
        with as_file(_packaged().joinpath(room)) as source:
            shutil.copytree(source, target / room, ignore=shutil.ignore_patterns("__pycache__"))
        made += sorted(p for p in (target / room).rglob("*") if p.is_file())
    return made


def _packaged() -> Traversable:
    inside = files("falsereject_gen").joinpath("_assets")
    if inside.is_dir():
        return inside
    return Path(__file__).resolve().parent.parent
