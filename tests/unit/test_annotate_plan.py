"""The plan of a batch: overlap, loads, controls, order, pilot, limits; and that it is blind."""

import itertools
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falsereject_gen.annotate.batch import WARNING, export
from falsereject_gen.annotate.controls import Pools, load_pools
from falsereject_gen.annotate.formats import FORMATS
from falsereject_gen.annotate.plan import Wanted, make_plan
from falsereject_gen.annotate.questions import QUESTIONS
from falsereject_gen.errors import FalseRejectError, InputError, RoomError, UsageError
from falsereject_gen.seeds.bundled import seed_files

NAMES = ("anna", "bob", "carla", "dai", "eve")
KNOWN = ("self-harm", "terrorism", "medical-advice", "fake-news-generation")


@pytest.fixture(scope="module")
def pools(rooms):
    return load_pools(rooms)


@pytest.fixture
def rows(made):
    strategies = ("homonym", "history", "fiction")
    return [
        made(k, category=KNOWN[k % 4], strategy=strategies[k % 3], harm=k % 10 / 20)
        for k in range(200)
    ]


def seen_by(plan, kind="row"):
    """Annotators by item, of one kind."""
    kinds = {key.item: key.kind for key in plan.keys}
    out = {item: set() for item, found in kinds.items() if found == kind}
    for name, ids in plan.assignment.items():
        assert len(ids) == len(set(ids))
        for one in ids:
            if one in out:
                out[one].add(name)
    return out


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # `made` has no state
)
@given(people=st.integers(1, 5), data=st.data())
def test_every_row_has_its_readers_and_loads_differ_by_one_at_most(made, people, data):
    overlap = data.draw(st.integers(1, people))
    count, rng = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 99))
    wanted = Wanted(annotators=NAMES[:people], overlap=overlap, rng=rng)
    plan = make_plan([made(k) for k in range(count)], Pools(), wanted)
    assert {len(names) for names in seen_by(plan).values()} == {overlap}
    loads = [len(ids) for ids in plan.assignment.values()]
    assert max(loads) - min(loads) <= 1


def test_everybody_works_with_everybody(rows):
    plan = make_plan(rows, Pools(), Wanted(annotators=NAMES, overlap=2))
    pairs = Counter(tuple(sorted(names)) for names in seen_by(plan).values())
    assert set(pairs) == set(itertools.combinations(NAMES, 2))
    assert max(pairs.values()) - min(pairs.values()) <= 4


def test_controls_have_their_share_and_everybody_has_them(rows, pools):
    plan = make_plan(rows, pools, Wanted(annotators=NAMES[:3], overlap=2, controls=0.1))
    counts = Counter(key.kind for key in plan.keys)
    assert counts == {"row": 200, "control-benign": 6, "control-toxic": 6, "attention": 3}
    for kind in ("control-benign", "control-toxic", "attention"):
        assert {len(names) for names in seen_by(plan, kind).values()} == {3}
    loads = [len(ids) for ids in plan.assignment.values()]
    assert all(0.09 < 15 / load < 0.11 for load in loads)
    assert not plan.limits


def test_controls_follow_the_rows_in_their_categories(rows, pools):
    plan = make_plan(rows, pools, Wanted(annotators=("a",), overlap=1, controls=0.3))
    kinds = {key.item: key.kind for key in plan.keys}
    of_row = Counter(item.category for item in plan.items if kinds[item.id] == "row")
    of_gold = Counter(item.category for item in plan.items if kinds[item.id] != "row")
    assert set(of_row) == set(of_gold) == set(KNOWN)
    assert max(of_gold.values()) - min(of_gold.values()) <= 3
    names = {item.category: item.category_name for item in plan.items if kinds[item.id] == "row"}
    assert all(item.category_name == names[item.category] for item in plan.items)


def test_controls_are_answered_in_the_key_and_rows_are_not(rows, pools):
    plan = make_plan(rows, pools, Wanted(annotators=("a",), overlap=1, controls=0.2))
    for key in plan.keys:
        assert bool(key.expected) == (key.kind != "row") == (not key.row_id)
        assert (key.harm is None) == (key.kind != "row")
    assert {k.expected["benign"] for k in plan.keys if k.kind == "control-toxic"} == {"no"}
    assert {k.expected["benign"] for k in plan.keys if k.kind == "control-benign"} == {"yes"}


def test_a_prompt_of_the_run_is_no_control(rows, rooms, pools):
    pair = next(part for part in seed_files(rooms) if part.category == "self-harm").pairs
    taken = [
        row.model_copy(update={"prompt": p.benign}) for row, p in zip(rows, pair, strict=False)
    ]
    wanted = Wanted(annotators=("a",), overlap=1, controls=0.5, attention=0)
    plan = make_plan(taken, pools, wanted)
    texts = Counter(item.prompt for item in plan.items)
    assert set(texts.values()) == {1}


def test_without_the_toxic_side(rows, pools, tmp_path):
    mild = Wanted(annotators=("a",), overlap=1, controls=0.1, toxic_side=False)
    plan = make_plan(rows, pools, mild)
    assert "control-toxic" not in {key.kind for key in plan.keys}
    assert any("no toxic controls" in limit for limit in plan.limits)
    assert export(plan, tmp_path / "mild", ["csv"]).warning == ""
    full = make_plan(rows, pools, Wanted(annotators=("a",), overlap=1, controls=0.1))
    batch = export(full, tmp_path / "full", ["label-studio"])
    assert batch.warning == WARNING
    config = (tmp_path / "full" / "for-a" / "labeling_config.xml").read_text(encoding="utf-8")
    assert WARNING in config
    assert WARNING in (tmp_path / "full" / "for-a" / "guideline.html").read_text(encoding="utf-8")
    mild_page = tmp_path / "mild" / "for-a" / "guideline.html"
    assert 'class="warning"' not in mild_page.read_text(encoding="utf-8")


