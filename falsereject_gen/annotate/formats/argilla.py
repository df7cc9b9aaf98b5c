"""Argilla 2: a dataset folder as `rg.Dataset.from_disk` loads it, and its records back in.

Written as plain JSON, so that nobody needs Argilla's SDK to make a batch. Text is escaped to ASCII:
the SDK reads with the machine's own encoding.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, shown
from falsereject_gen.annotate.formats.jsonish import parse
from falsereject_gen.annotate.guideline import guideline_md
from falsereject_gen.annotate.questions import NOTE, QUESTIONS, Question
from falsereject_gen.errors import InputError

__all__ = ["knows", "read", "write"]

_HIDDEN = ("item", "batch")


def write(batch: Batch, annotator: str) -> dict[str, bytes]:
    """The files of one annotator: a folder `argilla/` with settings, dataset and records."""
    name = f"{batch.name}-{annotator}"
    made = {
        ".argilla/settings.json": _settings(batch.warning),
        ".argilla/dataset.json": _dataset(name),
        ".argilla/version.json": {"argilla": "2.8.0"},
        "records.json": [_record(batch, one) for one in batch.assignment[annotator]],
    }
    return {f"argilla/{file}": _json(value) for file, value in made.items()}


def _settings(warning: str) -> dict[str, Any]:
    fields = [("prompt", "Request", True), ("category", "Category", True)]
    return {
        "guidelines": "\n\n".join(part for part in (warning, guideline_md()) if part),
        "fields": [
            {"name": n, "title": t, "required": r, "type": "text", "settings": {"type": "text"}}
            for n, t, r in fields
        ],
        "questions": [*map(_question, QUESTIONS), _note()],
        "metadata": [
            {
                "name": name,
                "title": name,
                "visible_for_annotators": False,
                "settings": {"type": "terms", "visible_for_annotators": False},
            }
            for name in _HIDDEN
        ],
        "vectors": [],
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }


def _question(question: Question) -> dict[str, Any]:
    options = [{"text": answer, "value": answer} for answer in question.answers]
    return {
        "name": question.name,
        "title": question.asks,
        "required": True,
        "type": "label_selection",
        "settings": {"type": "label_selection", "options": options, "visible_options": None},
    }


def _note() -> dict[str, Any]:
    return {
        "name": NOTE,
        "title": "Note: what made you hesitate?",
        "required": False,
        "type": "text",
        "settings": {"type": "text", "use_markdown": False},
    }


def _dataset(name: str) -> dict[str, Any]:
    return {"name": name, "status": "draft", "allow_extra_metadata": False}


def _record(batch: Batch, one: str) -> dict[str, Any]:
    data = shown(batch, batch.items[one])
    category = f"{data['category_name']} ({data['domain']})"
    return {
        "id": one,
        "fields": {"prompt": data["prompt"], "category": category},
        "metadata": {name: data[name] for name in _HIDDEN},
        "suggestions": {},
        "responses": {},
        "vectors": {},
        "status": "pending",
    }


def knows(name: str, data: bytes) -> bool:
    """A list of records with `fields` and `responses`."""
    if not name.lower().endswith(".json"):
        return False
    try:
        found = parse(data)
    except InputError:
        return False
    first = found[0] if isinstance(found, list) and found else None
    return isinstance(first, dict) and {"fields", "responses"} <= set(first)


def read(data: bytes) -> Iterator[Entry]:
    """The responses of `dataset.records.to_json`, an entry a person; none: an entry with nothing.

    The SDK writes the user's id, not the name.
    """
    found = parse(data)
    if not isinstance(found, list):
        raise InputError("not an export of Argilla: a list of records is expected")
    for number, record in enumerate(found, 1):
        at = f"record {number}"
        if isinstance(record, dict):
            yield from _responses(at, record)
        else:
            yield Entry(at, "", fault="no record but something else")


def _responses(at: str, record: Mapping[str, Any]) -> Iterator[Entry]:
    meta, fields = record.get("metadata") or {}, record.get("fields") or {}
    base = Entry(
        at,
        str(meta.get("item") or record.get("id") or ""),
        fields.get("prompt"),
        batch=str(meta.get("batch") or ""),
    )
    people: dict[str, dict[str, Any]] = {}
    for name, responses in (record.get("responses") or {}).items():
        for one in responses or []:
            user = f"#{one['user_id']}" if one.get("user_id") else ""
            who = people.setdefault(user, {})
            who[name] = one.get("value")
            who["skipped"] = who.get("skipped") or one.get("status") == "discarded"
    for user, said in people.items():
        note, skipped = said.pop(NOTE, None) or "", bool(said.pop("skipped"))
        labels: dict[str, str | list[str]] = {n: str(v or "") for n, v in said.items()}
        yield base._replace(annotator=user, labels=labels, note=str(note), skipped=skipped)
    if not people:
        yield base


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
