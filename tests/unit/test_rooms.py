"""Assets: the overlay wins file by file, what was read is recorded, nothing is overwritten."""

import hashlib

import pytest

from falsereject_gen.errors import RoomError, UsageError
from falsereject_gen.rooms import ROOMS, Rooms, eject, parse_yaml


@pytest.fixture
def overlay(tmp_path):
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "loop.yaml").write_text("mine: true\n", encoding="utf-8")
    (tmp_path / "graphs" / "zz.yaml").write_text("new: 1\n", encoding="utf-8")
    return tmp_path


def test_the_overlay_wins_file_by_file_and_is_recorded(overlay):
    found = Rooms(overlay)
    assert found.yaml("graphs/loop.yaml") == {"mine": True}
    assert "categories" in found.yaml("graphs/taxonomy.yaml")
    assert found.read["graphs/loop.yaml"] == {
        "from": "overlay",
        "sha256": hashlib.sha256(b"mine: true\n").hexdigest(),
    }
    assert found.read["graphs/taxonomy.yaml"]["from"] == "package"


def test_names_are_those_of_both(overlay):
    names = Rooms(overlay).names("graphs")
    assert "graphs/zz.yaml" in names
    assert "graphs/taxonomy.yaml" in names
    assert names == sorted(set(names))
    assert "graphs/zz.yaml" not in Rooms().names("graphs")


def test_an_overlay_without_rooms_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match="eject"):
            Rooms(place)


def test_a_missing_asset_is_named(overlay):
    with pytest.raises(RoomError, match=r"graphs/none\.yaml.*or the overlay"):
        Rooms(overlay).text("graphs/none.yaml")


def test_a_broken_asset_is_one_line_with_its_place(overlay):
    (overlay / "graphs" / "loop.yaml").write_text("a: 1\nb: [\n", encoding="utf-8")
    with pytest.raises(RoomError, match=r"graphs/loop\.yaml, line \d") as caught:
        Rooms(overlay).yaml("graphs/loop.yaml")
    assert "\n" not in str(caught.value)
    (overlay / "graphs" / "loop.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(RoomError, match="not UTF-8"):
        Rooms(overlay).text("graphs/loop.yaml")


def test_yaml_makes_no_objects():
    with pytest.raises(RoomError):
        parse_yaml("!!python/object/apply:os.getcwd []", "x")


def test_the_working_directory_is_not_searched(overlay, monkeypatch):
    monkeypatch.chdir(overlay)
    assert "mine" not in Rooms().yaml("graphs/loop.yaml")


def test_eject_gives_an_overlay_that_says_the_same(tmp_path):
    made = eject(tmp_path / "own")
    assert {p.relative_to(tmp_path / "own").parts[0] for p in made} == set(ROOMS)
    mine, ours = Rooms(tmp_path / "own"), Rooms()
    assert mine.text("graphs/loop.yaml") == ours.text("graphs/loop.yaml")
    assert mine.read["graphs/loop.yaml"]["from"] == "overlay"
    assert mine.names("graphs/seeds") == ours.names("graphs/seeds")


def test_eject_overwrites_nothing(tmp_path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "mine.j2").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="exists already"):
        eject(tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["prompts", "mine.j2"]
    assert (tmp_path / "prompts" / "mine.j2").read_text(encoding="utf-8") == "mine"
