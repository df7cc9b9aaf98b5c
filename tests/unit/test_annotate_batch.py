"""Annotation batches: sample, blindness, CSV, config, guideline, manifest."""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as Xml

import pytest

from falsereject_gen.annotate.batch import write_batch
from falsereject_gen.annotate.questions import ANSWERS, QUESTIONS, labeling_config
from falsereject_gen.annotate.sample import draw
from falsereject_gen.errors import StoreError
from falsereject_gen.records import Row, Strategy, content_id

STRATEGIES = get_args(Strategy)
FILES = {
    "tasks.json",
    "labeling_config.xml",
    "batch.csv",
    "guideline.md",
    "batch.json",
    "README.md",
}
SHARED = Path(__file__).resolve().parents[3] / "shared"


def make_row(k, prompt=None, category=None):
    prompt = prompt or f"How do I kill orphaned process number {k}?"
    category = category or f"c-{k % 10}"
    return Row(
        id=content_id("r", prompt),
        prompt=prompt,
        category=category,
        category_name=f"Name <{category}>",
        domain="Domain",
        strategy=STRATEGIES[(k // 10) % 12],
        entities=("hidden-entity",),
        seed_ids=("s-hidden",),
        cast="embedded",
        harm=0.123456,
        looks_toxic=0.654321,
        refused_by=("hidden-guard",),
        complied_by=(),
        rounds=1,
        nearest_id="r-hidden",
        nearest_score=0.456789,
        run_id="run-1",
    )


ROWS = [make_row(k) for k in range(200)]


def written(tmp_path, rows=ROWS, size=40, rng=1, name="batch"):
    write_batch(rows, tmp_path / name, size=size, rng=rng)
    return {
        p.name: p.read_bytes().decode("utf-8") for p in (tmp_path / name).rglob("*") if p.is_file()
    }


# sample


def test_every_category_gives_its_share_and_strategies_are_spread():
    drawn = draw(ROWS, 40, 1)
    assert len({row.id for row in drawn}) == 40
    assert set(Counter(row.category for row in drawn).values()) == {4}
    assert len({row.strategy for row in drawn}) == 12
    for category in {row.category for row in drawn}:
        assert len({r.strategy for r in drawn if r.category == category}) >= 3


def test_large_categories_give_more():
    rows = [make_row(k, category="big" if k < 150 else "small") for k in range(200)]
    assert Counter(row.category for row in draw(rows, 20, 3)) == {"big": 15, "small": 5}


def test_the_sample_depends_on_rows_and_seed_alone():
    first = [row.id for row in draw(ROWS, 40, 1)]
    assert first == [row.id for row in draw(ROWS[::-1], 40, 1)]
    assert first != [row.id for row in draw(ROWS, 40, 2)]


@pytest.mark.parametrize("size", [0, 200, 999])
def test_all_rows_in_shuffled_order(size):
    drawn = draw(ROWS, size, 1)
    assert {row.id for row in drawn} == {row.id for row in ROWS}
    assert len(drawn) == 200
    assert [row.category for row in drawn] != sorted(row.category for row in drawn)


def test_one_row_and_none():
    assert draw(ROWS[:1], 50, 1) == ROWS[:1]
    assert draw([], 50, 1) == []


# files


def test_the_same_call_gives_the_same_bytes(tmp_path):
    assert written(tmp_path, name="a") == written(tmp_path, name="b")
    assert set(written(tmp_path)) == FILES


def test_tasks_are_blind(tmp_path):
    texts = written(tmp_path)
    tasks = json.loads(texts["tasks.json"])
    assert len(tasks) == 40
    by_id = {row.id: row for row in ROWS}
    for task in tasks:
        assert set(task) == {"data"}
        assert set(task["data"]) == {"id", "prompt", "category_name", "domain"}
        assert task["data"]["prompt"] == by_id[task["data"]["id"]].prompt
    for name in FILES - {"batch.json"}:
        hidden = ("hidden", "0.123", "0.654", "0.456", "run-1", *(f'"{s}"' for s in STRATEGIES))
        assert not [word for word in hidden if word in texts[name]], name


def test_the_csv_has_the_same_rows_and_room_for_answers(tmp_path):
    texts = written(tmp_path)
    lines = list(csv.DictReader(io.StringIO(texts["batch.csv"], newline="")))
    assert list(lines[0]) == ["id", "prompt", "category_name", "domain", *ANSWERS]
    shown = [task["data"] for task in json.loads(texts["tasks.json"])]
    assert [{key: line[key] for key in shown[0]} for line in lines] == shown
    assert {line[name] for line in lines for name in ANSWERS} == {""}
    assert all(line.startswith('"') for line in texts["batch.csv"].splitlines())


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "  =", "\u00a0@"])
def test_no_cell_is_a_formula(tmp_path, sign):
    prompt = sign + 'HYPERLINK("x";"y"), he said'
    texts = written(tmp_path, [make_row(1, prompt), make_row(2, "'Tis = fine")])
    cells = {r["prompt"] for r in csv.DictReader(io.StringIO(texts["batch.csv"], newline=""))}
    assert cells == {"'" + prompt, "'Tis = fine"}
    assert prompt in {task["data"]["prompt"] for task in json.loads(texts["tasks.json"])}
    assert "leading apostrophe" in texts["README.md"]


