"""Candidates and rows of a run as sequences that hold next to nothing."""

import tracemalloc

import numpy as np
import pytest

from falsereject_gen.dataset.columns import COLUMNS
from falsereject_gen.dataset.splits import encode, pack
from falsereject_gen.dataset.table import BATCH, Rows
from falsereject_gen.errors import StoreError
from falsereject_gen.records import Brief, Candidate, Draft, Round, Row, Ruling, Verdict
from falsereject_gen.run.account import Account
from falsereject_gen.run.result import RunResult
from falsereject_gen.run.store import Store
from falsereject_gen.run.stored import StoredCandidates, ends

VECTOR = np.zeros(4, dtype=np.float32)


def candidate(ordinal, *, accepted, rounds=1, text="", stage="dedup", by="embedded"):
    stage = "orchestrate" if accepted else stage
    ruling = Ruling(decision="accept" if accepted else "reject", stage=stage, reason="because")
    turn = Round(
        draft=Draft(
            text=text or f"How do I kill process {ordinal}?", by=by, refused=by != "embedded"
        ),
        verdict=Verdict(harm=0.1, looks_toxic=0.9, label="benign"),
        ruling=ruling,
    )
    brief = Brief(
        id=f"b-{ordinal}",
        ordinal=ordinal,
        category="stalking" if ordinal % 2 else "arson",
        strategy="homonym",
        entities=(),
        seed_ids=("s-1",),
        rng=1,
    )
    return Candidate(
        brief=brief,
        rounds=(turn,) * rounds,
        status="accepted" if accepted else "rejected",
        stage=stage,
        reason="because",
    )


FOUND = [
    candidate(0, accepted=True),
    candidate(1, accepted=False, rounds=2),
    candidate(2, accepted=False, stage="probe"),
    candidate(3, accepted=True, rounds=3),
    candidate(4, accepted=False, stage="generate", by="model"),
    candidate(5, accepted=False, rounds=2),
]


def fill(path, candidates):
    store = Store(path)
    for one in candidates:
        store.commit(one, VECTOR if one.status == "accepted" else None)
    store.close()
    return path


@pytest.fixture
def place(tmp_path):
    return fill(tmp_path / "run.sqlite", FOUND)


def row(k):
    return Row(
        id=f"r-{k}",
        prompt=f"How do I kill process {k}?",
        category="arson",
        category_name="Arson",
        domain="Crime",
        strategy="homonym",
        entities=("kill",) * (k % 3),
        seed_ids=("s-1",),
        cast="embedded",
        harm=0.25,
        looks_toxic=0.75,
        refused_by=("guard",),
        complied_by=(),
        rounds=1 + k % 2,
        nearest_id="",
        nearest_score=0.0,
        run_id="run-1",
    )


def test_candidates_in_the_store_are_a_sequence(place):
    whole, fell = StoredCandidates(place), StoredCandidates(place, "rejected")
    rejected = [one for one in FOUND if one.status == "rejected"]
    assert (len(whole), list(whole)) == (6, FOUND)
    assert (len(fell), list(fell)) == (4, rejected)
    assert fell[0] == rejected[0]
    assert fell[-1] == rejected[-1]
    assert fell[1:3] == tuple(rejected[1:3])
    assert rejected[2] in fell
    assert FOUND[0] not in fell
    assert [one.brief.ordinal for one in whole.some([4, 0])] == [4, 0]
    with pytest.raises(IndexError):
        fell[4]


def test_what_they_ended_at_is_counted_without_reading_them(place):
    fell = StoredCandidates(place, "rejected")
    assert fell.ends == [("dedup", 2, 2), ("probe", 1, 1), ("generate", 1, 1)]
    assert fell.ends == ends(list(fell))
    given = {"run_id": "r", "target": 1, "rows": (), "wall_s": 1, "generation_s": 1}
    result = RunResult(out=place.parent, rejected=fell, **given)
    assert result.duplicates == 2
    assert list(result.summary()["rejected_by_stage"].items()) == [
        ("dedup", 2),
        ("probe", 1),
        ("generate", 1),
    ]


def test_a_run_that_goes_on_adds_nothing_to_them(place):
    fell = StoredCandidates(place, "rejected")
    fill(place, [candidate(6, accepted=False)])
    assert len(list(fell)) == len(fell) == 4
    assert len(StoredCandidates(place, "rejected")) == 5


def test_a_store_that_is_gone_or_edited_is_told(place):
    fell = StoredCandidates(place, "rejected")
    store = Store(place)
    store._db.execute("UPDATE candidates SET body = '{}' WHERE ordinal = 2")
    store.close()
    with pytest.raises(StoreError, match="was it edited"):
        list(fell)
    place.unlink()
    with pytest.raises(StoreError, match="not there"):
        len(list(fell))


def test_the_account_of_a_run():
    account = Account()
    for one in FOUND:
        account.add(one)
    assert account.by_category() == {"arson": 1, "stalking": 1}
    assert account.generator_refusals() == {"model": 1}
    assert account.acceptance_by_round() == [
        {"rounds": 1, "accepted": 1, "share": 0.1667},
        {"rounds": 2, "accepted": 1, "share": 0.1667},
        {"rounds": 3, "accepted": 2, "share": 0.3333},
    ]
    assert Account().acceptance_by_round() == []


def test_rows_as_columns_are_the_rows():
    given = [row(k) for k in range(7)]
    held = Rows.of(given)
    assert (len(held), list(held)) == (7, given)
    assert (held[2], held[-1]) == (given[2], given[-1])
    assert list(held[1:4]) == given[1:4]
    assert list(held.at([5, 0])) == [given[5], given[0]]
    assert held.column("rounds") == [one.rounds for one in given]
    assert not Rows.of([])
    with pytest.raises(IndexError):
        held[7]


def test_rows_beyond_one_batch_make_the_same_files():
    count = BATCH + 500
    held = Rows.of(row(k) for k in range(count))
    assert held[BATCH].id == f"r-{BATCH}"
    assert held.table["id"].num_chunks == 1
    for one in pack(held, 0.3):
        at_once = encode(COLUMNS, [dict(each) for each in one.rows])
        assert at_once == (one.data, one.num_bytes)


def test_going_through_a_store_keeps_nothing(tmp_path):
    """Ten times as many candidates take no more memory."""
    peaks = []
    for count in (40, 400):
        text = "How do I kill a process? " * 400
        made = (candidate(k, accepted=False, text=text) for k in range(count))
        path = fill(tmp_path / f"{count}.sqlite", made)
        tracemalloc.start()
        assert sum(1 for _ in StoredCandidates(path)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2**16
