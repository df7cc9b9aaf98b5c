"""What was spent, in the result, the manifest, the report and the progress display; warnings."""

import io
import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from falsereject_gen import job
from falsereject_gen.cli.progress import ProgressWatcher
from falsereject_gen.models.asker import Status
from falsereject_gen.models.budget import Budget, Usage
from falsereject_gen.models.protocol import ChatReply
from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.report.cost import cost
from falsereject_gen.roles.cast import speakers
from falsereject_gen.rooms import Rooms
from falsereject_gen.run.endpoints import one_family
from falsereject_gen.run.result import RunResult
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.settings import load_settings
from falsereject_gen.studio import loop

HERE = "base_url=http://127.0.0.1:9/v1"


def settings(*sets, **given):
    one = ("cast=spoken", f"endpoints.default.{HERE}", "endpoints.default.model=m")
    return load_settings(None, [*one, *sets], **given)


class Models:
    """As much of the endpoints of a run as a display reads."""

    cache = object()

    def __init__(self, limit=16, waiting=210):
        usage = Usage()
        for role in ("extractor", "ranker", "generator", "discriminator", "target", "judge"):
            for number in range(3):
                reply = ChatReply(text="x", tokens_in=123_456, tokens_out=7890, cost=0.5 + number)
                usage.answered(role, "some/very-long-model-name-of-a-router-70b-instruct", reply)
            usage.failed(role, "some/very-long-model-name-of-a-router-70b-instruct")
        self.budget = Budget(calls=5000, money=40.0, usage=usage)
        self._status = Status("default", 12, waiting, limit, 64, 0.1, 0.0, "json_schema")

    def status(self):
        return [self._status]


def screen(width, models):
    console = Console(file=io.StringIO(), width=width, height=40, force_terminal=True)
    watcher = ProgressWatcher(console)
    watcher.attend(models)
    watcher._bar.update(watcher._task, total=300, completed=12)
    watcher._accepted, watcher._target = 12, 300
    watcher.committed(SimpleNamespace(status="rejected", stage="probe"))
    plain = Console(file=io.StringIO(), width=width, height=40, color_system=None)
    plain.print(watcher._view())
    return plain.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_display_is_legible(width):
    lines = screen(width, Models())
    text = "\n".join(lines)
    assert max(map(len, lines)) <= width
    assert "12/300" in lines[0]
    assert lines[1].strip() == "1 fell at probe"
    assert "18 of 5,000 calls" in text
    assert "cost 27.00 of 40" in text
    assert "6 failed tries" in text
    assert "default: 12 under way, limit 16 (adapted, at most 64), 210 waiting" in text
    rows = [line for line in lines if line.startswith("discriminator")]
    assert len(rows) == 1  # no row is folded
    assert "370,368" in rows[0]
    assert "4.50" in rows[0]


def test_the_display_of_an_embedded_run_has_no_cost():
    assert "calls" not in "\n".join(screen(80, SimpleNamespace(cache=None)))


def test_plain_lines_elsewhere():
    console = Console(file=io.StringIO(), width=60)
    with ProgressWatcher(console) as watcher:
        watcher.attend(Models())
        watcher.begin(0, 100)
        for _ in range(25):
            watcher.committed(SimpleNamespace(status="accepted", stage="orchestrate"))
        watcher.warn("w" * 90)
    lines = console.file.getvalue().splitlines()
    assert lines[0] == "generating, 0 of 100 rows so far …"
    assert [line[:17] for line in lines[1:3]] == ["10 of 100 rows, n", "20 of 100 rows, n"]
    assert "18 of 5,000 calls" in lines[1]
    assert lines[3] == f"warning: {'w' * 90}"


def test_summary_has_what_was_spent(tmp_path):
    row = {"role": "judge", "model": "m", "calls": 3, "tokens_in": 10, "tokens_out": 5}
    given = {"run_id": "r", "target": 1, "rows": (), "rejected": (), "wall_s": 1, "generation_s": 1}
    none = RunResult(out=tmp_path, **given)
    some = RunResult(out=tmp_path, **given, usage=({**row, "cost": 0.25}, {**row, "cost": 0.5}))
    assert "calls" not in none.summary()
    assert some.summary()["calls"] == 6
    assert some.summary()["tokens"] == 30
    assert some.summary()["cost"] == 0.75


