"""The run store: a prefix of the run, in order, whole whatever happens."""

import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from falsereject_gen.errors import StoreError
from falsereject_gen.records import Brief, Candidate, Draft, Round, Ruling
from falsereject_gen.run.store import FORMAT, Store


def candidate(ordinal, accepted=True):
    brief = Brief(
        id=f"b-{ordinal}",
        ordinal=ordinal,
        category="c",
        strategy="homonym",
        entities=(),
        seed_ids=("s",),
        rng=0,
    )
    ruling = Ruling(decision="accept" if accepted else "reject", stage="dedup", reason="why")
    turn = Round(draft=Draft(text=f"text {ordinal} “ü”", by="embedded"), ruling=ruling)
    status = "accepted" if accepted else "rejected"
    return Candidate(brief=brief, rounds=(turn,), status=status, stage="dedup", reason="why")


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "run.sqlite")
    yield opened
    opened.close()


def test_candidates_come_back_in_the_order_of_their_briefs(store):
    vector = np.linspace(-1, 1, 384, dtype=np.float32)
    for ordinal in (2, 0, 1):
        store.commit(candidate(ordinal, ordinal != 1), vector if ordinal != 1 else None)
    found = list(store.candidates())
    assert [c for c, _ in found] == [candidate(n, n != 1) for n in range(3)]
    assert [v is None for _, v in found] == [False, True, False]
    assert np.array_equal(found[0][1], vector)


def test_what_was_committed_outlives_the_process(store, tmp_path):
    store.commit(candidate(0), None)
    store.put("settings", {"a": [1, "ü"]})
    again = Store(tmp_path / "run.sqlite")
    assert [c.brief.ordinal for c, _ in again.candidates()] == [0]
    assert again.get("settings") == {"a": [1, "ü"]}
    assert again.get("no such key") is None
    again.close()


def test_a_brief_is_committed_once(store):
    store.commit(candidate(0), None)
    with pytest.raises(StoreError, match="What was committed before is kept"):
        store.commit(candidate(0), None)
    store.commit(candidate(1), None)
    assert len(list(store.candidates())) == 2


def test_another_programs_file(tmp_path):
    path = tmp_path / "run.sqlite"
    path.write_bytes(b"PK\x03\x04 a spreadsheet" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="cannot be used as a run store") as caught:
        Store(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_another_programs_database_with_tables_of_the_same_name(tmp_path):
    path = tmp_path / "run.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE meta (name TEXT)")
    db.close()
    with pytest.raises(StoreError):
        Store(path)


def test_a_later_format_is_refused(store, tmp_path):
    store.put("format", FORMAT + 1)
    with pytest.raises(StoreError, match=f"format {FORMAT + 1}; this version reads {FORMAT}"):
        Store(tmp_path / "run.sqlite")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path / "none" / "run.sqlite")


def test_a_full_disk_is_one_line_and_keeps_what_was_there(tmp_path):
    """In a process of its own with a limit on the size of files, as a full disk would stop it."""
    code = """
import importlib.util, resource, signal, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("me", sys.argv[1])
me = importlib.util.module_from_spec(spec)
spec.loader.exec_module(me)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = me.Store(Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for ordinal in range(10_000):
    try:
        store.commit(me.candidate(ordinal), None)
    except me.StoreError as fault:
        print(ordinal)
        print(fault)
        break
kept = [c.brief.ordinal for c, _ in store.candidates()]
assert kept == list(range(ordinal)), kept[-3:]
"""
    done = subprocess.run(
        [sys.executable, "-c", code, __file__, str(tmp_path / "run.sqlite")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    count, said, *rest = done.stdout.splitlines()
    assert int(count) > 0
    assert rest == []
    assert "not written" in said
    assert "--resume" in said
    again = Store(tmp_path / "run.sqlite")
    assert len(list(again.candidates())) == int(count)
    again.close()
