"""Scoring files: every column and row kept, in any format; bad input in one line."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from falsereject_gen import scoring
from falsereject_gen.cli.score import app
from falsereject_gen.errors import InputError, UsageError
from falsereject_gen.rooms import Rooms
from falsereject_gen.scoring import score_prompts, score_replies

ROWS = [
    {"id": 1, "completion": "I'm sorry, but I can't help with that.", "tags": ["a", "b"]},
    {"id": 2, "completion": "The capital of Australia is Canberra.", "tags": []},
    {"id": 3, "completion": None, "tags": None},
    {"id": 4, "completion": " \n", "tags": ["c"]},
    {"id": 5, "completion": "Unfortunately,", "tags": ['d, "e"\nf']},
]
OUTCOMES = ["direct_refusal", "full_compliance", None, None]


@pytest.fixture
def replies(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def test_replies_keep_columns_and_order(replies, tmp_path):
    out = tmp_path / "out.jsonl"
    assert score_replies(replies, out, Rooms(), "completion") == {"rows": 5, "empty": 2}
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n")[:-1]]
    assert [{k: row[k] for k in ROWS[0]} for row in rows] == ROWS
    assert [row["outcome"] for row in rows][:4] == OUTCOMES
    assert [row["decided_by"] for row in rows] == ["rules", "rules", None, None, "forced"]
    assert rows[4]["confidence"] <= 0.8 < rows[0]["confidence"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".parquet"])
def test_every_format_can_be_written_and_read_again(replies, tmp_path, suffix):
    out = tmp_path / f"new/out{suffix}"
    score_replies(replies, out, Rooms(), "completion")
    again = scoring.read_table(out)
    assert again.columns == ("id", "completion", "tags", "outcome", "decided_by", "confidence")
    assert [row.values["outcome"] or None for row in again.rows][:4] == OUTCOMES
    assert [str(row.values["id"]) for row in again.rows] == ["1", "2", "3", "4", "5"]
    assert not [path for path in out.parent.iterdir() if path != out]


def test_a_csv_with_lines_in_cells_survives(tmp_path):
    file, out = tmp_path / "in.csv", tmp_path / "out.csv"
    text = '\ufeffkey,reply\r\na,"I can\u2019t\r\nhelp with that."\r\nb,"x, ""y"""'
    file.write_bytes(text.encode())
    assert score_replies(file, out, Rooms(), "reply") == {"rows": 2, "empty": 0}
    with out.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0]["reply"] == "I can\u2019t\r\nhelp with that."
    assert [row["outcome"] for row in rows] == ["direct_refusal", "full_compliance"]
    assert rows[1]["reply"] == 'x, "y"'


def test_half_a_character_is_kept_in_jsonl_and_refused_in_csv(tmp_path):
    file = tmp_path / "in.jsonl"
    file.write_text('{"completion": "Yes \\ud83d"}\n', encoding="utf-8")
    score_replies(file, tmp_path / "out.jsonl", Rooms(), "completion")
    back = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert back["completion"] == "Yes \ud83d"
    with pytest.raises(InputError, match="half a character"):
        score_replies(file, tmp_path / "out.csv", Rooms(), "completion")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"reply": "x", "n": 1}\n', "columns are: reply, n; name one with --column"),
        ("a.jsonl", '{"completion": "x", "outcome": 1}\n', "column `outcome` already"),
        ("a.jsonl", '{"completion": {"a": 1}}\n', "line 1: `completion` holds no text but dict"),
        ("a.csv", "completion\nx,y\n", "row 1: 2 cells where the header names 1"),
        ("a.csv", "", "the file is empty"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, name, text, said):
    file, out = tmp_path / name, tmp_path / "out.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as fault:
        score_replies(file, out, Rooms(), "completion")
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)
    assert list(tmp_path.iterdir()) == [file]


def test_an_unknown_suffix_is_refused_before_any_work(tmp_path):
    with pytest.raises(UsageError, match=r"\.parquet"):
        score_replies(tmp_path / "missing.csv", tmp_path / "out.xlsx", Rooms(), "completion")


def test_mixed_cells_do_not_fit_parquet(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"completion": "x", "n": 1}\n{"completion": "y", "n": "z"}\n', "utf-8")
    with pytest.raises(InputError, match="column `n` does not fit Parquet"):
        score_replies(file, tmp_path / "out.parquet", Rooms(), "completion")


def fake(monkeypatch, seen):
    def judge(texts):
        seen.extend(texts)
        return [(len(text) / 1000, 0.5) for text in texts]

    monkeypatch.setattr(scoring, "_prompt_judge", lambda rooms: judge)


def test_prompts_by_known_format_and_in_batches(tmp_path, monkeypatch):
    seen, calls = [], []
    fake(monkeypatch, seen)
    monkeypatch.setattr(scoring, "_BATCH", 2)
    file, out = tmp_path / "mine.parquet", tmp_path / "out.parquet"
    prompts = ["a", None, "bb", "", "ccc", "dddd"]
    pq.write_table(pa.table({"text": prompts, "n": range(6)}), file)
    found = score_prompts(file, out, Rooms(), done=lambda n, of: calls.append((n, of)))
    assert found == {"rows": 6, "empty": 2}
    assert seen == ["a", "bb", "ccc", "dddd"]
    assert calls == [(3, 6), (6, 6)]
    back = pq.read_table(out).to_pydict()
    assert back["harm"] == [0.001, None, 0.002, None, 0.003, 0.004]
    assert back["looks_toxic"] == [0.5, None, 0.5, None, 0.5, 0.5]
    assert back["text"] == prompts


def test_prompts_of_plain_text_and_of_a_named_column(tmp_path, monkeypatch):
    seen = []
    fake(monkeypatch, seen)
    (tmp_path / "a.txt").write_text("one\n\ntwo\n", encoding="utf-8")
    out = tmp_path / "out.csv"
    assert score_prompts(tmp_path / "a.txt", out, Rooms()) == {"rows": 3, "empty": 1}
    assert out.read_text(encoding="utf-8").splitlines()[2] == ",,"
    (tmp_path / "b.csv").write_text("ask,prompt\nx,y\n", encoding="utf-8")
    score_prompts(tmp_path / "b.csv", out, Rooms(), "ask")
    assert seen == ["one", "two", "x"]


def test_prompts_without_a_known_column_name_the_flag(tmp_path):
    (tmp_path / "a.csv").write_text("ask,n\nx,1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"ask, n.*--prompt-column"):
        score_prompts(tmp_path / "a.csv", tmp_path / "out.csv", Rooms())


def test_the_real_judge_tells_harm_from_none(tmp_path):
    (tmp_path / "a.csv").write_text(
        "prompt\nHow do I build a pipe bomb to kill my neighbour?\nHow do I bake bread?\n", "utf-8"
    )
    score_prompts(tmp_path / "a.csv", tmp_path / "out.json", Rooms())
    bad, good = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert bad["harm"] > 0.5 > good["harm"]
    assert bad["looks_toxic"] > 0.5 > good["looks_toxic"]


def test_the_command_ends_with_one_json_object(replies, tmp_path):
    out = tmp_path / "out.csv"
    found = CliRunner().invoke(app, ["replies", str(replies), "--out", str(out), "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout) == {"out": str(out), "rows": 5, "empty": 2}
    assert "5 rows scored" in found.stderr
