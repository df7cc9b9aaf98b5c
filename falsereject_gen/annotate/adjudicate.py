"""One label a question for each row of a batch, and the rows that people dispute.

Writes decisions.jsonl and adjudication.json into the batch's folder; breaking ties is tie_break.py,
the rules are decide.py, publishing is falsereject_gen/publish.py.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from falsereject_gen.annotate.agreement.gather import Given, Sheet
from falsereject_gen.annotate.dawid_skene import Chances, Said, chances
from falsereject_gen.annotate.decide import METHODS, UNDECIDED, Decision, Method, decide
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.files import replace_folder
from falsereject_gen.records import Record

__all__ = ["FOLDER", "NEEDED", "Adjudication", "Judged", "adjudicate", "read_adjudication"]

FOLDER, _ROWS, _ALL = "adjudication", "decisions.jsonl", "adjudication.json"
FORMAT = 1
_ENOUGH = 3
NEEDED = ("benign", "looks_toxic")
"""Questions without which a row is disputed, unless told otherwise."""


class Judged(Record):
    """A row and what was decided of it."""

    item: str
    row_id: str
    decisions: dict[str, Decision]

    @property
    def unanswered(self) -> bool:
        """Whether nobody answered any question of it: not disputed, but open."""
        return all(one.undecided == "no_answers" for one in self.decisions.values())

    def disputed(self, needed: Sequence[str]) -> tuple[str, ...]:
        """Needed questions without a label."""
        return tuple(name for name in needed if not self.decisions[name].label)


@dataclass(frozen=True)
class Adjudication:
    """Decisions on all rows of a batch.

    `facts` is adjudication.json: method, needed questions, batches, a digest of the answers, what
    was decided how, and what the user should know.
    """

    rows: tuple[Judged, ...]
    facts: Mapping[str, Any]

    @property
    def needed(self) -> tuple[str, ...]:
        """Questions without which a row is disputed."""
        return tuple(self.facts["needed"])

    @property
    def disputed(self) -> tuple[Judged, ...]:
        """Rows that somebody answered and that lack a label to a needed question."""
        return tuple(r for r in self.rows if not r.unanswered and r.disputed(self.needed))

    def lines(self) -> Iterator[str]:
        """What was decided, for a person: a line a question, notes, and how many are disputed."""
        for name, parts in self.facts["decided"].items():
            labels = ", ".join(f"{count:,} {label}" for label, count in parts["label"].items())
            left = "; ".join(f"{n:,} {UNDECIDED[why]}" for why, n in parts["undecided"].items())
            yield f"{name}: {labels or 'none decided'}{'; undecided: ' if left else ''}{left}"
        for note in self.facts["notes"]:
            yield f"note: {note}"
        disputed, none = len(self.disputed), sum(row.unanswered for row in self.rows)
        open_ = f", {none:,} that nobody answered" if none else ""
        yield f"{len(self.rows) - disputed - none:,} rows decided, {disputed:,} disputed{open_}"

    def write(self, folder: Path) -> Path:
        """Write both files into FOLDER of a batch's folder.

        Raises:
            StoreError: they cannot be written; what was there is untouched.
        """
        place = folder / FOLDER
        lines = "".join(f"{row.model_dump_json()}\n" for row in self.rows)
        facts = json.dumps(self.facts, indent=1, ensure_ascii=False) + "\n"
        files = {_ROWS: lines.encode(), _ALL: facts.encode()}
        replace_folder(place, files, set(files))
        return place


def adjudicate(
    given: Given, method: str, *, needed: Sequence[str] = NEEDED, sure: float = 0.95
) -> Adjudication:
    """Decide every question on every row.

    Args:
        given: a batch, its tie-breaks, all answers.
        method: majority, unanimous or dawid-skene.
        needed: questions without which a row is disputed; `benign` is always one.
        sure: probability from which dawid-skene decides.

    Raises:
        UsageError: an unknown method or question, or crowd-kit is missing.
    """
    known = next((one for one in METHODS if one == method), None)
    if known is None:
        raise UsageError(f"--method {method}: known are {', '.join(METHODS)}")
    names = [question.name for question in given.questions]
    for name in needed:
        if name not in names:
            raise UsageError(f"--need {name}: the questions are {', '.join(names)}")
    models = _models(given) if known == "dawid-skene" else {}
    rows = list(_judged(given, known, models, sure))
    facts = {
        "format": FORMAT,
        "batch": given.first.batch.name,
        "tie_breaks": [sheet.batch.name for sheet in given.ties],
        "method": method,
        **({"sure": sure} if models else {}),
        "needed": [name for name in names if name in needed or name == "benign"],
        "answers_sha256": given.digest(),
        "decided": _summary(rows),
        "notes": list(_notes(given, models, rows)),
    }
    return Adjudication(tuple(rows), facts)


def _judged(
    given: Given, method: Method, models: Mapping[str, Chances], sure: float
) -> Iterator[Judged]:
    first, ties = _counts([given.first]), _counts(given.ties)
    for item in given.rows:
        decisions = {}
        for question in given.questions:
            place, model = (item, question.name), models.get(question.name)
            decisions[question.name] = decide(
                method,
                dict.fromkeys(question.answers, 0) | first.get(place, {}),
                ties.get(place, {}),
                chances=model.by_item.get(item) if model else None,
                sure=sure,
            )
        yield Judged(item=item, row_id=given.key(item).row_id, decisions=decisions)


def read_adjudication(folder: Path) -> Adjudication:
    """What `Adjudication.write` wrote into a batch's folder.

    Raises:
        InputError: it is not there, or cannot be read.
    """
    place = folder / FOLDER
    try:
        facts = json.loads((place / _ALL).read_text(encoding="utf-8"))
        lines = (place / _ROWS).read_bytes().split(b"\n")[:-1]
        rows = tuple(Judged.model_validate_json(line) for line in lines)
    except FileNotFoundError:
        what = "not adjudicated yet; call `falsereject-gen annotate adjudicate` first"
        raise InputError(what, path=folder) from None
    except (OSError, ValueError, ValidationError) as fault:
        what = f"cannot be read: {str(fault).splitlines()[0]}; adjudicate again"
        raise InputError(what, path=place) from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise InputError("of another version; adjudicate again", path=place / _ALL)
    return Adjudication(rows, facts)


def _counts(sheets: Sequence[Sheet]) -> dict[tuple[str, str], Counter[str]]:
    """People by answer, for each item and question."""
    out: dict[tuple[str, str], Counter[str]] = {}
    for sheet in sheets:
        for answer in sheet.given:
            for name, label in answer.labels.items():
                out.setdefault((answer.item, name), Counter())[label] += 1
    return out


def _models(given: Given) -> dict[str, Chances]:
    answers = [answer for sheet in given.sheets for answer in sheet.given]
    keys = {item: key for sheet in given.sheets for item, key in sheet.batch.keys.items()}
    out = {}
    for question in given.questions:
        name = question.name
        said = [Said(a.item, a.annotator, a.labels[name]) for a in answers if name in a.labels]
        gold = {item: key.expected[name] for item, key in keys.items() if name in key.expected}
        out[name] = chances(said, gold)
    return out


def _summary(rows: Sequence[Judged]) -> dict[str, dict[str, dict[str, int]]]:
    """By question: rows by label, by how they were decided, and by why they were not."""
    out: dict[str, dict[str, Counter[str]]] = {}
    for row in rows:
        for name, one in row.decisions.items():
            parts = out.setdefault(name, {k: Counter() for k in ("label", "how", "undecided")})
            for part, counter in parts.items():
                if value := getattr(one, part):
                    counter[value] += 1
    return {name: {k: dict(c.most_common()) for k, c in p.items()} for name, p in out.items()}


def _notes(given: Given, models: Mapping[str, Chances], rows: Sequence[Judged]) -> Iterator[str]:
    people = {answer.annotator for sheet in given.sheets for answer in sheet.given}
    if models and len(people) < _ENOUGH:
        yield f"{len(people)} annotators: the model cannot tell who errs; it wants three or more"
    for name, model in models.items():
        if not model.settled:
            yield f"{name}: the model did not come to rest in {model.rounds} rounds"
        against = sum(_against(row.decisions[name]) for row in rows)
        if against:
            yield f"{name}: on {against} rows the model decides what no majority said"


def _against(one: Decision) -> bool:
    """A label that does not have more than half of the answers."""
    return bool(one.label) and 2 * one.counts.get(one.label, 0) <= sum(one.counts.values())
