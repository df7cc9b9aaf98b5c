"""Reads what a browser sent: one form, as an answer or as the reason why it is none."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from falsereject_gen.annotate.pages.look import NOTE_LENGTH
from falsereject_gen.annotate.questions import Question
from falsereject_gen.annotate.records import Answer
from falsereject_gen.errors import InputError

__all__ = ["SOURCE", "answer_of", "fields_of"]

SOURCE = "annotate serve"
_FIELDS = 40


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of an urlencoded form; the first of a name counts.

    Raises:
        InputError: it is no such form.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError as fault:
        raise InputError(f"not a form: {fault}") from None
    return dict(reversed(pairs))


def answer_of(
    fields: dict[str, str], who: str, item: str, questions: Sequence[Question]
) -> tuple[Answer, str]:
    """What a person sent of an item, and what is wrong with it (empty when it can be kept)."""
    skipped = fields.get("do") == "skip"
    chosen = {q.name: fields[q.name] for q in questions if fields.get(q.name) in q.answers}
    note = fields.get("note", "").replace("\r\n", "\n").strip()
    answer = Answer(
        item=item,
        annotator=who,
        labels={} if skipped else chosen,
        note=note,
        skipped=skipped,
        flagged="flagged" in fields,
        seconds=_seconds(fields.get("seconds", "")),
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        source=SOURCE,
    )
    left = 0 if skipped else len(questions) - len(chosen)
    if left:
        return answer, "One question is open." if left == 1 else f"{left} questions are open."
    if len(note) > NOTE_LENGTH:
        return answer, f"The note has {len(note):,} characters; {NOTE_LENGTH:,} can be kept."
    return answer, ""


def _seconds(text: str) -> float | None:
    """Time spent as the page measured it; None when it did not, or said nonsense."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
