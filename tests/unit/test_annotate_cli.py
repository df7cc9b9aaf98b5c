"""`annotate export` and `annotate import` as people type them."""

import csv
import io
import json
import shutil

import pytest
from typer.testing import CliRunner

from falsereject_gen.annotate.folder import read_batch
from falsereject_gen.annotate.rows import published_rows
from falsereject_gen.cli.main import app
from falsereject_gen.errors import FalseRejectError, InputError, UsageError

YES = ["yes", "yes", "no", "yes", "yes", ""]


@pytest.fixture
def run(small_run, tmp_path):
    """A finished run without what this test does not touch."""
    place = tmp_path / "run"
    shutil.copytree(small_run.out / "dataset", place / "dataset")
    shutil.copy(small_run.out / "manifest.json", place)
    return place


def call(*words):
    done = CliRunner().invoke(app, ["annotate", *map(str, words)])
    if done.exception and not isinstance(done.exception, FalseRejectError | SystemExit):
        raise done.exception
    return done


def told(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.splitlines()[-1])


def fill(folder, who, change=lambda rows: rows):
    path = folder / f"for-{who}" / "batch.csv"
    table = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    out = io.StringIO(newline="")
    csv.writer(out).writerows([table[0], *change([row[:4] + YES for row in table[1:]])])
    path.with_name("done.csv").write_text(out.getvalue(), encoding="utf-8", newline="")
    return path.with_name("done.csv")


def test_out_and_back_in(run, small_run):
    assert sorted(r.id for r in published_rows(run)) == sorted(r.id for r in small_run.rows)
    made = told(call("export", run, "--annotators", "anna, bob", "--overlap", 2, "--json"))
    folder = run / "annotation" / "batch-1"
    assert made["out"] == str(folder)
    assert made["items"] == {"anna": 27, "bob": 27}
    assert "assignment" not in made
    batch = read_batch(folder)
    files = [fill(folder, "anna"), fill(folder, "bob", lambda rows: rows[1:])]
    found = told(call("import", folder, *files, "--json"))
    assert (found["new"], found["same"], found["problems"]) == (53, 0, [])
    assert found["missing"] == {"bob": batch.assignment["bob"][:1]}
    again = call("import", folder, *files, "--json")
    assert told(again)["same"] == 53
    assert "bob: 1 still to be answered" in again.stderr
    second = told(call("export", run, "--json", "--format", "csv"))
    assert second["out"].endswith("batch-2")
    assert second["open"]


def test_what_could_not_be_kept_fails_the_command_and_the_rest_is_kept(run, tmp_path):
    folder = tmp_path / "b"
    assert call("export", run, "--annotators", "anna", "--out", folder).exit_code == 0

    def spoil(rows):
        rows[0][4] = "perhaps"
        return [*rows, ["i-unknown", *rows[0][1:4], *YES]]

    done = call("import", folder, fill(folder, "anna", spoil))
    assert done.exit_code == 1
    assert str(done.exception) == "not kept: 2, see above; all others were"
    assert "wrong: " in done.stderr
    assert "line 2: `benign`: 'perhaps'" in done.stderr
    assert "answers: 27 new" in done.stderr


def test_settings_and_limits(run, tmp_path):
    pilot = told(call("export", run, "--annotators", "a,b,c", "--pilot", 6, "--json"))
    assert (pilot["out"].rpartition("/")[2], pilot["pilot"], pilot["overlap"]) == (
        "pilot-1",
        True,
        3,
    )
    done = call(
        *("export", run, "--annotators", "a,b,c", "--size", 500, "--controls", 0, "--json"),
        *("--set", f"annotation.without=[{pilot['out']}]", "--set", "seed=5"),
        *("--set", "annotation.toxic_side=false", "--out", tmp_path / "x"),
    )
    main = told(done)
    assert main["rows"]["drawn"] == 18
    assert main["limits"] == ["asked for 500 rows, had 18"]
    assert "note: asked for 500 rows, had 18" in done.stderr
    assert (main["sampler"]["rng"], main["overlap"], main["warning"]) == (5, 3, "")
    rows = {key.row_id for key in read_batch(tmp_path / "x").keys.values()}
    assert not rows & {key.row_id for key in read_batch(run / "annotation/pilot-1").keys.values()}


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("--controls", "0.9"), UsageError, "annotation.controls"),
        (("--set", "annotation.nonsense=1"), UsageError, "unknown setting"),
        (("--format", "brat"), UsageError, "known are label-studio"),
        (("--annotators", "a,b", "--overlap", "3"), UsageError, "3 readers"),
        (("--pilot", "5", "--size", "9"), UsageError, "--pilot"),
        (("--set", "annotation.without=[nowhere]"), InputError, "no annotation batch"),
        (("--push", "http://localhost:1"), UsageError, "LABEL_STUDIO_API_KEY"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(run, words, error, says, monkeypatch):
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    done = call("export", run, *words)
    assert isinstance(done.exception, error), done.output
    assert says in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (run / "annotation").exists()


def test_folders_that_hold_something_else(run, tmp_path):
    for words in (("export", tmp_path), ("import", tmp_path, tmp_path / "x.csv")):
        done = call(*words)
        assert isinstance(done.exception, InputError)
        assert str(tmp_path) in str(done.exception)
    folder = tmp_path / "b"
    call("export", run, "--annotators", "anna", "--out", folder)
    assert isinstance(call("import", folder).exception, UsageError)
    call("import", folder, fill(folder, "anna"))
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    done = call("export", run, "--annotators", "anna", "--out", folder)
    assert "holds 27 answers" in str(done.exception)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    (run / "manifest.json").write_text("{", encoding="utf-8")
    assert "settings cannot be read" in str(call("export", run).exception)
    broken = next((run / "dataset" / "data").glob("*.parquet"))
    (run / "manifest.json").unlink()
    broken.write_bytes(b"no parquet")
    assert str(broken) in str(call("export", run).exception)
