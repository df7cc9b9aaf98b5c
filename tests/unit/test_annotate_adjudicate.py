"""Labels from answers: three methods, ties that stay ties, tie-break batches."""

import sys

import pytest

from falsereject_gen.annotate.adjudicate import adjudicate, read_adjudication
from falsereject_gen.annotate.agreement.gather import gather
from falsereject_gen.annotate.dawid_skene import Said, chances
from falsereject_gen.annotate.decide import UNDECIDED, decide
from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.tie_break import free_name, plan_tie_break, write_tie_break
from falsereject_gen.errors import InputError, StoreError, UsageError

ZERO = {"yes": 0, "no": 0, "unclear": 0}


@pytest.mark.parametrize(
    ("method", "first", "ties", "label", "how"),
    [
        ("majority", {"yes": 2, "no": 1}, {}, "yes", "majority"),
        ("majority", {"yes": 1, "no": 1}, {}, "", "tie"),
        ("majority", {"yes": 1, "no": 1, "unclear": 1}, {}, "", "tie"),
        ("majority", {"yes": 2, "no": 1, "unclear": 1}, {}, "", "no_majority"),
        ("majority", {"yes": 1}, {}, "", "too_few"),
        ("majority", {}, {}, "", "no_answers"),
        ("majority", {"yes": 1, "no": 1}, {"no": 1}, "no", "tie-break"),
        ("majority", {"yes": 1}, {"yes": 1}, "yes", "majority"),
        ("majority", {"yes": 2, "no": 1}, {"no": 1}, "", "tie"),
        ("unanimous", {"yes": 3}, {}, "yes", "unanimous"),
        ("unanimous", {"yes": 2, "no": 1}, {}, "", "not_unanimous"),
        ("unanimous", {"yes": 2, "no": 1}, {"yes": 1}, "yes", "tie-break"),
        ("unanimous", {"yes": 2, "no": 1}, {"no": 1}, "", "not_unanimous"),
        ("unanimous", {"yes": 2, "no": 1}, {"yes": 1, "no": 1}, "", "not_unanimous"),
        ("unanimous", {"yes": 3}, {"no": 1}, "", "not_unanimous"),
    ],
)
def test_rules(method, first, ties, label, how):
    one = decide(method, ZERO | first, ties)
    assert one.label == label
    assert (one.how if label else one.undecided) == how
    assert label or UNDECIDED[how]
    assert sum(one.counts.values()) == sum(first.values()) + sum(ties.values())


def test_dawid_skene_decides_only_when_sure():
    def ask(p):
        chances = {"yes": p, "no": 1 - p}
        return decide("dawid-skene", ZERO | {"yes": 2, "no": 1}, {}, chances=chances, sure=0.95)

    assert (ask(0.96).label, ask(0.96).probability) == ("yes", 0.96)
    assert (ask(0.94).label, ask(0.94).undecided) == ("", "uncertain")


@pytest.fixture
def batch(bench, made):
    """Ten rows, two people: they differ on rows 0, 1 and 2, one alone answered row 3."""
    rows = [made(k) for k in range(10)]
    batch = bench.make(rows, names=("ana", "bo"), controls=0.3)
    says = {row.id: ["yes", "no" if k < 3 else "yes"] for k, row in enumerate(rows)}
    says[rows[3].id] = ["yes", None]
    says[rows[9].id] = ["no", "no"]
    bench.votes(batch, says)
    return batch


def test_a_batch_is_adjudicated_written_and_read_again(batch, made):
    given = gather([batch.folder])
    found = adjudicate(given, "majority")
    labels = {row.row_id: row.decisions["benign"].label for row in found.rows}
    assert labels == {made(k).id: "" if k < 4 else "yes" for k in range(9)} | {made(9).id: "no"}
    assert {row.row_id for row in found.disputed} == {made(k).id for k in range(4)}
    assert found.facts["decided"]["benign"]["undecided"] == {"tie": 3, "too_few": 1}
    found.write(batch.folder)
    assert read_adjudication(batch.folder) == found
    assert "4 disputed" in list(found.lines())[-1]


def test_a_row_that_nobody_answered_is_open_and_not_disputed(bench, made):
    rows = [made(k) for k in range(3)]
    batch = bench.make(rows, names=("ana", "bo"))
    bench.votes(batch, {rows[0].id: ["yes", "no"], rows[1].id: ["yes", "yes"]})
    found = adjudicate(gather([batch.folder]), "majority")
    assert [row.row_id for row in found.disputed] == [rows[0].id]
    assert list(found.lines())[-1] == "1 rows decided, 1 disputed, 1 that nobody answered"


def test_needed_questions_are_the_users(batch):
    given = gather([batch.folder])
    assert adjudicate(given, "majority", needed=["fluent"]).needed == ("benign", "fluent")
    with pytest.raises(UsageError, match="--need colour: the questions are benign"):
        adjudicate(given, "majority", needed=["colour"])
    with pytest.raises(UsageError, match="--method dice: known are majority"):
        adjudicate(given, "dice")


def test_a_tie_break_goes_to_others_and_comes_back(batch, bench, fine, made):
    given = gather([batch.folder])
    found = adjudicate(given, "majority")
    place = free_name(batch.folder)
    write_tie_break(given, found, ["cy", "di"], place)
    assert place.name == "batch-tie-break-1"
    tie = read_batch(place)
    asked = [i for i, key in tie.keys.items() if key.kind == "row"]
    assert {tie.keys[i].row_id for i in asked} == {made(k).id for k in range(4)}
    assert {name: len(set(ids) & set(asked)) for name, ids in tie.assignment.items()} == {
        "cy": 2,
        "di": 2,
    }
    assert (place / "for-cy").is_dir()
    for name in ("cy", "di"):
        bench.say(tie, name, lambda key: fine | key.expected)
    both = gather([batch.folder, place])
    merged = adjudicate(both, "majority")
    assert merged.disputed == ()
    decisions = {row.row_id: row.decisions["benign"] for row in merged.rows}
    assert decisions[made(0).id].how == "tie-break"
    assert decisions[made(0).id].counts == {"yes": 2, "no": 1, "unclear": 0}
    assert decisions[made(9).id].label == "no"
    assert merged.facts["tie_breaks"] == ["batch-tie-break-1"]
    assert both.digest() != given.digest()
    with pytest.raises(StoreError, match="answers"):
        write_tie_break(given, found, ["cy"], place)
    with pytest.raises(InputError, match="no row is disputed"):
        plan_tie_break(both, merged, ["eve"])


