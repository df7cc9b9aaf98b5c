"""What CSV and XLSX share: their columns, and a row of cells as an entry."""

from collections.abc import Iterable, Iterator, Sequence

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, shown
from falsereject_gen.annotate.questions import ANSWERS, NOTE, QUESTIONS
from falsereject_gen.errors import InputError

__all__ = ["COLUMNS", "SHOWN", "entries", "rows"]

SHOWN = ("item", "prompt", "category_name", "domain")
COLUMNS = (*SHOWN, *ANSWERS)
"""What people see, then what they fill."""


def rows(batch: Batch, annotator: str) -> Iterator[tuple[str, ...]]:
    """What is shown of each item of one annotator."""
    for one in batch.assignment[annotator]:
        data = shown(batch, batch.items[one])
        yield tuple(data[name] for name in SHOWN)


def entries(table: Iterable[tuple[str, Sequence[str]]]) -> Iterator[Entry]:
    """Entries of a table whose first row has the names of its columns, in any order.

    Args:
        table: rows of text cells with their places.

    Raises:
        InputError: a column that we need is not there, or stands twice.
    """
    places = iter(table)
    _, head = next(places, ("", ()))
    names = [name.strip().lower() for name in head]
    for name in ("item", *(question.name for question in QUESTIONS)):
        if names.count(name) != 1:
            what = "stands twice" if name in names else "is missing"
            raise InputError(f"column `{name}` {what}; it has {', '.join(names) or 'none'}")
    for at, cells in places:
        if not any(cell.strip() for cell in cells):
            continue
        values = dict(zip(names, cells, strict=False))
        who = values.get("annotator", "").strip()
        yield Entry(
            at,
            values.get("item", "").strip(),
            values.get("prompt"),
            f"#{who}" if who.isdigit() else who,  # Label Studio's CSV has a user's number
            {question.name: values.get(question.name, "") for question in QUESTIONS},
            values.get(NOTE, ""),
            when=values.get("updated_at", ""),
            batch=values.get("batch", ""),
        )
