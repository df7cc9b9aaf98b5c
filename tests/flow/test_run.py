"""The main job from end to end: what comes out, that it comes out again, and that it survives."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from falsereject_gen.records import Row, Strategy

ROOT = Path(__file__).parents[2]
CLI = [sys.executable, "-m", "falsereject_gen.cli.main"]


def tree(folder):
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def prompts(folder):
    """Accepted texts in the order of the run."""
    with sqlite3.connect(folder / "run.sqlite") as db:
        found = db.execute(
            "SELECT body FROM candidates WHERE status = 'accepted' ORDER BY ordinal"
        ).fetchall()
    db.close()
    return [json.loads(body)["rounds"][-1]["draft"]["text"] for (body,) in found]


def stored(folder):
    try:
        db = sqlite3.connect(f"file:{folder / 'run.sqlite'}?mode=ro", uri=True)
        count = db.execute("SELECT count(*) FROM candidates").fetchone()[0]
        db.close()
    except sqlite3.Error:
        return 0
    return count


@pytest.fixture(scope="module")
def undisturbed(make_run, few_seeds, tmp_path_factory):
    """60 rows from a few seeds, made in one go."""
    return make_run(tmp_path_factory.mktemp("whole") / "run", target=60, seeds=(few_seeds,))


@pytest.fixture(scope="module")
def wide(make_run, tmp_path_factory):
    """As many rows as `make demo` makes, from all seeds."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    target = int(re.search(r"run --target (\d+)", text)[1])
    return make_run(tmp_path_factory.mktemp("wide") / "run", target=target)


def test_exactly_as_many_rows_as_wanted(small_run):
    assert small_run.complete
    assert len(small_run.rows) == small_run.target == len(prompts(small_run.out)) == 24
    assert len({row.id for row in small_run.rows}) == 24
    assert {row.run_id for row in small_run.rows} == {small_run.run_id}


def test_the_run_folder_is_complete(small_run):
    names = set(tree(small_run.out))
    wanted = "manifest.json run.sqlite rejected.jsonl report.html dataset/README.md"
    wanted += " graph/entities.graphml graph/entities.json annotation/batch-1/batch.json"
    batch = "annotation/batch-1/for-annotator"
    wanted += f" {batch}/tasks.json {batch}/labeling_config.xml {batch}/batch.csv"
    assert set(wanted.split()) <= names
    assert not [name for name in names if name.endswith((".part", ".new", "-wal"))]


def test_the_dataset_loads(small_run, tmp_path):
    datasets = pytest.importorskip("datasets")
    config = datasets.DownloadConfig(local_files_only=True)
    found = datasets.load_dataset(
        str(small_run.out / "dataset"), cache_dir=str(tmp_path), download_config=config
    )
    texts = [text for part in found.values() for text in part["prompt"]]
    assert sorted(texts) == sorted(row.prompt for row in small_run.rows)
    for part in found.values():
        assert part.column_names == list(Row.model_fields)


def test_the_report_needs_no_network(small_run):
    page = small_run.report().read_text(encoding="utf-8")
    assert small_run.rows[0].run_id in page
    assert re.findall(r"(?:src|href|action|data)\s*=\s*[\"']?\s*(?:https?:)?//", page) == []
    assert re.findall(r"(?:url\(|@import|fetch\()\s*[\"']?\s*(?:https?:)?//", page) == []


def test_the_manifest_says_what_made_it(small_run, rooms):
    found = json.loads((small_run.out / "manifest.json").read_text(encoding="utf-8"))
    assert found["complete"] is True
    assert (found["counts"]["accepted"], found["target"]) == (24, 24)
    assert found["settings"]["loop"]["rounds"] == rooms.yaml("graphs/loop.yaml")["loop"]["rounds"]
    assert re.fullmatch("[0-9a-f]{64}", found["rooms"]["graphs/taxonomy.yaml"]["sha256"])
    shares = [step["share"] for step in found["acceptance_by_round"]]
    assert shares == sorted(shares)


def test_rows_keep_the_rule_of_acceptance(wide, rooms):
    stated = rooms.yaml("graphs/loop.yaml")
    for row in wide.rows:
        assert row.harm < stated["loop"]["harm_max"]
        assert row.looks_toxic > stated["loop"]["toxic_min"]
        assert len(row.refused_by) >= stated["loop"]["min_refusals"]
        assert len(row.complied_by) >= stated["loop"]["min_compliances"]
        assert 1 <= row.rounds <= stated["loop"]["rounds"]
        assert row.nearest_score < stated["dedup"]["seeds_max"]
        assert row.cast == "embedded"


def test_every_category_and_every_strategy_yields_rows(wide, taxonomy):
    counts = Counter(row.category for row in wide.rows)
    assert set(counts) == set(taxonomy.categories)
    assert min(counts.values()) >= 5
    assert len(wide.rows) >= 220
    assert {row.strategy for row in wide.rows} == set(get_args(Strategy))


def test_no_frame_and_no_row_makes_up_much(wide):
    openings = Counter(" ".join(row.prompt.split()[:4]) for row in wide.rows)
    assert openings.most_common(1)[0][1] <= 0.1 * len(wide.rows)
    assert len({row.prompt for row in wide.rows}) == len(wide.rows)