def test_a_tie_break_of_another_batch_is_refused(batch, bench, fine, made):
    given = gather([batch.folder])
    place = free_name(batch.folder)
    write_tie_break(given, adjudicate(given, "majority"), ["cy"], place)
    bench.say(read_batch(place), "cy", lambda key: fine)
    twin = bench.make([made(k) for k in range(10)], names=("eve", "flo"), name="twin")
    bench.say(twin, "eve", lambda key: fine)
    with pytest.raises(InputError, match="it breaks ties of another batch, batch"):
        gather([twin.folder, place])


def test_nobody_gets_a_row_twice(bench, made):
    rows = [made(k) for k in range(12)]
    batch = bench.make(rows, names=("ana", "bo", "cy"), overlap=2)
    place = {row.id: k for k, row in enumerate(rows)}
    for turn, name in enumerate(batch.assignment):
        labels = ["yes", "no", "unclear"][turn]
        bench.say(batch, name, lambda key, said=labels: {"benign": said, "looks_toxic": "yes"})
    given = gather([batch.folder])
    found = adjudicate(given, "majority")
    assert len(found.disputed) == len(place)
    plan = plan_tie_break(given, found, ["ana", "bo", "cy"])
    for name, items in plan.assignment.items():
        assert items
        assert not set(items) & set(batch.assignment[name])
    assert sorted(i for ids in plan.assignment.values() for i in ids) == sorted(batch.items)
    with pytest.raises(InputError, match="name somebody else"):
        plan_tie_break(given, found, ["ana"])
    with pytest.raises(UsageError, match="--overlap 2"):
        plan_tie_break(given, found, ["dora"], 2)
    with pytest.raises(UsageError, match="each once"):
        plan_tie_break(given, found, ["dora", "Dora"])
    with pytest.raises(UsageError, match="a name has letters"):
        plan_tie_break(given, found, ["../../dora"])


def test_dawid_skene_learns_who_errs(bench, made, fine):
    """Three careful people and two who answer by dice: one careful voice more tips no row."""
    pytest.importorskip("crowdkit", reason="crowd-kit is in the extra [annotate]")
    rows = [made(k) for k in range(120)]
    names = ("a", "b", "c", "x", "y")
    batch = bench.make(rows, names=names, controls=0.1)
    truth = {row.id: "no" if k % 4 == 0 else "yes" for k, row in enumerate(rows)}
    place = {row.id: k for k, row in enumerate(rows)}

    def label(name, key):
        if not key.row_id:
            return key.expected.get("benign", "yes")
        k, right = place[key.row_id], truth[key.row_id]
        if name in "xy":
            return ("no", "yes")[k // (2 if name == "x" else 3) % 2]
        slip = k % 40 == {"a": 0, "b": 1, "c": 2}[name]
        return {"yes": "no", "no": "yes"}[right] if slip else right

    for name in names:
        bench.say(batch, name, lambda key, who=name: fine | {"benign": label(who, key)})
    given = gather([batch.folder])
    model = adjudicate(given, "dawid-skene")
    votes = adjudicate(given, "majority")

    def right(found):
        return sum(row.decisions["benign"].label == truth[row.row_id] for row in found.rows)

    assert right(model) > right(votes)
    assert right(model) >= 118
    for row in model.rows:
        one = row.decisions["benign"]
        assert one.probability is not None
        assert bool(one.label) == (one.probability >= 0.95)
    assert any("no majority said" in note for note in model.facts["notes"])


def test_controls_tell_the_model_whom_to_believe():
    pytest.importorskip("crowdkit", reason="crowd-kit is in the extra [annotate]")
    flip = {"yes": "no", "no": "yes"}
    truth = {f"i{k}": "yes" if k % 2 else "no" for k in range(60)}
    said = [Said(item, "good", label) for item, label in truth.items()]
    said += [Said(item, "bad", flip[label]) for item, label in truth.items()]
    known = {item: truth[item] for item in list(truth)[:30]}
    told, blind = chances(said, known).by_item, chances(said, {}).by_item
    rows = list(truth)[30:]
    assert all(told[item][truth[item]] > 0.95 for item in rows)
    assert not all(blind[item][truth[item]] > 0.95 for item in rows)


def test_without_crowd_kit_the_extra_is_named(batch, monkeypatch):
    monkeypatch.setitem(sys.modules, "crowdkit.aggregation", None)
    with pytest.raises(UsageError, match=r"falsereject-gen\[annotate\]"):
        adjudicate(gather([batch.folder]), "dawid-skene")


def test_not_adjudicated_or_broken_is_one_line(batch):
    with pytest.raises(InputError, match="not adjudicated yet"):
        read_adjudication(batch.folder)
    adjudicate(gather([batch.folder]), "majority").write(batch.folder)
    place = batch.folder / "adjudication" / "decisions.jsonl"
    place.write_text(place.read_text(encoding="utf-8").replace("row_id", "row"), encoding="utf-8")
    with pytest.raises(InputError, match="adjudicate again"):
        read_adjudication(batch.folder)
