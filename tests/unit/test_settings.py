"""Settings: one place for each knob, unknown ones refused by name, the later source wins."""

from pathlib import Path

import pytest

from falsereject_gen.errors import FalseRejectError, InputError, UsageError
from falsereject_gen.settings import RunSettings, load_settings


def test_defaults_come_from_loop_yaml(rooms):
    stated = rooms.yaml("graphs/loop.yaml")
    found = load_settings(rooms=rooms).model_dump(mode="json")
    assert {key: found[key] for key in stated} == stated
    assert found["target"] == 220


def test_the_later_source_wins(tmp_path, rooms):
    config = tmp_path / "run.yaml"
    config.write_text("target: 5\nloop: {rounds: 2, harm_max: 0.3}\n", encoding="utf-8")
    found = load_settings(config, ["loop.rounds=3"], rooms, target=7)
    assert (found.target, found.loop.rounds, found.loop.harm_max) == (7, 3, 0.3)
    assert found.loop.toxic_min == load_settings(rooms=rooms).loop.toxic_min


def test_a_run_that_goes_on_starts_from_its_own_settings(rooms):
    old = load_settings(None, ["loop.rounds=2"], rooms, target=9).model_dump(mode="json")
    found = load_settings(None, ["target=11"], rooms, base=old)
    assert (found.loop.rounds, found.target) == (2, 11)


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("loop.round=3", r"unknown setting `loop\.round`; known here: .*\brounds\b"),
        ("tarket=3", r"unknown setting `tarket`; known here: .*\btarget\b"),
        ("loop.rounds=0", r"`loop\.rounds`.*got 0"),
        ("loop.harm_max=1.5", r"`loop\.harm_max`.*got 1\.5"),
        ("loop.rounds=many", r"`loop\.rounds`.*'many'"),
        ("target", "write it as key=value"),
        ("=3", "write it as key=value"),
        ("output.test_share=1", r"`output\.test_share`"),
        ("roles.director=[embedded]", r"`roles\.director"),
        ("pool=3", "`pool`"),
        ("budget.cents=3", r"unknown setting `budget\.cents`; known here: calls, money, tokens"),
        ("loop.rounds.deep=3", r"`loop\.rounds`"),
    ],
)
def test_a_wrong_pair_is_one_line_with_its_name(rooms, pair, said):
    with pytest.raises(UsageError, match=said) as caught:
        load_settings(None, [pair], rooms)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pair", ["target=[1", "target={a: b: c}"])
def test_a_value_that_is_no_yaml_is_one_line(rooms, pair):
    with pytest.raises(FalseRejectError, match=r"--set target.*not valid YAML") as caught:
        load_settings(None, [pair], rooms)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_in_a_file_is_named(tmp_path, rooms):
    config = tmp_path / "run.yaml"
    config.write_text("dedup: {row_max: 0.5}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"`dedup\.row_max`.*rows_max"):
        load_settings(config, rooms=rooms)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"- target\n", "a config is a mapping"),
        (b"target: \xff\n", "cannot be read"),
        (b"target: [\n", "not valid YAML"),
        (None, "cannot be read"),
    ],
)
def test_a_config_that_cannot_be_used(tmp_path, rooms, content, said):
    config = tmp_path / "run.yaml"
    if content is not None:
        config.write_bytes(content)
    with pytest.raises(FalseRejectError, match=said) as caught:
        load_settings(config, rooms=rooms)
    assert str(config) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_config_changes_nothing(tmp_path, rooms):
    config = tmp_path / "run.yaml"
    config.write_text("# nothing\n", encoding="utf-8")
    assert load_settings(config, rooms=rooms) == load_settings(rooms=rooms)


def test_a_missing_config_is_bad_input(tmp_path):
    with pytest.raises(InputError):
        load_settings(tmp_path / "none.yaml")


def test_settings_survive_json(rooms):
    found = load_settings(None, ["seeds=[a.csv]"], rooms)
    assert found.seeds == (Path("a.csv"),)
    assert RunSettings.model_validate(found.model_dump(mode="json")) == found
