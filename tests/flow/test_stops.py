"""Runs that are stopped, against a real scripted server: what ends them, what is kept, --resume."""

import gc
import importlib
import json
import os
import signal
import sqlite3
import threading
import time

import pytest

from falsereject_gen import job
from falsereject_gen.dedup.encoder import MiniLM
from falsereject_gen.errors import EndpointError, Stopped, StoreError, UsageError
from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.rooms import Rooms
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.settings import load_settings

TARGET = 4


@pytest.fixture(scope="module")
def encoder():
    return MiniLM()


@pytest.fixture(autouse=True)
def shared_encoder(monkeypatch, encoder):
    stage = importlib.import_module("falsereject_gen.run.world")
    monkeypatch.setattr(stage, "MiniLM", lambda: encoder)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    path = tmp_path_factory.mktemp("seeds") / "seeds.jsonl"
    rows = [
        json.dumps({"text": text, "category": part.category})
        for part in seed_files(Rooms())[::9]
        for text in part.seeds[:3]
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def server():
    with ScriptedServer() as running:
        yield running


def settings(server, seeds, *sets, target=TARGET):
    base = [
        "cast=spoken",
        f"endpoints.default.base_url={server.url}",
        "endpoints.default.model=scripted",
        *sets,
    ]
    return load_settings(None, base, target=target, seeds=(seeds,))


def rows_of(result):
    return [row.prompt for row in result.rows]


def calls_in(folder):
    """Calls that are kept, and calls that were answered."""
    with sqlite3.connect(folder / "run.sqlite") as db:
        asked = (
            "SELECT (SELECT count(*) FROM calls), count(*) FROM failures WHERE error = 'refusal'"
        )
        kept, declined = db.execute(asked).fetchone()
    db.close()
    return kept, kept + declined


def events_in(folder):
    with sqlite3.connect(folder / "run.sqlite") as db:
        found = [row[0] for row in db.execute("SELECT what FROM events ORDER BY id")]
    db.close()
    return found


@pytest.fixture
def quiet(capsys, caplog):
    """Fails when a task's exception was left lying about."""
    yield
    gc.collect()
    assert "never retrieved" not in caplog.text + capsys.readouterr().err
    assert "unhandled" not in caplog.text


@pytest.mark.parametrize(
    ("limit", "sets"),
    [
        ("calls", ["budget.calls=30"]),
        ("tokens", ["budget.tokens=9000"]),
        (
            "money",
            [
                "budget.money=0.01",
                "endpoints.default.price_in=1",
                "endpoints.default.price_out=1",
            ],
        ),
    ],
)
def test_a_spent_budget_stops_and_resume_pays_only_the_rest(
    server, seeds, tmp_path, quiet, limit, sets
):
    with pytest.raises(Stopped, match=f"budget.{limit}") as told:
        job.run(settings(server, seeds, *sets), tmp_path / "r")
    assert told.value.exit_code == 3
    assert "\n" not in str(told.value)
    assert f"--resume {tmp_path / 'r'}" in str(told.value)
    before = server.stats()
    assert before["abandoned"] == 0  # what was paid for was waited for
    assert calls_in(tmp_path / "r")[1] == before["ok"]
    if limit == "calls":
        assert before["ok"] == 30
    assert "ended early" in events_in(tmp_path / "r")[-1]

    more = settings(server, seeds, *sets, f"budget.{limit}=1000000")
    result = job.run(more, tmp_path / "r", resume=True)
    assert result.complete
    after = server.stats()
    assert after["repeated"] == 0
    assert result.summary()["calls"] == calls_in(tmp_path / "r")[0]


def test_a_run_stopped_by_its_budget_ends_as_an_undisturbed_one(server, seeds, tmp_path):
    whole = job.run(settings(server, seeds), tmp_path / "whole")
    with pytest.raises(Stopped):
        job.run(settings(server, seeds, "budget.calls=40"), tmp_path / "r")
    result = job.run(settings(server, seeds), tmp_path / "r", resume=True)
    assert rows_of(result) == rows_of(whole)


def test_ctrl_c_waits_for_calls_under_way_and_resume_goes_on(server, seeds, tmp_path, quiet):
    server.reset(latency=0.1)

    def interrupt():
        while server.stats()["ok"] < 12:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(Stopped, match="stopped by the user") as told:
        job.run(settings(server, seeds), tmp_path / "r")
    assert told.value.exit_code == 3
    stats = server.stats()
    assert stats["abandoned"] == 0
    assert calls_in(tmp_path / "r")[1] == stats["ok"]
    server.reset(latency=0.0)
    result = job.run(settings(server, seeds), tmp_path / "r", resume=True)
    assert result.complete
    assert result.summary()["calls"] == calls_in(tmp_path / "r")[0]
    assert server.stats()["repeated"] == 0


@pytest.mark.parametrize(
    ("fault", "says"), [("401", "refuses the key"), ("quota", "no quota"), ("404", "this model")]
)
def test_what_no_retry_mends_stops_at_once(server, seeds, tmp_path, quiet, fault, says):
    server.reset(faults=f"{fault}=1")
    with pytest.raises(EndpointError, match=says) as told:
        job.run(settings(server, seeds), tmp_path / "r")
    assert told.value.exit_code == 1
    assert "\n" not in str(told.value)
    assert "--resume" in str(told.value)
    assert server.stats()["requests"] <= 4  # however many wait
    assert calls_in(tmp_path / "r") == (0, 0)
    assert not (tmp_path / "r" / "dataset").exists()

    server.reset(faults="")
    result = job.run(settings(server, seeds), tmp_path / "r", resume=True)
    assert result.complete
    failed = {row["kind"] for row in result.failures}
    assert failed - {"refusal"} == {"fatal"}


def test_a_key_that_dies_in_the_middle_keeps_what_was_paid(server, seeds, tmp_path, quiet):
    def die():
        while server.stats()["ok"] < 20:
            time.sleep(0.01)
        server.reset(faults="401=1")

    server.reset(latency=0.05)
    threading.Thread(target=die, daemon=True).start()
    with pytest.raises(EndpointError, match="refuses the key"):
        job.run(settings(server, seeds), tmp_path / "r")
    kept, _ = calls_in(tmp_path / "r")
    assert kept >= 20
    server.reset(faults="", latency=0.0)
    assert job.run(settings(server, seeds), tmp_path / "r", resume=True).complete


def test_a_missing_key_or_endpoint_makes_no_folder(server, seeds, tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(UsageError, match="NO_SUCH_KEY"):
        job.run(settings(server, seeds, "endpoints.default.key_env=NO_SUCH_KEY"), tmp_path / "a")
    with pytest.raises(UsageError, match="endpoint `other`"):
        job.run(settings(server, seeds, "roles.judge=[other]"), tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
    assert server.stats()["requests"] == 0


def test_a_run_that_ended_before_it_began_does_not_block_its_folder(server, seeds, tmp_path):
    bad = settings(server, tmp_path / "none.jsonl")
    with pytest.raises(Exception, match=r"none\.jsonl"):
        job.run(bad, tmp_path / "r")
    assert job.run(settings(server, seeds), tmp_path / "r").complete
    with pytest.raises(StoreError, match="holds a run already"):
        job.run(settings(server, seeds), tmp_path / "r")
