"""The ablation: which arms there are, what is run again, and a table that says what it measured."""

import json

import pytest
from typer.testing import CliRunner

from falsereject_gen.cli.main import app
from falsereject_gen.errors import InputError, Stopped, UsageError
from falsereject_gen.evaluate.ablate import Arm, arm_settings, arms_of, run_arms
from falsereject_gen.evaluate.ablation_table import Result, as_markdown, as_object
from falsereject_gen.evaluate.metrics import Metrics, Value
from falsereject_gen.run.store import Store
from falsereject_gen.settings import load_settings


@pytest.fixture(scope="module")
def settings():
    return load_settings(target=6)


def test_arms_are_every_graph_with_every_loop(settings):
    arms = arms_of("none, walk", "0,1,N", settings)
    assert [arm.name for arm in arms] == [
        "none-0",
        "none-1",
        "none-4",
        "walk-0",
        "walk-1",
        "walk-4",
    ]
    assert arms_of("none,none", "N,4", settings) == [Arm("none", 4)]


@pytest.mark.parametrize(
    ("graphs", "rounds", "said"),
    [
        ("stroll", "1", "of seed, walk, bridge, coverage, none"),
        ("", "1", "--graphs"),
        ("none", "", "--rounds"),
        ("none", "many", "0 to 20 or N"),
        ("none", "-1", "0 to 20 or N"),
        ("none", "21", "0 to 20 or N"),
    ],
)
def test_an_arm_that_cannot_be_is_told(graphs, rounds, said, settings):
    with pytest.raises(UsageError, match=said):
        arms_of(graphs, rounds, settings)


def test_an_arm_changes_its_graph_and_its_loop_only(settings):
    whole = arm_settings(settings, Arm("walk", 2))
    assert (whole.sampling.graph, whole.loop.rounds) == ("walk", 2)
    same = {"sampling": settings.sampling, "loop": settings.loop}
    assert whole.model_copy(update=same) == settings


def test_no_loop_means_that_nothing_is_refused(settings):
    bare = arm_settings(settings, Arm("seed", 0))
    loop = bare.loop
    assert (loop.rounds, loop.harm_max, loop.toxic_min) == (1, 1, 0)
    assert (loop.min_refusals, loop.min_compliances) == (0, 0)
    assert bare.dedup.rows_max == bare.dedup.seeds_max == bare.dedup.reference_max == 1
    assert bare.roles == {}


def test_no_loop_calls_no_judge():
    spoken = load_settings(cast="spoken", roles={"panel": ("default",)})
    bare = arm_settings(spoken, Arm("none", 0))
    assert bare.roles["discriminator"] == bare.roles["pool"] == ("embedded",)
    assert bare.roles["panel"] == ()
    assert "generator" not in bare.roles


class Runs:
    """Stands for the main job: makes a folder that looks like a run, or stops."""

    def __init__(self, stop_at=None):
        self.made, self.stop_at = [], stop_at

    def __call__(self, settings, folder, resume):
        self.made.append((folder.name, resume))
        folder.mkdir(parents=True, exist_ok=True)
        store = Store(folder / "run.sqlite")
        store.put("settings", settings.model_dump(mode="json"))
        store.close()
        if folder.name == self.stop_at:
            raise Stopped("stopped by the user")
        made = {"settings": settings.model_dump(mode="json")}
        (folder / "manifest.json").write_text(json.dumps(made), "utf-8")


def test_what_is_finished_is_not_run_again_and_what_was_stopped_goes_on(settings, tmp_path):
    arms = arms_of("none,seed", "1", settings)
    first = Runs(stop_at="seed-1")
    with pytest.raises(Stopped):
        run_arms(settings, arms, tmp_path, first)
    assert first.made == [("none-1", False), ("seed-1", False)]
    said, second = [], Runs()
    folders = run_arms(settings, arms, tmp_path, second, said.append)
    assert second.made == [("seed-1", True)]
    assert "finished before" in said[0]
    assert folders == [tmp_path / "none-1", tmp_path / "seed-1"]


