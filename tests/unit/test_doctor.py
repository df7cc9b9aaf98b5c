"""The doctor: what it finds at a real scripted server, on the embedded side, and its exit code."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from falsereject_gen.cli.main import app
from falsereject_gen.doctor import visit as visiting
from falsereject_gen.doctor.embedded import examine_embedded
from falsereject_gen.doctor.visit import visit
from falsereject_gen.errors import UsageError
from falsereject_gen.models.scripted_server import ScriptedServer
from falsereject_gen.rooms import Rooms, eject
from falsereject_gen.seeds.bundled import seed_files
from falsereject_gen.settings import load_settings


@pytest.fixture
def server():
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def bare(monkeypatch):
    """Leaves the embedded side out, which loads the encoder."""
    monkeypatch.setattr(visiting, "examine_embedded", lambda rooms: [])


def examined(server, *sets, name="one"):
    where = [f"endpoints.{name}.base_url={server.url}", f"endpoints.{name}.model=scripted"]
    found = visit(load_settings(None, [*where, *sets]), Rooms())
    return {one.check: one for one in found.findings if one.subject == name}, found


def states(findings):
    return {check: one.state for check, one in findings.items()}


def test_a_healthy_endpoint(server, bare):
    findings, found = examined(server)
    assert found.problems == ()
    assert states(findings) == {
        "reachable": "ok",
        "key": "ok",
        "model": "ok",
        "structured": "ok",
        "latency": "ok",
        "harmful probe": findings["harmful probe"].state,
    }
    assert findings["structured"].found == "json_schema"
    assert findings["latency"].found.endswith("(median of 3 small calls)")


@pytest.mark.parametrize(
    ("given", "mode"),
    [({"no_schema": True}, "json_object"), ({"no_schema": True, "no_json_mode": True}, "fenced")],
)
def test_the_structured_mode_that_works(bare, given, mode):
    with ScriptedServer(**given) as server:
        findings, found = examined(server)
    assert found.problems == ()
    assert findings["structured"].found == mode


def test_replies_that_never_hold_json_are_a_problem(bare):
    with ScriptedServer(faults="bad_json=1") as server:
        findings, found = examined(server)
    assert [one.check for one in found.problems] == ["structured"]
    assert findings["latency"].state == "ok"


@pytest.mark.parametrize(
    ("fault", "check", "advice"),
    [
        ("401", "key", "key_env"),
        ("quota", "key", "top up"),
        ("404", "model", "endpoints.one.model to one of scripted"),
    ],
)
def test_one_problem_and_what_to_do(bare, fault, check, advice):
    with ScriptedServer(faults=f"{fault}=1") as server:
        findings, found = examined(server)
        asked = server.stats()["requests"]
    assert [one.check for one in found.problems] == [check]
    assert advice in findings[check].advice
    assert findings["reachable"].state == "ok"
    assert findings["harmful probe"].state == "not checked"
    assert asked <= 2


def test_nobody_there(bare):
    with ScriptedServer() as server:
        pass
    findings, found = examined(server)
    assert [one.check for one in found.problems] == ["reachable"]
    assert "endpoints.one.base_url" in findings["reachable"].advice
    assert {one.state for check, one in findings.items() if check != "reachable"} == {"not checked"}


def test_a_key_that_is_not_set_is_named_and_never_shown(server, bare, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    findings, _ = examined(server, "endpoints.one.key_env=MY_KEY")
    assert "MY_KEY" in findings["key"].advice
    assert server.stats()["requests"] == 0
    monkeypatch.setenv("MY_KEY", "sk-zebra")
    _, found = examined(server, "endpoints.one.key_env=MY_KEY")
    assert "sk-zebra" not in found.model_dump_json()


def test_the_harmful_probe_is_classified_and_not_shown(bare):
    probe = next(p.seeds[0] for p in seed_files(Rooms()) if p.category == visiting.PROBE_FROM)
    with ScriptedServer(faults="filter=1") as server:
        findings, found = examined(server)
    shown = found.model_dump_json()
    assert findings["harmful probe"].found == "refused by its content filter"
    assert probe not in shown


def test_a_target_that_answers_the_probe_is_a_note_for_the_pool(server, bare, monkeypatch):
    findings, found = examined(server, "roles.pool=[one]")
    if findings["harmful probe"].found == "answered":
        assert findings["harmful probe"].state == "note"
    assert found.problems == ()


def test_a_role_without_its_endpoint(bare):
    with pytest.raises(UsageError, match="endpoint `default`"):
        visit(load_settings(None, ["cast=spoken"]), Rooms())


def test_shared_families_are_a_note(server, bare):
    _, found = examined(server, "cast=spoken", name="default")
    [note] = [one for one in found.findings if one.check == "families"]
    assert note.state == "note"
    assert "generator and discriminator" in note.advice


def test_the_embedded_side_of_the_package_is_sound():
    assert [(one.check, one.state) for one in examine_embedded(Rooms())] == [
        ("encoder", "ok"),
        ("judge.json", "ok"),
        ("rooms", "ok"),
    ]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("graphs/loop.yaml", "loop: [", "graphs/loop.yaml, line"),
        ("prompts/judge/user.j2", "{% if %}", "prompts/judge/user.j2: not a template"),
        ("agents/judge.yaml", "role: judge", "agents/judge.yaml"),
    ],
)
def test_an_overlay_that_cannot_be_read(tmp_path, monkeypatch, file, text, says):
    monkeypatch.setattr("falsereject_gen.doctor.embedded._encoder", lambda: ("skipped", ""))
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    found = {one.check: one for one in examine_embedded(Rooms(tmp_path))}
    assert found["rooms"].state == "problem"
    assert says in found["rooms"].advice
    assert "\n" not in found["rooms"].advice


def test_edited_seeds_make_the_judge_stale(tmp_path, monkeypatch):
    monkeypatch.setattr("falsereject_gen.doctor.embedded._encoder", lambda: ("skipped", ""))
    eject(tmp_path / "all")
    seeds = sorted((tmp_path / "all" / "graphs" / "seeds").glob("*.yaml"))[0]
    place = tmp_path / "mine" / "graphs" / "seeds" / seeds.name
    place.parent.mkdir(parents=True)
    shutil.copy(seeds, place)
    place.write_text(place.read_text(encoding="utf-8").replace("How ", "How, ", 1), "utf-8")
    found = {one.check: one for one in examine_embedded(Rooms(tmp_path / "mine"))}
    assert found["judge.json"].found == "stale"
    assert found["rooms"].state == "ok"


def test_exit_codes_and_json(server, bare):
    runner = CliRunner()
    where = ["--set", f"endpoints.a.base_url={server.url}", "--set", "endpoints.a.model=m"]
    good = runner.invoke(app, ["doctor", *where, "--json"])
    assert good.exit_code == 0
    told = json.loads(good.stdout)
    assert told["ok"] is True
    assert told["endpoints"][0]["name"] == "a"
    server.reset(faults="401=1")
    bad = runner.invoke(app, ["doctor", *where])
    assert bad.exit_code == 1
    assert "problem: a, key:" in " ".join(bad.stdout.split())


def test_without_endpoints_it_says_so(bare):
    told = CliRunner().invoke(app, ["doctor"])
    assert told.exit_code == 0
    assert "no endpoint in this configuration" in told.stderr
