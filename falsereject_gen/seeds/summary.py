"""What a collection of seeds holds, as plain values for scripts and as tables for people."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from falsereject_gen.seeds.collect import Collection

__all__ = ["show", "summary"]

_GROUPS = ("category", "source", "language", "licence")


def summary(found: Collection) -> dict[str, Any]:
    """Counts, problems, near-duplicates, and seeds by category, source, language and licence."""
    return {
        "counts": found.counts,
        **{f"by_{group}": _by(found, group) for group in _GROUPS},
        "near": [list(pair) for pair in found.near],
        "problems": list(found.problems),
    }


def show(found: Collection) -> None:
    """Print the same as tables, most frequent first."""
    screen = Console()
    counts = {name.replace("_", " "): count for name, count in found.counts.items()}
    screen.print(_table("what became of the prompts", counts))
    for group in _GROUPS:
        screen.print(_table(f"seeds by {group}", _by(found, group)))


def _by(found: Collection, group: str) -> dict[str, int]:
    counted = Counter(str(getattr(seed, group)) for seed in found.seeds)
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _table(title: str, rows: dict[str, int]) -> Table:
    made = Table(title=title, title_justify="left", show_header=False)
    made.add_column(overflow="fold")
    made.add_column(justify="right")
    for name, count in rows.items():
        made.add_row(escape(name), f"{count:,}")
    return made