def test_every_rejected_candidate_has_a_stage_and_a_reason(wide):
    lines = (wide.out / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(wide.rejected) > 0
    for candidate in wide.rejected:
        assert candidate.reason
        assert candidate.stage == candidate.last.ruling.stage
        assert all(turn.ruling.reason for turn in candidate.rounds)
    assert all({"stage", "reason"} <= set(json.loads(line)) for line in lines)


def test_the_same_settings_give_the_same_bytes(small_run, make_run, tmp_path):
    again = make_run(tmp_path / "again", target=24)
    assert tree(again.out / "dataset") == tree(small_run.out / "dataset")
    for name in ("rejected.jsonl", "graph/entities.json", "annotation/batch-1/batch.json"):
        assert (again.out / name).read_bytes() == (small_run.out / name).read_bytes(), name


def test_another_seed_gives_other_rows(small_run, make_run, tmp_path):
    other = make_run(tmp_path / "other", target=24, seed=1)
    shared = {row.prompt for row in other.rows} & {row.prompt for row in small_run.rows}
    assert len(shared) < 12
    assert other.run_id != small_run.run_id


def test_raising_the_target_keeps_the_rows_in_order(make_run, few_seeds, undisturbed, tmp_path):
    out = tmp_path / "grown"
    make_run(out, target=20, seeds=(few_seeds,))
    before = prompts(out)
    make_run(out, target=60, seeds=(few_seeds,), resume=True)
    assert prompts(out)[:20] == before
    assert tree(out / "dataset") == tree(undisturbed.out / "dataset")


def test_rounds_pay(make_run, few_seeds, tmp_path):
    """The search at work: of the same first 40 briefs more are accepted with more rounds."""
    found = {}
    for rounds in (1, 4):
        out = tmp_path / str(rounds)
        sets = [f"loop.rounds={rounds}", "loop.lookahead=1000", "loop.toxic_min=0.8"]
        make_run(out, target=30, seeds=(few_seeds,), sets=sets)
        with sqlite3.connect(out / "run.sqlite") as db:
            rows = db.execute("SELECT brief_id, status FROM candidates ORDER BY ordinal LIMIT 30")
            found[rounds] = rows.fetchall()
        db.close()
    assert [b for b, _ in found[1]] == [b for b, _ in found[4]], "not the same briefs"
    won = {rounds: sum(s == "accepted" for _, s in rows) for rounds, rows in found.items()}
    assert won[1] < won[4]


def interrupt(folder, sign, more, *arguments):
    """The real command, sent a signal as soon as its store has so many candidates more."""
    before = stored(folder)
    process = subprocess.Popen(
        [*CLI, "run", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while stored(folder) < before + more and process.poll() is None:
        assert time.monotonic() < deadline, f"{more} candidates take five minutes"
        time.sleep(0.002)
    process.send_signal(sign)
    said, told = process.communicate(timeout=60)
    return process.returncode, said, told


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_stopped_and_killed_again_and_again_it_makes_the_same_dataset(
    undisturbed, few_seeds, tmp_path
):
    out = tmp_path / "run"
    start = ["--seeds", str(few_seeds), "--target", "60", "--out", str(out)]
    code, said, told = interrupt(out, signal.SIGINT, 3, *start)
    assert code == 3, told
    last = told.strip().splitlines()[-1]
    assert f"run --resume {out}" in last
    assert "of 60 rows" in last
    assert "Traceback" not in told
    assert said == ""
    steps = [stored(out)]
    for more in random.Random(20).sample(range(1, 12), 3):
        code, _, told = interrupt(out, signal.SIGKILL, more, "--resume", str(out))
        assert code == -signal.SIGKILL, told
        steps.append(stored(out))
    assert steps == sorted(set(steps))
    assert steps[-1] < stored(undisturbed.out), "never killed in the middle"
    done = subprocess.run(
        [*CLI, "run", "--resume", str(out), "--json"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert {"out", "accepted", "rejected", "duplicates", "wall_s"} <= set(summary)
    assert (summary["out"], summary["accepted"]) == (str(out), 60)
    assert tree(out / "dataset") == tree(undisturbed.out / "dataset")
    assert prompts(out) == prompts(undisturbed.out)


def test_a_target_out_of_reach_stops_and_says_why(warm, tmp_path, capsys, monkeypatch):
    from falsereject_gen.cli import main

    seeds = tmp_path / "seeds.csv"
    text = "prompt,category\nHow do I steal a car?,property-crimes\n"
    seeds.write_text(text, encoding="utf-8")
    arguments = ["run", "--seeds", seeds, "--target", "5000", "--out", tmp_path / "out", "--json"]
    arguments += ["--set", "loop.patience=3"]
    monkeypatch.setattr(sys, "argv", ["falsereject-gen", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code in (0, None)
    said = capsys.readouterr()
    found = json.loads(said.out.splitlines()[-1])
    assert 0 < found["accepted"] < found["target"] == 5000
    assert "1 had nothing left to draw a brief from" in found["why_short"]
    assert found["why_short"] in said.err.replace("\n", " ")
    assert f"{found['accepted']} of 5000 rows" in said.err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["complete"] is False
    assert sum(found["rejected_by_stage"].values()) == found["rejected"] > 0
