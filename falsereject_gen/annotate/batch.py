"""Writes an annotation batch: a plan as a folder, with the files of the tools that people use.

It is blind: scores, probes, strategy, seeds and which items are controls stand in key.jsonl alone.
Which rows and who gets them is plan.py; what stands in the folder is said in folder.py.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from falsereject_gen.annotate.controls import Pools, load_pools
from falsereject_gen.annotate.folder import ANSWERS_FILE, FORMAT, ITEMS, KEYS, MANIFEST, Batch
from falsereject_gen.annotate.formats import writer
from falsereject_gen.annotate.guideline import guideline_html, guideline_md
from falsereject_gen.annotate.plan import Plan, Wanted, make_plan
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.annotate.store import AnswerStore
from falsereject_gen.errors import StoreError
from falsereject_gen.files import replace_folder
from falsereject_gen.records import Record, Row, canonical
from falsereject_gen.rooms import Rooms
from falsereject_gen.settings import AnnotationSettings

__all__ = ["AUTOMATIC", "WARNING", "export", "write_batch"]

AUTOMATIC = ("label-studio", "csv")
"""Formats of the batch that every run leaves behind."""
WARNING = (
    "Content warning: some of these requests are really harmful, most only sound so. They name "
    "violence, crime, abuse, hate and self-harm. Skip what you would rather not read; take breaks."
)


def export(plan: Plan, folder: Path, formats: Sequence[str], *, preannotate: bool = False) -> Batch:
    """Write a planned batch; the same plan and formats give the same bytes.

    Args:
        plan: items, keys and who gets what.
        folder: put in place as a whole; files of others in it (somebody's export, notes) stay.
        formats: names of `formats.FORMATS`, for each annotator.
        preannotate: give tools that can show one the judge's opinion; the batch is not blind then.

    Raises:
        UsageError: an unknown format.
        StoreError: the folder has answers already, or cannot be written; it is untouched.
        InputError: a text does not fit a format.
    """
    writers = [writer(name) for name in formats]
    if count := _answers(folder):
        what = f"holds {count:,} answers; choose another folder"
        raise StoreError(f"{folder}: {what}")
    batch = _batch(plan, folder, formats, preannotate)
    out = {
        ITEMS: _lines(plan.items),
        KEYS: _lines(plan.keys),
        "guideline.md": guideline_md().encode(),
        "guideline.html": guideline_html(batch.warning).encode(),
        "README.md": _readme(),
    }
    for name in plan.assignment:
        out[f"for-{name}/guideline.html"] = out["guideline.html"]
        for one in writers:
            made = one.write(batch, name)
            out |= {f"for-{name}/{file}": data for file, data in made.items()}
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in out.items()}
    batch = replace(batch, manifest={**batch.manifest, "sha256": sums})
    out[MANIFEST] = _json(batch.manifest)
    replace_folder(folder, out, {*out, *_before(folder)})
    return batch


def write_batch(
    rows: Sequence[Row],
    folder: Path,
    *,
    size: int,
    rng: int,
    rooms: Rooms | None = None,
    annotation: AnnotationSettings | None = None,
) -> Path:
    """Write the batch that every run leaves behind, open to whoever annotates.

    Args:
        rows: published rows.
        folder: where; with answers in it already, the next number is taken (batch-2).
        size: rows in the batch; 0, or more than there are, takes all. The manifest says both.
        rng: random seed of the sample and of its order.
        rooms: where controls come from; without it none are mixed in.
        annotation: shares of controls; the defaults otherwise.

    Returns:
        The folder that was written.

    Raises:
        StoreError: the folder cannot be written; an earlier one is untouched.
    """
    how = annotation or AnnotationSettings()
    wanted = Wanted(
        size=size,
        rng=rng,
        controls=how.controls if rooms else 0.0,
        attention=how.attention,
        toxic_side=how.toxic_side,
    )
    # a door of its own: what a run's rooms have read decides its id
    pools = load_pools(Rooms(rooms.overlay)) if rooms else Pools()
    plan = make_plan(rows, pools, wanted)
    while _answers(folder):
        stem, number = re.fullmatch(r"(.*?)(\d*)", folder.name).groups()  # type: ignore[union-attr]
        folder = folder.with_name(f"{stem}{int(number or 1) + 1}")
    export(plan, folder, AUTOMATIC)
    return folder


def _batch(plan: Plan, folder: Path, formats: Sequence[str], preannotate: bool) -> Batch:
    kinds = {key.kind for key in plan.keys}
    schema = [question._asdict() for question in QUESTIONS]
    manifest = {
        "format": FORMAT,
        "name": folder.resolve().name,
        "warning": WARNING if "control-toxic" in kinds else "",
        **plan.told,
        "limits": list(plan.limits),
        "formats": list(formats),
        "blind": not preannotate,
        "questions": {question.name: list(question.answers) for question in QUESTIONS},
        "schema_sha256": hashlib.sha256(canonical(schema).encode()).hexdigest(),
        "assignment": plan.assignment,
    }
    items = {item.id: item for item in plan.items}
    keys = {key.item: key for key in plan.keys}
    return Batch(folder, manifest, items, keys, plan.assignment)


def _answers(folder: Path) -> int:
    """How many answers a folder holds."""
    path = folder / ANSWERS_FILE
    if not path.is_file():
        return 0
    store = AnswerStore(path)
    try:
        return len(store.answers())
    finally:
        store.close()


def _before(folder: Path) -> set[str]:
    """Files that an earlier batch in the folder had; those of its own that are gone must go."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {str(name) for name in found["sha256"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _lines(records: Iterable[Record]) -> bytes:
    return "".join(f"{record.model_dump_json()}\n" for record in records).encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _readme() -> bytes:
    return files("falsereject_gen.annotate").joinpath("readme.md").read_bytes()
