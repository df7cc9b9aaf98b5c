"""Answers back in: what files of any format say is checked, and what is good is kept.

Nothing is left out in silence: whatever cannot be kept is a `Problem` with its file and line. The
formats are formats/; the answers go to the batch's store, so importing twice changes nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from falsereject_gen.annotate.checks import Checker, Problem
from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, reader, recognise
from falsereject_gen.annotate.names import Names
from falsereject_gen.errors import InputError

__all__ = ["Import", "Source", "import_answers", "import_files"]


class Source(NamedTuple):
    """Where entries come from: a name for messages, a format, and whose they are if it is known."""

    name: str
    format: str
    owner: str
    entries: Iterable[Entry]


@dataclass
class Import:
    """What an import did.

    `kept` counts answers by what they were to the store. `missing` has, by annotator, the assigned
    items that have no answer after it. A problem of kind `note` cost no answer.
    """

    kept: Counter[Literal["new", "same", "changed"]] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)

    @property
    def lost(self) -> list[Problem]:
        """Problems because of which something that was said is not kept."""
        return [problem for problem in self.problems if problem.kind not in ("note", "missing")]

    def summary(self) -> dict[str, Any]:
        """Everything, as JSON takes it."""
        return {
            **{kind: self.kept[kind] for kind in ("new", "same", "changed")},
            "files": self.formats,
            "problems": [problem._asdict() for problem in self.problems],
            "missing": self.missing,
        }


def import_files(
    batch: Batch,
    files: Sequence[Path],
    *,
    format: str | None = None,
    annotators: Sequence[str] = (),
) -> Import:
    """Read files of answers into the batch's store.

    Args:
        batch: whose answers they are.
        files: in any of `formats.READERS`.
        format: their format; by their looks otherwise.
        annotators: a `NAME` for files that do not say whose they are, and `THEIRS=NAME` for people
            whom the tool calls otherwise (an e-mail address, a user's number).

    Returns:
        What was kept, every problem by file and line, and what is missing.

    Raises:
        UsageError: an unknown format.
        StoreError: the store cannot be written; nothing was kept then.
    """
    names, out = Names(batch, annotators), Import()
    sources = []
    for path in files:
        try:
            sources.append(_source(path, names, format))
        except InputError as fault:
            out.problems.append(Problem("file", str(path), fault.at, _bare(fault)))
    return import_answers(batch, sources, names, out)


def import_answers(
    batch: Batch, sources: Iterable[Source], names: Names, out: Import | None = None
) -> Import:
    """Check entries and keep the good ones; see `import_files`."""
    out, checker = out or Import(), Checker(batch)
    seen: set[str] = set()
    for source in sources:
        out.formats[source.name] = source.format
        entries: list[Entry] = []
        try:
            entries += source.entries
        except InputError as fault:  # what stands before the break counts
            out.problems.append(Problem("file", source.name, fault.at, _bare(fault)))
        seen |= _take(entries, source, names, checker)
    out.problems += checker.problems
    answers = checker.answers()
    store = batch.store()
    try:
        out.kept.update(store.put_all(answers))
        given = {(answer.annotator, answer.item) for answer in store.answers()}
    finally:
        store.close()
    out.missing = dict(_missing(batch, given, seen))
    return out


def _source(path: Path, names: Names, format: str | None) -> Source:
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror or fault}") from None
    kind = format or recognise(path.name, data)
    return Source(str(path), kind, names.of_file(path), reader(kind).read(data))


def _take(entries: list[Entry], source: Source, names: Names, checker: Checker) -> set[str]:
    """Check a file's entries; returns the people in it."""
    alone = len({entry.annotator for entry in entries if entry.annotator}) == 1
    people = set()
    for entry in entries:
        who = names.resolve(entry.annotator, source.owner, alone=alone)
        if answer := checker.check(entry, who, source.name, source.format):
            people.add(answer.annotator)
    return people


def _missing(
    batch: Batch, given: set[tuple[str, str]], seen: Iterable[str]
) -> Iterator[tuple[str, list[str]]]:
    people: Mapping[str, Sequence[str]] = batch.assignment
    if batch.open:
        everybody = [one for ids in people.values() for one in ids]
        people = dict.fromkeys(sorted(seen), everybody)
    for name, ids in people.items():
        if left := [one for one in ids if (name, one) not in given]:
            yield name, left


def _bare(fault: InputError) -> str:
    """The message without the place, which a problem has a field for."""
    text = str(fault)
    return text.removeprefix(f"{fault.at}: ") if fault.at else text