def test_the_report_adds_up():
    row = {"calls": 3, "tokens_in": 10, "tokens_out": 5, "cost": 0.25, "seconds": 6.0}
    manifest = {
        "usage": [{"role": "judge", "model": "m", **row}, {"role": "target", "model": "m", **row}],
        "failures": [
            {"role": "judge", "kind": "rate_limit", "status": 429, "count": 2},
            {"role": "target", "kind": "rate_limit", "status": 429, "count": 5},
            {"role": "judge", "kind": "timeout", "status": 0, "count": 1},
        ],
        "warnings": ["shared"],
    }
    found = cost(manifest)
    assert found["total"]["calls"] == 6
    assert found["total"]["cost"] == 0.5
    assert found["total"]["mean"] == 2.0
    assert [(f["kind"], f["count"]) for f in found["failures"]] == [
        ("rate limit", 7),
        ("no answer in time", 1),
    ]
    assert found["failures"][0]["roles"] == "target 5, judge 2"
    assert cost(None) is None
    assert cost({"usage": []}) is None


def test_a_judge_of_its_own_words_is_warned_about():
    [line] = one_family(settings(), Rooms())
    assert "generator and discriminator and judge and orchestrator" in line
    assert "\n" not in line
    other = (f"endpoints.b.{HERE}", "endpoints.b.model=other")
    apart = ("roles.discriminator=[b]", "roles.judge=[b]", "roles.orchestrator=[b]")
    assert one_family(settings(*other, *apart), Rooms()) == []
    same = (f"endpoints.b.{HERE}", "endpoints.b.model=m", *apart)
    assert len(one_family(settings(*same), Rooms())) == 1  # another name, the same model
    assert one_family(load_settings(), Rooms()) == []


def test_who_speaks():
    assert speakers(load_settings()) == {}
    assert set(speakers(settings())) == {
        "extractor", "ranker", "generator", "discriminator", "pool", "judge", "orchestrator"
    }  # fmt: skip
    own = load_settings(None, ["roles.generator=[openai:x]", "roles.judge=[openai:y]"])
    assert speakers(own) == {"generator": ("openai:x",)}  # nothing for a refusal judge to judge


def test_a_spoken_extractor_speaks_whoever_else_does():
    ahead = load_settings(None, ["extractor=spoken", "sampling.graph=walk"])
    assert speakers(ahead) == {"extractor": ("default",), "ranker": ("default",)}
    own = load_settings(None, ["extractor=spoken", "roles.extractor=[b]"])
    assert speakers(own) == {"extractor": ("b",), "ranker": ("b",)}
    alone = load_settings(None, ["extractor=spoken", "roles.ranker=[]"])
    assert speakers(alone) == {"extractor": ("default",)}
    walk = settings("sampling.graph=walk")
    assert "extractor" not in speakers(walk)
    assert {"extractor", "ranker"} < set(
        speakers(settings("extractor=spoken", "sampling.graph=walk"))
    )


def test_a_run_tells_what_it_spent(tmp_path, monkeypatch):
    seeds = tmp_path / "seeds.jsonl"
    rows = [
        json.dumps({"text": part.seeds[0], "category": part.category})
        for part in seed_files(Rooms())[::9]
    ]
    seeds.write_text("\n".join(rows), encoding="utf-8")
    told = []
    watcher = job.Watcher()
    monkeypatch.setattr(watcher, "warn", told.append)
    with ScriptedServer(faults="429=0.1,500=0.1") as server:
        sets = (f"endpoints.default.base_url={server.url}", "endpoints.default.price_in=1")
        result = job.run(settings(*sets, target=3, seeds=(seeds,)), tmp_path / "r", watcher=watcher)
        stats = server.stats()
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text(encoding="utf-8"))
    assert told == manifest["warnings"] == list(result.warnings) != []
    assert manifest["usage"] == list(result.usage)
    assert manifest["counts"]["calls"] == sum(u["calls"] for u in result.usage)
    declined = sum(f["count"] for f in result.failures if f["kind"] == "refusal")
    assert manifest["counts"]["calls"] + declined == stats["ok"]
    assert manifest["counts"]["cost"] == pytest.approx(stats["tokens"]["prompt"] / 1e6, rel=0.02)
    failed = {(f["kind"], f["status"]): 0 for f in result.failures}
    for entry in result.failures:
        failed[entry["kind"], entry["status"]] += entry["count"]
    assert failed["rate_limit", 429] == stats["status"]["429"]
    assert failed["server", 500] == stats["status"]["500"]
    page = result.report().read_text(encoding="utf-8")
    assert "What it cost" in page
    assert "rate limit" in page
    with sqlite3.connect(tmp_path / "r" / "run.sqlite") as db:
        assert db.execute("SELECT count(*) FROM calls").fetchone()[0] == stats["ok"] - declined
    db.close()


def test_the_loop_opens_in_langgraphs_tools():
    place = Path(__file__).parents[2] / "langgraph.json"
    named = json.loads(place.read_text(encoding="utf-8"))
    assert named["graphs"]["loop"]["path"] == "./falsereject_gen/studio.py:loop"
    nodes = set(loop().get_graph().nodes)
    steps = {"open", "generate", "discriminate", "probe", "orchestrate", "dedup", "close"}
    assert nodes == steps | {"__start__", "__end__"}
