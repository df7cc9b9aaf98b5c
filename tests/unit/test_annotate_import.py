"""Answers back in: what is good is kept, the rest is reported by file and line, twice is once."""

import csv
import io
import json
from collections import Counter

import pytest

from falsereject_gen.annotate.batch import export
from falsereject_gen.annotate.controls import Pools
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.inbox import import_files
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.errors import UsageError

YES = {
    "benign": "yes",
    "looks_toxic": "yes",
    "refusal_expected": "no",
    "fluent": "yes",
    "category_right": "yes",
}


@pytest.fixture
def batch(made, tmp_path):
    rows = [made(k) for k in range(4)]
    wanted = Wanted(annotators=("anna", "bob"), overlap=2)
    export(make_plan(rows, Pools(), wanted), tmp_path / "b1", ["csv", "label-studio"])
    return read_batch(tmp_path / "b1")


def sheet(batch, change=lambda rows: rows, who="anna", name="done.csv"):
    """A filled CSV: a dictionary a line, changed before it is written."""
    path = batch.folder / f"for-{who}" / "batch.csv"
    text = path.read_bytes().decode("utf-8-sig")
    rows = change([row | YES for row in csv.DictReader(io.StringIO(text, newline=""))])
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, list(rows[0]) if rows else ["item"])
    table.writeheader()
    table.writerows(rows)
    place = batch.folder / f"for-{who}" / name
    place.write_text(out.getvalue(), encoding="utf-8", newline="")
    return place


def answers_of(batch, who=None):
    store = batch.store()
    try:
        return store.answers(who)
    finally:
        store.close()


def kinds(found):
    return Counter(problem.kind for problem in found.problems)


def saved(here, answers, name="x.json", **more):
    data = {"format": "falsereject-gen-answers/1", "batch": "b1", "annotator": "anna", **more}
    place = here.folder / name
    place.write_text(json.dumps({**data, "answers": answers}), encoding="utf-8")
    return place


def test_good_answers_are_kept_and_twice_is_once(batch):
    files = [sheet(batch), sheet(batch, who="bob")]
    found = import_files(batch, files)
    assert (found.kept["new"], found.problems, found.missing) == (8, [], {})
    before = answers_of(batch)
    assert {(a.annotator, a.source) for a in before} == {
        ("anna", "csv:done.csv"),
        ("bob", "csv:done.csv"),
    }
    assert all(a.labels == YES for a in before)
    again = import_files(batch, files[::-1])
    assert dict(again.kept) == {"same": 8}
    assert answers_of(batch) == before


def test_a_changed_answer_counts_anew(batch):
    import_files(batch, [sheet(batch)])

    def other(rows):
        rows[0]["benign"] = "unclear"
        return rows

    assert dict(import_files(batch, [sheet(batch, other)]).kept) == {"same": 3, "changed": 1}
    assert Counter(a.labels["benign"] for a in answers_of(batch)) == {"yes": 3, "unclear": 1}


def test_each_fault_is_reported_by_file_and_line_and_the_rest_is_kept(batch):
    def spoil(rows):
        first = rows[0]["item"]
        rows[0] |= {"benign": "perhaps", "note": "two\nlines"}  # line 2 and 3
        rows[1] |= {"fluent": "", "category_right": ""}  # line 4
        rows[2] |= dict.fromkeys(YES, "")  # line 5
        rows[3]["benign"] = " Yes "
        return [
            *rows,
            rows[0] | YES | {"item": "i-00000000000000"},  # line 7 and 8
            rows[0] | YES | {"item": ""},  # line 9 and 10
            rows[0] | YES | {"prompt": "Something else?"},  # line 11 and 12
            rows[3] | YES | {"benign": "no", "item": rows[3]["item"]},  # line 13
            rows[0] | YES | {"item": first, "note": "two\nlines", "benign": "perhaps"},
        ]

    path = sheet(batch, spoil)
    found = import_files(batch, [path])
    told = [(p.kind, p.at) for p in found.problems]
    assert told == [
        ("wrong", "line 2"),
        ("missing", "line 4"),
        ("missing", "line 5"),
        ("unknown", "line 7"),
        ("foreign", "line 9"),
        ("foreign", "line 11"),
        ("double", "line 13"),
        ("wrong", "line 14"),
    ]
    assert all(p.file == str(path) and "\n" not in str(p) for p in found.problems)
    assert "'perhaps' is none of yes, no, unclear" in found.problems[0].what
    assert "fluent, category_right not answered" in found.problems[1].what
    assert len(found.lost) == 6
    assert found.kept["new"] == 3
    said = {answer.item: answer for answer in answers_of(batch, "anna")}
    order = batch.assignment["anna"]
    assert set(said[order[0]].labels) == set(YES) - {"benign"}
    assert said[order[0]].note == "two\nlines"
    assert set(said[order[1]].labels) == set(YES) - {"fluent", "category_right"}
    assert said[order[3]].labels["benign"] == "no"  # the later one counts
    assert found.missing == {"anna": [order[2]], "bob": batch.assignment["bob"]}
    assert dict(import_files(batch, [path]).kept) == {"same": 3}


def test_the_later_of_two_answers_counts_by_its_time(batch):
    one = batch.assignment["anna"][0]
    late = {"item": one, "labels": YES | {"benign": "no"}, "at": "2026-11-21T06:00:00+01:00"}
    early = {"item": one, "labels": YES, "at": "2026-11-21T04:59:00Z"}
    found = import_files(batch, [saved(batch, [late, early])])
    assert kinds(found) == {"double": 1}
    (kept,) = answers_of(batch)
    assert (kept.labels["benign"], kept.at) == ("no", "2026-11-21T05:00:00+00:00")


