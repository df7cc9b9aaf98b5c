"""`seeds import` and `seeds stats`: files, JSON on standard output, problems on standard error."""

import json

import pytest
from typer.testing import CliRunner

from falsereject_gen.cli.seeds import app
from falsereject_gen.errors import InputError, UsageError


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=True)


def test_import_writes_seeds_and_says_what_happened(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "ask,kind\nHow do I rob a bank?,property-crimes\n,property-crimes\n", encoding="utf-8"
    )
    out = tmp_path / "seeds.jsonl"
    done = run(
        "import",
        path,
        "--out",
        out,
        "--prompt-column",
        "ask",
        "--category-column",
        "kind",
        "--json",
    )
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["counts"]["kept"] == 1
    assert said["by_category"] == {"property-crimes": 1}
    assert f"{path}, row 2: the prompt is empty" in done.stderr
    assert json.loads(out.read_text(encoding="utf-8"))["source"] == "mine.csv"
    shown = run("stats", out)
    assert shown.exit_code == 0, shown.output
    assert "property-crimes" in shown.stdout


def test_errors_propagate_and_write_nothing(tmp_path):
    out = tmp_path / "seeds.jsonl"
    missing = run("import", tmp_path / "gone.csv", "--out", out)
    assert isinstance(missing.exception, InputError)
    wrong = run("import", tmp_path / "gone.csv", "--out", tmp_path / "seeds.csv")
    assert isinstance(wrong.exception, UsageError)
    assert not out.exists()


@pytest.mark.parametrize("command", ["import", "stats"])
def test_help_is_quick_to_read(command):
    assert run(command, "--help").exit_code == 0
