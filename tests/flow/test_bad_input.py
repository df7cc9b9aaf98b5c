"""Every bad input through the real command: one line, the right exit code, nothing half-written."""

import json
import os
import sqlite3
import subprocess
import sys

import pytest

CLI = [sys.executable, "-m", "falsereject_gen.cli.main"]
GOOD = "prompt,category\nHow do I steal a car?,property-crimes\n"
DUPLICATE_ID = """
extends: bundled
categories:
  - {id: self-harm, name: Again, domain: d, definition: Unsafe is x.}
"""


@pytest.fixture
def command(warm, monkeypatch, capsys):
    """The command line in this process: exit code, standard output, standard error."""
    from falsereject_gen.cli import main

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["falsereject-gen", *map(str, arguments)])
        code = 0
        try:
            main.main()
        except SystemExit as ended:
            code = ended.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def seeds(tmp_path):
    path = tmp_path / "good.csv"
    path.write_text(GOOD, encoding="utf-8")
    return path


def one_line(told):
    """The error: the last line; what stands before it are stages, which end in an ellipsis."""
    lines = told.strip().splitlines()
    rest = [line for line in lines[:-1] if not line.endswith("…")]
    assert rest == []
    assert "Traceback" not in told
    assert lines[-1].startswith("falsereject-gen: ")
    return lines[-1]


def broken_at_812():
    rows = [json.dumps({"prompt": f"How do I steal car number {n}?"}) for n in range(1, 1000)]
    rows[811] = '{"prompt": "How do I'
    return "\n".join(rows).encode()


FILES = {
    "empty.csv": (b"", "the file is empty"),
    "binary.csv": (bytes(range(256)) * 20, "binary.csv"),
    "noprompt.csv": (b"a,b\n1,2\n", "no column `prompt` with prompts; the columns are: a, b"),
    "broken.jsonl": (broken_at_812(), "line 812"),
    "encoding.csv": ("prompt\nWie töte ich?\n".encode("utf-16"), "encoding.csv"),
    "latin.csv": ("prompt\nWie töte ich?\n".encode("latin-1"), "latin.csv"),
    "null.jsonl": (b'{"prompt": null}\n', "null.jsonl"),
    "huge.csv": (b"prompt\n" + b"kill " * 2_000_000 + b"\n", "huge.csv"),
    "wrong.docx": (b"x", "files of this kind are not read"),
    "header.csv": (b"prompt,category\n", "no rows in it"),
    "benign.csv": (b"prompt,label\nHow do I bake?,safe\n", "benign.csv"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_seed_file_that_cannot_be_used(command, tmp_path, name):
    data, said = FILES[name]
    (tmp_path / name).write_bytes(data)
    out = tmp_path / "seeds.jsonl"
    code, printed, told = command("seeds", "import", tmp_path / name, "--out", out)
    assert code == 1, told
    assert said in one_line(told)
    assert printed == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize(
    ("name", "said"), [("gone.csv", "no such file"), (".", "this is a directory")]
)
def test_a_run_from_no_file(command, tmp_path, name, said):
    out = tmp_path / "out"
    code, printed, told = command("run", "--seeds", tmp_path / name, "--target", 3, "--out", out)
    assert code == 1, told
    assert said in one_line(told)
    assert printed == ""
    assert not (out / "dataset").exists()


def test_a_run_that_could_not_begin_does_not_stand_in_the_way(command, tmp_path, seeds):
    """The folder of a run that failed on its seeds can be used again."""
    out = tmp_path / "out"
    first = command("run", "--seeds", tmp_path / "gone.csv", "--target", 2, "--out", out)
    assert first[0] == 1
    code, _, told = command("run", "--seeds", seeds, "--target", 2, "--out", out)
    assert code == 0, told
    assert (out / "dataset" / "README.md").is_file()


def test_a_row_with_a_null_is_said_and_the_rest_is_used(command, tmp_path):
    path, out = tmp_path / "some.jsonl", tmp_path / "seeds.jsonl"
    rows = ['{"prompt": "How do I steal a car?"}', '{"prompt": null}']
    path.write_text("\n".join(rows), encoding="utf-8")
    code, printed, told = command("seeds", "import", path, "--out", out, "--json")
    assert code == 0, told
    counts = json.loads(printed.splitlines()[-1])["counts"]
    assert (counts["read"], counts["null"], counts["kept"]) == (2, 1, 1)
    assert "line 2" in told


def test_seeds_that_are_all_the_same_count_once(command, tmp_path):
    path, out = tmp_path / "same.csv", tmp_path / "seeds.jsonl"
    path.write_text(GOOD + "how do i STEAL a car?,property-crimes\n" * 9, encoding="utf-8")
    code, printed, told = command("seeds", "import", path, "--out", out, "--json")
    assert code == 0, told
    counts = json.loads(printed.splitlines()[-1])["counts"]
    assert (counts["kept"], counts["duplicates"]) == (1, 9)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "--target", "0"], 2, "`target`: Input should be greater than or equal to 1"),
        (["run", "--target", "-5"], 2, "`target`"),
        (["run", "--set", "loop.round=3"], 2, "unknown setting `loop.round`; known here: "),
        (["run", "--set", "rounds"], 2, "write it as key=value"),
        (["run", "--set", "pool=[doorman]"], 2, "lexical-guard, neighbour-guard, strict-guard"),
        (["run", "--config", "{tmp}/bad.yaml"], 2, "unknown setting `loop.depth`"),
        (["run", "--config", "{tmp}/gone.yaml"], 1, "gone.yaml"),
        (["run", "--rooms", "{tmp}"], 2, "no folder with agents/, graphs/ or prompts/"),
        (["run", "--set", "taxonomy={tmp}/twice.yaml"], 1, "`self-harm` stands twice"),
        (["run", "--set", "extractor=en_no_such"], 2, "no such spaCy model"),
        (["run", "--set", "reference=[{tmp}/gone.csv]"], 1, "no such file"),
        (["categories", "show", "theft"], 1, "unknown category `theft`"),
        (["categories", "list", "--taxonomy", "{tmp}/twice.yaml"], 1, "stands twice"),
        (["seeds", "stats", "{tmp}/gone.csv"], 1, "no such file"),
        (["score", "prompts", "{tmp}/gone.csv", "--out", "{tmp}/s.csv"], 1, "gone.csv"),
        (["report", "{tmp}"], 1, "{tmp}"),
        (["eject", "{tmp}/full"], 2, "exists already"),
    ],
)
def test_wrong_use_is_one_line(command, tmp_path, seeds, arguments, code, said):
    (tmp_path / "bad.yaml").write_text("loop: {depth: 3}\n", encoding="utf-8")
    (tmp_path / "twice.yaml").write_text(DUPLICATE_ID, encoding="utf-8")
    (tmp_path / "full" / "agents").mkdir(parents=True)
    before = sorted(p.name for p in tmp_path.rglob("*"))
    if arguments[0] == "run":
        arguments = [*arguments, "--out", "{tmp}/out", "--seeds", str(seeds)]
    given = [a.replace("{tmp}", str(tmp_path)) for a in arguments]
    found, printed, told = command(*given)
    assert found == code, told
    assert said.replace("{tmp}", str(tmp_path)) in one_line(told)
    assert printed == ""
    after = sorted(p.name for p in tmp_path.rglob("*"))
    left = [name for name in after if name not in {*before, "out"} and "run.sqlite" not in name]
    assert left == []


