"""A batch as a folder: what stands in it, and the one way to read it.

    batch.json     manifest: how it was drawn, who gets what in which order, sha256 of every file
    items.jsonl    one `Item` a line: what people see
    key.jsonl      one `Key` a line: what stands behind each item; kept from annotators
    answers.sqlite answers, made when the first is kept (store.py)

Making a batch is plan.py and batch.py.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from falsereject_gen.annotate.questions import QUESTIONS, Question
from falsereject_gen.annotate.records import Item, Key
from falsereject_gen.annotate.store import AnswerStore
from falsereject_gen.errors import InputError
from falsereject_gen.records import Record

__all__ = ["ANSWERS_FILE", "FORMAT", "ITEMS", "KEYS", "MANIFEST", "Batch", "read_batch"]

FORMAT = 2
"""Format of batch.json. Format 1 had no items.jsonl and no assignment."""
MANIFEST, ITEMS, KEYS = "batch.json", "items.jsonl", "key.jsonl"
ANSWERS_FILE = "answers.sqlite"
_Kind = TypeVar("_Kind", bound=Record)


@dataclass(frozen=True)
class Batch:
    """A batch: its items by id, what stands behind them, and each annotator's item ids in order.

    `manifest` is batch.json as it stands; `warning` in it is the content warning that people see
    before they begin (empty when nothing toxic was mixed in).
    """

    folder: Path
    manifest: Mapping[str, Any]
    items: Mapping[str, Item]
    keys: Mapping[str, Key]
    assignment: Mapping[str, list[str]]
    questions: tuple[Question, ...] = QUESTIONS

    @property
    def name(self) -> str:
        """The batch's name: that of its folder when it was made."""
        return str(self.manifest["name"])

    @property
    def warning(self) -> str:
        """The content warning for people who are about to read it; may be empty."""
        return str(self.manifest.get("warning") or "")

    @property
    def open(self) -> bool:
        """Whether whoever comes may annotate: it was made for nobody by name."""
        return bool(self.manifest.get("open"))

    def store(self) -> AnswerStore:
        """The batch's answers, opened; the caller closes it.

        Raises:
            StoreError: answers.sqlite cannot be used.
        """
        return AnswerStore(self.folder / ANSWERS_FILE)


def read_batch(folder: Path) -> Batch:
    """Read a batch's folder.

    Raises:
        InputError: it is no batch, or something in it is missing, broken or changed.
    """
    manifest = _manifest(folder)
    items = {item.id: item for item in _lines(folder, ITEMS, Item, manifest)}
    keys = {key.item: key for key in _lines(folder, KEYS, Key, manifest)}
    path, assignment = folder / MANIFEST, manifest["assignment"]
    for annotator, ids in assignment.items():
        if lost := [item for item in ids if item not in items]:
            raise InputError(f"{annotator} is given {lost[0]}, not in {ITEMS}", path=path)
    if lost := [item for item in items if item not in keys]:
        raise InputError(f"{lost[0]} of {ITEMS} is missing", path=folder / KEYS)
    return Batch(folder, manifest, items, keys, assignment)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        what = f"no annotation batch: no {MANIFEST} in it"
        raise InputError(what, path=folder) from None
    except (OSError, ValueError) as fault:
        raise InputError(f"cannot be read: {fault}", path=path) from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        made = found.get("format") if isinstance(found, dict) else None
        what = f"format {made}, this version reads {FORMAT}; export the batch anew"
        raise InputError(what, path=path)
    for name, kind in (("assignment", dict), ("questions", dict), ("sha256", dict), ("name", str)):
        if not isinstance(found.get(name), kind):
            raise InputError(f"`{name}` is missing or malformed", path=path)
    if found["questions"] != {one.name: list(one.answers) for one in QUESTIONS}:
        raise InputError("its questions are not those of this version", path=path)
    return found


def _lines(folder: Path, name: str, kind: type[_Kind], manifest: Mapping[str, Any]) -> list[_Kind]:
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", path=path) from None
    if hashlib.sha256(data).hexdigest() != manifest["sha256"].get(name):
        raise InputError("not the file that the batch was made with (sha256)", path=path)
    out = []
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            out.append(kind.model_validate_json(line))
        except ValidationError as fault:
            first = fault.errors()[0]
            what = f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
            raise InputError(what, path=path, at=f"line {number}") from None
    return out
