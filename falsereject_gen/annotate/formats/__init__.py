"""Formats of other tools: one module a format, found by name or by the looks of a file.

A module that writes has `write(batch, annotator) -> {file name: bytes}`: the annotator's items in
the annotator's order, blind. One that reads has `knows(name, data) -> bool`, true for nothing that
another module knows, and `read(data) -> Iterator[Entry]`. What an entry is worth is inbox.py's.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.records import Item
from falsereject_gen.errors import InputError, UsageError

__all__ = [
    "FORMATS",
    "READERS",
    "Entry",
    "Reader",
    "Writer",
    "reader",
    "recognise",
    "shown",
    "writer",
]

_MODULES = {
    "label-studio": "label_studio",
    "argilla": "argilla",
    "prodigy": "prodigy",
    "doccano": "doccano",
    "csv": "csv_sheet",
    "xlsx": "xlsx_sheet",
    "page": "page",
}
FORMATS = tuple(_MODULES)
"""What `annotate export --format` takes."""
READERS = (*(name for name in FORMATS if name != "page"), "answers")
"""What `annotate import --format` takes; `answers` is what our own page saves."""


class Entry(NamedTuple):
    """What a file says of one item, before anybody has checked it.

    `labels` holds what stands there by question name, a list where several were chosen; an empty
    string or a missing name is a question left open. An entry with nothing in it is no answer.
    `annotator` is empty where the tool does not say, and `#7` where it gives a number only;
    `batch` is the batch that the file says it is of.
    """

    at: str
    item: str
    prompt: str | None = None
    annotator: str = ""
    labels: dict[str, str | list[str]] = {}  # noqa: RUF012 - of a NamedTuple; nobody writes to it
    note: str = ""
    skipped: bool = False
    flagged: bool = False
    seconds: float | None = None
    when: str = ""
    batch: str = ""
    fault: str = ""
    """Why the entry cannot be used at all; empty when it can."""


class Writer(Protocol):
    """A module that writes."""

    def write(self, batch: Batch, annotator: str) -> dict[str, bytes]:
        """The files of one annotator, by name; the same batch gives the same bytes."""
        ...


class Reader(Protocol):
    """A module that reads."""

    def knows(self, name: str, data: bytes) -> bool:
        """Whether a file of this name and content is of this format."""
        ...

    def read(self, data: bytes) -> Iterator[Entry]:
        """The entries of a file; InputError without a path when the file cannot be used."""
        ...


def shown(batch: Batch, item: Item) -> dict[str, str]:
    """What stands of an item in any tool; the same fields for rows and controls."""
    return {
        "item": item.id,
        "prompt": item.prompt,
        "category_name": item.category_name,
        "domain": item.domain,
        "batch": batch.name,
    }


def writer(name: str) -> Writer:
    """The module that writes a format.

    Raises:
        UsageError: there is no such format.
    """
    if name not in FORMATS:
        raise UsageError(f"--format {name}: known are {', '.join(FORMATS)}")
    return cast(Writer, _module(_MODULES[name]))


def reader(name: str) -> Reader:
    """The module that reads a format.

    Raises:
        UsageError: there is no such format, or it is not read.
    """
    if name not in READERS:
        raise UsageError(f"--format {name}: read are {', '.join(READERS)}")
    return cast(Reader, _module(_MODULES.get(name, name)))


def recognise(name: str, data: bytes) -> str:
    """The format of a file by its name and content.

    Raises:
        InputError: none knows it.
    """
    for one in READERS:
        if reader(one).knows(name, data):
            return one
    raise InputError(f"no known format; name it with --format ({', '.join(READERS)})")


def _module(name: str) -> object:
    return import_module(f"falsereject_gen.annotate.formats.{name}")
