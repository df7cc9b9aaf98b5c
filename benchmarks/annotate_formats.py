"""How long 10,000 rows for 3 people take out to each format and back, and what memory they need.

`python benchmarks/annotate_formats.py [ROWS] [--out FILE]` runs each step in its own process.
The rows are made up; the controls are ours.
"""

import argparse
import csv
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

from machine import facts

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.controls import load_pools
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.formats.jsonish import label
from falsereject_gen.annotate.inbox import import_files
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.records import Row, Strategy, content_id
from falsereject_gen.rooms import Rooms
from falsereject_gen.taxonomy import load_taxonomy

FORMATS = ("label-studio", "argilla", "prodigy", "doccano", "csv", "xlsx", "page")
NAMES = ("anna", "bob", "carla")
ALL = {question.name: question.answers[0] for question in QUESTIONS}


def made_rows(count):
    categories, strategies = [*load_taxonomy(Rooms())[0]], get_args(Strategy)
    more = dict.fromkeys(("entities", "seed_ids", "refused_by", "complied_by"), ())
    more |= {"cast": "embedded", "rounds": 1, "run_id": "run-1", "looks_toxic": 0.9}
    for k in range(count):
        text = f"How does a stagehand kill spotlight number {k} before the ghost shoots the king?"
        one = categories[k % len(categories)]
        yield Row(
            id=content_id("r", text),
            prompt=text,
            category=one.id,
            category_name=one.name,
            domain=one.domain,
            strategy=strategies[k // 44 % 12],
            harm=k % 97 / 200,
            nearest_id="",
            nearest_score=0.0,
            **more,
        )


def fill(folder, name, ids):
    """A file with all answers, as the tool would save it."""
    labels = [label(n, a) for n, a in ALL.items()]
    if name == "label-studio":
        result = [
            {"from_name": n, "type": "choices", "value": {"choices": [a]}} for n, a in ALL.items()
        ]
        tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
        for task in tasks:
            task["annotations"] = [{"completed_by": 1, "result": result, "lead_time": 9.5}]
        return save(folder / "done.json", json.dumps(tasks))
    if name == "argilla":
        records = json.loads((folder / "argilla/records.json").read_text(encoding="utf-8"))
        for record in records:
            record["responses"] = {n: [{"value": a, "user_id": "u"}] for n, a in ALL.items()}
        return save(folder / "done.json", json.dumps(records))
    if name in ("prodigy", "doccano"):
        more = {"accept": labels, "answer": "accept"} if name == "prodigy" else {"label": labels}
        lines = (folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
        return save(
            folder / "done.jsonl", "\n".join(json.dumps(json.loads(one) | more) for one in lines)
        )
    if name == "page":
        said = [{"item": one, "labels": ALL, "seconds": 9.5} for one in ids]
        head = {"format": "falsereject-gen-answers/1", "batch": "b", "annotator": ""}
        return save(folder / "done.json", json.dumps({**head, "answers": said}))
    return fill_sheet(folder, name)


def fill_sheet(folder, name):
    if name == "csv":
        text = (folder / "batch.csv").read_bytes().decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text, newline="")))
        for row in table[1:]:
            row[4:9] = ALL.values()
        out = io.StringIO(newline="")
        csv.writer(out).writerows(table)
        return save(folder / "done.csv", out.getvalue())
    import openpyxl

    book = openpyxl.load_workbook(folder / "batch.xlsx")
    for row in book["answers"].iter_rows(min_row=2):
        for cell, value in zip(row[4:9], ALL.values(), strict=True):
            cell.value = value
    book.save(folder / "done.xlsx")
    return folder / "done.xlsx"


def save(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    return path


def timed(job):
    started = time.monotonic()
    value = job()
    return value, round(time.monotonic() - started, 2)


def peak():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def one(step, name, folder, count):
    """One step in this process; prints its figures."""
    if step == "export":
        rows = list(made_rows(count))

        def job():
            wanted = Wanted(annotators=NAMES, overlap=3, controls=0.1)
            return export(make_plan(rows, load_pools(Rooms()), wanted), folder, [name])

        batch, seconds = timed(job)
        told = {"items": len(batch.items), "export_s": seconds, "export_mib": peak()}
    else:
        found, seconds = timed(
            lambda: import_files(read_batch(folder), sorted(folder.glob("for-*/done.*")))
        )
        assert not found.lost, found.lost[:3]
        assert not found.missing
        told = {"answers": found.kept["new"], "import_s": seconds, "import_mib": peak()}
    print(json.dumps(told))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--step", nargs=3, help="internal: step, format, folder")
    given = parser.parse_args()
    if given.step:
        step, name, folder = given.step
        return one(step, name, Path(folder), given.rows)
    figures = {}
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "b"
            again = [sys.executable, __file__, str(given.rows), "--step"]
            told = json.loads(subprocess.check_output([*again, "export", name, folder]))
            batch = read_batch(folder)
            for who, ids in batch.assignment.items():
                fill(folder / f"for-{who}", name, ids)
            told |= json.loads(subprocess.check_output([*again, "import", name, folder]))
        figures[name] = told
        print(f"{name:13}", told, flush=True)
    if given.out:
        made = {"machine": facts(), "rows": given.rows, "annotators": 3, "formats": figures}
        given.out.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
