"""The batch that every run leaves behind, the sample, Label Studio's config, the guideline."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as Xml

import pytest

from falsereject_gen.annotate.batch import WARNING, write_batch
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.guideline import guideline_html
from falsereject_gen.annotate.questions import QUESTIONS, labeling_config
from falsereject_gen.annotate.records import Answer
from falsereject_gen.annotate.sample import BANDS, bands, draw
from falsereject_gen.errors import InputError, StoreError
from falsereject_gen.records import Row, Strategy, content_id

STRATEGIES = get_args(Strategy)
MINE = {"tasks.json", "labeling_config.xml", "batch.csv", "guideline.html"}
FILES = {"guideline.md", "guideline.html", "batch.json", "README.md", "items.jsonl", "key.jsonl"}
FILES |= {f"for-annotator/{name}" for name in MINE}
SHARED = Path(__file__).resolve().parents[3] / "shared"


def make_row(k, prompt=None, category=None, harm=None):
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
        harm=0.123456 if harm is None else harm,
        looks_toxic=0.654321,
        refused_by=("hidden-guard",),
        complied_by=(),
        rounds=1,
        nearest_id="r-hidden",
        nearest_score=0.456789,
        run_id="run-1",
    )


ROWS = [make_row(k) for k in range(200)]


def texts_of(folder):
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes().decode("utf-8") for p in found}


def written(tmp_path, rows=ROWS, size=40, rng=1, name="batch", **more):
    return texts_of(write_batch(rows, tmp_path / name, size=size, rng=rng, **more))


# sample


def test_every_category_gives_its_share_and_strategies_are_spread():
    drawn = draw(ROWS, 40, 1)
    assert len({row.id for row in drawn}) == 40
    assert set(Counter(row.category for row in drawn).values()) == {4}
    assert len({row.strategy for row in drawn}) >= 11
    for category in {row.category for row in drawn}:
        assert len({r.strategy for r in drawn if r.category == category}) >= 3


def test_large_categories_give_more():
    rows = [make_row(k, category="big" if k < 150 else "small") for k in range(200)]
    counts = Counter(row.category for row in draw(rows, 40, 1))
    assert counts == {"big": 30, "small": 10}


def test_score_bands_give_their_share():
    rows = [make_row(k, category="one", harm=k / 1000) for k in range(0, 600, 3)]
    rows = [row.model_copy(update={"strategy": "homonym"}) for row in rows]
    band = bands(rows)
    assert set(Counter(map(band, rows)).values()) <= {66, 67}
    counts = Counter(map(band, draw(rows, 30, 5)))
    assert set(counts) == set(BANDS)
    assert set(counts.values()) <= {9, 10, 11}


def test_equal_scores_stay_in_one_band():
    assert len({bands(ROWS)(row) for row in ROWS}) == 1


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does():
    assert draw(ROWS[::-1], 40, 1) == draw(ROWS, 40, 1)
    assert draw(ROWS, 40, 2) != draw(ROWS, 40, 1)
    assert len(draw(ROWS, 0, 1)) == len(draw(ROWS, 500, 1)) == 200


# the automatic batch


def test_the_same_rows_and_seed_give_the_same_bytes(tmp_path, rooms):
    first = written(tmp_path / "a", rooms=rooms)
    assert set(first) == FILES
    assert written(tmp_path / "b", ROWS[::-1], rooms=rooms) == first
    assert written(tmp_path / "c", rng=2, rooms=rooms) != first


def test_it_is_open_with_controls_and_is_read_again(tmp_path, rooms):
    before = dict(rooms.read)
    known = ("self-harm", "terrorism", "medical-advice")
    rows = [make_row(k, category=known[k % 3]) for k in range(60)]
    write_batch(rows, tmp_path / "batch-1", size=40, rng=1, rooms=rooms)
    batch = read_batch(tmp_path / "batch-1")
    assert not batch.manifest["limits"]
    kinds = Counter(key.kind for key in batch.keys.values())
    assert kinds == {"row": 40, "control-benign": 2, "control-toxic": 2, "attention": 1}
    assert batch.open
    assert batch.warning == WARNING
    assert sorted(batch.assignment["annotator"]) == sorted(batch.items)
    assert dict(rooms.read) == before, "a run's id comes from what its rooms have read"


def test_people_see_nothing_of_what_the_program_thinks(tmp_path, rooms):
    texts = written(tmp_path, rooms=rooms)
    seen = "\n".join(texts[name] for name in texts if name.startswith("for-"))
    told = json.loads(texts["batch.json"])
    told.pop("strata")  # counts only
    seen += texts["items.jsonl"] + json.dumps(told)
    for secret in ("hidden", "0.123456", "0.654321", "0.456789", "embedded", "figure-of-speech"):
        assert secret in texts["key.jsonl"] + str(ROWS), "else this test cannot fail"
        assert secret not in seen
    for task in json.loads(texts["for-annotator/tasks.json"]):
        assert list(task) == ["data"]
        assert list(task["data"]) == ["item", "prompt", "category_name", "domain", "batch"]


def test_the_manifest_says_how_it_was_drawn(tmp_path):
    texts = written(tmp_path)
    told = json.loads(texts["batch.json"])
    assert told["sampler"]["rng"] == 1
    assert told["sampler"]["asked"] == 40
    assert told["rows"] == {
        "available": 200,
        "drawn": 40,
        "left_out": 160,
        "in_earlier_batches": 0,
    }
    assert sum(s["available"] for s in told["strata"]) == 200
    assert sum(s["drawn"] for s in told["strata"]) == 40
    assert told["run_ids"] == ["run-1"]
    assert set(told["sha256"]) == FILES - {"batch.json"}
    for name, digest in told["sha256"].items():
        assert hashlib.sha256(texts[name].encode()).hexdigest() == digest


def test_a_batch_smaller_than_asked_says_so(tmp_path):
    told = json.loads(written(tmp_path, ROWS[:7])["batch.json"])
    assert told["sampler"]["asked"] == 40
    assert told["limits"] == ["asked for 40 rows, had 7"]
    assert json.loads(written(tmp_path, size=0)["batch.json"])["sampler"]["asked"] == "all"


def test_a_new_batch_keeps_notes_and_loses_its_own_old_files(tmp_path):
    written(tmp_path)
    (tmp_path / "batch" / "notes.txt").write_text("hm", encoding="utf-8")
    stale = tmp_path / "batch" / "batch.json"
    told = json.loads(stale.read_text(encoding="utf-8"))
    (tmp_path / "batch" / "for-zoe").mkdir()
    (tmp_path / "batch" / "for-zoe" / "tasks.json").write_text("[]", encoding="utf-8")
    told["sha256"]["for-zoe/tasks.json"] = "x"
    stale.write_text(json.dumps(told), encoding="utf-8")
    assert set(written(tmp_path, size=10)) == FILES | {"notes.txt"}


def test_a_batch_with_answers_is_left_alone(tmp_path):
    first = tmp_path / "batch-1"
    write_batch(ROWS, first, size=10, rng=1)
    store = read_batch(first).store()
    store.put(Answer(item=next(iter(read_batch(first).items)), annotator="a", labels={}))
    store.close()
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert write_batch(ROWS, first, size=20, rng=1) == tmp_path / "batch-2"
    assert {p: p.read_bytes() for p in first.rglob("*") if p.is_file()} == before


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="not written") as caught:
        write_batch(ROWS, tmp_path / "file" / "batch", size=1, rng=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("batch.json", lambda text: "{", "cannot be read"),
        ("batch.json", lambda text: text.replace('"format": 2', '"format": 9'), "format 9"),
        ("batch.json", lambda text: text.replace('"unclear"', '"perhaps"'), "questions"),
        ("items.jsonl", lambda text: text.replace("kill", "pet"), "sha256"),
        ("key.jsonl", lambda text: text + "\n", "sha256"),
        ("key.jsonl", None, "cannot be read"),
    ],
)
def test_a_broken_batch_is_one_line(tmp_path, name, change, says):
    written(tmp_path, size=5)
    path = tmp_path / "batch" / name
    if change:
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        path.unlink()
    with pytest.raises(InputError, match=says) as caught:
        read_batch(tmp_path / "batch")
    assert str(path) in str(caught.value)
    with pytest.raises(InputError, match="no annotation batch"):
        read_batch(tmp_path)


# config and guideline


def test_config_asks_every_question_with_its_own_keys():
    view = Xml.fromstring(labeling_config('Careful: "<b>" & $x'))
    asked = {c.get("name"): [a.get("value") for a in c] for c in view.findall("Choices")}
    assert asked == {q.name: list(q.answers) for q in QUESTIONS}
    keys = [choice.get("hotkey") for choice in view.iter("Choice")]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    heads = {head.get("value") for head in view.iter("Header")}
    assert {q.asks for q in QUESTIONS} | {'Careful: "<b>" & $x'} <= heads
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


def test_the_guideline_page_is_self_contained():
    page = guideline_html()
    assert "prefers-color-scheme: dark" in page
    assert page.count("<h2") >= 6
    assert not re.findall(r"(?:src|href)=|@import|url\(|<script", page)
    for question in QUESTIONS:
        assert f"<code>{question.name}</code>" in page
