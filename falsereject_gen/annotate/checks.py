"""What an entry of a file is worth: a good answer, or a problem with its file and line."""

import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry
from falsereject_gen.annotate.records import Answer, Item

__all__ = ["Checker", "Problem"]

Kind = Literal[
    "file", "unknown", "foreign", "double", "missing", "wrong", "broken", "nobody", "note"
]


class Problem(NamedTuple):
    """What could not be kept, or what somebody should know (kind `note`).

    Kinds: `file` as a whole, `unknown` id, `foreign` row (of another batch, of none, or with
    another text), `double` answer, `missing` (seen, not or not fully answered), `wrong` value,
    `broken` line, `nobody`: no annotator named.
    """

    kind: Kind
    file: str
    at: str
    what: str

    def __str__(self) -> str:
        return ": ".join([", ".join(part for part in (self.file, self.at) if part), self.what])


class Checker:
    """Checks entries of a batch one by one; `answers()` has the good ones at the end.

    A person's second answer to an item in one import is a problem when it says something else: the
    later one counts (by its time, else by its place).
    """

    def __init__(self, batch: Batch) -> None:
        self.problems: list[Problem] = []
        self._batch = batch
        self._allowed = {q.name: set(q.answers) for q in batch.questions}
        self._given = {name: set(ids) for name, ids in batch.assignment.items()}
        self._kept: dict[tuple[str, str], tuple[Answer, str]] = {}
        self._strangers: set[str] = set()

    def answers(self) -> list[Answer]:
        """The good answers, one a person and item, in the order in which they came."""
        return [answer for answer, _ in self._kept.values()]

    def check(self, entry: Entry, who: str, file: str, source: str) -> Answer | None:
        """Check an entry of somebody's file; None when there is no answer to keep in it."""
        if not (item := self._item(entry, file)):
            return None
        labels = self._labels(entry, file)
        note = entry.note if entry.note.strip() else ""
        if not (labels or note or entry.skipped or entry.flagged):
            if who and not any(entry.labels.values()):
                self._say("missing", file, entry.at, f"{item.id} is not answered")
            return None
        if not who:
            what = "nobody knows whose answer this is; use for-<annotator>/ or --annotator NAME"
            self._say("nobody", file, entry.at, what)
            return None
        self._complete(entry, labels, file)
        self._stranger(who, item, file, entry.at)
        answer = Answer(
            item=item.id,
            annotator=who,
            labels=labels,
            note=note,
            skipped=entry.skipped,
            flagged=entry.flagged,
            seconds=_seconds(entry.seconds),
            at=_utc(entry.when),
            source=f"{source}:{Path(file).name}",
        )
        self._keep(answer, file, entry.at)
        return answer

    def _say(self, kind: Kind, file: str, at: str, what: str) -> None:
        self.problems.append(Problem(kind, file, at, what))

    def _item(self, entry: Entry, file: str) -> Item | None:
        found = self._batch.items.get(entry.item)
        if entry.fault:
            self._say("broken", file, entry.at, entry.fault)
        elif not entry.item:
            self._say("foreign", file, entry.at, "no `item` id of ours")
        elif entry.batch and entry.batch != self._batch.name:
            self._say("foreign", file, entry.at, f"{entry.item} is of batch {entry.batch}")
        elif found is None:
            self._say("unknown", file, entry.at, f"no item {entry.item[:40]!r} in this batch")
        elif entry.prompt is not None and _squeezed(entry.prompt) != _squeezed(found.prompt):
            self._say("foreign", file, entry.at, f"{entry.item} has another text than ours")
        else:
            if entry.prompt is not None and entry.prompt != found.prompt:
                what = f"{entry.item}: the tool changed white space or accents of the text"
                self._say("note", file, entry.at, what)
            return found
        return None

    def _labels(self, entry: Entry, file: str) -> dict[str, str]:
        out = {}
        for name, value in entry.labels.items():
            values = [value] if isinstance(value, str) else value
            said = [one.strip().lower() for one in values if one.strip()]
            allowed = self._allowed.get(name)
            if allowed is None:
                self._say("wrong", file, entry.at, f"no question {name[:40]!r}")
            elif len(set(said)) > 1:
                self._say("wrong", file, entry.at, f"`{name}` has {len(said)} answers: {said}")
            elif said and said[0] not in allowed:
                order = next(q.answers for q in self._batch.questions if q.name == name)
                what = f"`{name}`: {said[0][:40]!r} is none of {', '.join(order)}"
                self._say("wrong", file, entry.at, what)
            elif said:
                out[name] = said[0]
        return {name: out[name] for name in self._allowed if name in out}

    def _complete(self, entry: Entry, labels: dict[str, str], file: str) -> None:
        if entry.skipped:
            return
        left = [name for name in self._allowed if not entry.labels.get(name)]
        if left:
            self._say("missing", file, entry.at, f"{entry.item}: {', '.join(left)} not answered")

    def _stranger(self, who: str, item: Item, file: str, at: str) -> None:
        if self._batch.open:
            return
        if who not in self._given and who not in self._strangers:
            self._strangers.add(who)
            self._say("note", file, at, f"{who} is not an annotator of this batch; answers kept")
        elif who in self._given and item.id not in self._given[who]:
            self._say("note", file, at, f"{item.id} was not given to {who}; answer kept")

    def _keep(self, answer: Answer, file: str, at: str) -> None:
        place = answer.annotator, answer.item
        before = self._kept.get(place)
        if before and _said(before[0]) != _said(answer):
            what = f"{answer.annotator} answered {answer.item} before, at {before[1]}; later counts"
            self._say("double", file, at, what)
        if not before or not (answer.at and before[0].at) or answer.at >= before[0].at:
            self._kept[place] = answer, f"{file}, {at}"


def _said(answer: Answer) -> tuple[object, ...]:
    return answer.labels, answer.note, answer.skipped, answer.flagged


def _squeezed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _seconds(value: object) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    return float(value) if fits and isinstance(value, int | float) else None


def _utc(when: str) -> str:
    """A time as ISO 8601 in UTC; empty when it is none."""
    try:
        found = datetime.fromisoformat(when)
    except ValueError:
        return ""
    return found.astimezone(UTC).isoformat() if found.tzinfo else ""
