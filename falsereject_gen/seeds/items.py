"""Rows of a recognised file into prompts with what the file says of them; the unusable are noted.

No embedding here: a category is an id, a choice of several, or open.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from falsereject_gen.seeds.language import language_of
from falsereject_gen.seeds.layout import Format
from falsereject_gen.seeds.ledger import Ledger
from falsereject_gen.seeds.table import FileRow, Table
from falsereject_gen.taxonomy import UNCATEGORISED, Crosswalks, Taxonomy

__all__ = ["LONGEST", "Item", "items_of", "prompts_of"]

LONGEST = 4000
"""Characters that a seed may have."""
_OWN = "falsereject-gen"
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Item:
    """One toxic prompt of a file.

    `ask` is the request without its context, which decides the category. `choices` are our
    categories that its label can mean: one, several, or none when the file does not say.
    """

    text: str
    ask: str
    source: str
    licence: str
    language: str
    choices: tuple[str, ...] = ()
    confidence: float = 1.0


def items_of(
    table: Table, form: Format, taxonomy: Taxonomy, crosswalks: Crosswalks, ledger: Ledger
) -> Iterator[Item]:
    """The toxic prompts of a file; everything else is counted in the ledger."""
    for row in table.rows:
        ledger.counts["read"] += 1
        if form.twin and row.values.get(form.twin):
            ledger.counts["read"] += 1
            ledger.counts["benign"] += 1
        place = _place(row, form)
        toxic = form.is_toxic(row)
        if fault := _fault(row, form, toxic):
            ledger.drop("unreadable", table.path, place, fault)
        elif not toxic:
            ledger.counts["benign"] += 1
        elif texts := _usable(row, form, table.path, place, ledger):
            choices = _choices(row, form, table.path, taxonomy, crosswalks, ledger)
            yield _item(row, form, table.path, texts, choices)


def _place(row: FileRow, form: Format) -> str:
    key = row.values.get(form.key)
    return f"{row.place} ({form.key} {str(key)[:40]})" if key else row.place


def prompts_of(table: Table, form: Format) -> list[str]:
    """All prompts of a file, benign or not, without empty and broken ones."""
    out = []
    for row in table.rows:
        parts = [_text(row.values.get(column)) for column in form.prompt]
        out.append(_join(parts) if isinstance(parts[-1], str) and not row.fault else "")
        if form.twin:
            out.append(_join([_text(row.values.get(form.twin))]))
    return [text for text in out if text]


def _item(
    row: FileRow, form: Format, path: Path, texts: tuple[str, str], choices: tuple[str, ...]
) -> Item:
    own = form.name == _OWN  # our own files say these things row by row
    said = row.values.get(form.language) if form.language else None
    return Item(
        text=texts[0],
        ask=texts[1],
        source=str(row.values.get("source") or "unknown") if own else form.source or path.name,
        licence=str(row.values.get("licence") or "unknown") if own else form.licence,
        language=re.split(r"[_-]", str(said))[0].lower() if said else language_of(texts[0]),
        choices=choices,
        confidence=row.values["confidence"] if own else 1.0,
    )


def _fault(row: FileRow, form: Format, toxic: bool | None) -> str:
    if row.fault:
        return row.fault
    if toxic is None:
        return "its label says neither toxic nor benign"
    confidence = row.values.get("confidence") if form.name == _OWN else 1.0
    if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        return f"`confidence` is a number from 0 to 1, not {str(confidence)[:20]!r}"
    return ""


def _usable(
    row: FileRow, form: Format, path: Path, place: str, ledger: Ledger
) -> tuple[str, str] | None:
    """The prompt and its request, or None and a note why not."""
    parts = [_text(row.values.get(column)) for column in form.prompt]
    ask = parts[-1]
    if ask is None:
        ledger.drop("null", path, place)
    elif not isinstance(ask, str):
        ledger.drop("unreadable", path, place, f"the prompt is no text but {type(ask).__name__}")
    elif not ask.strip():
        ledger.drop("empty", path, place)
    elif _SURROGATE.search(text := _join(parts)):
        ledger.drop("unreadable", path, place, "half a character (a lone surrogate) in the prompt")
    elif len(text) > LONGEST:
        ledger.drop("too_long", path, place, f"{len(text):,} characters, more than {LONGEST:,}")
    else:
        return text, ask.strip()
    return None


def _text(value: Any) -> Any:
    """The text of a cell; turns of one conversation are joined, NaN is null."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, list) and value and all(isinstance(turn, str) for turn in value):
        return "\n".join(value)
    return value


def _join(parts: list[Any]) -> str:
    return "\n\n".join(part.strip() for part in parts if isinstance(part, str) and part.strip())


def _choices(
    row: FileRow,
    form: Format,
    path: Path,
    taxonomy: Taxonomy,
    crosswalks: Crosswalks,
    ledger: Ledger,
) -> tuple[str, ...]:
    names = [_label(row, column, path) for column in form.category]
    if not names or not names[0]:
        return ()
    labels = ["/".join(name for name in names if name), names[0]]
    found = _meaning(labels, form, taxonomy, crosswalks)
    if found is None:
        ledger.label(path, labels[0])
    return found or ()


def _label(row: FileRow, column: str, path: Path) -> str:
    value = path.stem if column == "<file>" else row.values.get(column)
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().rstrip(":").rstrip()


def _meaning(
    labels: list[str], form: Format, taxonomy: Taxonomy, crosswalks: Crosswalks
) -> tuple[str, ...] | None:
    """Our categories for a label: of the format's table, the taxonomy, any table; None: unknown."""
    for label in labels:
        if label == UNCATEGORISED:
            return (UNCATEGORISED,) if form.name == _OWN else ()
        if label in crosswalks.tables.get(form.table, {}):
            return crosswalks.ours(form.table, label)
    for label in labels:
        slug = re.sub(r"[\s_]+", "-", label.lower())
        found = taxonomy.find(label) or taxonomy.find(slug)
        if found:
            return (found,)
    for label in labels:
        for table in crosswalks.tables if not label.isdigit() else ():
            if ours := crosswalks.ours(table, label):
                return ours
    return None