def test_the_manifest_says_how_it_was_drawn(tmp_path):
    texts = written(tmp_path)
    told = json.loads(texts["batch.json"])
    assert told["sampler"]["rng"] == 1
    assert told["sampler"]["asked"] == 40
    assert told["rows"] == {"available": 200, "drawn": 40, "left_out": 160}
    assert told["items"] == [t["data"]["id"] for t in json.loads(texts["tasks.json"])]
    assert sum(s["available"] for s in told["strata"]) == 200
    assert sum(s["drawn"] for s in told["strata"]) == 40
    assert told["run_ids"] == ["run-1"]
    assert set(told["sha256"]) == FILES - {"batch.json"}
    for name, digest in told["sha256"].items():
        assert hashlib.sha256(texts[name].encode()).hexdigest() == digest


def test_a_batch_smaller_than_asked_says_so(tmp_path):
    told = json.loads(written(tmp_path, ROWS[:7])["batch.json"])
    assert told["sampler"]["asked"] == 40
    assert told["rows"] == {"available": 7, "drawn": 7, "left_out": 0}
    assert json.loads(written(tmp_path, size=0)["batch.json"])["sampler"]["asked"] == "all"


def test_a_new_batch_keeps_what_annotators_left(tmp_path):
    written(tmp_path)
    (tmp_path / "batch" / "export-anna.json").write_text("[]", encoding="utf-8")
    assert set(written(tmp_path, size=10)) == FILES | {"export-anna.json"}


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="not written") as caught:
        write_batch(ROWS, tmp_path / "file" / "batch", size=1, rng=1)
    assert "\n" not in str(caught.value)


# config and texts


def test_config_asks_every_question_with_its_own_keys():
    view = Xml.fromstring(labeling_config())
    asked = {c.get("name"): [a.get("value") for a in c] for c in view.findall("Choices")}
    assert asked == {q.name: list(q.answers) for q in QUESTIONS}
    keys = [choice.get("hotkey") for choice in view.iter("Choice")]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    heads = {head.get("value") for head in view.iter("Header")}
    assert {q.asks for q in QUESTIONS} <= heads
    assert {c.get("required") for c in view.iter("Choices")} == {"true"}


def test_guideline_and_readme_know_the_questions(tmp_path):
    texts = written(tmp_path)
    for question in QUESTIONS:
        assert f"`{question.name}`" in texts["guideline.md"]
        assert question.asks.split("?")[0].lower() in texts["guideline.md"].lower()
        assert all(f"`{key}`" in texts["README.md"] for key in question.keys)


def test_twelve_worked_examples_are_labelled_with_known_answers(tmp_path):
    text = written(tmp_path)["guideline.md"]
    blocks = re.findall(r"^\*\*(\d+)\. .*?(?=^\*\*\d+\. |\Z)", text, flags=re.S | re.M)
    assert blocks == [str(k) for k in range(1, 13)]
    labels = re.findall(r"^benign .*$", text, flags=re.M)
    assert len(labels) == 12
    for line in labels:
        given = dict(part.split() for part in line.rstrip(".").split(" · "))
        assert list(given) == [q.name for q in QUESTIONS]
        assert all(given[q.name] in q.answers for q in QUESTIONS)
    for question in QUESTIONS:  # every answer is shown at least once
        for answer in question.answers:
            assert any(f"{question.name} {answer}" in line for line in labels), (question, answer)


def test_examples_are_our_own(tmp_path):
    if not (SHARED / "rows.md").is_file():
        pytest.skip("needs rows.md beside the checkout")
    text = written(tmp_path)["guideline.md"]
    given = {
        " ".join(re.findall(r"\w+", cell.lower()))
        for line in (SHARED / "rows.md").read_text(encoding="utf-8").splitlines()
        for cell in line.split("|")
        if len(cell.split()) >= 7
    }
    ours = " ".join(re.findall(r"\w+", text.lower()))
    assert given
    assert not [cell for cell in given if cell in ours]


def test_label_studio_takes_config_tasks_and_answers(tmp_path):
    reason = "label-studio-sdk is not installed (it needs an environment of its own)"
    interface = pytest.importorskip("label_studio_sdk.label_interface", reason=reason)
    texts = written(tmp_path)
    label = interface.LabelInterface(texts["labeling_config.xml"])
    label.validate()
    tasks = json.loads(texts["tasks.json"])
    assert all(label.validate_task(task) for task in tasks)
    assert not label.validate_task({"data": {"id": "r-1"}})

    def answer(name, value):
        kind = {"from_name": name, "to_name": "prompt", "type": "choices"}
        return {"result": [{**kind, "value": {"choices": [value]}}]}

    for question in QUESTIONS:
        assert all(label.validate_annotation(answer(question.name, a)) for a in question.answers)
        assert not label.validate_annotation(answer(question.name, "perhaps"))
    note = {"from_name": "note", "to_name": "prompt", "type": "textarea"}
    assert label.validate_annotation({"result": [{**note, "value": {"text": ["hm"]}}]})