def test_a_run_that_died_before_it_began_is_begun(settings, tmp_path):
    (tmp_path / "none-1").mkdir()
    Store(tmp_path / "none-1" / "run.sqlite").close()
    runs = Runs()
    run_arms(settings, [Arm("none", 1)], tmp_path, runs)
    assert runs.made == [("none-1", False)]


@pytest.mark.parametrize("finished", [True, False])
def test_another_ablation_in_the_folder_is_told_before_anything_runs(settings, tmp_path, finished):
    arms = [Arm("seed", 1), Arm("none", 1)]
    run_arms(settings, arms[1:], tmp_path, Runs())
    if not finished:
        (tmp_path / "none-1" / "manifest.json").unlink()
    other, runs = load_settings(target=7), Runs()
    with pytest.raises(UsageError, match=r"none-1.*choose another --out"):
        run_arms(other, arms, tmp_path, runs)
    assert runs.made == []


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_broken_manifest_is_told(settings, tmp_path, text):
    run_arms(settings, [Arm("none", 1)], tmp_path, Runs())
    (tmp_path / "none-1" / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"manifest\.json"):
        run_arms(settings, [Arm("none", 1)], tmp_path, Runs())


def result(graph, *, few=False, **assets):
    def value(x):
        return Value(undefined="6 rows, fewer than n = 9") if few else Value(mean=x, low=x, high=x)

    fields = {name: value(0.25) for name in Metrics.model_fields if name not in COUNTS}
    metrics = Metrics(rows=6, n=9, repeats=0 if few else 5, **fields)
    return Result(
        graph=graph,
        rounds=4,
        rows=6,
        briefs=8,
        acceptance=0.75,
        passing=1.0,
        drafts_a_row=1.5,
        calls_a_row=0,
        readings=5,
        assets=assets,
        metrics=metrics,
    )


COUNTS = ("rows", "n", "repeats")


def test_the_table_says_why_a_cell_is_empty(settings):
    text = as_markdown([result("none"), result("walk", few=True)])
    lines = text.splitlines()
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert "| none | 4 | 6 | 75.0% | 100.0% | 0.250 |" in text
    assert "walk, loop 4: 6 rows, fewer than n = 9" in text
    assert as_object([result("none")], settings)["edited_between"] == []


def test_files_that_were_edited_between_the_arms_are_told(settings):
    pair = [result("none", grammar="1", card="1"), result("walk", grammar="2", prompt="7")]
    assert "edited between the arms: grammar\n" in as_markdown(pair)
    assert as_object(pair, settings)["edited_between"] == ["grammar"]


def test_the_command_runs_measures_and_does_not_run_twice(warm, few_seeds, tmp_path):
    arguments = ["ablate", "--out", str(tmp_path / "ab"), "--budget", "6", "--n", "4", "--json"]
    arguments += ["--graphs", "none,coverage", "--rounds", "0", "--seeds", str(few_seeds)]
    first = CliRunner().invoke(app, arguments, catch_exceptions=False)
    found = json.loads(first.stdout.splitlines()[-1])
    assert [arm["graph"] for arm in found["arms"]] == ["none", "coverage"]
    for arm in found["arms"]:
        assert (arm["rows"], arm["briefs"], arm["drafts_a_row"], arm["calls_a_row"]) == (6, 6, 1, 0)
        assert 0 < arm["metrics"]["dist_2"]["mean"] <= 1
    assert found["edited_between"] == []
    table = (tmp_path / "ab" / "ablation.md").read_text("utf-8")
    assert table.count("| none |") == table.count("| coverage |") == 1
    kept = json.loads((tmp_path / "ab" / "ablation.json").read_text("utf-8"))
    assert kept["arms"] == found["arms"]
    again = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert again.stderr.count("finished before") == 2
    assert json.loads(again.stdout.splitlines()[-1]) == found