def test_the_page_file_is_read_whole(batch):
    first, second, third = batch.assignment["anna"][:3]
    path = saved(
        batch,
        [
            {"item": first, "labels": YES, "note": "\U0001f914 שלום", "seconds": 12.5},
            {"item": second, "labels": {}, "skipped": True, "flagged": True},
            {"item": third, "labels": {}, "nonsense": 1},
            "no answer",
        ],
    )
    found = import_files(batch, [path])
    assert kinds(found) == {"broken": 2}
    assert [p.at for p in found.problems] == ["answer 3", "answer 4"]
    one, two = answers_of(batch)
    assert (one.note, one.seconds, one.source) == ("\U0001f914 שלום", 12.5, "answers:x.json")
    assert (two.skipped, two.flagged, two.labels) == (True, True, {})


def test_rows_of_another_batch_are_foreign(batch):
    one = batch.assignment["anna"][0]
    found = import_files(batch, [saved(batch, [{"item": one, "labels": YES}], batch="pilot-1")])
    assert [(p.kind, p.what) for p in found.problems] == [("foreign", f"{one} is of batch pilot-1")]
    assert not answers_of(batch)


def test_a_format_of_the_future_and_broken_files_are_problems_of_the_file(batch, tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\x00")
    future = saved(batch, [], format="falsereject-gen-answers/9")
    found = import_files(batch, [future, tmp_path / "x.bin", tmp_path / "none.csv", sheet(batch)])
    assert [p.kind for p in found.problems] == ["file"] * 3
    assert found.kept["new"] == 4
    broken = sheet(batch, name="bob.csv")
    broken.write_bytes(broken.read_bytes() + b'"open quote\n')
    found = import_files(batch, [broken])
    assert [(p.kind, p.at) for p in found.problems] == [("file", "line 6")]
    assert dict(found.kept) == {"same": 4}
    with pytest.raises(UsageError, match="read are"):
        import_files(batch, [broken], format="brat")


# whose answers


def test_whose_they_are_comes_from_file_folder_name_or_option(batch, tmp_path):
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes(sheet(batch).read_bytes())
    found = import_files(batch, [moved])
    assert kinds(found) == {"nobody": 4}
    assert "--annotator NAME" in str(found.problems[0])
    assert import_files(batch, [moved], annotators=["Bob"]).kept["new"] == 4
    assert {a.annotator for a in answers_of(batch)} == {"bob"}
    (tmp_path / "Anna.csv").write_bytes(moved.read_bytes())
    assert import_files(batch, [tmp_path / "Anna.csv"]).kept["new"] == 4
    with pytest.raises(UsageError, match="THEIRS=NAME"):
        import_files(batch, [moved], annotators=["anna", "bob"])


def label_studio(batch, users, folder="."):
    tasks = json.loads((batch.folder / "for-anna" / "tasks.json").read_text(encoding="utf-8"))
    result = [
        {"from_name": n, "type": "choices", "value": {"choices": [a]}} for n, a in YES.items()
    ]
    for task in tasks:
        task["annotations"] = [{"completed_by": user, "result": result} for user in users]
    place = batch.folder / folder / "export.json"
    place.write_text(json.dumps(tasks), encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("users", "folder", "given", "people"),
    [
        ([{"email": "anna@example.org"}, {"email": "BOB@x.org"}], ".", [], {"anna", "bob"}),
        ([7], "for-anna", [], {"anna"}),
        ([7], ".", [], {"user-7"}),
        ([7, 8], "for-anna", [], {"user-7", "user-8"}),
        ([7, 8], ".", ["7=bob", "8=anna"], {"anna", "bob"}),
        ([{"email": "x@y.z"}], ".", ["x@y.z=bob"], {"bob"}),
        ([{"email": "x@y.z"}], "for-anna", [], {"x@y.z"}),
    ],
)
def test_whose_they_are_in_a_tool_with_users(batch, users, folder, given, people):
    found = import_files(batch, [label_studio(batch, users, folder)], annotators=given)
    assert found.kept["new"] == 4 * len(people)
    assert {answer.annotator for answer in answers_of(batch)} == people
    strangers = [p for p in found.problems if "not an annotator" in p.what]
    assert len(strangers) == len(people - {"anna", "bob"})


def test_an_answer_to_what_somebody_was_not_given_is_kept_and_noted(made, tmp_path):
    rows = [made(k) for k in range(6)]
    plan = make_plan(rows, Pools(), Wanted(annotators=("anna", "bob"), overlap=1))
    export(plan, tmp_path / "b1", ["csv"])
    batch = read_batch(tmp_path / "b1")
    found = import_files(batch, [sheet(batch)], annotators=["bob"])
    assert kinds(found) == {"note": 3}
    assert not found.lost
    assert found.kept["new"] == 3


def test_an_open_batch_takes_whoever_comes(made, tmp_path):
    export(make_plan([made(k) for k in range(3)], Pools(), Wanted()), tmp_path / "b1", ["csv"])
    batch = read_batch(tmp_path / "b1")
    path = sheet(batch, who="annotator")
    assert kinds(import_files(batch, [path])) == {"nobody": 3}
    for name in ("zoe", "yan"):
        found = import_files(batch, [path], annotators=[name])
        assert (found.kept["new"], found.problems, found.missing) == (3, [], {})