def test_the_folder_of_another_run_is_left_alone(command, small_run, seeds):
    before = (small_run.out / "run.sqlite").read_bytes()
    code, _, told = command("run", "--seeds", seeds, "--target", 2, "--out", small_run.out)
    assert code == 1
    assert "holds a run already" in one_line(told)
    assert (small_run.out / "run.sqlite").read_bytes() == before


def test_resume_without_a_run(command, tmp_path):
    code, _, told = command("run", "--resume", tmp_path)
    assert code == 2
    assert "no run.sqlite in it" in one_line(told)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_none(command, tmp_path):
    (tmp_path / "run.sqlite").write_bytes(b"not a database at all" * 100)
    code, _, told = command("run", "--resume", tmp_path)
    assert code == 1
    assert "cannot be used as a run store" in one_line(told)


def test_out_and_resume_together(command, tmp_path):
    code, _, told = command("run", "--resume", tmp_path, "--out", tmp_path)
    assert code == 2
    assert "give one of them" in one_line(told)


def test_an_output_that_cannot_be_written(command, tmp_path, seeds):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "deeper"):
        code, printed, told = command("run", "--seeds", seeds, "--target", 2, "--out", out)
        assert code == 1
        assert str(out) in one_line(told)
        assert printed == ""
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write(command, tmp_path, seeds):
    tmp_path.chmod(0o500)
    code, _, told = command("run", "--seeds", seeds, "--target", 2, "--out", tmp_path / "out")
    tmp_path.chmod(0o700)
    assert code == 1
    assert "out" in one_line(told)


@pytest.mark.skipif(os.name != "posix", reason="limits the file size as POSIX does")
def test_a_full_disk_ends_the_run_in_one_line_and_it_can_go_on(command, tmp_path, few_seeds):
    """The real command with a limit on the size of files, as a full disk would stop it."""
    out = tmp_path / "out"
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
        "from falsereject_gen.cli.main import main\n"
        "main()\n"
    )
    arguments = ["run", "--seeds", str(few_seeds), "--target", "60", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1, done.stderr
    assert f"--resume {out}" in one_line(done.stderr) or "--resume" in one_line(done.stderr)
    assert done.stdout == ""
    assert not (out / "manifest.json").exists()
    with sqlite3.connect(f"file:{out / 'run.sqlite'}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    ended, printed, told = command("run", "--resume", out, "--json")
    assert ended == 0, told
    assert json.loads(printed.splitlines()[-1])["accepted"] == 60


def test_the_real_command_says_it_in_one_line_too(tmp_path):
    done = subprocess.run(
        [*CLI, "run", "--target", "0", "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "`target`" in one_line(done.stderr)
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_help_and_version_work_and_are_quick(command):
    for arguments in (["--help"], ["run", "--help"], ["--version"]):
        code, printed, _ = command(*arguments)
        assert code == 0
        assert printed
