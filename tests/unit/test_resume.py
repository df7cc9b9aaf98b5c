"""What a run that goes on is told: added seeds, what changed, and that there is nothing to do."""

from pathlib import Path

import pytest

from falsereject_gen.errors import StoreError
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.resume import added, changed_since, finished, nothing_to_do, remember
from falsereject_gen.run.store import Store
from falsereject_gen.settings import BUNDLED, load_settings


@pytest.fixture
def rooms():
    found = Rooms()
    found.text("graphs/loop.yaml")
    return found


@pytest.fixture
def run(tmp_path, rooms):
    """A finished run of five rows, as far as its folder says."""
    store = Store(tmp_path / "run.sqlite")
    settings = load_settings(None, ["target=5"], rooms)
    remember(store, settings, rooms)
    finished(store, settings, {"accepted": 5, "target": 5, "out": "elsewhere"})
    (tmp_path / "dataset").mkdir()
    for name in ("manifest.json", "report.html", "dataset/README.md", "rejected.jsonl"):
        (tmp_path / name).touch()
    yield store, settings
    store.close()


def test_seeds_are_added_to_those_there_are():
    assert added([], [Path("x.csv")]) == (BUNDLED, Path("x.csv"))
    assert added(["a.csv"], [Path("x.csv"), Path("a.csv")]) == (Path("a.csv"), Path("x.csv"))
    assert added(["a.csv"], None) is None


def test_what_changed_is_named_with_its_old_value(run, rooms):
    store, settings = run
    assert changed_since(store, settings, rooms) == []
    other = load_settings(None, ["target=9", "loop.harm_max=0.25", "budget.calls=3"], rooms)
    (line,) = changed_since(store, other, rooms)
    assert "loop.harm_max is 0.25, was 0.5" in line


def test_another_asset_is_named(run, rooms, tmp_path):
    store, settings = run
    overlay = tmp_path / "mine"
    (overlay / "graphs").mkdir(parents=True)
    text = rooms.text("graphs/loop.yaml") + "\n# mine\n"
    (overlay / "graphs" / "loop.yaml").write_text(text, encoding="utf-8")
    mine = Rooms(overlay)
    mine.text("graphs/loop.yaml")
    (line,) = changed_since(store, settings, mine)
    assert line.startswith("graphs/loop.yaml is another file now")
    assert nothing_to_do(tmp_path, settings, mine) is None


def test_a_finished_run_has_nothing_to_do(run, tmp_path):
    _, settings = run
    assert nothing_to_do(tmp_path, settings, Rooms())["out"] == str(tmp_path)


@pytest.mark.parametrize("less", ["manifest.json", "report.html", "dataset/README.md"])
def test_unless_something_is_missing_or_asked_for(less, run, tmp_path):
    _, settings = run
    assert nothing_to_do(tmp_path, load_settings(None, ["target=6"]), Rooms()) is None
    (tmp_path / less).unlink()
    assert nothing_to_do(tmp_path, settings, Rooms()) is None


def test_a_database_of_another_program_is_left_alone(tmp_path):
    import sqlite3

    path = tmp_path / "run.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database"):
        Store(path)
    assert path.read_bytes() == before
