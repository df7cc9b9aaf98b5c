"""Label Studio: tasks and labelling config out; the exports JSON and JSON-MIN back in.

Its server is label_studio_api.py's. Tasks carry our item id in their data: Label Studio gives
tasks ids of its own.
"""

import json
from collections.abc import Iterator, Mapping
from statistics import mode
from typing import Any

from falsereject_gen.annotate.folder import Batch
from falsereject_gen.annotate.formats import Entry, shown
from falsereject_gen.annotate.formats.jsonish import parse
from falsereject_gen.annotate.questions import NOTE, QUESTIONS, labeling_config
from falsereject_gen.annotate.records import Key
from falsereject_gen.errors import InputError

__all__ = ["knows", "read", "read_tasks", "tasks", "write"]

_QUESTIONS = {question.name for question in QUESTIONS}


def write(batch: Batch, annotator: str) -> dict[str, bytes]:
    """The files of one annotator: `tasks.json` and `labeling_config.xml`."""
    made = json.dumps(tasks(batch, annotator), indent=1, ensure_ascii=False) + "\n"
    config = labeling_config(batch.warning)
    return {"tasks.json": made.encode(), "labeling_config.xml": config.encode()}


def tasks(batch: Batch, annotator: str) -> list[dict[str, Any]]:
    """The tasks of one annotator, with predictions when the batch is not meant to be blind."""
    ids = batch.assignment[annotator]
    out: list[dict[str, Any]] = [{"data": shown(batch, batch.items[one])} for one in ids]
    if not batch.manifest.get("blind", True):
        usual = _usual(batch)
        for task, one in zip(out, ids, strict=True):
            task["predictions"] = [_prediction(_opinion(batch.keys[one]) or usual)]
    return out


def _opinion(key: Key) -> dict[str, str]:
    if key.harm is None or key.looks_toxic is None:
        return {}
    said = {"benign": key.harm < 0.5, "looks_toxic": key.looks_toxic >= 0.5}
    return {name: "yes" if true else "no" for name, true in said.items()}


def _usual(batch: Batch) -> dict[str, str]:
    """What most rows have: for controls, so that a missing opinion gives none away."""
    found = [said for key in batch.keys.values() if (said := _opinion(key))]
    return {name: mode(said[name] for said in found) for name in (found[0] if found else {})}


def _prediction(said: Mapping[str, str]) -> dict[str, Any]:
    result = [
        {"from_name": n, "to_name": "prompt", "type": "choices", "value": {"choices": [answer]}}
        for n, answer in said.items()
    ]
    return {"model_version": "falsereject-gen", "result": result}


def knows(name: str, data: bytes) -> bool:
    """A list of tasks with `data` and `annotations`, or of flat ones with an `annotation_id`."""
    if not name.lower().endswith(".json") or not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(
        b"["
    ):
        return False
    try:
        found = parse(data)
    except InputError:
        return False
    first = found[0] if found else None
    return isinstance(first, dict) and (
        isinstance(first.get("data"), dict) or {"annotation_id", "annotator"} <= set(first)
    )


def read(data: bytes) -> Iterator[Entry]:
    """The annotations of an export; a task that nobody has annotated is an entry with nothing."""
    found = parse(data)
    if not isinstance(found, list):
        raise InputError("not an export of Label Studio: a list of tasks is expected")
    yield from read_tasks(found)


def read_tasks(found: list[Any]) -> Iterator[Entry]:
    """The annotations of tasks as the export (or the server) gives them."""
    for number, task in enumerate(found, 1):
        at = f"task {number}"
        if not isinstance(task, dict):
            yield Entry(at, "", fault="no task but something else")
        elif isinstance(task.get("data"), dict):
            yield from _full(at, task)
        else:
            yield _flat(at, task)


def _full(at: str, task: Mapping[str, Any]) -> Iterator[Entry]:
    data, said = task["data"], task.get("annotations")
    base = Entry(at, _text(data.get("item")), data.get("prompt"), batch=_text(data.get("batch")))
    if not said:
        yield base
    for number, one in enumerate(said or [], 1):
        here = f"{at}, annotation {number}"
        if not isinstance(one, dict):
            yield base._replace(at=here, fault="no annotation but something else")
            continue
        labels, note = _results(one.get("result"))
        yield base._replace(
            at=here,
            annotator=_who(one.get("completed_by")),
            labels=labels,
            note=note,
            skipped=bool(one.get("was_cancelled")),
            seconds=one.get("lead_time"),
            when=_text(one.get("updated_at") or one.get("created_at")),
        )


def _results(result: Any) -> tuple[dict[str, str | list[str]], str]:
    labels: dict[str, str | list[str]] = {}
    notes: list[str] = []
    for one in result if isinstance(result, list) else []:
        name, value = str(one.get("from_name")), one.get("value") or {}
        if name == NOTE:
            text = value.get("text") or []
            notes += [text] if isinstance(text, str) else map(str, text)
        else:
            chosen = [str(choice) for choice in value.get("choices") or []]
            labels[name] = chosen[0] if len(chosen) == 1 else chosen
    return labels, "\n".join(notes)


def _flat(at: str, task: Mapping[str, Any]) -> Entry:
    note = task.get(NOTE) or ""
    return Entry(
        at,
        _text(task.get("item")),
        task.get("prompt"),
        _who(task.get("annotator")),
        {n: _one(task[n]) for n in task if n in _QUESTIONS},
        note if isinstance(note, str) else "\n".join(map(str, note)),
        seconds=task.get("lead_time"),
        when=_text(task.get("updated_at") or task.get("created_at")),
        batch=_text(task.get("batch")),
    )


def _one(value: Any) -> str | list[str]:
    """JSON-MIN writes one choice as text, several as `{"choices": [...]}`."""
    many = value.get("choices") if isinstance(value, dict) else value
    return [str(part) for part in many] if isinstance(many, list) else _text(many)


def _who(value: Any) -> str:
    """An e-mail address, or `#7` for a user whose number alone is given."""
    if isinstance(value, dict):
        return _text(value.get("email") or value.get("username")) or _who(value.get("id"))
    return f"#{value}" if isinstance(value, int) else _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
