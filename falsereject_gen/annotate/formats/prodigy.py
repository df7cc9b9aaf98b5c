"""Prodigy: JSON Lines for the `choice` interface with several choices, and its export back in.

    prodigy mark NAME prodigy.jsonl --view-id choice      (with prodigy.json as its settings)

Prodigy is not free software, so this is tried against its documented task format only.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, shown
from falsereject_gen.annotate.formats.jsonish import first_line, label, lines, one_line, spread
from falsereject_gen.annotate.questions import NOTE, QUESTIONS

__all__ = ["knows", "read", "write"]

_OPTIONS = [
    {"id": label(question.name, answer), "text": label(question.asks.split("?")[0], answer)}
    for question in QUESTIONS
    for answer in question.answers
]


def write(batch: Batch, annotator: str) -> dict[str, bytes]:
    """The files of one annotator: `prodigy.jsonl` and `prodigy.json`."""
    made = []
    for one in batch.assignment[annotator]:
        meta = shown(batch, batch.items[one])
        text = meta.pop("prompt")
        made.append(one_line({"text": text, "options": _OPTIONS, "meta": meta}))
    settings = {"choice_style": "multiple", "exclude_by": "input", "instructions": "guideline.html"}
    return {
        "prodigy.jsonl": b"".join(made),
        "prodigy.json": (json.dumps(settings, indent=1) + "\n").encode(),
    }


def knows(name: str, data: bytes) -> bool:
    """JSON Lines whose first object has Prodigy's `options`, or its `answer` and `accept`."""
    first = first_line(data) if name.lower().endswith((".jsonl", ".ndjson")) else None
    return isinstance(first, dict) and ("options" in first or {"answer", "accept"} <= set(first))


def read(data: bytes) -> Iterator[Entry]:
    """The answers of `prodigy db-out`; a task without `answer` has not been seen."""
    for at, task in lines(data):
        yield _entry(at, task) if task else Entry(at, "", fault="no JSON object on this line")


def _entry(at: str, task: dict[str, Any]) -> Entry:
    meta: Any = task.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    answer, accept = task.get("answer"), task.get("accept") or []
    who = str(task.get("_annotator_id") or task.get("_session_id") or "")
    stamp = task.get("_timestamp")
    return Entry(
        at,
        str(meta.get("item") or ""),
        task.get("text"),
        _person(who, str(task.get("_session_id") or "")),
        spread(accept if isinstance(accept, list) else [accept]) if answer == "accept" else {},
        str(task.get(NOTE) or ""),
        skipped=answer in ("reject", "ignore"),
        flagged=bool(task.get("flagged")),
        when=datetime.fromtimestamp(stamp, UTC).isoformat() if isinstance(stamp, int) else "",
        batch=str(meta.get("batch") or ""),
    )


def _person(who: str, session: str) -> str:
    """`anna` of `falsereject-anna`: Prodigy puts the data set's name before the session's."""
    return who.rpartition("-")[2] if who == session and "-" in who else who
