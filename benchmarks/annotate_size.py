"""10,000 rows and 3 annotators: seconds and peak memory of every `annotate` command.

    python benchmarks/annotate_size.py [--rows 10000] [--out FILE]

Each command runs as a user would run it, in a process of its own: start-up is counted, the peak is
that of the process (its largest resident set). Where others use the machine too, `cpu_s` says what
`seconds` would be without them. Rows and answers are made up here, with labels as unbalanced as
ours are, in a temporary folder. Writes benchmarks/results/annotate_size.json.
"""

import argparse
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

from machine import facts, load

from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.dataset.columns import COLUMNS
from falsereject_gen.dataset.splits import encode
from falsereject_gen.records import Row, Strategy, content_id

HERE = Path(__file__).resolve().parent
NAMES = ("ana", "bo", "cy")
YES = {"benign": 0.94, "looks_toxic": 0.9, "refusal_expected": 0.6, "fluent": 0.95}
BUDGET_S, BUDGET_MIB = 30, 1024
BUDGETED = ("export", "import", "agreement")
FLIP = {"yes": "no", "no": "yes"}


def made_run(folder, count, dice):
    """A run folder with so many rows, as `annotate export` reads one."""
    strategies, rows = get_args(Strategy), []
    for k in range(count):
        prompt = f"How do I kill the orphaned children of process number {k} without a reboot?"
        values = {name: () for name in ("refused_by", "complied_by")} | {"rounds": 1}
        values |= {"entities": ("process",), "seed_ids": ("s-1",), "cast": "embedded"}
        row = Row(
            id=content_id("r", prompt),
            prompt=prompt,
            category=f"c-{k % 44}",
            category_name=f"Category {k % 44}",
            domain="Domain",
            strategy=strategies[k % 12],
            harm=round(dice.random() / 2, 4),
            looks_toxic=round(0.8 + dice.random() / 5, 4),
            nearest_id="",
            nearest_score=0.0,
            run_id="run-1",
            **values,
        )
        rows.append(row.model_dump())
    data = folder / "dataset" / "data"
    data.mkdir(parents=True)
    (data / "train-00000-of-00001.parquet").write_bytes(encode(COLUMNS, rows)[0])


def filled(batch, dice):
    """Everybody's batch.csv and tasks.json with answers in them, as tools give them back."""
    truth = {
        item: {q.name: "yes" if dice.random() < YES.get(q.name, 0.97) else "no" for q in QUESTIONS}
        | key.expected
        for item, key in batch.keys.items()
    }
    sheets, exports = [], []
    for name in NAMES:
        said = {
            item: {q: FLIP[v] if dice.random() < 0.07 else v for q, v in truth[item].items()}
            for item in batch.assignment[name]
        }
        place = batch.folder / f"for-{name}"
        sheets.append(fill_sheet(place / "batch.csv", said))
        exports.append(fill_tasks(place / "tasks.json", said, name, dice))
    return sheets, exports


def fill_sheet(path, said):
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.update(said[row["item"]])
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
        table.writeheader()
        table.writerows(rows)
    return path


def fill_tasks(path, said, name, dice):
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for task in tasks:
        result = [
            {"from_name": q, "to_name": "prompt", "type": "choices", "value": {"choices": [label]}}
            for q, label in said[task["data"]["item"]].items()
        ]
        one = {"completed_by": {"email": f"{name}@example.org"}, "result": result}
        task["annotations"] = [one | {"lead_time": round(dice.lognormvariate(3, 0.5), 1)}]
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return path


def timed(*words):
    """Run a command; its seconds and peak MiB, or the whole benchmark fails."""
    command = [sys.executable, "-m", "falsereject_gen.cli.main", "annotate", *map(str, words)]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, cwd=HERE.parent)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode()
    seconds = time.perf_counter() - began
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {child.returncode}\n{text[-2000:]}")
    peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    cpu = used.ru_utime + used.ru_stime
    result = {"seconds": round(seconds, 1), "cpu_s": round(cpu, 1), "peak_mib": round(peak)}
    print(f"annotate {words[0]:<11} {result}", flush=True)
    return result


def measured(folder, count):
    dice, found = random.Random(0), {}
    made_run(folder / "run", count, dice)
    batch, twin = folder / "run" / "annotation" / "b", folder / "run" / "annotation" / "twin"
    asked = ("export", folder / "run", "--annotators", ",".join(NAMES), "--overlap", 3)
    found["export"] = timed(*asked, "--format", "label-studio,csv", "--out", batch)
    sheets, exports = filled(read_batch(batch), dice)
    shutil.copytree(batch, twin)
    found["import, 3 CSV files"] = timed("import", batch, *sheets)
    found["import, 3 Label Studio files"] = timed("import", twin, *exports)
    found["agreement, 2000 resamples"] = timed("agreement", twin)
    for method in ("majority", "unanimous", "dawid-skene"):
        found[f"adjudicate, {method}"] = timed("adjudicate", twin, "--method", method)
    timed("adjudicate", twin)
    found["publish"] = timed("publish", twin, "--out", folder / "verified")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "annotate_size.json")
    args = parser.parse_args()
    machine = facts()
    with tempfile.TemporaryDirectory() as place:
        steps = measured(Path(place), args.rows)
    result = {
        "machine": machine | {"load_after": load()},
        "rows": args.rows,
        "annotators": len(NAMES),
        "budget": {"seconds": BUDGET_S, "mib": BUDGET_MIB},
        "within_budget": {
            name: one["seconds"] < BUDGET_S and one["peak_mib"] < BUDGET_MIB
            for name, one in steps.items()
            if name.startswith(BUDGETED)
        },
        "steps": steps,
    }
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
