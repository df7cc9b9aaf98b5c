"""What our own page saves: one person's answers in one JSON file. Only read here.

{"format": "falsereject-gen-answers/1", "batch": name, "annotator": name, "answers": [Answer, …]}
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from falsereject_gen.annotate.formats import Entry
from falsereject_gen.annotate.formats.jsonish import parse
from falsereject_gen.annotate.records import Answer
from falsereject_gen.errors import InputError

__all__ = ["FORMAT", "knows", "read"]

FORMAT = "falsereject-gen-answers/1"


def knows(name: str, data: bytes) -> bool:
    """JSON that says so."""
    return b'"falsereject-gen-answers/' in data[:500] and not name.lower().endswith(".html")


def read(data: bytes) -> Iterator[Entry]:
    """The answers of the file."""
    found = parse(data)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        made = found.get("format") if isinstance(found, dict) else None
        raise InputError(f"answers in format {made}; this version reads {FORMAT}")
    if not isinstance(found.get("answers"), list):
        raise InputError("`answers` is missing or no list")
    who, batch = str(found.get("annotator") or ""), str(found.get("batch") or "")
    for number, one in enumerate(found["answers"], 1):
        yield _entry(f"answer {number}", one, who)._replace(batch=batch)


def _entry(at: str, found: Any, who: str) -> Entry:
    if not isinstance(found, dict):
        return Entry(at, "", fault="no answer but something else")
    try:
        said = Answer.model_validate({**found, "annotator": found.get("annotator") or who or "?"})
    except ValidationError as fault:
        first = fault.errors()[0]
        what = f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}"
        return Entry(at, str(found.get("item") or ""), fault=what)
    return Entry(
        at,
        said.item,
        None,
        said.annotator if said.annotator != "?" else "",
        dict(said.labels),
        said.note,
        said.skipped,
        said.flagged,
        said.seconds,
        said.at,
    )
