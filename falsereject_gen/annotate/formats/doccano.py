"""doccano: JSON Lines of a text-classification project and its labels, and its export back in.

doccano gives examples ids of its own and keeps other fields as metadata: ours is `item`. Each
person exports to a file `<username>.jsonl`, so the file's name says who it was.
"""

import json
from collections.abc import Iterator
from typing import Any

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, shown
from falsereject_gen.annotate.formats.jsonish import first_line, label, lines, one_line, spread
from falsereject_gen.annotate.questions import QUESTIONS

__all__ = ["knows", "read", "write"]

_COLOURS = {"yes": "#2f7d4f", "no": "#a33b3b", "unclear": "#6b6b6b"}


def write(batch: Batch, annotator: str) -> dict[str, bytes]:
    """The files of one annotator: `doccano.jsonl` and `doccano_labels.json`."""
    made = []
    for one in batch.assignment[annotator]:
        data = shown(batch, batch.items[one])
        made.append(one_line({"text": data.pop("prompt"), "label": [], **data}))
    labels = [
        {
            "text": label(question.name, answer),
            "suffixKey": key,
            "backgroundColor": _COLOURS[answer],
            "textColor": "#ffffff",
        }
        for question in QUESTIONS
        for answer, key in zip(question.answers, question.keys, strict=True)
    ]
    return {
        "doccano.jsonl": b"".join(made),
        "doccano_labels.json": (json.dumps(labels, indent=1) + "\n").encode(),
    }


def knows(name: str, data: bytes) -> bool:
    """JSON Lines whose first object has a `text` and a list `label` or `labels`."""
    first = first_line(data) if name.lower().endswith((".jsonl", ".ndjson")) else None
    return (
        isinstance(first, dict)
        and "text" in first
        and any(isinstance(first.get(key), list) for key in ("label", "labels"))
    )


def read(data: bytes) -> Iterator[Entry]:
    """The examples of an export; without labels and comments nobody has answered."""
    for at, found in lines(data):
        yield _entry(at, found) if found else Entry(at, "", fault="no JSON object on this line")


def _entry(at: str, found: dict[str, Any]) -> Entry:
    meta: Any = found.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    labels, said = found.get("label", found.get("labels")) or [], found.get("Comments") or []
    return Entry(
        at,
        str(found.get("item") or meta.get("item") or ""),
        found.get("text"),
        str(found.get("username") or ""),
        spread(labels if isinstance(labels, list) else [labels]),
        "\n".join(map(str, said)) if isinstance(said, list) else str(said),
        batch=str(found.get("batch") or meta.get("batch") or ""),
    )