def test_a_pilot_is_seen_by_all_and_its_rows_do_not_come_again(rows, pools):
    pilot = make_plan(rows, pools, Wanted(annotators=NAMES, size=20, pilot=True))
    assert pilot.told["pilot"]
    assert {len(names) for names in seen_by(pilot).values()} == {5}
    had = frozenset(key.row_id for key in pilot.keys if key.row_id)
    main = make_plan(rows, pools, Wanted(annotators=NAMES, overlap=3, without=had))
    assert len(had) == 20
    assert not had & {key.row_id for key in main.keys}
    assert main.told["rows"]["in_earlier_batches"] == 20
    with pytest.raises(InputError, match="200 are in earlier batches"):
        make_plan(rows, pools, Wanted(without=frozenset(row.id for row in rows)))


def test_orders_differ_by_person_and_follow_from_the_seed(rows, pools):
    wanted = Wanted(annotators=("anna", "bob"), overlap=2, controls=0.1)
    plan = make_plan(rows, pools, wanted)
    anna, bob = plan.assignment.values()
    assert sorted(anna) == sorted(bob)
    assert anna != bob
    assert make_plan(rows[::-1], pools, wanted) == plan
    other = make_plan(rows, pools, Wanted(annotators=("anna", "bob"), overlap=2, rng=1))
    assert other.assignment != plan.assignment


def test_limits_that_bind_are_said(made, pools):
    few = [made(k, category="a-new-category") for k in range(12)]
    plan = make_plan(few, pools, Wanted(size=500, controls=0.5, annotators=("a",)))
    assert plan.limits == (
        "asked for 500 rows, had 12",
        "asked for 5 of control-benign, had 0",
        "asked for 5 of control-toxic, had 0",
    )


def test_no_file_for_annotators_tells_a_control_from_a_row(rows, pools, tmp_path):
    """Swap what stands behind the items: everything that people get stays as it is."""
    plan = make_plan(rows, pools, Wanted(annotators=("anna", "bob"), overlap=1, controls=0.2))
    shuffled = [
        key.model_copy(update={"item": other.item})
        for key, other in zip(plan.keys, plan.keys[1:] + plan.keys[:1], strict=True)
    ]
    swapped = type(plan)(plan.items, tuple(shuffled), plan.assignment, plan.told, plan.limits)
    for one, where in ((plan, "a/batch"), (swapped, "b/batch")):
        export(one, tmp_path / where, FORMATS)
    found = sorted(p for p in (tmp_path / "a").rglob("*") if p.is_file())
    changed = [
        p.name
        for p in found
        if p.read_bytes() != (tmp_path / "b" / p.relative_to(tmp_path / "a")).read_bytes()
    ]
    assert sorted(changed) == ["batch.json", "key.jsonl"]  # the manifest has the key's sha256
    assert len({(len(item.id), item.id[:2]) for item in plan.items}) == 1


def test_predictions_are_off_and_give_no_control_away(rows, pools, tmp_path):
    from falsereject_gen.annotate.formats.label_studio import tasks

    plan = make_plan(rows, pools, Wanted(annotators=("a",), overlap=1, controls=0.2))
    off = export(plan, tmp_path / "off", ["label-studio"])
    assert {tuple(task) for task in tasks(off, "a")} == {("data",)}
    assert off.manifest["blind"]
    on = export(plan, tmp_path / "on", ["label-studio"], preannotate=True)
    made = tasks(on, "a")
    assert not on.manifest["blind"]
    assert {len(task["predictions"][0]["result"]) for task in made} == {2}


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(annotators=("anna", "Anna")), "stands twice"),
        (Wanted(annotators=("../x",)), "letters, digits"),
        (Wanted(annotators=("a" * 70,)), "letters, digits"),
        (Wanted(annotators=("anna", "bob"), overlap=3), "2 annotator"),
        (Wanted(annotators=("anna",), overlap=0), "1 annotator"),
        (Wanted(annotators=()), "annotators"),
    ],
)
def test_what_cannot_be_is_one_line(rows, wanted, says):
    with pytest.raises(UsageError, match=says) as caught:
        make_plan(rows, Pools(), wanted)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="known are"):
        export(make_plan(rows, Pools(), Wanted()), None, ["brat"])


def test_attention_items_are_checked(rooms, pools, tmp_path):
    from falsereject_gen.rooms import Rooms

    assert len(pools.by_kind["attention"]) >= 30
    texts = [control.prompt for kind in pools.by_kind for control in pools.by_kind[kind]]
    assert len(texts) == len(set(texts))
    allowed = {question.name: question.answers for question in QUESTIONS}
    for control in pools.by_kind["attention"]:
        assert all(answer in allowed[name] for name, answer in control.expected.items())
    (tmp_path / "graphs").mkdir()
    place = tmp_path / "graphs" / "controls.yaml"
    for text, says in (
        ("attention: [{prompts: [a], expected: {benign: true}}]", "is no answer"),
        ("attention: [{prompts: [a]}]", "has `expected`"),
    ):
        place.write_text(text, encoding="utf-8")
        with pytest.raises(RoomError, match=says) as caught:
            load_pools(Rooms(tmp_path))
        assert isinstance(caught.value, FalseRejectError)
