"""Reads a batch, its tie-breaks and everybody's answers, and checks that they belong together.

Whatever is read from here on is known to be in order: items, annotators and labels are the batch's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from falsereject_gen.annotate.folder import ANSWERS_FILE, MANIFEST, Batch, read_batch
from falsereject_gen.annotate.questions import Question
from falsereject_gen.annotate.records import Answer, Item, Key
from falsereject_gen.errors import InputError, UsageError

__all__ = ["Given", "Sheet", "fingerprint", "gather"]


@dataclass(frozen=True)
class Sheet:
    """A batch and the answers to it that count."""

    batch: Batch
    answers: tuple[Answer, ...]

    @property
    def given(self) -> tuple[Answer, ...]:
        """Answers that say something of an item; skipped ones, and notes alone, do not."""
        return tuple(one for one in self.answers if one.labels and not one.skipped)

    @property
    def strangers(self) -> tuple[str, ...]:
        """People who answered and were not asked; an open batch has none."""
        asked = set() if self.batch.open else set(self.batch.assignment)
        return () if not asked else tuple(sorted({a.annotator for a in self.answers} - asked))


@dataclass(frozen=True)
class Given:
    """A batch and its tie-break batches, with all answers."""

    first: Sheet
    ties: tuple[Sheet, ...] = ()

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """All batches, the first one first."""
        return (self.first, *self.ties)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What was asked."""
        return self.first.batch.questions

    @cached_property
    def rows(self) -> dict[str, Item]:
        """Items of the first batch that stand for a row, in its order; controls are not here."""
        return {i: item for i, item in self.first.batch.items.items() if self.key(i).kind == "row"}

    def key(self, item: str) -> Key:
        """What stands behind an item of the first batch."""
        return self.first.batch.keys[item]

    def digest(self) -> str:
        """A hash of all that was answered: another one means that somebody answered since."""
        lines = sorted(
            f"{place} {one.item} {one.annotator} {sorted(one.labels.items())} {one.skipped}"
            for place, sheet in enumerate(self.sheets)
            for one in sheet.answers
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def gather(folders: Sequence[Path]) -> Given:
    """Read a batch and, after it, its tie-break batches.

    Raises:
        UsageError: a batch is named twice.
        InputError: a folder is no batch, nobody answered it, an answer is to something that is not
            in it, or a later batch is no tie-break of the first.
        StoreError: the answers cannot be opened.
    """
    places = [folder.resolve() for folder in folders]
    if len(set(places)) < len(places):
        raise UsageError("a batch is named twice; name the batch once, its tie-breaks after it")
    first, *ties = (_sheet(folder) for folder in folders)
    given = Given(first, tuple(ties))
    _check_ties(given)
    return given


def _sheet(folder: Path) -> Sheet:
    batch = read_batch(folder)
    if not (folder / ANSWERS_FILE).is_file():
        raise InputError("nobody has answered it yet; import or serve it first", path=folder)
    store = batch.store()
    try:
        answers = tuple(store.answers())
    finally:
        store.close()
    if not answers:
        raise InputError("nobody has answered it yet; import or serve it first", path=folder)
    allowed = {question.name: set(question.answers) for question in batch.questions}
    for answer in answers:
        _check(answer, batch, allowed)
    return Sheet(batch, answers)


def _check(answer: Answer, batch: Batch, allowed: dict[str, set[str]]) -> None:
    """Refuse an answer that this batch cannot have."""
    path, at = batch.folder / ANSWERS_FILE, f"{answer.annotator} on {answer.item}"
    if answer.item not in batch.items:
        raise InputError("no such item in the batch: an answer to another one", path=path, at=at)
    for name, label in answer.labels.items():
        if label not in allowed.get(name, ()):
            raise InputError(f"`{label}` is no answer to `{name}`", path=path, at=at)


def fingerprint(batch: Batch) -> str:
    """The sha256 of a batch's manifest, by which its tie-breaks name it."""
    return hashlib.sha256((batch.folder / MANIFEST).read_bytes()).hexdigest()


def _check_ties(given: Given) -> None:
    rows, mark = given.rows, fingerprint(given.first.batch)
    seen = {(one.annotator, one.item) for one in given.first.given}
    for sheet in given.ties:
        batch = sheet.batch
        parent = batch.manifest.get("tie_break_of", {})
        if parent and parent.get("sha256") != mark:
            what = f"it breaks ties of another batch, {parent.get('batch')}"
            raise InputError(what, path=batch.folder)
        foreign = [i for i, key in batch.keys.items() if key.kind == "row" and i not in rows]
        if foreign:
            what = f"a foreign batch: {len(foreign)} rows ({foreign[0]} …) are not in the first one"
            raise InputError(what, path=batch.folder)
        for one in sheet.given:
            if (one.annotator, one.item) in seen and one.item in rows:
                what = f"{one.annotator} answered {one.item} in an earlier batch already"
                raise InputError(f"{what}; a tie is broken by somebody else", path=batch.folder)
        seen |= {(one.annotator, one.item) for one in sheet.given}
