"""Counts what became of the rows of seed files, and says where those stand that could not be used.

Messages hold places and labels, never a prompt: they go into manifests and logs.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

__all__ = ["FATES", "Ledger", "one_line"]

FATES = ("benign", "null", "empty", "too_long", "unreadable", "duplicates")
"""What becomes of a prompt that is read and not kept."""
_SHOWN = 20
_NAMES = {
    "null": "the prompt is null",
    "empty": "the prompt is empty",
    "too_long": "the prompt is too long",
}


class Ledger:
    """Counts and one-line messages, the first 20 of each sort and then how many more."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._notes: dict[str, list[str]] = {}
        self._labels: Counter[tuple[str, str]] = Counter()

    def drop(self, fate: str, path: Path, place: str, why: str = "") -> None:
        """A prompt that could not be used, with its place."""
        self.counts[fate] += 1
        line = one_line(f"{path}, {place}: {why or _NAMES[fate]}")
        self._notes.setdefault(fate, []).append(line)

    def label(self, path: Path, label: str) -> None:
        """A prompt whose category label nobody knows."""
        self.counts["unknown_label"] += 1
        self._labels[str(path), one_line(label)[:60]] += 1

    def problems(self) -> tuple[str, ...]:
        """All messages, sort by sort; never silently cut."""
        labels = [
            f"{path}: category `{label}` ({count} prompts) is in no crosswalk and no taxonomy; "
            "placed by embedding"
            for (path, label), count in self._labels.items()
        ]
        lines = [_first(notes, fate) for fate, notes in self._notes.items()]
        return tuple(line for part in [*lines, _first(labels, "unknown labels")] for line in part)

    def nothing_left(self, formats: Iterable[str]) -> str:
        """One line: what was read and why no seed is left of it."""
        gone = [
            f"{self.counts[fate]:,} {fate.replace('_', ' ')}" for fate in FATES if self.counts[fate]
        ]
        read_as = ", ".join(dict.fromkeys(formats))
        line = (
            f"no toxic seed in {self.counts['read']:,} prompts read as {read_as}: {', '.join(gone)}"
        )
        if self.counts["benign"]:
            line += "; if the benign ones are toxic, name another --format"
        return line


def one_line(text: str) -> str:
    """Text from a file, with nothing in it that breaks a line."""
    return "".join(char if char.isprintable() else " " for char in text)


def _first(notes: list[str], sort: str) -> list[str]:
    more = len(notes) - _SHOWN
    if more <= 0:
        return notes
    return [*notes[:_SHOWN], f"… and {more:,} more of this sort ({sort.replace('_', ' ')})"]
